// The bench of a release: masters come in by tus, the list keeps itself fresh, titles and order are saved as they change.

import { call, page } from "./api.js";
import { enableArtwork } from "./studio/artwork.js";
import { enableHearing } from "./studio/hearing.js";
import { enableOrder } from "./studio/order.js";
import { enableUploads } from "./studio/uploads.js";

const POLL_MS = 1500;
const bench = document.getElementById("release");
const masters = document.getElementById("masters");
const releaseId = bench.dataset.id;
let timer;

export function say(sentence) {
  document.getElementById("said").textContent = sentence;
}

// Fetch the list anew and put in the lines that differ, except the one somebody is typing in.
async function refresh() {
  const fresh = new DOMParser().parseFromString(await page(bench.dataset.tracks), "text/html").querySelector(".masters");
  const list = masters.querySelector(".masters");
  for (const line of list.querySelectorAll(".master")) if (!fresh.querySelector(`#${line.id}`)) line.remove();
  masters.querySelector(":scope > .hint")?.toggleAttribute("hidden", fresh.children.length > 0);
  [...fresh.children].forEach((line, index) => {
    const known = document.getElementById(line.id);
    const busy = known && (known.contains(document.activeElement) || known.querySelector("details[open]") || known.classList.contains("moving"));
    const shown = busy ? known : line;
    if (known && !busy) known.replaceWith(line);
    if (list.children[index] !== shown) list.insertBefore(shown, list.children[index] ?? null);
  });
  hinder(fresh.dataset.hindrance);
  watch();
}

function hinder(sentence) {
  const button = document.getElementById("publish");
  if (!button) return;
  button.disabled = Boolean(sentence);
  document.getElementById("hindrance").textContent = sentence;
}

// While something is being prepared, ask how far it is.
function watch() {
  clearTimeout(timer);
  if (masters.querySelector('[data-state="uploaded"], [data-state="processing"]')) timer = setTimeout(poll, POLL_MS);
}

async function poll() {
  try {
    const { tracks } = await call("GET", `/releases/${releaseId}`);
    let changed = tracks.length !== masters.querySelectorAll(".master").length;
    for (const track of tracks) {
      const line = document.getElementById(`track-${track.id}`);
      if (!line) continue;
      const playable = track.qualities.length > 0 ? "yes" : "";
      if (line.dataset.state !== track.state || line.dataset.playable !== playable) {
        changed = true;
        if (line.dataset.state !== track.state) say(told(track));
        line.dataset.state = track.state;
        line.dataset.playable = playable;
      }
      const bar = line.querySelector("progress");
      if (bar) bar.value = Math.round(track.progress * 100);
    }
    if (changed) return await refresh();
  } catch {
    // A server that restarts is back at one of the next tries.
  }
  watch();
}

function told({ title, state, problem }) {
  return { ready: `${title} is ready.`, failed: `${title} failed: ${problem}`, processing: `${title} is being prepared.` }[state] ?? "";
}

// A title is saved when it is left or Enter is pressed.
masters.addEventListener("change", async ({ target }) => {
  if (!target.matches(".title-input")) return;
  const id = target.closest(".master").dataset.id;
  try {
    const { title } = await call("PATCH", `/tracks/${id}`, { title: target.value });
    target.value = target.defaultValue = title;
    target.setCustomValidity("");
    say("Title saved.");
  } catch (error) {
    target.setCustomValidity(error.message);
    target.reportValidity();
  }
});
masters.addEventListener("input", ({ target }) => target.matches(".title-input") && target.setCustomValidity(""));
masters.addEventListener("submit", (event) => {
  if (!event.target.matches(".title-form")) return;
  event.preventDefault();
  event.target.querySelector(".title-input").blur();
});

enableOrder(masters, { releaseId, say });
enableHearing(masters, { say });
enableUploads({ bench, say, arrived: refresh });
enableArtwork(document.getElementById("artwork"), { releaseId });
watch();
