// Loudness levelling: by how much a track is turned up or down so that all sound equally loud (EBU R 128).

export const TARGET_LUFS = -14;
const CEILING_DBTP = -1;

// In dB. A quiet track is turned up only as far as its true peak leaves room, never into clipping.
export function levelGain(loudnessLufs, truePeakDbtp) {
  if (!Number.isFinite(loudnessLufs)) return 0;
  const wanted = TARGET_LUFS - loudnessLufs;
  if (wanted <= 0) return wanted;
  const room = Number.isFinite(truePeakDbtp) ? Math.max(0, CEILING_DBTP - truePeakDbtp) : 0;
  return Math.min(wanted, room);
}

// The audio element can only turn down. For more, a gain node is put behind it, once and only when it is needed:
// without one the browser may hand the samples to the system as they are.
export class Loudness {
  #audio;
  #node;
  #context;
  #started = false;
  volume = 1;
  gainDb = 0;

  constructor(audio, { mayAmplify }) {
    this.#audio = audio;
    this.mayAmplify = mayAmplify;
  }

  apply() {
    const factor = this.volume * 10 ** (this.gainDb / 20);
    if (factor > 1 && this.mayAmplify && this.#started && !this.#node) this.#amplify();
    this.#audio.volume = Math.min(1, factor);
    if (this.#node) this.#node.gain.value = Math.max(1, factor);
  }

  // Called when the listener presses play: before that, browsers allow no sound graph.
  start() {
    this.#started = true;
    this.apply();
    if (this.#context?.state === "suspended") this.#context.resume();
  }

  #amplify() {
    this.#context = new AudioContext({ latencyHint: "playback" });
    this.#node = this.#context.createGain();
    this.#context.createMediaElementSource(this.#audio).connect(this.#node).connect(this.#context.destination);
  }
}
