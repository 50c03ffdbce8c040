// Putting tracks in order: by dragging the grip, with the finger too, and by the arrow buttons, which are plain forms without scripts.

import { t } from "../texts.js";

export class Order {
  constructor(desk, { save, say }) {
    Object.assign(this, { desk, save, say, moving: null, before: [] });
    desk.onpointerdown = (event) => this.grab(event);
    desk.onpointermove = (event) => this.drag(event);
    desk.onpointerup = desk.onpointercancel = () => this.drop();
  }

  get lines() {
    return [...this.desk.querySelectorAll(".master")];
  }

  get ids() {
    return this.lines.map((line) => line.dataset.id);
  }

  grab(event) {
    const grip = event.target.closest(".grip");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    this.moving = grip.closest(".master");
    this.before = this.ids;
    this.moving.classList.add("moving");
    this.desk.setPointerCapture(event.pointerId);
  }

  drag(event) {
    if (!this.moving) return;
    const after = this.lines.find((line) => line !== this.moving && event.clientY < middle(line));
    if (this.moving.nextElementSibling !== (after ?? null)) this.moving.parentElement.insertBefore(this.moving, after ?? null);
  }

  drop() {
    if (!this.moving) return;
    const line = this.moving;
    this.moving = null;
    line.classList.remove("moving");
    if (this.ids.join() !== this.before.join()) this.keep(line);
  }

  step(line, button) {
    this.before = this.ids;
    if (button.value === "up") line.previousElementSibling?.before(line);
    else line.nextElementSibling?.after(line);
    this.keep(line);
    (button.disabled ? line.querySelector("[data-move] button:not(:disabled)") : button)?.focus();
  }

  async keep(line) {
    this.number();
    try {
      await this.save(this.ids);
      this.say(t("Moved to position {place} of {count}.", { place: this.lines.indexOf(line) + 1, count: this.lines.length }));
    } catch (error) {
      for (const id of this.before) line.parentElement.append(document.getElementById(`track-${id}`));
      this.number();
      this.say(error.message);
    }
  }

  number() {
    this.lines.forEach((line, index, all) => {
      line.querySelector(".master-number").textContent = index + 1;
      line.querySelector('[value="up"]').disabled = index === 0;
      line.querySelector('[value="down"]').disabled = index === all.length - 1;
    });
  }
}

function middle(line) {
  const { top, height } = line.getBoundingClientRect();
  return top + height / 2;
}
