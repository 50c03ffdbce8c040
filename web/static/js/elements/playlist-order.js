// Putting a playlist in order by dragging the grip, with the finger too, and by the arrow buttons, which are plain forms without this.

import { t } from "../texts.js";

const EVENTS = ["click", "pointerdown", "pointermove", "pointerup", "pointercancel"];

class PlaylistOrder extends HTMLElement {
  #moving = null;
  #before = "";
  #sent = Promise.resolve();

  connectedCallback() {
    for (const type of EVENTS) this.addEventListener(type, this);
  }

  disconnectedCallback() {
    for (const type of EVENTS) this.removeEventListener(type, this);
  }

  handleEvent(event) {
    if (event.type === "click") this.step(event);
    else if (event.type === "pointerdown") this.lift(event);
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

  drop() {
    const place = this.#moving;
    this.#moving = null;
    place.classList.remove("moving");
    if (this.order() !== this.#before) this.save(place);
  }

  step(event) {
    const button = event.target.closest('[name="up"], [name="down"]');
    if (!button) return;
    event.preventDefault();
    const place = button.closest(".place");
    this.#before = this.order();
    if (button.name === "up") place.previousElementSibling?.before(place);
    else place.nextElementSibling?.after(place);
    this.number();
    // Who goes on pressing shall find the button where it was; at an end, the other one.
    (button.disabled ? place.querySelector('[name="up"]:enabled, [name="down"]:enabled') : button)?.focus();
    this.save(place);
  }

  // One after the other: the order that was sent last must be the one that stays.
  save(place) {
    const before = this.#before;
    this.#sent = this.#sent.then(() => this.send(place, before));
  }

  async send(place, before) {
    const form = document.getElementById("entries");
    const sent = new URLSearchParams(new FormData(form));
    sent.set("order", this.order());
    try {
      const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body: sent });
      if (!answer.ok) throw new Error((await answer.json()).detail);
      this.say(t("Moved to place {number} of {all}.", { number: this.places().indexOf(place) + 1, all: this.places().length }));
    } catch (error) {
      for (const id of before.split(" ")) place.parentElement.append(this.querySelector(`[data-entry="${id}"]`));
      this.say(error.message);
    }
    this.number();
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
