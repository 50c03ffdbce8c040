"""Demo music, made with nothing but ffmpeg: small scores, a few instruments, an effect or two.

A score is a loop: steps of notes for each part, played as long as the piece lasts. Every step is one short
``aevalsrc`` formula, so a minute of music costs about a second of processor time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg as graph

from transcoder import ffmpeg as program
from transcoder.limits import DEFAULT_LIMITS
from transcoder.limits import Limits
from transcoder.songs import SONGS
from transcoder.songs import Part
from transcoder.songs import Song

__all__ = ["SONGS", "Part", "Song", "synthesise"]

SEMITONES = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}
NOTE = re.compile(r"([A-G])([#b]?)(\d)")
CEILING = 0.8  # -1.9 dBFS, so that true peaks stay below -1 dBTP

# What each instrument does with a frequency F over a step of D seconds; every one ends at zero, so that no step clicks.
VOICES = {
    "pluck": "min(1,t*400)*min(1,(D-t)*80)*exp(-t*5)*(sin(W*t)+0.5*exp(-t*4)*sin(2*W*t)+0.25*exp(-t*9)*sin(3*W*t))",
    "piano": "min(1,t*300)*min(1,(D-t)*30)*exp(-t*2.2)*(sin(W*t)+0.4*exp(-t*2)*sin(2.001*W*t)+0.2*exp(-t*4)*sin(3.003*W*t)+0.1*exp(-t*8)*sin(5*W*t))",
    "pad": "min(1,t*1.5)*min(1,(D-t)*1.5)*(sin(W*t)+0.5*sin(1.003*W*t)+0.3*sin(2*W*t)+0.12*sin(3*W*t)*(1+sin(3*t)))*0.6",
    "bell": "min(1,t*400)*min(1,(D-t)*20)*exp(-t*1.8)*sin(W*t+1.8*exp(-t*3)*sin(3.5*W*t))",
    "bass": "min(1,t*200)*min(1,(D-t)*60)*exp(-t*1.6)*(sin(W*t)+0.45*sin(2*W*t)+0.2*exp(-t*5)*sin(3*W*t))",
    "reed": "min(1,t*25)*min(1,(D-t)*25)*(sin(W*t+0.15*sin(32*t))+0.35*sin(3*W*t)+0.15*sin(5*W*t))*0.7",
    "lead": "min(1,t*60)*min(1,(D-t)*40)*(sin(W*t+0.12*sin(35*t))+0.5*sin(2*W*t)+0.33*sin(3*W*t)+0.2*sin(4*W*t))*0.5",
}
DRUMS = {
    "k": "exp(-t*9)*sin(2*PI*(48*t+6*(1-exp(-t*28))))",
    "s": "exp(-t*18)*(0.7*(2*random(0)-1)+0.5*sin(2*PI*185*t))*min(1,(D-t)*100)",
    "h": "0.45*exp(-t*70)*(2*random(0)-1)*min(1,(D-t)*100)",
    "o": "0.35*exp(-t*12)*(2*random(0)-1)*min(1,(D-t)*100)",
    "c": "0.5*exp(-t*30)*sin(2*PI*1900*t)*min(1,(D-t)*100)",
}


def synthesise(song: Song, target: Path, *, ffmpeg: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Write *song* to *target* in the song's own format, with its title and artist as tags."""
    parts = [_play(part, song) for part in song.parts if part.starts_s < song.duration_s]
    mix = (
        graph.filter(parts, "amix", inputs=len(parts), normalize=0, duration="longest")
        if len(parts) > 1
        else parts[0]
    )
    for name, *settings in song.effects:
        mix = mix.filter(name, *settings)
    for start_s, end_s in song.silences:
        mix = mix.filter("volume", 0, enable=f"between(t,{start_s},{end_s})")
    if song.channels == 1:
        mix = mix.filter("pan", args="mono|c0=c0+c1")
    mix = (
        mix.filter("highpass", 25)  # a kick drum leaves a little direct current
        .filter("volume", f"{song.gain_db}dB")
        .filter("alimiter", limit=CEILING, level="false")
        .filter("atrim", duration=song.duration_s)
        .filter("afade", type="in", duration=song.fade_in_s)
        .filter("afade", type="out", start_time=song.duration_s - song.fade_out_s, duration=song.fade_out_s)
        .filter(
            "aresample",
            song.sample_rate_hz,
            resampler="soxr",
            osf=song.sample_format,
            dither_method="triangular",
        )
    )
    tags = {
        "metadata:g:0": f"title={song.title}",
        "metadata:g:1": f"artist={song.artist}",
        "metadata:g:2": f"album={song.release}",
        "metadata:g:3": f"track={song.number}",
        "metadata:g:4": f"date={song.year}",
        "metadata:g:5": f"genre={song.genre}",
    }
    output = mix.output(str(target), ac=song.channels, **song.encoder, **tags)
    program.run(
        ffmpeg,
        ["-y", *map(str, output.get_args())],
        sound_s=song.duration_s,
        limits=limits,
        folder=target.parent,
    )


def _play(part: Part, song: Song) -> Any:
    """One part, looped to the end of the piece and put in its place between left and right."""
    rate_hz = song.mix_rate_hz
    if part.voice == "noise":
        sound = _source(f"anoisesrc=color={part.steps}:r={rate_hz}:d={song.duration_s}:seed=7:a=0.5")
    else:
        steps = [_step(part, step, rate_hz) for step in part.steps.split()]
        sound = graph.concat(*steps, v=0, a=1) if len(steps) > 1 else steps[0]
        size = round(part.step_s * rate_hz) * len(steps)
        sound = sound.filter("aloop", loop=-1, size=size).filter(
            "atrim", duration=song.duration_s - part.starts_s
        )
    for name, *settings in part.effects:
        sound = sound.filter(name, *settings)
    left, right = min(1.0, 1 - part.pan) * part.level, min(1.0, 1 + part.pan) * part.level
    sound = sound.filter("pan", args=f"stereo|c0={left:.3f}*c0|c1={right:.3f}*c0")
    # Pan law and echo alone leave a mono middle; a few milliseconds between the ears make room.
    if part.width_ms:
        sound = sound.filter("adelay", f"0|{part.width_ms}")
    return sound.filter("adelay", f"{round(part.starts_s * 1000)}:all=1") if part.starts_s else sound


def _step(part: Part, step: str, rate_hz: int) -> Any:
    length_s = part.step_s
    if part.voice == "drums":
        sounds = [DRUMS[hit] for hit in step if hit in DRUMS]
    else:
        sounds = [
            VOICES[part.voice].replace("W", f"{6.283185307 * frequency_hz(note):.6f}")
            for note in step.split("+")
            if NOTE.fullmatch(note)
        ]
    formula = "+".join(f"({sound})" for sound in sounds).replace("D", f"{length_s}") or "0"
    samples = round(length_s * rate_hz)
    return _source(f"aevalsrc='{formula}':s={rate_hz}:d={samples / rate_hz:.9f}")


def _source(description: str) -> Any:
    return graph.input(description, format="lavfi")


def frequency_hz(note: str) -> float:
    """The frequency of a note such as ``A4`` or ``Eb3``, in equal temperament with A4 at 440 Hz."""
    found = NOTE.fullmatch(note)
    assert found, note
    semitones = SEMITONES[found[1]] + {"#": 1, "b": -1, "": 0}[found[2]] + 12 * (int(found[3]) - 4)
    return float(440 * 2 ** (semitones / 12))


def files_of(songs: Sequence[Song] = SONGS) -> dict[str, Song]:
    """Every song by the file name it is given."""
    return {song.file_name: song for song in songs}
