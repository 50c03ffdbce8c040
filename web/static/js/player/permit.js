// The permission to stream a track: a signed address that ends after some minutes and is asked for anew before it does.

import { call } from "../api.js";
import { t } from "../texts.js";

export class Permit {
  #trackId;
  #former = [];
  #asking;
  qualities = [];

  constructor(trackId) {
    this.#trackId = trackId;
  }

  async ask() {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask() {
    const askedAt = Date.now();
    const answer = await call("POST", `/tracks/${this.#trackId}/play`).catch((error) => this.#kept(error));
    // By the server's clock, since the listener's may be wrong.
    const lifeMs = Date.parse(answer.expires_at) - (answer.servedAt || askedAt);
    if (this.folder) this.#former.push(this.folder);
    this.url = answer.hls_url;
    this.folder = folderOf(answer.hls_url);
    this.qualities = answer.qualities;
    this.renewAt = askedAt + lifeMs - Math.min(20_000, lifeMs / 4);
  }

  // Without a connection, what is kept on this device.
  async #kept(error) {
    const kept = error.status === 0 && (await (await import("../offline/kept.js")).permitFor(this.#trackId));
    if (!kept) throw error;
    return kept;
  }

  get over() {
    return !this.url || Date.now() >= this.renewAt;
  }

  // The server refused the address before its time: the next use asks for another.
  distrust() {
    this.renewAt = 0;
  }

  knows(address) {
    return address.startsWith(this.folder) || this.#former.some((folder) => address.startsWith(folder));
  }

  // The address to use now for one that was given out under an older permission. Playlists and media lie in one folder and
  // their addresses are relative, so only the folder changes and the player never notices.
  async current(address) {
    if (this.over) await this.ask();
    const old = this.#former.find((folder) => address.startsWith(folder));
    return old ? this.folder + address.slice(old.length) : address;
  }
}

// Whether the server gives no permission any more, and asking again would not help.
export function isRefusal({ status }) {
  return status >= 400 && status < 500 && status !== 429;
}

// What to tell who was in the middle of a track.
export function sentenceFor(error) {
  return isRefusal(error) ? t("Your access to this track has ended.") : error.message;
}

function folderOf(address) {
  const path = address.split("?", 1)[0];
  return path.slice(0, path.lastIndexOf("/") + 1);
}
