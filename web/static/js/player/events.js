// What was heard, for the artist's figures: kept on the device until the server has it, so a bad line or a closed tab loses nothing.

import { headers } from "../api.js";
import { recall, remember } from "../preferences.js";

const ADDRESS = "/listen/events";
const MOST = 500; // Kept while offline; the oldest give way.
const BATCH = 100;
const EVERY_MS = 15_000; // Of heard sound.
const SOON_MS = 2000; // Events that come together go together.

export class Recorder {
  #player;
  #play = null; // {id, key, track, heardMs, toldMs, last}
  #timer;
  #sending = false;
  #pause_ms = SOON_MS;

  constructor(player) {
    this.#player = player;
    const { audio } = player;
    audio.addEventListener("timeupdate", () => this.#hear());
    audio.addEventListener("seeking", () => this.#play && (this.#play.last = null));
    audio.addEventListener("pause", () => this.#progress());
    player.addEventListener("track", ({ detail }) => this.#close(detail.byItself ? "end" : "skip"));
    player.addEventListener("end", () => this.#close("end"));
    addEventListener("online", () => this.#soon(0));
    // A page that goes away gets no answer any more: what it sends stays here too, and the server takes every event once.
    addEventListener("pagehide", () => (this.#progress(), this.#beacon()));
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.#beacon());
    if (this.#kept.length) this.#soon();
  }

  #hear() {
    const { audio, current, opened } = this.#player;
    if (audio.seeking || !current || !opened) return;
    if (this.#play?.key !== current.key) {
      if (audio.paused) return;
      this.#begin(current);
    }
    const play = this.#play;
    const now = performance.now();
    if (play.last) {
      const heard_ms = (audio.currentTime - play.last.time) * 1000;
      // Whoever jumps has not heard what lies between.
      if (heard_ms > 0 && heard_ms < (now - play.last.now) * audio.playbackRate + 500) play.heardMs += heard_ms;
    }
    play.last = { time: audio.currentTime, now };
    play.position = this.#player.position;
    play.quality = this.#player.heard.name || play.quality;
    if (play.heardMs - play.toldMs >= EVERY_MS) this.#progress();
  }

  #begin(item) {
    this.#close("skip");
    this.#play = { id: uuid(), key: item.key, track: item.id, context: this.#player.queue.context.url, heardMs: 0, toldMs: 0, position: this.#player.position, quality: item.mayPlay ? "" : "preview", last: null };
    this.#note("start");
  }

  #progress() {
    if (!this.#play || this.#play.heardMs === this.#play.toldMs) return;
    this.#play.toldMs = this.#play.heardMs;
    this.#note("progress");
  }

  #close(kind) {
    if (!this.#play) return;
    this.#note(kind);
    this.#play = null;
  }

  #note(kind) {
    const { id, track, heardMs, position, quality, context } = this.#play;
    const event = { play: id, track, kind, at: Date.now(), position_ms: Math.round(position * 1000), heard_ms: Math.round(heardMs), quality: quality || "low", context };
    // Of one play only the last progress matters.
    const kept = this.#kept.filter((other) => !(kind === "progress" && other.kind === "progress" && other.play === id));
    remember("events", [...kept, event].slice(-MOST));
    this.#soon();
  }

  get #kept() {
    return recall("events", []);
  }

  #soon(pause_ms = SOON_MS) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), pause_ms);
  }

  async #send() {
    const batch = this.#kept.slice(0, BATCH);
    if (this.#sending || !batch.length || !navigator.onLine) return;
    this.#sending = true;
    try {
      const answer = await fetch(ADDRESS, { method: "POST", keepalive: true, credentials: "same-origin", headers: { "Content-Type": "application/json", ...headers() }, body: this.#body(batch) });
      const busy = answer.status === 429 || answer.status >= 500;
      // What the server will never take must not stand in the way of the rest.
      if (!busy) this.#drop(batch);
      this.#pause_ms = busy ? Math.min(300_000, this.#pause_ms * 2) : SOON_MS;
    } catch {
      this.#pause_ms = Math.min(300_000, this.#pause_ms * 2);
    }
    this.#sending = false;
    if (this.#kept.length) this.#soon(this.#pause_ms);
  }

  #beacon() {
    const batch = this.#kept.slice(-BATCH);
    if (batch.length && navigator.onLine) navigator.sendBeacon?.(ADDRESS, new Blob([this.#body(batch)], { type: "application/json" }));
  }

  #drop(batch) {
    const sent = new Set(batch.map((event) => JSON.stringify(event)));
    remember("events", this.#kept.filter((event) => !sent.has(JSON.stringify(event))));
  }

  #body(events) {
    let client = recall("client", "");
    if (!client) remember("client", (client = uuid()));
    return JSON.stringify({ client, sent_at: Date.now(), events });
  }
}

// crypto.randomUUID is there on https only.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
