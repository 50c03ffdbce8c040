// The sleep timer: the music stops after some minutes, or with the track.

import { t } from "../texts.js";

const FADE_S = 8;

let timer;
let ticking;

// *after* is a number of minutes, "track" or "off"; *choice* is the field to put back to "off" in the end.
export function sleepAfter(player, after, choice) {
  stop(player);
  if (after === "off") return;
  const done = () => {
    stop(player);
    choice.value = "off";
  };
  if (after === "track") {
    player.stopAfterThis = true;
    const watch = () => player.stopAfterThis || (player.removeEventListener("change", watch), done());
    player.addEventListener("change", watch);
    player.say(t("The music stops after this track."));
  } else {
    timer = setTimeout(() => fade(player, done), Number(after) * 60_000);
    player.say(t("The music stops in {minutes} minutes.", { minutes: after }));
  }
  setTimeout(() => !player.trouble && player.say(""), 4000);
}

function stop(player) {
  clearTimeout(timer);
  clearInterval(ticking);
  player.stopAfterThis = false;
  player.applySettings();
}

// Softer and softer, not cut off; whoever is still awake hears it coming.
function fade(player, done) {
  let left = FADE_S * 10;
  const { volume } = player.loudness;
  ticking = setInterval(() => {
    left -= 1;
    player.loudness.volume = (volume * left) / (FADE_S * 10);
    player.loudness.apply();
    if (left > 0 && player.playing) return;
    clearInterval(ticking);
    player.pause();
    done();
  }, 100);
}
