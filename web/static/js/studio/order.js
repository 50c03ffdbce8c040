// Putting tracks in order: by dragging the grip, with the finger too, and by the arrow buttons, which stay plain forms.

import { call } from "../api.js";

export function enableOrder(masters, { releaseId, say }) {
  let moving = null;
  let before = [];

  masters.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest(".grip");
    if (!grip || event.button !== 0) return;
    event.preventDefault();
    moving = grip.closest(".master");
    before = order();
    moving.classList.add("moving");
    masters.setPointerCapture(event.pointerId);
  });
  masters.addEventListener("pointermove", (event) => {
    if (!moving) return;
    const after = lines().find((line) => line !== moving && event.clientY < middle(line));
    if (moving.nextElementSibling !== (after ?? null)) moving.parentElement.insertBefore(moving, after ?? null);
  });
  masters.addEventListener("pointerup", drop);
  masters.addEventListener("pointercancel", drop);

  masters.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-move]")) return;
    event.preventDefault();
    const line = event.target.closest(".master");
    const button = event.submitter;
    before = order();
    if (button.value === "up") line.previousElementSibling?.before(line);
    else line.nextElementSibling?.after(line);
    save(line);
    (button.disabled ? event.target.querySelector("button:not(:disabled)") : button)?.focus();
  });

  function drop() {
    if (!moving) return;
    const line = moving;
    moving = null;
    line.classList.remove("moving");
    if (order().join() !== before.join()) save(line);
  }

  async function save(line) {
    number();
    try {
      await call("PATCH", `/releases/${releaseId}`, { track_order: order() });
      say(`Moved to position ${lines().indexOf(line) + 1} of ${lines().length}.`);
    } catch (error) {
      for (const id of before) line.parentElement.append(document.getElementById(`track-${id}`));
      number();
      say(error.message);
    }
  }

  function number() {
    lines().forEach((line, index, all) => {
      line.querySelector(".master-number").textContent = index + 1;
      line.querySelector('[value="up"]').disabled = index === 0;
      line.querySelector('[value="down"]').disabled = index === all.length - 1;
    });
  }

  function lines() {
    return [...masters.querySelectorAll(".master")];
  }

  function order() {
    return lines().map((line) => line.dataset.id);
  }
}

function middle(line) {
  const { top, height } = line.getBoundingClientRect();
  return top + height / 2;
}
