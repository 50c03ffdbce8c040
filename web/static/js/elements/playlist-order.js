// Putting a playlist in order by dragging the grip, with the finger too. The arrow buttons stay plain forms, for keys and without a script.

import { t } from "../texts.js";

class PlaylistOrder extends HTMLElement {
  #moving = null;
  #before = "";

  connectedCallback() {
    for (const type of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) this.addEventListener(type, this);
  }

  disconnectedCallback() {
    for (const type of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) this.removeEventListener(type, this);
  }

  handleEvent(event) {
    if (event.type === "pointerdown") this.lift(event);
    else if (!this.#moving) return;
    else if (event.type === "pointermove") this.drag(event.clientY);
    else this.drop();
  }

  lift(event) {
    const grip = event.target.closest(".place-grip");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    this.#moving = grip.closest(".place");
    this.#before = this.order();
    this.#moving.classList.add("moving");
    this.setPointerCapture(event.pointerId);
  }

  drag(y) {
    const after = this.places().find((place) => place !== this.#moving && y < middle(place)) ?? null;
    if (this.#moving.nextElementSibling !== after) this.#moving.parentElement.insertBefore(this.#moving, after);
    // Near an edge of the window the list comes along.
    if (y < 80) scrollBy(0, -12);
    else if (y > innerHeight - 120) scrollBy(0, 12);
  }

  async drop() {
    const place = this.#moving;
    this.#moving = null;
    place.classList.remove("moving");
    if (this.order() === this.#before) return;
    const form = document.getElementById("entries");
    const sent = new URLSearchParams(new FormData(form));
    sent.set("order", this.order());
    try {
      const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body: sent });
      if (!answer.ok) throw new Error((await answer.json()).detail);
      this.number();
      this.say(t("Moved to place {number} of {all}.", { number: this.places().indexOf(place) + 1, all: this.places().length }));
    } catch (error) {
      for (const id of this.#before.split(" ")) place.parentElement.append(this.querySelector(`[data-entry="${id}"]`));
      this.say(error.message);
    }
  }

  // The first cannot go up, and the last not down.
  number() {
    const places = this.places();
    places.forEach((place, index) => {
      place.querySelector('[name="up"]').disabled = index === 0;
      place.querySelector('[name="down"]').disabled = index === places.length - 1;
    });
  }

  say(text) {
    this.querySelector('[role="status"]').textContent = text;
  }

  places() {
    return [...this.querySelectorAll(".place")];
  }

  order() {
    return this.places().map((place) => place.dataset.entry).join(" ");
  }
}

function middle(place) {
  const { top, height } = place.getBoundingClientRect();
  return top + height / 2;
}

customElements.define("playlist-order", PlaylistOrder);
