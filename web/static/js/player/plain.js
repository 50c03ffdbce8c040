// Plays one address in the audio element: whole tracks where the browser plays HLS itself (Safari), and previews everywhere.
//
// The same verbs and events as the deck.

import { t } from "../texts.js";
import { Permit, sentenceFor } from "./permit.js";

export class Plain extends EventTarget {
  #audio;
  #permit;
  #at = 0;
  #recoveredAt = 0;
  item = null;
  quality = "auto";

  constructor(audio) {
    super();
    this.#audio = audio;
    audio.addEventListener("ended", () => this.item && this.#tell("end"));
    audio.addEventListener("error", () => this.item && this.#recover());
    audio.addEventListener("playing", () => this.item && this.#tell("back"));
    addEventListener("offline", () => this.item && this.#tell("lost"));
    addEventListener("online", () => this.item && this.#tell("back"));
  }

  async open(item, at = 0, { again = false } = {}) {
    this.close();
    this.item = item;
    this.#at = at;
    const preview = !item.mayPlay;
    const permit = (this.#permit = preview ? null : new Permit(item.id));
    await permit?.ask();
    if (this.item !== item) return false;
    this.#audio.src = preview ? item.preview : permit.url;
    if (at) this.#audio.currentTime = at;
    this.#tell("track", { item, again });
    this.#tell("qualities", { names: [] }); // Safari chooses for itself and does not tell.
    this.#tell("quality", preview ? { name: "preview", kbps: 128 } : { name: "auto", kbps: 0 });
    return true;
  }

  close() {
    if (!this.item) return;
    this.item = this.#permit = null;
    this.#audio.removeAttribute("src");
    this.#audio.load();
  }

  get position() {
    return this.#audio.currentTime || this.#at;
  }

  get duration() {
    return Number.isFinite(this.#audio.duration) ? this.#audio.duration : 0;
  }

  get buffered() {
    const { buffered } = this.#audio;
    return buffered.length ? buffered.end(buffered.length - 1) : 0;
  }

  seek(seconds) {
    this.#audio.currentTime = Math.max(0, seconds);
  }

  refresh() {}

  jump() {
    return false;
  }

  async #recover() {
    const { item, position } = this;
    if (Date.now() - this.#recoveredAt < 5000 || !this.#permit) return this.#tell("problem", { sentence: t("This track cannot be played just now.") });
    this.#recoveredAt = Date.now();
    try {
      await this.open(item, position, { again: true });
      await this.#audio.play();
    } catch (error) {
      if (error.name !== "AbortError") this.#tell("problem", { sentence: sentenceFor(error) });
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
