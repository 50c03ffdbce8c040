// The one player of the app: queue, sound and what is remembered. It outlives every page; the element only shows it.
//
// Events: "change" (what plays, whether it plays, the queue or a setting), "time", "quality".

import { recall, remember } from "../preferences.js";
import { t } from "../texts.js";
import { levelGain, Loudness, measured } from "./levels.js";
import { Queue } from "./queue.js";

const DEFAULTS = { quality: "auto", levelling: true, volume: 1, muted: false, rate: 1 };
// Chromium plays HLS itself too, but says nothing of the quality; only Safari has the picker for AirPlay.
const native = (audio) => "webkitShowPlaybackTargetPicker" in audio && audio.canPlayType("application/vnd.apple.mpegurl") !== "";

class Player extends EventTarget {
  queue = new Queue();
  settings = { ...DEFAULTS, ...recall("sound", {}) };
  qualities = [];
  heard = { name: "", kbps: 0 }; // The rung that is really playing.
  note = ""; // A sentence in place of the artist's name.
  trouble = false;
  waiting = false;
  stopAfterThis = false;
  #engines = {};
  #engine = null;
  #at = 0; // Where to begin when nothing is opened yet.
  #asked = null; // The entry that was chosen by hand; every other one begins because the one before is over.
  #wish = 0; // Counts what was asked for, so that a late answer to an older wish is dropped.

