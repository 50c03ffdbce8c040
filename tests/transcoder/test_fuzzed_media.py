"""Sound and pictures with bytes changed at random, through the whole of the product: each ends well or with a sentence, and nothing stays.

A few of each format in every run; MUTATIONS=200 (``make drills``) is the full one. SEED repeats a run.
"""

from __future__ import annotations

import io
import os
import random
import secrets
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest
from PIL import Image

from appliance import jobs
from appliance import sandbox
from appliance.catalog import artwork
from appliance.catalog import originals
from appliance.catalog.models import Rendition
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import new_id
from appliance.errors import Invalid
from appliance.jobs import JobState
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_release
from transcoder import tasks

MUTATIONS = int(os.environ.get("MUTATIONS", "2"))
SEED = int(os.environ.get("SEED", secrets.randbelow(1_000_000)))
SOUNDS = {
    "wav": ["-c:a", "pcm_s16le"],
    "aiff": ["-c:a", "pcm_s16be"],
    "flac": ["-sample_fmt", "s16"],
    "alac.m4a": ["-c:a", "alac"],
    "mp3": ["-b:a", "128k"],
    "aac.m4a": ["-c:a", "aac", "-b:a", "96k"],
    "ogg": ["-c:a", "libvorbis"],
    "opus": ["-c:a", "libopus", "-b:a", "64k"],
}
PICTURES = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

assert tasks  # whose import declares the job


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """*whole* with something wrong: bits, numbers, blocks that are missing, doubled, moved or foreign, or an end that is not there."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        # Most of what can go wrong stands at the beginning.
        at = chance.randrange(min(len(data), chance.choice((64, 600, len(data)))))
        long = chance.randint(1, max(1, min(4000, len(data) // 4)))
        act = chance.randrange(7)
        if act == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif act == 1:
            data[at : at + 4] = chance.choice(
                (b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80")
            )
        elif act == 2:
            del data[at : at + long]
        elif act == 3:
            data[at:at] = data[at : at + long]
        elif act == 4:
            data[at : at + long] = chance.randbytes(long)
        elif act == 5:
            data[at : at + long] = bytes(long)
        else:
            del data[chance.randrange(len(data) // 2, len(data)) :]
        if len(data) < 16:
            break
    return bytes(data)


def left_behind(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def children() -> set[int]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", SOUNDS)
def test_a_broken_recording_leaves_nothing_behind(
    kind: str, appliance: Appliance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"SEED={SEED}")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    sandbox.chosen()
    chance = random.Random(f"{SEED} {kind}")
    whole = tmp_path / f"song.{kind}"
    tags = ["-metadata", "title=Harbour", "-metadata", "artist=Night Ferry"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "sine=440:d=0.4", *tags]
    subprocess.run([*command, "-ac", "2", *SOUNDS[kind], str(whole)], check=True)
    bytes_of = whole.read_bytes()
    release, others = make_release(), children()
    ends: dict[str, int] = {}
    for number in range(MUTATIONS):
        path = tmp_path / f"mutant.{kind}"
        path.write_bytes(mutated(bytes_of, chance))
        try:
            track, job_id = originals.receive(
                release,
                path,
                track_id=new_id(),
                filename=path.name,
                store=appliance.store,
                attempts=1,
                now=NOW,
            )
        except Invalid as refused:
            assert str(refused).endswith(".")
            path.unlink()
            ends["refused"] = ends.get("refused", 0) + 1
            continue
        jobs.send(job_id)
        row, job = Track.get_by_id(track.id), jobs.Job.get_by_id(job_id)
        where = f"SEED={SEED}, {kind} number {number}: {row.state}, {row.problem!r}, {job.state}, {job.last_error}"
        ends[str(row.state)] = ends.get(str(row.state), 0) + 1
        if row.state == TrackState.READY:
            assert (job.state, row.problem) == (JobState.DONE, ""), where
            assert row.duration_ms and row.run_id and row.preview_key, where
            assert Rendition.select().where(Rendition.track == row.id).count() >= 1, where
        else:
            assert (row.state, job.state) == (TrackState.FAILED, JobState.FAILED), where
            assert row.problem.endswith("."), where
            assert str(tmp_path) not in row.problem, where
            assert "Error" not in row.problem, where
        assert left_behind(appliance.scratch) == [], where
        assert left_behind(tmp_path / "tmp") == [], where
        assert children() == others, where
        Track.delete_by_id(row.id)
    assert Replacement.select().count() == 0
    print(f"{kind}: {ends}")


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", PICTURES)
def test_a_broken_picture_leaves_nothing_behind(kind: str, appliance: Appliance, tmp_path: Path) -> None:
    print(f"SEED={SEED}")
    chance = random.Random(f"{SEED} {kind}")
    whole = io.BytesIO()
    Image.effect_noise((240, 220), 60).convert("RGB").save(whole, kind)
    release, others = make_release(), children()
    ends = {"taken": 0, "refused": 0}
    for number in range(MUTATIONS):
        data = mutated(whole.getvalue(), chance)
        before = set(left_behind(appliance.settings.data / "media"))
        where = f"SEED={SEED}, {kind} number {number}"
        try:
            key = artwork.set_artwork(release, io.BytesIO(data), store=appliance.store, now=NOW)
        except Invalid as refused:
            ends["refused"] += 1
            assert str(refused).endswith("."), where
            assert set(left_behind(appliance.settings.data / "media")) == before, where
        else:
            ends["taken"] += 1
            made = [name for name in left_behind(appliance.settings.data / "media") if key in name]
            assert len([name for name in made if name.endswith((".webp", ".jpg"))]) == 8, where
        assert left_behind(appliance.scratch) == [], where
        assert children() == others, where
    print(f"{kind}: {ends}")
