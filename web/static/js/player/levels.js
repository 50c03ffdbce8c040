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

// What to level a track by. A release that is heard as a whole is turned up or down as a whole: its quiet pieces stay quiet beside its
// loud ones, and the level makes no step where one passes into the next. Loudness adds up by energy over time (ITU-R BS.1770).
export function measured(track, queue) {
  const whole = queue.length > 1 && queue.every(({ releaseUrl, loudnessLufs }) => releaseUrl === track.releaseUrl && Number.isFinite(loudnessLufs));
  if (!whole) return track;
  const energy = queue.reduce((sum, { loudnessLufs, durationMs }) => sum + durationMs * 10 ** (loudnessLufs / 10), 0);
  const durationMs = queue.reduce((sum, each) => sum + each.durationMs, 0);
  return { loudnessLufs: 10 * Math.log10(energy / durationMs), truePeakDbtp: Math.max(...queue.map((each) => each.truePeakDbtp ?? 0)) };
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