  constructor() {
    super();
    // Outside of the body, which Turbo replaces: nothing that pages do can interrupt it.
    this.audio = Object.assign(document.createElement("audio"), { id: "audio", preload: "none" });
    document.documentElement.append(this.audio);
    this.loudness = new Loudness(this.audio, { mayAmplify: !native(this.audio) });
    this.queue.restore(recall("queue", null));
    const place = recall("place", null);
    if (place?.key === this.current?.key) this.#at = place?.at ?? 0;
    this.wasPlaying = Boolean(place?.playing && place.key === this.current?.key);
    for (const name of ["play", "pause", "seeked"]) this.audio.addEventListener(name, () => (this.#keepPlace(), this.#changed()));
    this.audio.addEventListener("waiting", () => this.#wait(true));
    this.audio.addEventListener("playing", () => this.#wait(false));
    this.audio.addEventListener("timeupdate", () => this.#tell("time"));
    this.audio.addEventListener("progress", () => this.#tell("time"));
    setInterval(() => this.playing && this.#keepPlace(), 3000);
    addEventListener("pagehide", () => this.#keepPlace());
    this.applySettings();
  }

  get current() {
    return this.queue.current;
  }

  get playing() {
    return !this.audio.paused;
  }

  get opened() {
    return Boolean(this.#engine?.item) && this.#engine.item.key === this.current?.key;
  }

  get position() {
    return this.opened ? this.#engine.position : this.#at;
  }

  get duration() {
    return (this.opened && this.#engine.duration) || (this.current ? (this.current.mayPlay ? this.current.durationMs / 1000 : 30) : 0);
  }

  get buffered() {
    return this.opened ? this.#engine.buffered : 0;
  }

  // Play these tracks from the one at *index*; *context* says where they were found.
  playAll(tracks, index, context) {
    if (!tracks.length) return;
    this.queue.set(tracks, index, context);
    this.#keepQueue();
    return this.start(this.current);
  }

  async start(item, at = 0) {
    const wish = ++this.#wish;
    this.queue.choose(item);
    this.#at = at;
    this.say("");
    this.waiting = true;
    this.loudness.start();
    this.#level();
    this.#changed();
    try {
      const engine = await this.#engineFor(item);
      if (wish !== this.#wish) return;
      if (this.#engine !== engine) this.#engine?.close();
      this.#engine = engine;
      engine.quality = this.settings.quality;
      this.#asked = item.key;
      if (!engine.jump(item, at) && !(await engine.open(item, at))) return;
      this.audio.playbackRate = this.settings.rate;
      await this.audio.play();
    } catch (error) {
      if (wish !== this.#wish || error.name === "AbortError") return; // Something else was chosen before this one began.
      this.waiting = false;
      // After a reload a browser may want a press first: then it waits in silence, at its place.
      if (error.name !== "NotAllowedError") this.say(error.message, true);
      this.#changed();
    }
  }

  play() {
    if (!this.current) return;
    if (!this.opened) return this.start(this.current, this.#at);
    this.loudness.start();
    this.audio.play().catch((error) => error.name !== "AbortError" && this.say(error.message, true));
  }

  pause() {
    this.#wish += 1;
    this.waiting = false;
    this.audio.pause();
    this.#changed();
  }

  toggle() {
    if (this.playing || this.waiting) this.pause();
    else this.play();
  }

  seek(seconds) {
    const to = Math.min(Math.max(0, seconds), this.duration);
    if (this.opened) this.#engine.seek(to);
    else this.#at = to;
    this.#keepPlace();
    this.#tell("time");
  }

  next() {
    const next = this.current && this.queue.following(this.current, { pressed: true });
    if (next) return this.start(next);
  }

  previous() {
    const before = this.position > 3 ? null : this.queue.previous();
    if (before) return this.start(before);
    this.seek(0);
  }

  // Change the queue, and let what is prepared follow it.
  arrange(change) {
    change(this.queue);
    this.#keepQueue();
    this.#engine?.refresh();
    this.#changed();
  }

  set(name, value) {
    this.settings[name] = value;
    remember("sound", this.settings);
    this.applySettings();
    this.#changed();
  }

  applySettings() {
    const { quality, volume, muted, rate } = this.settings;
    if (this.#engine && this.#engine.quality !== quality) this.#engine.quality = quality;
    this.audio.preservesPitch = true;
    this.audio.defaultPlaybackRate = this.audio.playbackRate = rate;
    this.audio.muted = muted;
    this.loudness.volume = volume ** 2; // Loudness is heard by ratio: the square makes the slider feel even.
    this.#level();
  }

  // How much the present track is turned up or down, in dB.
  get gainDb() {
    const { loudnessLufs, truePeakDbtp } = this.current ? measured(this.current, this.queue.items) : {};
    return this.settings.levelling ? levelGain(loudnessLufs ?? NaN, truePeakDbtp ?? NaN) : 0;
  }

  say(sentence, trouble = false) {
    this.note = sentence;
    this.trouble = trouble;
    this.#changed();
  }

  // Whoever signed in meanwhile hears the whole of what was locked for strangers, and from its beginning: a preview is a piece of it.
  admit() {
    const { current, playing } = this;
    const locked = (item) => item.wayIn?.href.startsWith("/sign-in");
    if (!this.queue.items.some(locked)) return;
    this.queue.items = this.queue.items.map((item) => (locked(item) ? { ...item, mayPlay: true, reason: "", wayIn: null } : item));
    if (locked(current)) {
      this.#engine?.close();
      this.#engine = null;
      this.#at = 0;
      if (playing) this.start(this.current);
    } else this.#engine?.refresh();
    this.#keepQueue();
    this.#changed();
  }

  // Nothing of what was played stays on this device.
  forget() {
    this.pause();
    this.#engine?.close();
    this.#engine = null;
    this.queue = new Queue();
    for (const name of ["queue", "place", "events"]) remember(name, null);
    this.#changed();
  }

  async #engineFor(item) {
    const kind = item.mayPlay && !native(this.audio) ? "deck" : "plain";
    this.#engines[kind] ??= kind === "deck" ? await this.#deck() : await this.#plain();
    return this.#engines[kind];
  }

  async #deck() {
    const { Deck } = await import("./deck.js");
    return this.#listen(new Deck(this.audio, { following: (item) => this.queue.following(item) }));
  }

  async #plain() {
    const { Plain } = await import("./plain.js");
    return this.#listen(new Plain(this.audio));
  }

  #listen(engine) {
    const hear = (name, act) => engine.addEventListener(name, ({ detail }) => engine === this.#engine && act(detail));
    hear("track", ({ item, again }) => again || this.#arrive(item));
    hear("end", () => this.#end());
    hear("qualities", ({ names }) => ((this.qualities = names), this.#changed()));
    hear("quality", (heard) => ((this.heard = heard), this.#tell("quality"), this.#changed()));
    hear("lost", () => this.say(t("The connection is lost. Playing on from what is here."), true));
    hear("back", () => this.trouble && this.#greet());
    hear("problem", ({ sentence }) => ((this.waiting = false), this.say(sentence, true)));
    return engine;
  }

  // A track begins, by choice or because the one before is over.
  #arrive(item) {
    const byItself = this.#asked !== item.key;
    this.#asked = null;
    this.queue.choose(item);
    this.#at = 0;
    this.#level();
    if (byItself && this.stopAfterThis) {
      this.stopAfterThis = false;
      this.audio.pause();
    }
    this.dispatchEvent(new CustomEvent("track", { detail: { item, byItself } }));
    this.#keepPlace();
    this.#changed();
  }

  #end() {
    this.dispatchEvent(new CustomEvent("end"));
    const next = this.current && this.queue.following(this.current);
    const stop = this.stopAfterThis;
    this.stopAfterThis = false;
    if (next && !stop) return this.start(next);
    this.#at = 0;
    this.#engine.seek(0);
    this.audio.pause();
    this.#changed();
  }

  #greet() {
    this.say(t("Back again."));
    setTimeout(() => this.note === t("Back again.") && this.say(""), 4000);
  }

  #wait(waiting) {
    this.waiting = waiting && !this.audio.paused;
    this.#changed();
  }

  #level() {
    this.loudness.gainDb = this.gainDb;
    this.loudness.apply();
  }

  #keepQueue() {
    remember("queue", this.queue);
    this.#keepPlace();
  }

  #keepPlace() {
    if (this.current) remember("place", { key: this.current.key, at: this.position, playing: this.playing });
  }

  #changed() {
    this.#tell("change");
  }

  #tell(name) {
    this.dispatchEvent(new CustomEvent(name));
  }
}

export const player = new Player();
