"""Measure ffmpeg's AAC coders per rung: processor time, and quality by a model of hearing.

    python -m pip install numpy
    python tests/benchmarks/aac_coder.py --ffmpeg FFMPEG MUSIC... > table.md

*MUSIC* are sound files (thirty seconds of each are used); pieces made by ffmpeg itself, chosen to be hard on a
coder, are added. Four figures tell the quality, each against the sample-aligned original:

- NMR, the total noise-to-mask ratio in dB (after ITU-R BS.1387, simplified: Bark bands, fixed spreading, masking
  offset of 3 dB up to 12 Bark and 0.25 dB per Bark above). Lower is better; noise below -10 dB is hard to hear.
- disturbed frames, the share of frames with a band in which noise exceeds its mask by 1.5 dB.
- SNR, the mean signal-to-noise ratio of 20 ms segments in dB.
- level, how much louder or quieter the piece became that changed most.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE_HZ = 44_100
EXCERPT_S = 30
FRAME = 2048
BANDS = 49
RUNGS = {"low": 128, "medium": 256, "high": 320}
CODERS = {
    "fast": ["-aac_coder", "fast"],
    "fast, no PNS, no intensity stereo": ["-aac_coder", "fast", "-aac_pns", "0", "-aac_is", "0"],
    "fast, no PNS, no IS, no mid/side": [
        "-aac_coder",
        "fast",
        "-aac_pns",
        "0",
        "-aac_is",
        "0",
        "-aac_ms",
        "0",
    ],
    "twoloop": ["-aac_coder", "twoloop"],
    "twoloop, no PNS, no intensity stereo": ["-aac_coder", "twoloop", "-aac_pns", "0", "-aac_is", "0"],
}
SYNTHETIC = {
    "clicks": "aevalsrc='0.7*exp(-mod(t,0.23)*90)*sin(2*PI*(900+2500*exp(-mod(t,0.23)*60))*t)|0.7*exp(-mod(t+0.1,0.31)*80)*sin(2*PI*3100*t)':s=44100:d=15",
    "plucked": "aevalsrc='0.2*exp(-mod(t,0.4)*5)*(sin(2*PI*220*t)+sin(2*PI*440*t)/2+sin(2*PI*660*t)/3+sin(2*PI*1320*t)/4+sin(2*PI*5280*t)/8)|0.2*exp(-mod(t,0.3)*5)*(sin(2*PI*277*t)+sin(2*PI*554*t)/2+sin(2*PI*1662*t)/4+sin(2*PI*6648*t)/8)':s=44100:d=15",
    "square": "aevalsrc='0.95*(2*lt(mod(t*441,1),0.5)-1)|-0.95*(2*lt(mod(t*441,1),0.5)-1)':s=44100:d=15",
    "bass": "aevalsrc='0.9*sin(2*PI*55*t)*exp(-mod(t,1)*0.8)|0.9*sin(2*PI*55*t)*exp(-mod(t,1)*0.8)':s=44100:d=15",
    "noise": "anoisesrc=r=44100:c=pink:a=0.4:d=15:seed=1",
    "sweep": "aevalsrc='0.4*sin(2*PI*(40*t+400*t*t))|0.4*sin(2*PI*(60*t+380*t*t))':s=44100:d=15",
}


@dataclass(frozen=True)
class Figures:
    """What one coder made of one piece."""

    cpu_s: float
    kbps: float
    nmr_db: float
    disturbed: float
    snr_db: float
    level_db: float


def run(ffmpeg: str, *arguments: str) -> float:
    """Run ffmpeg; the processor seconds it used."""
    before = os.times()
    subprocess.run([ffmpeg, "-v", "error", "-nostdin", "-y", *arguments], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def samples(ffmpeg: str, path: Path) -> np.ndarray:
    """The sound as floating point, one row a channel."""
    raw = subprocess.run(
        [ffmpeg, "-v", "error", "-nostdin", "-i", str(path), "-f", "f32le", "-ac", "2", "-"],
        check=True,
        capture_output=True,
    ).stdout
    return np.frombuffer(raw, dtype="<f4").reshape(-1, 2).T.astype(float)


def bark(hz: np.ndarray) -> np.ndarray:
    """Schroeder's critical-band scale, as BS.1387 uses it."""
    return 7 * np.arcsinh(hz / 650)


def power(sound: np.ndarray) -> np.ndarray:
    """The power spectrum of overlapping frames."""
    count = 1 + (len(sound) - FRAME) // (FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(sound, FRAME)[:: FRAME // 2][:count]
    return np.abs(np.fft.rfft(frames * np.hanning(FRAME))) ** 2


