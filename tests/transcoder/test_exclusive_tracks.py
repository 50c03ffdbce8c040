"""Exclusive tracks in the store: never clear, exactly what was verified, and stored anew when the track changes its mind."""

import io
import re

import pytest

from appliance import chores
from appliance import jobs
from appliance.catalog import cleaning
from appliance.catalog import rendition_keys
from appliance.catalog import sealing
from appliance.catalog import tracks
from appliance.catalog.models import Rendition
from appliance.catalog.models import RenditionKey
from appliance.catalog.models import Track
from appliance.errors import Unavailable
from tests import makers
from tests.makers import NOW
from tests.sounds import tone
from transcoder import boxes
from transcoder import pipeline
from transcoder import playlist
from transcoder import resealing


@pytest.fixture
def original(tmp_path):
    """Thirteen seconds: two segments."""
    path = tmp_path / "low tide.flac"
    path.write_bytes(tone(13.0))
    return path


@pytest.fixture
def track(appliance, original):
    made, job_id = makers.make_track(appliance, original)
    jobs.send(job_id)
    return tracks.find(made.id)


@pytest.fixture
def exclusive(appliance, original):
    made, job_id = makers.make_track(appliance, original)
    Track.update(exclusive=True).where(Track.id == made.id).execute()
    jobs.send(job_id)
    return tracks.find(made.id)


def read(appliance, key):
    with appliance.store.open(key) as stream:
        return stream.read()


def rungs(appliance, track):
    """Each rung as it is stored, and what opens it."""
    ring = rendition_keys.ring(appliance.settings, appliance.secret)
    return {
        row.quality: (
            read(appliance, f"hls/{track.id}/{track.run_id}/{row.quality}.mp4"),
            rendition_keys.find(track.id, track.run_id, row.quality, ring),
        )
        for row in tracks.renditions_of([track])[track.id]
    }


def clear_of(sealed, opener):
    target = io.BytesIO()
    told = sealing.unseal(io.BytesIO(sealed), target, layout=opener.layout, key=opener.key)
    assert told == opener.clear_sha256
    return target.getvalue()


def test_no_segment_of_an_exclusive_track_is_stored_in_clear(appliance, exclusive, tmp_path):
    stored = rungs(appliance, exclusive)
    assert list(stored) == ["low", "medium", "high", "lossless"]
    assert len({opener.key for _, opener in stored.values()}) == 4
    for quality, (sealed, opener) in stored.items():
        assert b"moof" not in sealed and b"mdat" not in sealed
        clear = clear_of(sealed, opener)
        path = tmp_path / f"{quality}.mp4"
        path.write_bytes(clear)
        layout = boxes.read_fragmented(path)
        assert layout.header_bytes == opener.layout.header_bytes
        starts = {fragment.offset for fragment in layout.fragments}
        assert {span.clear_offset for span in opener.layout.spans()} <= starts
        row = Rendition.get(Rendition.track == exclusive.id, Rendition.quality == quality)
        assert row.size_bytes == len(sealed) == opener.layout.sealed_bytes
    assert b"moof" in read(appliance, exclusive.preview_key) or b"mdat" in read(
        appliance, exclusive.preview_key
    )
    keys = [row.wrapped for row in RenditionKey.select()]
    assert len(keys) == 4


def test_what_is_stored_decrypts_to_exactly_what_was_verified(appliance, original, monkeypatch):
    verified = {}
    seal = pipeline.sealed_rungs.seal

    def noting(media, **arguments):
        verified[media.stem] = media.read_bytes()
        return seal(media, **arguments)

    monkeypatch.setattr(pipeline.sealed_rungs, "seal", noting)
    made, job_id = makers.make_track(appliance, original)
    Track.update(exclusive=True).where(Track.id == made.id).execute()
    jobs.send(job_id)
    stored = rungs(appliance, tracks.find(made.id))
    assert {quality: clear_of(*one) for quality, one in stored.items()} == verified


def test_the_playlist_says_how_to_open_each_segment_and_leaves_the_header_clear(appliance, exclusive):
    sealed, opener = rungs(appliance, exclusive)["high"]
    text = read(appliance, f"hls/{exclusive.id}/{exclusive.run_id}/high.media.m3u8").decode()
    lines = text.splitlines()
    assert next(i for i, line in enumerate(lines) if "EXT-X-MAP" in line) < next(
        i for i, line in enumerate(lines) if "EXT-X-KEY" in line
    )
    assert re.findall(r"#EXT-X-KEY:(.*)", text) == [
        f'METHOD=AES-128,URI="high.key",IV=0x{number:032x}' for number in range(len(opener.layout.segments))
    ]
    header_bytes, segments = playlist.read_media_playlist(text)
    assert header_bytes == opener.layout.header_bytes
    spans = [(span.sealed_offset, span.sealed_bytes) for span in opener.layout.spans()]
    assert [(one.offset, one.size_bytes) for one in segments] == spans
    assert sum(spans[-1]) == len(sealed)


