// What pages offer to play (data-queue, data-track and the buttons in them), and which of it is playing.

import { t } from "../texts.js";

const read = (element) => {
  try {
    return JSON.parse(element?.dataset.track ?? element?.dataset.queue ?? "");
  } catch {
    return null;
  }
};

export function listenToPages(player) {
  const inside = (element) => {
    const list = element.closest("[data-queue]");
    const rows = [...(list ?? document).querySelectorAll("[data-track]")];
    return { rows, context: { name: document.title, url: location.pathname, ...read(list) } };
  };
  const track = (element) => read(element.closest("[data-track]"));
  // Whether this button stands for what is playing; then it pauses and goes on.
  const isOn = (button) => {
    if (!player.current) return false;
    if (button.matches("[data-play-source]")) return player.queue.context.source === button.dataset.playSource;
    if (button.matches("[data-play-all]")) return player.queue.context.url === inside(button).context.url;
    return track(button)?.id === player.current.id;
  };
  const acts = {
    "[data-play]": (button) => {
      const { rows, context } = inside(button);
      player.playAll(rows.map(read).filter(Boolean), Math.max(0, rows.indexOf(button.closest("[data-track]"))), context);
    },
    "[data-play-all]": (button) => {
      const { rows, context } = inside(button);
      player.playAll(rows.map(read).filter(Boolean), 0, context);
    },
    "[data-play-source]": async (button) => {
      const source = button.dataset.playSource;
      const answer = await fetch(source, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) return player.say(t("This cannot be played just now."), true);
      const { name, url, tracks } = await answer.json();
      if (!tracks.length) return player.say(t("There is nothing to hear here yet."), true);
      await player.playAll(tracks, 0, { name, url, source });
    },
  };
  const queueing = {
    "[data-play-next]": (button) => add(track(button), "insertNext", t("“{title}” plays next.", track(button))),
    "[data-enqueue]": (button) => add(track(button), "append", t("“{title}” is in the queue.", track(button))),
  };

  function add(wanted, way, sentence) {
    if (!wanted) return;
    if (!player.current) return player.playAll([wanted], 0, { name: wanted.release, url: wanted.releaseUrl });
    player.arrange((queue) => queue[way]([wanted]));
    player.say(sentence);
    setTimeout(() => player.note === sentence && player.say(""), 4000);
  }

  document.addEventListener("click", (event) => {
    const find = (table) => Object.keys(table).find((selector) => event.target.closest?.(selector));
    const queues = find(queueing);
    if (queues) {
      queueing[queues](event.target.closest(queues));
      event.target.closest("[popover]")?.hidePopover();
      return;
    }
    const plays = find(acts);
    if (!plays) return;
    event.preventDefault();
    const button = event.target.closest(plays);
    if (isOn(button)) player.toggle();
    else acts[plays](button);
  });

  // Private things stay on a device only as long as their owner.
  document.addEventListener("submit", ({ target }) => target.action?.endsWith("/sign-out") && player.forget());

  let shown = "";
  const mark = (force) => {
    document.body.classList.toggle("playing", player.playing);
    const state = `${player.current?.id} ${player.playing} ${player.queue.context.url} ${player.queue.context.source}`;
    if (state === shown && force !== true) return;
    shown = state;
    for (const row of document.querySelectorAll("[data-track]")) {
      if (player.current && read(row)?.id === player.current.id) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    for (const button of document.querySelectorAll("[data-play], [data-play-source]")) {
      button.setAttribute("aria-pressed", String(player.playing && isOn(button)));
    }
    for (const button of document.querySelectorAll("[data-play-all]")) {
      const on = player.playing && isOn(button);
      const [words, use] = [button.querySelector("span"), button.querySelector("use")];
      if (words) words.textContent = on ? t("Pause") : t("Play");
      use?.setAttribute("href", use.getAttribute("href").replace(/#.*/, on ? "#pause" : "#play"));
    }
  };
  player.addEventListener("change", mark);
  // The page tells by a word who is signed in; see installed.js.
  const admit = () => document.querySelector("meta[name=listener]")?.content && player.admit();
  addEventListener("turbo:load", admit);
  admit();
  for (const name of ["turbo:load", "turbo:render", "turbo:frame-load"]) addEventListener(name, () => mark(true));
  mark(true);
}
