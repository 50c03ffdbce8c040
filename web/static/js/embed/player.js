// The player in a foreign page. It sends no cookie: it is always the public that listens here.

import { Reports } from "./reports.js";
import { Source } from "./source.js";

const TARGET_LUFS = -14;
const box = document.querySelector("main.player");
const texts = JSON.parse(box.dataset.texts ?? "{}");
const lines = [...box.querySelectorAll("[data-track]")].map((row) => ({ row, ...JSON.parse(row.dataset.track) }));
const audio = new Audio();
const source = new Source(audio);
const reports = new Reports(box.dataset.context);
const find = (name) => box.querySelector(name);
const [toggle, range, note] = [find(".toggle"), find(".seek input"), find(".note")];
let current = null;
let holding = false; // Whether the listener holds the slider.

if (lines.length) begin();

function begin() {
  for (const hidden of box.querySelectorAll(".toggle, .seek, .line")) hidden.hidden = false;
  show(lines[0]);
  toggle.addEventListener("click", () => (current ? pauseOrGoOn() : play(lines[0])));
  for (const line of lines) line.row.querySelector(".line").addEventListener("click", () => (line === current ? pauseOrGoOn() : play(line)));
  range.addEventListener("input", () => ((holding = true), tell(at())));
  range.addEventListener("change", () => {
    holding = false;
    if (current) audio.currentTime = at();
    else play(lines[0], at());
  });
  audio.addEventListener("play", () => sound(true));
  audio.addEventListener("pause", () => sound(false));
  audio.addEventListener("waiting", () => box.classList.add("waiting"));
  audio.addEventListener("playing", () => box.classList.remove("waiting"));
  audio.addEventListener("timeupdate", () => {
    if (!holding) move(audio.currentTime);
    reports.progress(audio.currentTime, !audio.paused);
  });
  audio.addEventListener("ended", () => {
    reports.end("end", audio.currentTime);
    const next = lines[lines.indexOf(current) + 1];
    if (next) play(next);
    else current = null;
  });
  source.addEventListener("problem", () => say(texts.lost, true));
  addEventListener("pagehide", () => reports.end("skip", audio.currentTime));
  // One player at a time among those in the same browser, where it lets them talk.
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("embed") : null;
  channel?.addEventListener("message", () => audio.pause());
  audio.addEventListener("play", () => channel?.postMessage("playing"));
}

async function play(line, from = 0) {
  if (current) reports.end("skip", audio.currentTime);
  current = line;
  show(line);
  box.classList.add("waiting");
  say(line.whole ? "" : line.reason || texts.preview);
  // An element can only turn down, which needs no sound graph.
  audio.volume = Number.isFinite(line.lufs) ? Math.min(1, 10 ** ((TARGET_LUFS - line.lufs) / 20)) : 1;
  try {
    await source.open(line, from);
    if (line !== current) return;
    await audio.play();
    reports.start(line.id, audio.currentTime, line.whole ? "" : "preview");
  } catch (error) {
    if (error.name === "AbortError" || line !== current) return;
    box.classList.remove("waiting");
    current = null;
    say(error.status === 0 ? texts.lost : texts.cannot, true);
  }
}

function pauseOrGoOn() {
  if (audio.paused) audio.play().catch(() => say(texts.cannot, true));
  else audio.pause();
}

function show(line) {
  for (const { row } of lines) row.toggleAttribute("aria-current", row === line.row && current !== null);
  find(".length").textContent = clock(lengthOf(line));
  move(0);
  if ("mediaSession" in navigator && current) {
    const cover = find("img.cover")?.src;
    const artwork = cover ? [{ src: cover, sizes: "600x600" }] : [];
    navigator.mediaSession.metadata = new MediaMetadata({ title: line.title, artist: line.artist, artwork });
  }
}

function sound(on) {
  box.classList.toggle("playing", on);
  toggle.setAttribute("aria-label", on ? texts.pause : texts.play);
}

function say(sentence, problem = false) {
  note.textContent = sentence;
  note.classList.toggle("problem", problem);
}

function lengthOf(line) {
  return line.whole ? line.ms / 1000 : Math.min(30, line.ms / 1000);
}

function at() {
  return (range.value / 1000) * lengthOf(current ?? lines[0]);
}

function move(seconds) {
  range.value = (seconds / lengthOf(current ?? lines[0])) * 1000 || 0;
  tell(seconds);
}

function tell(seconds) {
  find(".elapsed").textContent = clock(seconds);
  range.setAttribute("aria-valuetext", clock(seconds));
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
