// The queue as a list: drag a line by its grip or move it with the arrow keys, take lines out, clear it.

import { t } from "../texts.js";

export function open(place, player, close) {
  const head = make("header", {});
  const list = make("ol", { className: "queue" });
  const said = make("p", { className: "hidden" });
  said.setAttribute("role", "status");
  const clear = button("button quiet small", t("Clear"), () => player.arrange((queue) => queue.clear()));
  const leave = button("button quiet small", t("Close"), close);
  head.append(make("h2", { textContent: t("Queue") }), clear, leave);
  place.setAttribute("aria-label", t("Queue"));
  place.replaceChildren(head, list, said);
  let drawn = "";
  let dragged = null;

  function draw() {
    const { items, current } = player.queue;
    const state = `${items.map((item) => item.key).join()} ${current?.key}`;
    if (state === drawn || dragged) return;
    drawn = state;
    const held = document.activeElement?.closest(".queue-line")?.dataset.key;
    const part = document.activeElement?.dataset?.part;
    clear.disabled = items.length < 2;
    list.replaceChildren(...items.map(line));
    if (held) list.querySelector(`[data-key="${held}"] [data-part="${part}"]`)?.focus();
  }

  function line(item, at) {
    const row = make("li", { className: "queue-line" });
    const here = item.key === player.current?.key;
    row.dataset.key = item.key;
    if (here) row.setAttribute("aria-current", "true");
    const grip = button("grip", t("Move {title}, now number {number}; use the arrow keys", { title: item.title, number: at + 1 }), null, "drag");
    grip.dataset.grip = "";
    grip.addEventListener("keydown", (event) => keys(event, item));
    grip.addEventListener("pointerdown", (event) => drag(event, row, item));
    const play = button("queue-play", null, () => player.start(item));
    play.append(make("b", { textContent: item.title, dir: "auto" }), make("span", { textContent: item.artist, dir: "auto" }));
    play.setAttribute("aria-label", t("Play {title}", item));
    const out = button("round", t("Take {title} out", item), () => remove(item), "close");
    out.disabled = here;
    grip.dataset.part = "grip";
    play.dataset.part = "play";
    out.dataset.part = "out";
    row.append(grip, play, out);
    return row;
  }

  function keys(event, item) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const { items } = player.queue;
    const to = items.findIndex(({ key }) => key === item.key) + step;
    if (to < 0 || to >= items.length) return;
    player.arrange((queue) => queue.move(item.key, to));
    said.textContent = t("{title} is now number {number} of {count}.", { title: item.title, number: to + 1, count: items.length });
  }

  function remove(item) {
    const at = player.queue.items.findIndex(({ key }) => key === item.key);
    player.arrange((queue) => queue.remove(item.key));
    said.textContent = t("{title} is out of the queue.", item);
    (list.children[at] ?? list.lastElementChild)?.querySelector("[data-part=grip]").focus();
  }

  function drag(event, row, item) {
    if (event.button !== 0) return;
    event.preventDefault();
    const grip = event.currentTarget;
    grip.setPointerCapture(event.pointerId);
    dragged = row;
    row.classList.add("dragged");
    const move = ({ clientY }) => {
      const after = [...list.children].find((other) => other !== row && clientY < other.getBoundingClientRect().top + other.offsetHeight / 2);
      if (after !== row.nextElementSibling) list.insertBefore(row, after ?? null);
    };
    const drop = () => {
      grip.removeEventListener("pointermove", move);
      dragged = null;
      drawn = "";
      const to = [...list.children].indexOf(row);
      player.arrange((queue) => queue.move(item.key, to));
      draw();
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("lostpointercapture", drop, { once: true });
  }

  // The picture of a button, from the sprite the player uses already.
  function button(className, label, act, icon) {
    const made = make("button", { type: "button", className });
    if (act) made.addEventListener("click", act);
    if (icon) {
      const picture = document.querySelector("#toggle .icon").cloneNode(true);
      const use = picture.querySelector("use");
      use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
      made.append(picture);
      made.ariaLabel = label;
    } else if (label) made.textContent = label;
    return made;
  }

  player.addEventListener("change", draw);
  draw();
  (list.querySelector("[aria-current] [data-part=play]") ?? leave).focus();
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "center" });
  return () => player.removeEventListener("change", draw);
}

function make(name, values) {
  return Object.assign(document.createElement(name), values);
}
