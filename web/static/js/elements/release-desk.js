// <release-desk>: the list of masters keeps itself fresh, titles are saved as they change, and the order by drag, finger or button.

import { call, page } from "../api.js";
import { Order } from "../studio/order.js";
import { changed } from "../studio/uploads.js";
import { t } from "../texts.js";

const POLL_MS = 1500;
const WORKING = '[data-state="uploaded"], [data-state="processing"], [data-next="yes"]';

class ReleaseDesk extends HTMLElement {
  connectedCallback() {
    this.following = new AbortController();
    changed.addEventListener("arrived", () => this.refresh().catch(() => {}), this.following);
    this.order = new Order(this, { save: (ids) => call("PATCH", `/releases/${this.dataset.release}`, { track_order: ids }), say: (said) => this.say(said) });
    this.onchange = ({ target }) => target.matches(".title-input") && this.rename(target);
    this.oninput = ({ target }) => target.matches(".title-input") && target.setCustomValidity("");
    this.addEventListener("submit", (event) => this.submitted(event), this.following);
    this.watch();
  }

  disconnectedCallback() {
    this.following.abort();
    clearTimeout(this.timer);
  }

  get list() {
    return this.querySelector(".masters");
  }

  say(sentence) {
    this.querySelector(":scope > section > [data-said]").textContent = sentence;
  }

  // Fetch the list anew and put in the lines that differ, except the one somebody is typing in; and what is still needed.
  async refresh() {
    const found = new DOMParser().parseFromString(await page(this.dataset.tracks), "text/html");
    const fresh = found.querySelector(".masters");
    const list = this.list;
    for (const line of [...list.children]) if (!line.id || !fresh.querySelector(`#${line.id}`)) line.remove();
    [...fresh.children].forEach((line, index) => {
      const known = line.id && document.getElementById(line.id);
      const busy = known && (known.contains(document.activeElement) || known.classList.contains("moving"));
      const shown = busy ? known : line;
      if (known && !busy) known.replaceWith(line);
      if (list.children[index] !== shown) list.insertBefore(shown, list.children[index] ?? null);
    });
    const publish = document.getElementById("publish");
    if (publish) publish.disabled = Boolean(fresh.dataset.hindered);
    document.getElementById("steps")?.replaceWith(found.getElementById("steps"));
    this.watch();
  }

  // While something is being prepared, ask how far it is.
  watch() {
    clearTimeout(this.timer);
    if (this.isConnected && this.querySelector(WORKING)) this.timer = setTimeout(() => this.poll(), POLL_MS);
  }

  async poll() {
    try {
      if (this.querySelector('[data-next="yes"]')) return await this.refresh();
      const { tracks } = await call("GET", `/releases/${this.dataset.release}`);
      let moved = tracks.length !== this.querySelectorAll(".master").length;
      for (const track of tracks) {
        const line = document.getElementById(`track-${track.id}`);
        if (!line) continue;
        const playable = Boolean(JSON.parse(line.dataset.track).mayPlay);
        if (line.dataset.state !== track.state || playable !== track.qualities.length > 0) {
          moved = true;
          if (line.dataset.state !== track.state) this.say(told(track));
        }
        const bar = line.querySelector("progress");
        if (bar) bar.value = Math.round(track.progress * 100);
      }
      if (moved) return await this.refresh();
    } catch {
      // A server that restarts is back at one of the next tries.
    }
    this.watch();
  }

  // A title is saved when it is left or Enter is pressed.
  async rename(field) {
    try {
      const { title } = await call("PATCH", `/tracks/${field.closest(".master").dataset.id}`, { title: field.value });
      field.value = field.defaultValue = title;
      this.say(t("Title saved."));
    } catch (error) {
      field.setCustomValidity(error.message);
      field.reportValidity();
    }
  }

  submitted(event) {
    if (event.target.matches(".title-form")) {
      event.preventDefault();
      event.stopPropagation();
      event.target.querySelector(".title-input").blur();
    } else if (event.target.matches("[data-move]")) {
      event.preventDefault();
      event.stopPropagation();
      this.order.step(event.target.closest(".master"), event.submitter);
    }
  }
}

function told({ title, state, problem }) {
  if (state === "ready") return t("{title} is ready.", { title });
  if (state === "failed") return t("{title} failed: {problem}", { title, problem });
  return state === "processing" ? t("{title} is being prepared.", { title }) : "";
}

customElements.define("release-desk", ReleaseDesk);
