// The waveform as a slider: drawn on a canvas, moved by pointer and keys.

import { t } from "../texts.js";

const BAR_PX = 3;
const GAP_PX = 2;

export class Waveform {
  #box;
  #canvas;
  #peaks = [];
  #durationS = 0;
  #positionS = 0;
  #bufferedS = 0;
  #hover;
  #hoverS = null;
  #dragging = false;

  constructor(box, { onSeek, hover = null }) {
    this.#box = box;
    this.#hover = hover; // Where the time below the pointer is told.
    this.#canvas = box.querySelector("canvas");
    this.onSeek = onSeek;
    new ResizeObserver(() => this.#draw()).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
    box.addEventListener("pointerdown", (event) => this.#press(event));
    box.addEventListener("pointermove", (event) => this.#move(event));
    box.addEventListener("pointerup", (event) => this.#release(event));
    box.addEventListener("pointercancel", () => this.#letGo());
    box.addEventListener("pointerleave", () => this.#letGo());
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  async load(address, durationS) {
    this.#peaks = [];
    const wanted = (this.address = address);
    this.show(0, 0, durationS);
    if (!address) return;
    try {
      const { peaks } = await (await fetch(address)).json();
      // Drawn to the height of its loudest moment: a quiet piece is no flat line.
      const top = Math.max(1, ...peaks);
      if (wanted === this.address) this.#peaks = peaks.map((peak) => peak / top);
    } catch {
      // Without its picture the slider is a plain line; it works all the same.
    }
    this.#draw();
  }

  // How far the track is played, and up to where it is loaded.
  show(positionS, bufferedS, durationS) {
    this.#positionS = positionS;
    this.#bufferedS = bufferedS;
    this.#durationS = durationS;
    this.#box.setAttribute("aria-valuemax", Math.round(durationS));
    this.#box.setAttribute("aria-valuenow", Math.round(positionS));
    this.#box.setAttribute("aria-valuetext", t("{time} of {length}", { time: clock(positionS), length: clock(durationS) }));
    this.#draw();
  }

  #at(event) {
    const { left, width } = this.#box.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * this.#durationS;
  }

  #press(event) {
    if (event.button !== 0) return;
    this.#box.setPointerCapture(event.pointerId);
    this.#dragging = true;
    this.#move(event);
  }

  #move(event) {
    if (!this.#dragging && event.pointerType !== "mouse") return;
    this.#hoverS = this.#at(event);
    this.#tellTime();
    this.#draw();
  }

  #tellTime() {
    if (!this.#hover) return;
    this.#hover.hidden = this.#hoverS === null;
    if (this.#hoverS === null) return;
    this.#hover.textContent = clock(this.#hoverS);
    this.#hover.style.insetInlineStart = `${(this.#hoverS / (this.#durationS || 1)) * 100}%`;
  }

  #release(event) {
    if (this.#dragging) this.onSeek(this.#at(event));
    this.#letGo();
  }

  #letGo() {
    this.#dragging = false;
    this.#hoverS = null;
    this.#tellTime();
    this.#draw();
  }

  #key(event) {
    const target = {
      ArrowRight: this.#positionS + 5,
      ArrowUp: this.#positionS + 5,
      ArrowLeft: this.#positionS - 5,
      ArrowDown: this.#positionS - 5,
      PageUp: this.#positionS + 30,
      PageDown: this.#positionS - 30,
      Home: 0,
      End: this.#durationS - 1,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.onSeek(Math.min(this.#durationS, Math.max(0, target)));
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#box;
    if (!width) return;
    const scale = devicePixelRatio || 1;
    if (this.#canvas.width !== width * scale || this.#canvas.height !== height * scale) {
      this.#canvas.width = width * scale;
      this.#canvas.height = height * scale;
    }
    const pen = this.#canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = getComputedStyle(this.#box).color;
    const bars = Math.floor((width + GAP_PX) / (BAR_PX + GAP_PX));
    const played = this.#durationS ? (this.#positionS / this.#durationS) * bars : 0;
    const loaded = this.#durationS ? (this.#bufferedS / this.#durationS) * bars : 0;
    const ghost = this.#hoverS === null ? played : (this.#hoverS / this.#durationS) * bars;
    for (let bar = 0; bar < bars; bar++) {
      const tall = Math.max(BAR_PX, this.#peak(bar, bars) * height);
      pen.globalAlpha = bar < Math.min(played, ghost) ? 1 : bar < Math.max(played, ghost) ? 0.6 : bar < loaded ? 0.42 : 0.24;
      pen.beginPath();
      pen.roundRect(bar * (BAR_PX + GAP_PX), (height - tall) / 2, BAR_PX, tall, BAR_PX / 2);
      pen.fill();
    }
  }

  // The loudest peak below a bar, 0 to 1.
  #peak(bar, bars) {
    const from = Math.floor((bar * this.#peaks.length) / bars);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * this.#peaks.length) / bars));
    return Math.max(0, ...this.#peaks.slice(from, to));
  }
}

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${String(m).padStart(2, "0")}:${String(s).padStart(2, "0")}` : `${m}:${String(s).padStart(2, "0")}`;
}
