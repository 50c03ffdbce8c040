// Playing the ladder of one track in an audio element: by hls.js, or by the browser itself where it is Safari.

import { Permit } from "./permit.js";

const HLS = new URL("../../vendor/hls.js/hls.light.min.mjs", import.meta.url);
// Chromium plays HLS itself too, but says nothing of the quality; only Safari has the picker for AirPlay.
const ownHls = (audio) => "webkitShowPlaybackTargetPicker" in audio && audio.canPlayType("application/vnd.apple.mpegurl") !== "";

const SENTENCES = {
  network: "The connection was lost. Playback goes on when it is back.",
  media: "This browser cannot play this quality. Choose another one under Sound.",
  gone: "This track cannot be played just now.",
};

// Events: "quality" {name, kbps}, "qualities" {names}, "problem" {sentence}.
export class Stream extends EventTarget {
  #audio;
  #hls;
  #Hls;
  #permit;
  #recoveredAt = 0;
  #wanted = "auto";
  #names = [];

  constructor(audio) {
    super();
    this.#audio = audio;
    this.native = ownHls(audio);
    if (this.native) audio.addEventListener("error", () => this.#recover(SENTENCES.gone));
    addEventListener("online", () => this.#hls?.startLoad());
  }

  // Make the track ready to play from this second on; the caller then plays the element.
  async open(trackId, at = 0) {
    this.close();
    const permit = (this.#permit = new Permit(trackId));
    await permit.ask();
    if (this.native) {
      this.#tell("qualities", { names: [] });
      this.#audio.src = permit.url;
      this.#audio.currentTime = at;
      return;
    }
    this.#Hls ??= (await import(HLS)).default;
    if (permit !== this.#permit) return; // Another track was chosen meanwhile.
    if (!this.#Hls.isSupported()) throw new Error("This browser cannot play streams. A current Firefox, Chrome, Edge or Safari can.");
    this.#attach(at);
  }

  close() {
    this.#hls?.destroy();
    this.#hls = null;
    this.#permit = null;
  }

  get quality() {
    return this.#wanted;
  }

  set quality(name) {
    this.#wanted = name;
    if (this.#hls?.levels.length) this.#hls.nextLevel = this.#level();
  }

  #attach(at) {
    const permit = this.#permit;
    const { Events } = this.#Hls;
    const hls = (this.#hls = new this.#Hls({
      enableWorker: false, // The rungs are MP4 already: there is nothing to remux that would be worth a thread.
      autoStartLoad: false,
      startPosition: at,
      maxBufferLength: 40,
      maxMaxBufferLength: 120,
      backBufferLength: 60,
      xhrSetup: async (xhr, address) => xhr.open("GET", await permit.current(address), true),
    }));
    hls.on(Events.MANIFEST_PARSED, () => {
      this.#names = hls.levels.map((level) => level.url[0].split("/").pop().split(".")[0]);
      this.#tell("qualities", { names: this.#names });
      hls.startLevel = this.#level();
      if (this.#wanted !== "auto") hls.nextLevel = this.#level();
      hls.startLoad(at);
    });
    hls.on(Events.LEVEL_SWITCHED, (_, { level }) => {
      const { averageBitrate, bitrate } = hls.levels[level];
      this.#tell("quality", { name: this.#names[level], kbps: Math.round((averageBitrate || bitrate) / 1000) });
    });
    hls.on(Events.ERROR, (_, data) => this.#onError(data));
    hls.attachMedia(this.#audio);
    hls.loadSource(permit.url);
  }

  // The number of the wanted level; -1 lets hls.js choose.
  #level() {
    return this.#names.indexOf(this.#wanted);
  }

  #onError({ type, fatal, response }) {
    if ([401, 403, 404, 410].includes(response?.code)) return this.#recover(SENTENCES.gone);
    if (!fatal) return;
    if (type === this.#Hls.ErrorTypes.NETWORK_ERROR) {
      this.#tell("problem", { sentence: SENTENCES.network });
      if (navigator.onLine) setTimeout(() => this.#hls?.startLoad(), 3000);
    } else {
      this.#recover(SENTENCES.media);
    }
  }

  // Ask for a new permission and go on where the listener was; give up with the sentence when that did not help a moment ago.
  async #recover(sentence) {
    const permit = this.#permit;
    if (!permit) return;
    if (Date.now() - this.#recoveredAt < 5000) {
      this.#hls?.stopLoad();
      this.#tell("problem", { sentence });
      return;
    }
    this.#recoveredAt = Date.now();
    const { currentTime, paused } = this.#audio;
    try {
      await permit.ask();
    } catch (error) {
      this.#tell("problem", { sentence: error.message });
      return;
    }
    if (permit !== this.#permit) return;
    if (this.native) {
      this.#audio.src = permit.url;
      this.#audio.currentTime = currentTime;
    } else {
      this.#hls.destroy();
      this.#attach(currentTime);
    }
    if (!paused) this.#audio.play().catch(() => {});
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
