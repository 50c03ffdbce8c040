// <artwork-crop><form>: a chosen or dropped picture opens with a square on it, moved by pointer or arrow keys, sized by + and - or the slider.

import { t } from "../texts.js";

const WIDEST = 720;
const STEP = 0.02;

class ArtworkCrop extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.querySelector('input[type="file"]');
    const drop = this.querySelector("label");
    this.input.onchange = () => this.input.files.length && this.open(this.input.files[0]);
    this.input.onchange(); // Somebody may have been quicker than this script.
    for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  }

  disconnectedCallback() {
    this.dialog?.remove();
  }

  async open(file) {
    let picture;
    try {
      picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      return this.form.requestSubmit(); // The server tells in words what is wrong with it.
    }
    this.picture = picture;
    this.short = Math.min(picture.width, picture.height);
    this.size = 1;
    this.x = (picture.width - this.short) / 2;
    this.y = (picture.height - this.short) / 2;
    if (picture.width === picture.height && this.short < 400) return this.send();
    this.ask();
  }

  ask() {
    this.dialog = make("dialog", { className: "dialog crop" });
    this.dialog.setAttribute("aria-label", t("Choose the part that becomes the cover"));
    const scale = Math.min(1, WIDEST / Math.max(this.picture.width, this.picture.height));
    this.canvas = make("canvas", { width: this.picture.width * scale, height: this.picture.height * scale, tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", t("The part that becomes the cover. Arrow keys move it, plus and minus change its size."));
    this.scale = scale;
    const slider = make("input", { type: "range", min: 0.2, max: 1, step: STEP, value: 1 });
    slider.setAttribute("aria-label", t("Size"));
    slider.oninput = () => this.resize(Number(slider.value));
    this.slider = slider;
    const use = make("button", { type: "button", className: "button", textContent: t("Use this part") });
    const leave = make("button", { type: "button", className: "button quiet", textContent: t("Cancel") });
    use.onclick = () => this.dialog.close("use");
    leave.onclick = () => this.dialog.close();
    const row = make("div", { className: "actions" });
    row.append(use, leave);
    this.dialog.append(this.canvas, slider, row);
    this.dialog.onclose = () => {
      const used = this.dialog.returnValue === "use";
      this.dialog.remove();
      if (used) this.send();
      else this.input.value = "";
    };
    this.canvas.onpointerdown = (event) => this.grab(event);
    this.canvas.onkeydown = (event) => this.press(event);
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.canvas.focus();
    this.draw();
  }

  grab(event) {
    event.preventDefault();
    this.canvas.focus();
    this.canvas.setPointerCapture(event.pointerId);
    const factor = this.picture.width / this.canvas.getBoundingClientRect().width;
    let { clientX, clientY } = event;
    this.canvas.onpointermove = (moved) => {
      this.move((moved.clientX - clientX) * factor, (moved.clientY - clientY) * factor);
      ({ clientX, clientY } = moved);
    };
    this.canvas.onpointerup = this.canvas.onpointercancel = () => (this.canvas.onpointermove = null);
  }

  press(event) {
    const step = this.short * STEP;
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (ways[event.key]) this.move(...ways[event.key]);
    else if (event.key === "+" || event.key === "=") this.resize(this.size + STEP);
    else if (event.key === "-") this.resize(this.size - STEP);
    else return;
    event.preventDefault();
  }

  move(x, y) {
    const side = this.short * this.size;
    this.x = clamp(this.x + x, this.picture.width - side);
    this.y = clamp(this.y + y, this.picture.height - side);
    this.draw();
  }

  // Around its middle.
  resize(size) {
    const before = this.size;
    this.size = Math.min(1, Math.max(0.2, size));
    this.slider.value = this.size;
    const half = (this.short * (before - this.size)) / 2;
    this.move(half, half);
  }

  draw() {
    const pen = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const side = this.short * this.size;
    pen.drawImage(this.picture, 0, 0, width, height);
    pen.fillStyle = "rgb(0 0 0 / .6)";
    pen.fillRect(0, 0, width, height);
    pen.drawImage(this.picture, this.x, this.y, side, side, this.x * this.scale, this.y * this.scale, side * this.scale, side * this.scale);
    pen.strokeStyle = "#fff";
    pen.lineWidth = 2;
    pen.strokeRect(this.x * this.scale + 1, this.y * this.scale + 1, side * this.scale - 2, side * this.scale - 2);
  }

  send() {
    const told = { x: this.x / this.picture.width, y: this.y / this.picture.height, size: this.size };
    for (const [name, value] of Object.entries(told)) {
      const field = this.form.elements[name] ?? make("input", { type: "hidden", name });
      field.value = value.toFixed(6);
      this.form.append(field);
    }
    this.querySelector(".artwork-hint span").textContent = t("Sending…");
    this.form.requestSubmit();
  }
}

function clamp(value, most) {
  return Math.min(Math.max(0, value), Math.max(0, most));
}

function make(tag, values) {
  return Object.assign(document.createElement(tag), values);
}

customElements.define("artwork-crop", ArtworkCrop);
