"""What comes out of a page's player: recorded in the page, measured here."""

from __future__ import annotations

import array
import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

RATE_HZ = 44_100
HEARD = 300  # Of 32767; a tone of the tests is ten times as loud, what a codec leaves of silence a tenth.

RECORDER = """
addEventListener("play", () => {
  const audio = document.getElementById("audio");
  if (window.heard || !audio) return;
  const context = new AudioContext({ sampleRate: 44100 });
  const listener = context.createScriptProcessor(8192, 1, 1);
  window.heard = [];
  listener.onaudioprocess = ({ inputBuffer }) => window.heard.push(inputBuffer.getChannelData(0).slice());
  context.createMediaElementSource(audio).connect(listener).connect(context.destination);
  context.resume();
}, true);
// An amplifier of the page's own would want the same source, of which there is one.
localStorage.setItem("musicconnect.sound", JSON.stringify({ levelling: false }));
"""
"""Runs before the scripts of a page, by ``add_init_script``."""

TAKE = """() => {
  const sound = new Int16Array(window.heard.flatMap((part) => [...part].map((value) => Math.round(value * 32767))));
  const bytes = new Uint8Array(sound.buffer);
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}"""


@dataclass(frozen=True)
class Heard:
    """A recording of a tone: how long it sounds from its first to its last wave, and the longest silence in between."""

    length_s: float
    silence_s: float


def record(page: Page) -> None:
    """Listen to every page that *page* opens from now on."""
    page.add_init_script(RECORDER)


def heard(page: Page) -> Heard:
    """What was heard so far."""
    sound = array.array("h", base64.b64decode(page.evaluate(TAKE)))
    loud = [at for at, value in enumerate(sound) if abs(value) > HEARD]
    assert loud, "nothing is heard"
    gaps = (after - before for before, after in itertools.pairwise(loud))
    return Heard((loud[-1] - loud[0]) / RATE_HZ, max(gaps) / RATE_HZ)


def quietest(listen: Callable[[], Heard], *, cut_s: float, takes: int = 3) -> Heard:
    """The first take without a silence of more than *cut_s*, else the last.

    A machine that has other things to do starves a browser now and then; a gap that is in the music is there every time.
    """
    sound = listen()
    for _take in range(takes - 1):
        if sound.silence_s <= cut_s:
            break
        sound = listen()
    return sound
