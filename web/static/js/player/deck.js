// Plays a queue through the audio element by hls.js, track after track without a gap. Loaded at the first play.
//
// Events: "track" {item, again}, "quality" {name, kbps}, "qualities" {names}, "lost", "back", "problem" {sentence}, "end".

import { t } from "../texts.js";
import { cutExactly, habits, loaderFor, straighten } from "./joints.js";
import { isRefusal, Permit, sentenceFor } from "./permit.js";
import { LADDER, Timeline } from "./timeline.js";

const HLS = new URL("../../vendor/hls.js/hls.light.min.mjs", import.meta.url);
const AHEAD_S = 25; // The next track is joined when less than this much of the last one is still to be loaded.

export class Deck extends EventTarget {
  #audio;
  #following;
  #hls;
  #Hls;
  #timeline;
  #index = 0;
  #joining;
  #timer;
  #lost = false;
  #recoveredAt = 0;
  #distrustedAt = 0;
  #wanted = "auto";
  #permits = new Map();

  // *following(item)* names what comes after an item in the queue, or null.
  constructor(audio, { following }) {
    super();
    this.#audio = audio;
    this.#following = following;
    audio.addEventListener("timeupdate", () => this.#follow());
    audio.addEventListener("seeking", () => this.#follow());
    audio.addEventListener("ended", () => this.#hls && this.#tell("end"));
    addEventListener("offline", () => this.#hls && !this.#complete && this.#lose());
    addEventListener("online", () => this.#hls?.startLoad());
  }

  // Make the item ready to play from this second on; the caller then plays the element. False when another was opened meanwhile.
  async open(item, at = 0, { again = false } = {}) {
    this.close();
    const timeline = (this.#timeline = new Timeline());
    this.#Hls ??= (await import(HLS)).default;
    if (!this.#Hls.isSupported()) throw new Error(t("This browser cannot play streams. A current Firefox, Chrome, Edge or Safari can."));
    await timeline.join(item, this.#permit(item));
    if (timeline !== this.#timeline) return false;
    this.#index = 0;
    this.#attach(at);
    this.#announce(again);
    return true;
  }

  close() {
    clearTimeout(this.#timer);
    this.#timeline?.close();
    this.#hls?.destroy();
    this.#hls = this.#timeline = this.#joining = null;
    this.#lost = false;
  }

  get item() {
    return this.#part?.item;
  }

  // Seconds in the present track; media time runs on over all of them.
  get position() {
    return this.#part ? Math.min(this.#part.duration, Math.max(0, this.#audio.currentTime - this.#part.start)) : 0;
  }

  get duration() {
    return this.#part?.duration ?? 0;
  }

  // Up to which second of the present track it is loaded.
  get buffered() {
    const { buffered, currentTime } = this.#audio;
    for (let at = 0; at < buffered.length; at++) {
      if (buffered.start(at) <= currentTime + 0.1 && currentTime < buffered.end(at) + 0.1) return buffered.end(at) - (this.#part?.start ?? 0);
    }
    return this.position;
  }

  seek(seconds) {
    if (!this.#part) return;
    this.#audio.currentTime = this.#part.start + Math.min(Math.max(0, seconds), Math.max(0, this.#part.duration - 0.05));
  }

  // Go to an item that is joined already; false when it is not.
  jump(item, at = 0) {
    const index = this.#hls ? this.#timeline.parts.findLastIndex((part) => part.item.key === item.key) : -1;
    if (index < 0) return false;
    this.#audio.currentTime = this.#timeline.parts[index].start + at;
    this.#follow();
    this.refresh();
    return true;
  }

  get quality() {
    return this.#wanted;
  }

  set quality(name) {
    this.#wanted = name;
    if (this.#hls?.levels.length) this.#hls.nextLevel = this.#level;
  }

  // The queue has changed: what was joined behind the present track may not be what follows now.
  refresh() {
    if (!this.#hls || this.#joining) return;
    const { parts } = this.#timeline;
    const wrong = parts.some((part, at) => at > this.#index && part.item.key !== this.#following(parts[at - 1].item)?.key);
    if (wrong) this.#reopen();
    else this.#joinNext();
  }

  get #part() {
    return this.#timeline?.parts[this.#index];
  }

  get #complete() {
    return this.#timeline?.ended && this.buffered >= this.duration - 0.5;
  }

  #permit(item) {
    if (this.#permits.size > 50) this.#permits.clear();
    if (!this.#permits.has(item.id)) this.#permits.set(item.id, new Permit(item.id));
    return this.#permits.get(item.id);
  }

  #attach(at) {
    const timeline = this.#timeline;
    const { Events } = this.#Hls;
    const hls = (this.#hls = new this.#Hls({
      ...habits(at, (answer) => this.#worthwhile(answer)),
      pLoader: loaderFor(timeline, () => this.#lose()),
      xhrSetup: async (xhr, address) => {
        const permit = timeline.permitFor(address);
        xhr.open("GET", permit ? await permit.current(address).catch((error) => this.#refuse(hls, error)) : address, true);
      },
    }));
    cutExactly(hls, timeline, Events);
    hls.on(Events.LEVEL_PTS_UPDATED, (_, { details }) => straighten(details, timeline));
    hls.on(Events.LEVEL_UPDATED, () => this.#finish());
    hls.on(Events.MANIFEST_PARSED, () => {
      this.#offer();
      hls.startLevel = this.#level;
      if (this.#wanted !== "auto") hls.nextLevel = this.#level;
      hls.startLoad(at);
    });
    hls.on(Events.FRAG_CHANGED, (_, { frag }) => this.#tellQuality(frag));
    hls.on(Events.FRAG_BUFFERED, () => {
      this.#joinNext();
      this.#finish();
    });
    hls.on(Events.FRAG_LOADED, () => this.#regain());
    hls.on(Events.ERROR, (_, data) => this.#onError(data));
    hls.attachMedia(this.#audio);
    hls.loadSource(timeline.address);
  }

  // Join what follows the last track as soon as little of it is left to load; where it is refused, what follows that.
  async #joinNext() {
    const timeline = this.#timeline;
    if (this.#joining || timeline.ended) return;
    const { buffered } = this.#audio;
    const loaded = buffered.length ? buffered.end(buffered.length - 1) : 0;
    if (timeline.end_s - loaded > AHEAD_S) return;
    this.#joining = timeline;
    let last = timeline.parts.at(-1).item;
    for (let pause_ms = 1000; timeline === this.#timeline; ) {
      const next = this.#following(last);
      if (!next?.mayPlay) {
        timeline.end();
        break;
      }
      try {
        if (!(await timeline.join(next, this.#permit(next)))) timeline.end(); // Opened anew when this one has ended.
        break;
      } catch (error) {
        if (error.status >= 400 && error.status < 500 && error.status !== 429) {
          if (next.key === last.key || timeline.parts.some(({ item }) => item.key === next.key)) {
            timeline.end();
            break;
          }
          last = next;
        } else {
          await new Promise((resolve) => setTimeout(resolve, pause_ms));
          pause_ms = Math.min(5000, pause_ms * 2);
        }
      }
    }
    if (this.#joining === timeline) this.#joining = null;
  }

  // All is loaded and nothing follows: say so to the buffer. hls.js does it only when its last segment came on the quality it is on now.
  #finish() {
    const { buffered } = this.#audio;
    if (this.#timeline.ended && buffered.length && buffered.end(buffered.length - 1) > this.#timeline.end_s - 0.1) this.#hls.trigger(this.#Hls.Events.BUFFER_EOS, {});
  }

  // Which track is heard: looked at four times a second, and exactly when the next one begins.
  #follow() {
    const timeline = this.#timeline;
    if (!this.#hls || !timeline.parts.length) return;
    clearTimeout(this.#timer);
    const { currentTime, playbackRate, paused } = this.#audio;
    const index = timeline.at(currentTime);
    if (index !== this.#index) {
      this.#index = index;
      this.#announce();
      this.#offer();
    }
    const left_s = (this.#part.start + this.#part.duration - currentTime) / playbackRate;
    if (!paused && left_s < 1) this.#timer = setTimeout(() => this.#follow(), left_s * 1000 + 5);
  }

  #announce(again = false) {
    this.#tell("track", { item: this.#part.item, again });
  }

  #offer() {
    const names = this.#hls.levels.map((level) => this.#timeline.nameOf(level));
    // Above the best that this track has, every quality is the same file, which need not be fetched again.
    this.#hls.autoLevelCapping = names.indexOf(this.#part.variants.at(-1).name);
    this.#tell("qualities", { names: this.#part.permit.qualities.filter((name) => names.includes(name)) });
  }

  #tellQuality(frag) {
    const part = this.#timeline.parts[frag.cc];
    if (!part) return;
    const variant = this.#timeline.variant(part, this.#timeline.nameOf(this.#hls.levels[frag.level]));
    this.#tell("quality", { name: variant.name, kbps: Math.round(variant.average / 1000) });
  }

  // The number of the wanted level; -1 lets hls.js choose.
  get #level() {
    if (this.#wanted === "auto") return -1;
    const grades = this.#hls.levels.map((level) => LADDER.indexOf(this.#timeline.nameOf(level)));
    return grades.indexOf(Math.max(...grades.filter((grade) => grade <= LADDER.indexOf(this.#wanted))));
  }

  // Whether to ask again for a segment: when the line or the server is down, and once under a new permission.
  #worthwhile(answer) {
    const code = answer?.code ?? 0;
    if (![401, 403, 410].includes(code)) return isDown(code);
    const ago_ms = Date.now() - this.#distrustedAt;
    if (ago_ms > 5000) {
      this.#distrustedAt = Date.now();
      for (const { permit } of this.#timeline.parts.slice(this.#index)) permit.distrust();
    }
    return ago_ms > 5000 || ago_ms < 300; // One failure is asked about more than once.
  }

  #onError({ type, fatal, response, details }) {
    const { ErrorDetails, ErrorTypes } = this.#Hls;
    if (details === ErrorDetails.INTERNAL_ABORTED) return; // We stopped it ourselves.
    const code = response?.code ?? 0;
    if (type === ErrorTypes.NETWORK_ERROR && isDown(code)) {
      this.#lose();
      if (fatal) setTimeout(() => this.#hls?.startLoad(), 3000);
    } else if (code === 404 || fatal) {
      const sentence = type === ErrorTypes.NETWORK_ERROR ? t("This track cannot be played just now.") : t("This browser cannot play this quality. Choose another one under Sound.");
      this.#recover(sentence);
    }
  }

  // No permission any more. To hls.js that would look like a line that is down, at which it asks for ever.
  #refuse(hls, error) {
    if (isRefusal(error) && hls === this.#hls) {
      hls.stopLoad();
      this.#tell("problem", { sentence: sentenceFor(error) });
    }
    throw error;
  }

  #lose() {
    if (!this.#lost) this.#tell("lost");
    this.#lost = true;
  }

  #regain() {
    if (this.#lost) this.#tell("back");
    this.#lost = false;
  }

  // Begin anew where the listener was; give up with the sentence when that did not help a moment ago.
  async #recover(sentence) {
    if (!this.#part) return;
    if (Date.now() - this.#recoveredAt < 5000) {
      this.#hls?.stopLoad();
      this.#tell("problem", { sentence });
      return;
    }
    this.#recoveredAt = Date.now();
    this.#permits.delete(this.#part.item.id);
    await this.#reopen();
  }

  async #reopen() {
    const { item, position } = this;
    const { paused } = this.#audio;
    try {
      if ((await this.open(item, position, { again: true })) && !paused) this.#audio.play().catch(() => {});
    } catch (error) {
      this.#tell("problem", { sentence: sentenceFor(error) });
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function isDown(code) {
  return code < 400 || code >= 500 || code === 429;
}
