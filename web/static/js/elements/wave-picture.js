// <wave-picture src="…json">: the shape of a track, as a picture; to move in it there is the player.

const BAR_PX = 3;
const GAP_PX = 2;

class WavePicture extends HTMLElement {
  async connectedCallback() {
    this.canvas ??= this.appendChild(document.createElement("canvas"));
    this.watch = new ResizeObserver(() => this.#draw());
    this.watch.observe(this);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.#draw();
    this.scheme.addEventListener("change", this.redraw);
    try {
      const { peaks } = await (await fetch(this.getAttribute("src"))).json();
      const top = Math.max(1, ...peaks);
      this.peaks = peaks.map((peak) => peak / top);
      this.#draw();
    } catch {
      this.hidden = true;
    }
  }

  disconnectedCallback() {
    this.watch.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this;
    if (!this.peaks?.length || !width) return;
    const scale = devicePixelRatio || 1;
    Object.assign(this.canvas, { width: width * scale, height: height * scale });
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = getComputedStyle(this).color;
    const bars = Math.floor(width / (BAR_PX + GAP_PX));
    for (let bar = 0; bar < bars; bar++) {
      const from = Math.floor((bar * this.peaks.length) / bars);
      const to = Math.max(from + 1, Math.floor(((bar + 1) * this.peaks.length) / bars));
      const tall = Math.max(2, Math.max(...this.peaks.slice(from, to)) * height);
      pen.beginPath();
      pen.roundRect(bar * (BAR_PX + GAP_PX), (height - tall) / 2, BAR_PX, tall, BAR_PX / 2);
      pen.fill();
    }
  }
}

customElements.define("wave-picture", WavePicture);
