// Hearing a master at once: the untouched original, or the finished stream where the browser cannot play the original's format.

import { Deck } from "../player/deck.js";

export function enableHearing(masters, { say }) {
  const audio = new Audio();
  const deck = new Deck(audio, { following: () => null });
  let heard = "";

  audio.addEventListener("pause", show);
  audio.addEventListener("play", show);
  audio.addEventListener("ended", show);

  masters.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-hear]");
    if (!link) return;
    event.preventDefault();
    const id = link.dataset.hear;
    if (heard === id && !audio.paused) return audio.pause();
    heard = id;
    try {
      deck.close();
      audio.src = link.href;
      await audio.play();
    } catch (error) {
      if (error.name === "AbortError" || heard !== id) return;
      await instead(id);
    }
  });

  async function instead(id) {
    const line = document.getElementById(`track-${id}`);
    if (!line?.dataset.playable) return tell("This browser cannot play the original's format. It can be heard as soon as it is prepared.");
    try {
      await deck.open({ id, key: id });
      await audio.play();
      tell("This browser cannot play the original's format, so this is the stream made from it.");
    } catch (error) {
      tell(error.message);
    }
  }

  function tell(sentence) {
    say(sentence);
    const line = document.getElementById(`track-${heard}`);
    const note = line.querySelector(".heard") ?? Object.assign(document.createElement("p"), { className: "heard hint" });
    note.textContent = sentence;
    line.append(note);
  }

  function show() {
    for (const link of masters.querySelectorAll("[data-hear]")) link.classList.toggle("playing", link.dataset.hear === heard && !audio.paused && !audio.ended);
  }
}
