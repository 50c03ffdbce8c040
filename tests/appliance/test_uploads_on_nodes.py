"""An upload whose requests reach several nodes at once, each with a staging folder of its own: one file, one track."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import database
from appliance import jobs
from appliance.catalog import pieces
from appliance.catalog import staging
from appliance.catalog import uploads
from appliance.catalog.models import Replacement
from appliance.catalog.models import Track
from appliance.catalog.models import Upload
from appliance.catalog.models import UploadPiece
from appliance.errors import NotFound
from appliance.startup import Appliance
from appliance.storage import ObjectStore
from appliance.storage import StoredObject
from tests.appliance.test_uploads import MUSIC
from tests.appliance.test_uploads import append
from tests.appliance.test_uploads import begin
from tests.appliance.test_uploads import finish
from tests.appliance.test_uploads import kept
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture
def upload(appliance: Appliance) -> Upload:
    jobs.huey.immediate = False
    return begin(owner := make_user(), make_release(make_artist(owner)))


def test_another_node_goes_on_where_the_first_one_stood(
    appliance: Appliance, upload: Upload, tmp_path: Path
) -> None:
    for number, start in enumerate(range(0, len(MUSIC), 1000)):
        part = io.BytesIO(MUSIC[start : start + 1000])
        folder = tmp_path / f"node{number % 3}"
        uploads.append(upload, part, offset=start, folder=folder, store=appliance.store, now=NOW)
        assert list(folder.iterdir()) == []
    track, _ = uploads.finish(
        Upload.get_by_id(upload.id), folder=tmp_path / "worker", store=appliance.store, attempts=5, now=NOW
    )
    assert appliance.store.open(track.original_key).read() == MUSIC
    assert (kept(appliance), UploadPiece.select().count()) == ([], 0)


def test_of_two_nodes_that_take_the_same_bytes_one_counts(
    appliance: Appliance, upload: Upload, tmp_path: Path
) -> None:
    meet = threading.Barrier(3)

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if not self.tell():
                meet.wait(20)
            return super().read(size)

    def send(node: int) -> str:
        try:
            with database.proxy.obj.connection_context():
                part = Slow(MUSIC[: 1000 * (node + 1)])
                folder = tmp_path / str(node)
                uploads.append(upload, part, offset=0, folder=folder, store=appliance.store, now=NOW)
        except staging.WrongOffset:
            return "409"
        return "204"

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(send, range(3))) == ["204", "409", "409"]
    there = Upload.get_by_id(upload.id).offset_bytes
    [key] = kept(appliance)
    assert appliance.store.open(key).read() == MUSIC[:there]
    append(appliance, upload, MUSIC[there:], there)
    assert appliance.store.open(finish(appliance, Upload.get_by_id(upload.id)).original_key).read() == MUSIC


def test_nodes_that_finish_at_once_make_one_track(
    appliance: Appliance, upload: Upload, tmp_path: Path
) -> None:
    upload = append(appliance, upload, MUSIC)
    meet = threading.Barrier(4)

    def end(node: int) -> str:
        meet.wait(20)
        with database.proxy.obj.connection_context():
            folder = tmp_path / str(node)
            return uploads.finish(upload, folder=folder, store=appliance.store, attempts=5, now=NOW)[0].id

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(end, range(4))) == {upload.id}
    assert (Track.select().count(), jobs.Job.select().count(), kept(appliance)) == (1, 1, [])
    assert appliance.store.open(f"originals/{upload.id}").read() == MUSIC


def test_what_another_node_takes_while_one_looks_is_not_cut_off(
    appliance: Appliance, upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = pieces.held

    def count(asked: Upload) -> int:
        monkeypatch.setattr(pieces, "held", counted)
        append(appliance, upload, MUSIC[:1000])
        there = counted(asked)
        append(appliance, upload, MUSIC[1000:2000], 1000)
        return there

    monkeypatch.setattr(pieces, "held", count)
    with pytest.raises(staging.WrongOffset) as told:
        late = io.BytesIO(MUSIC[:10])
        uploads.append(upload, late, offset=0, folder=tmp_path / "late", store=appliance.store, now=NOW)
    assert told.value.facts["there"] == 2000
    whole = append(appliance, upload, MUSIC[2000:], 2000)
    assert appliance.store.open(finish(appliance, whole).original_key).read() == MUSIC


def test_what_is_being_sent_does_not_expire_for_a_node_that_tidies_up(
    appliance: Appliance, upload: Upload, tmp_path: Path
) -> None:
    last_minute = upload.expires_at - timedelta(minutes=1)

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            later = upload.expires_at + timedelta(hours=1)
            assert uploads.expire(folder=tmp_path / "worker", store=appliance.store, now=later) == 0
            return super().read(size)

    folder, store = appliance.staging, appliance.store
    sent = uploads.append(upload, Slow(MUSIC), offset=0, folder=folder, store=store, now=last_minute)
    assert appliance.store.open(finish(appliance, sent).original_key).read() == MUSIC


def test_a_node_that_finishes_late_brings_no_older_master_back(
    appliance: Appliance, upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = finish(appliance, append(appliance, upload, MUSIC))
    older, newer = (
        append(appliance, begin(upload.user, track.release, replaces=track), MUSIC) for _ in range(2)
    )

    def others_finish() -> None:
        finish(appliance, older)
        finish(appliance, newer)

    _meanwhile(others_finish, monkeypatch)
    uploads.finish(older, folder=tmp_path / "late", store=appliance.store, attempts=5, now=NOW)
    assert [row.id for row in Replacement.select()] == [newer.id]


def test_a_node_that_finishes_late_makes_no_track_of_a_forgotten_upload(
    appliance: Appliance, upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = append(appliance, upload, MUSIC)
    folder, store = tmp_path / "late", appliance.store
    _meanwhile(
        lambda: uploads.terminate(upload, folder=appliance.staging, store=appliance.store), monkeypatch
    )
    with pytest.raises(NotFound):
        uploads.finish(upload, folder=folder, store=store, attempts=5, now=NOW)
    assert (Track.select().count(), kept(appliance), list(folder.iterdir())) == (0, [], [])


def _meanwhile(act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let others *act* while a node puts an upload together."""
    together = pieces.join

    def join(upload: Upload, path: Path, *, store: ObjectStore) -> Path | StoredObject:
        monkeypatch.setattr(pieces, "join", together)
        source = together(upload, path, store=store)
        act()
        return source

    monkeypatch.setattr(pieces, "join", join)