def bands_of(spectrum: np.ndarray) -> np.ndarray:
    """Power per half Bark."""
    place = bark(np.fft.rfftfreq(FRAME, 1 / RATE_HZ))
    index = np.minimum((place * 2).astype(int), BANDS - 1)
    summed = np.zeros((len(spectrum), BANDS))
    for band in range(BANDS):
        summed[:, band] = spectrum[:, index == band].sum(axis=1)
    return summed


def quality(original: np.ndarray, decoded: np.ndarray) -> tuple[float, float, float, float]:
    """NMR in dB, share of disturbed frames, segmental SNR in dB, change of level in dB."""
    length = min(original.shape[1], decoded.shape[1])
    ratios, worst, snrs = [], [], []
    centre = np.arange(BANDS) / 2
    distance = centre[None, :] - centre[:, None]  # from masker (row) to masked (column)
    spreading = 10 ** (np.where(distance < 0, 27 * distance, -12 * distance) / 10)
    offset = 10 ** (-np.where(centre <= 12, 3, 0.25 * centre) / 10)
    quiet = FRAME * 1e-7  # about the threshold in quiet at a comfortable volume
    for channel in range(2):
        clean, noise = original[channel, :length], decoded[channel, :length] - original[channel, :length]
        mask = bands_of(power(clean)) @ spreading * offset + quiet
        heard = bands_of(power(noise)) / mask
        ratios.append(heard.mean(axis=1))
        worst.append(heard.max(axis=1))
        cut = length - length % 882
        signal = (clean[:cut].reshape(-1, 882) ** 2).mean(axis=1)
        error = (noise[:cut].reshape(-1, 882) ** 2).mean(axis=1)
        loud = signal > 1e-6
        snrs.append(np.clip(10 * np.log10(signal[loud] / (error[loud] + 1e-12)), -10, 60))
    return (
        float(10 * np.log10(np.concatenate(ratios).mean() + 1e-12)),
        float((10 * np.log10(np.concatenate(worst) + 1e-12) > 1.5).mean()),
        float(np.concatenate(snrs).mean()),
        float(10 * np.log10((decoded[:, :length] ** 2).sum() / (original[:, :length] ** 2).sum())),
    )


def measure(ffmpeg: str, original: Path, kbps: int, options: list[str], folder: Path) -> Figures:
    """Encode and decode one piece with one coder."""
    target = folder / "coded.m4a"
    cpu_s = run(ffmpeg, "-i", str(original), "-c:a", "aac", *options, "-b:a", f"{kbps}k", str(target))
    clean = samples(ffmpeg, original)
    duration_s = clean.shape[1] / RATE_HZ
    return Figures(
        cpu_s / duration_s * 60,
        target.stat().st_size * 8 / duration_s / 1000,
        *quality(clean, samples(ffmpeg, target)),
    )


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ffmpeg", default="ffmpeg")
    parser.add_argument("music", nargs="*", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds: dict[str, list[Path]] = {"music": [], "synthetic": []}
        for number, path in enumerate(chosen.music):
            target = folder / f"music{number}.wav"
            run(
                chosen.ffmpeg,
                "-ss",
                "20",
                "-t",
                str(EXCERPT_S),
                "-i",
                str(path),
                "-ac",
                "2",
                "-ar",
                str(RATE_HZ),
                str(target),
            )
            kinds["music"].append(target)
        for title, formula in SYNTHETIC.items():
            target = folder / f"{title}.wav"
            run(chosen.ffmpeg, "-f", "lavfi", "-i", formula, "-ac", "2", str(target))
            kinds["synthetic"].append(target)
        print(
            "| rung | coder | material | CPU s per minute | kbit/s | NMR dB | disturbed frames | SNR dB | worst level dB |"
        )
        print("|---|---|---|--:|--:|--:|--:|--:|--:|")
        for quality_name, kbps in RUNGS.items():
            for coder, options in CODERS.items():
                for kind, pieces in kinds.items():
                    if not pieces:
                        continue
                    rows = [measure(chosen.ffmpeg, piece, kbps, options, folder) for piece in pieces]
                    mean = [
                        sum(values) / len(rows)
                        for values in zip(*(vars(row).values() for row in rows), strict=True)
                    ]
                    cpu, rate, nmr, disturbed, snr, _ = mean
                    level = max((row.level_db for row in rows), key=abs)
                    print(
                        f"| {quality_name} {kbps} | {coder} | {kind} ({len(rows)}) | {cpu:.2f} | {rate:.0f} | {nmr:.1f} "
                        f"| {disturbed:.1%} | {snr:.1f} | {level:+.1f} |"
                    )
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