def test_the_lowest_rung_that_goes_ahead_of_the_others_is_encrypted_too(appliance, original, monkeypatch):
    seen = []

    def stop(*arguments, **named):
        [track] = Track.select()
        seen.append(rungs(appliance, tracks.find(track.id)))
        raise Unavailable("The power is gone.")

    monkeypatch.setattr(pipeline.encoding, "second_pass", stop)
    made, job_id = makers.make_track(appliance, original)
    Track.update(exclusive=True).where(Track.id == made.id).execute()
    jobs.send(job_id)
    [(sealed, opener)] = seen[0].values()
    assert list(seen[0]) == ["low"] and b"moof" not in sealed
    assert b"moof" in clear_of(sealed, opener)


def test_a_track_that_becomes_exclusive_is_encrypted_and_back_again_without_encoding(appliance, track):
    before = rungs(appliance, track)
    text = read(appliance, f"hls/{track.id}/{track.run_id}/high.media.m3u8")
    sealed = tracks.edit(track, {"exclusive": True}, now=NOW)
    assert sealed.exclusive and sealed.run_id != track.run_id and rendition_keys.is_sealed(sealed)
    stored = rungs(appliance, sealed)
    assert {quality: clear_of(*one) for quality, one in stored.items()} == {
        quality: clear for quality, (clear, _) in before.items()
    }
    assert Rendition.select().where(Rendition.run_id == track.run_id).count() == 0
    for key in (sealed.preview_key, sealed.waveform_key):
        assert sealed.run_id in key and read(appliance, key)
    master = read(appliance, f"hls/{track.id}/{sealed.run_id}/master.m3u8").decode()
    assert re.findall(r"^(\w+)\.media", master, re.MULTILINE) == list(before)

    again = tracks.edit(sealed, {"exclusive": False}, now=NOW)
    assert not rendition_keys.is_sealed(again) and again.run_id not in {sealed.run_id, track.run_id}
    assert rungs(appliance, again) == before
    assert read(appliance, f"hls/{track.id}/{again.run_id}/high.media.m3u8") == text
    assert RenditionKey.select().count() == 0

    cleaning.remove_orphans(appliance.store, now=NOW.replace(year=2099))
    kept = {
        found.key.split("/")[2].partition(".")[0]
        for folder in ("hls/", "previews/")
        for found in appliance.store.list(folder)
    }
    assert kept == {again.run_id}


def test_an_edit_that_changes_nothing_stores_nothing_anew(appliance, track):
    same = tracks.edit(track, {"exclusive": False, "title": "Other"}, now=NOW)
    assert same.run_id == track.run_id
    assert jobs.latest(tracks.RESEAL, [track.id]) == {}


def test_a_track_that_changes_its_mind_meanwhile_keeps_its_run(appliance, track, monkeypatch):
    copy = resealing.Resealing.copy

    def changing(self, *arguments):
        Track.update(exclusive=False).where(Track.id == track.id).execute()
        return copy(self, *arguments)

    monkeypatch.setattr(resealing.Resealing, "copy", changing)
    after = tracks.edit(track, {"exclusive": True}, now=NOW)
    assert (after.exclusive, after.run_id) == (False, track.run_id)
    assert RenditionKey.select().count() == 0


def test_what_became_exclusive_while_it_was_made_is_encrypted_afterwards(appliance, original, monkeypatch):
    made, job_id = makers.make_track(appliance, original)
    transcode = pipeline.transcode

    def changing(*arguments, **named):
        done = transcode(*arguments, **named)
        tracks.edit(made, {"exclusive": True}, now=NOW)
        return done

    monkeypatch.setattr(pipeline, "transcode", changing)
    jobs.send(job_id)
    assert rendition_keys.is_sealed(tracks.find(made.id))


def test_a_change_that_nobody_heard_of_is_made_up_for_by_a_chore(appliance, track):
    Track.update(exclusive=True).where(Track.id == track.id).execute()
    chores.reseal_tracks.call_local()
    assert rendition_keys.is_sealed(tracks.find(track.id))


def test_a_damaged_rung_is_not_taken_over(appliance, exclusive):
    key = f"hls/{exclusive.id}/{exclusive.run_id}/low.mp4"
    sealed = bytearray(read(appliance, key))
    sealed[2000] ^= 1
    appliance.store.put(key, io.BytesIO(bytes(sealed)), content_type="audio/mp4")
    after = tracks.edit(exclusive, {"exclusive": False}, now=NOW)
    assert (after.run_id, after.exclusive) == (exclusive.run_id, False)
    assert "its own checks" in jobs.latest(tracks.RESEAL, [exclusive.id])[exclusive.id].last_error
