// Offering to install: to somebody who came back and listened for a while, and not again for a season when they decline.

import { recall, remember } from "../preferences.js";
import { t } from "../texts.js";
import { toast } from "./toast.js";

const VISITS = 2;
const LISTENED_S = 60;
const REST_MS = 90 * 24 * 3600 * 1000;

export function offerLater(event) {
  const audio = document.getElementById("audio");
  if (!audio || recall("visits", 0) < VISITS || Date.now() - recall("declined", 0) < REST_MS) return;
  let heard = 0;
  let last = audio.currentTime;
  const count = () => {
    const step = audio.currentTime - last;
    last = audio.currentTime;
    if (step > 0 && step < 2) heard += step; // A larger one was a jump.
    if (heard < LISTENED_S) return;
    audio.removeEventListener("timeupdate", count);
    offer(event);
  };
  audio.addEventListener("timeupdate", count);
}

function offer(event) {
  toast(t("Put this on your home screen: it opens at once, and plays without a connection what you keep."), [
    [t("Install"), () => event.prompt()],
    [t("Not now"), () => remember("declined", Date.now())],
  ]);
}
