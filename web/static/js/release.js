// The page of a release: its track list drives the player.

import { recall, remember } from "./preferences.js";
import { levelGain, Loudness } from "./player/levels.js";
import { Stream } from "./player/stream.js";
import { clock, Waveform } from "./player/waveform.js";

const find = (id) => document.getElementById(id);
const box = find("player");
const audio = find("audio");
const lines = [...document.querySelectorAll(".track")];
const NAMES = { low: "Low", medium: "Medium", high: "High", lossless: "Lossless", master: "Master" };

const stream = new Stream(audio);
const loudness = new Loudness(audio, { mayAmplify: !stream.native });
const waveform = new Waveform(find("seek"), { onSeek: seek });
let current = 0;
let opened = false; // Whether the stream of the current track is there; it is fetched at the first play.

choose(0);
takePreferences();

find("play-all").addEventListener("click", () => (opened ? toggle() : play(0)));
find("toggle").addEventListener("click", toggle);
find("previous").addEventListener("click", () => (audio.currentTime > 3 || current === 0 ? seek(0) : play(current - 1)));
find("next").addEventListener("click", () => play(current + 1));
lines.forEach((line, index) => line.querySelector(".track-play").addEventListener("click", () => (index === current && opened ? toggle() : play(index))));
document.addEventListener("keydown", shortcuts);

audio.addEventListener("play", () => show(true));
audio.addEventListener("pause", () => show(false));
audio.addEventListener("waiting", () => box.classList.add("waiting"));
audio.addEventListener("playing", () => (box.classList.remove("waiting"), say()));
audio.addEventListener("timeupdate", tell);
audio.addEventListener("ended", () => (current + 1 < lines.length ? play(current + 1) : stop()));
stream.addEventListener("problem", ({ detail }) => say(detail.sentence));
stream.addEventListener("quality", ({ detail }) => {
  for (const place of document.querySelectorAll("[data-quality]")) place.textContent = `${NAMES[detail.name] ?? detail.name} · ${detail.kbps} kbit/s`;
  find("playing-now").hidden = false;
});
stream.addEventListener("qualities", ({ detail }) => offer(detail.names));

find("qualities").addEventListener("change", ({ target }) => {
  stream.quality = target.value;
  remember("quality", target.value);
});
find("levelling").addEventListener("change", ({ target }) => {
  remember("levelling", target.checked);
  level();
});
find("volume").addEventListener("input", ({ target }) => {
  loudness.volume = Number(target.value) ** 2; // Loudness is heard by ratio: the square makes the slider feel even.
  loudness.apply();
  remember("volume", Number(target.value));
});

function choose(index) {
  current = index;
  const { title, durationMs, waveform: picture } = lines[index].dataset;
  lines.forEach((line, at) => (at === index && opened ? line.setAttribute("aria-current", "true") : line.removeAttribute("aria-current")));
  find("now-title").textContent = title;
  find("length").textContent = clock(durationMs / 1000);
  find("elapsed").textContent = clock(0);
  find("next").disabled = index + 1 >= lines.length;
  find("previous").disabled = !opened && index === 0;
  waveform.load(picture, durationMs / 1000);
  level();
}

async function play(index, at = 0) {
  if (index >= lines.length) return;
  opened = true;
  choose(index);
  say();
  box.classList.add("waiting");
  document.body.classList.add("playing");
  loudness.start();
  try {
    await stream.open(lines[index].dataset.id, at);
    await audio.play();
    announce();
  } catch (error) {
    if (error.name === "AbortError") return; // Another track was chosen before this one began.
    box.classList.remove("waiting");
    show(false);
    say(error.message);
    opened = false;
  }
}

function toggle() {
  if (!opened) return play(current);
  loudness.start();
  if (audio.paused) audio.play().catch((error) => say(error.message));
  else audio.pause();
}

function stop() {
  audio.pause();
  seek(0);
}

function seek(seconds) {
  if (!opened) return play(current, seconds);
  audio.currentTime = seconds;
  tell();
}

function tell() {
  find("elapsed").textContent = clock(audio.currentTime);
  waveform.position = audio.currentTime;
}

function show(playing) {
  document.body.classList.toggle("playing", playing);
  find("toggle").setAttribute("aria-label", playing ? "Pause" : "Play");
  find("play-all").querySelector("span").textContent = playing ? "Pause" : "Play";
  find("play-all").querySelector("use").setAttribute("href", find("play-all").querySelector("use").getAttribute("href").replace(/#.*/, playing ? "#pause" : "#play"));
  if ("mediaSession" in navigator) navigator.mediaSession.playbackState = playing ? "playing" : "paused";
}

// A sentence in place of the artist's name; without one, the name again.
function say(sentence) {
  find("now-note").textContent = sentence || box.dataset.artist;
  find("now-note").classList.toggle("problem", Boolean(sentence));
}

function level() {
  const { loudnessLufs, truePeakDbtp } = lines[current].dataset;
  const on = find("levelling").checked;
  loudness.gainDb = on ? levelGain(parse(loudnessLufs), parse(truePeakDbtp)) : 0;
  loudness.apply();
  const db = loudness.gainDb;
  const change = Math.abs(db) < 0.05 ? "This track stays as it is." : `This track is turned ${db < 0 ? "down" : "up"} by ${Math.abs(db).toFixed(1)} dB.`;
  find("levelling-note").textContent = on ? change : "Tracks keep their own loudness.";
}

function parse(text) {
  return text === "" ? NaN : Number(text);
}

function offer(names) {
  const group = find("qualities");
  group.hidden = names.length === 0; // Safari chooses for itself and does not tell.
  group.querySelectorAll("[data-rung]").forEach((option) => option.remove());
  for (const name of [...names].reverse()) {
    const option = group.querySelector(".option").cloneNode(true);
    option.dataset.rung = name;
    option.querySelector("input").value = name;
    option.querySelector("span").textContent = NAMES[name] ?? name;
    group.append(option);
  }
  const wanted = group.querySelector(`input[value="${stream.quality}"]`) ?? group.querySelector("input");
  wanted.checked = true;
}

function takePreferences() {
  stream.quality = recall("quality", "auto");
  find("levelling").checked = recall("levelling", true);
  const volume = recall("volume", 1);
  find("volume").value = volume;
  loudness.volume = volume ** 2;
  level();
  // Phones leave the volume to their keys and ignore what a page says.
  audio.volume = 0.5;
  if (audio.volume !== 0.5) find("volume").closest("label").hidden = true;
  loudness.apply();
}

function shortcuts(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select, button, summary, a")) return; // The waveform keeps its own keys to itself.
  const act = { " ": toggle, ArrowRight: () => seek(audio.currentTime + 5), ArrowLeft: () => seek(Math.max(0, audio.currentTime - 5)) }[event.key];
  if (!act || (!opened && event.key !== " ")) return;
  event.preventDefault();
  act();
}

// Lock screens, headphones and keyboards with media keys.
function announce() {
  if (!("mediaSession" in navigator)) return;
  const { artist, release, artwork } = box.dataset;
  navigator.mediaSession.metadata = new MediaMetadata({
    title: lines[current].dataset.title,
    artist,
    album: release,
    artwork: artwork ? [{ src: artwork, sizes: "600x600", type: "image/jpeg" }] : [],
  });
  const keys = {
    play: toggle,
    pause: toggle,
    previoustrack: () => find("previous").click(),
    nexttrack: current + 1 < lines.length ? () => play(current + 1) : null,
    seekto: ({ seekTime }) => seek(seekTime),
  };
  for (const [key, act] of Object.entries(keys)) navigator.mediaSession.setActionHandler(key, act);
}
