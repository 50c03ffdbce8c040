// The words of the track; when they have times (LRC), the line that is sung is marked, and a line is a place to jump to.

import { t } from "../texts.js";

const TIME = /\[\s*(\d{1,3}):(\d{1,2})(?:[.:,](\d{1,3}))?\s*\]/g;

// Lines {at, text} in order of time from an LRC text. Whatever is no timed line is passed over; [offset:±ms] moves all of them.
export function parseLrc(text) {
  const offset_s = Number(text.match(/\[offset:\s*([+-]?\d+)\s*\]/i)?.[1] ?? 0) / 1000;
  const lines = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    const times = [...line.matchAll(TIME)];
    // Times within a line are those of single words (enhanced LRC); they are taken out of what is shown.
    const words = line.replace(TIME, "").replace(/<\d{1,3}:\d{1,2}(?:[.:,]\d{1,3})?>/g, "").replace(/\s+/g, " ").trim();
    for (const [, minutes, seconds, fraction = "0"] of times) {
      if (Number(seconds) < 60) lines.push({ at: Math.max(0, Number(minutes) * 60 + Number(seconds) + Number(`0.${fraction}`) - offset_s), text: words });
    }
  }
  return lines.sort((a, b) => a.at - b.at);
}

export function open(place, player, close) {
  let shown = null;
  let lines = [];
  let lit = -1;

  const head = document.createElement("header");
  const title = Object.assign(document.createElement("h2"), { textContent: t("Lyrics") });
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button quiet small", textContent: t("Close") });
  const body = Object.assign(document.createElement("div"), { className: "lyrics-text", tabIndex: 0 });
  head.append(title, button);
  place.setAttribute("aria-label", t("Lyrics"));
  place.replaceChildren(head, body);
  button.addEventListener("click", close);

  async function load() {
    const item = player.current;
    if (!item || shown === item.key) return;
    shown = item.key;
    lines = [];
    lit = -1;
    body.replaceChildren();
    const answer = await fetch(`/listen/tracks/${item.id}/lyrics.json`).catch(() => null);
    if (shown !== item.key) return;
    if (!answer?.ok) return void (body.textContent = t("The lyrics cannot be shown just now."));
    const { plain, synced } = await answer.json();
    lines = parseLrc(synced);
    if (lines.length) {
      for (const line of lines) {
        const words = Object.assign(document.createElement("button"), { type: "button", className: "lyric", textContent: line.text || "♪", dir: "auto" });
        words.addEventListener("click", () => player.seek(line.at));
        body.append(words);
      }
      follow();
    } else {
      body.append(Object.assign(document.createElement("p"), { className: "prose", textContent: plain || synced, dir: "auto" }));
    }
  }

  function follow() {
    if (!lines.length) return;
    const now = lines.findLastIndex((line) => line.at <= player.position + 0.15);
    if (now === lit) return;
    body.children[lit]?.removeAttribute("aria-current");
    lit = now;
    const line = body.children[lit];
    line?.setAttribute("aria-current", "true");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (line && !body.matches(":hover:has(:focus-visible)")) body.scrollTo({ top: line.offsetTop - body.clientHeight / 2 + line.clientHeight / 2, behavior: still ? "auto" : "smooth" });
  }

  player.addEventListener("change", load);
  player.addEventListener("time", follow);
  load();
  button.focus();
  return () => {
    player.removeEventListener("change", load);
    player.removeEventListener("time", follow);
  };
}
