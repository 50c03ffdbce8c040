"""What may be downloaded, how often, in what, under which name, and how much room it takes."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import database
from appliance import hooks
from appliance import revocations
from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.downloads import files
from appliance.downloads import formats
from appliance.downloads import keeping
from appliance.downloads import names
from appliance.downloads import orders
from appliance.downloads import quotas
from appliance.downloads import sleeves
from appliance.downloads.formats import Format
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadFile
from appliance.downloads.models import DownloadGrant
from appliance.downloads.models import DownloadItem
from appliance.downloads.models import FileState
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotAllowed
from appliance.memberships.access import Access
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_release
from tests.makers import make_user

MAY = Access(may_see=True, may_download=True, downloads_a_month=None)
PARALLEL = 100


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


@pytest.fixture(autouse=True)
def asked_anew(appliance: Appliance) -> Iterator[None]:
    revocations.forget()
    yield
    revocations.forget()


@pytest.fixture
def release(appliance: Appliance) -> Release:
    return releases.find(make_release().id)


def counted(most: int) -> Access:
    return Access(may_see=True, may_download=True, downloads_a_month=most)


def wish(
    rows: list[Track], right: Access = MAY, format: Format = Format.FLAC, *, whole: bool = False
) -> orders.Wish:
    return orders.Wish(
        tracks=rows,
        rights={row.id: right for row in rows},
        epoch=0,
        format=format,
        whole=whole,
        sleeves=sleeves.of(rows[0].release, public_url="https://music.example", label="Us"),
    )


def ask(
    user: User,
    rows: list[Track],
    right: Access = MAY,
    format: Format = Format.FLAC,
    *,
    now=NOW,
    whole: bool = False,
):
    return orders.ask(user, wish(rows, right, format, whole=whole), attempts=3, now=now)


def test_of_a_hundred_at_once_who_want_the_last_one_exactly_one_wins(release: Release) -> None:
    user = make_user()
    # Ready tracks of one release, each wanted by a request of its own; one is left.
    rows = [add_track(release, title=f"Song {number}") for number in range(PARALLEL)]
    wishes = [wish([row], counted(1)) for row in rows]
    won: list[str] = []
    problems: list[BaseException] = []
    begin = threading.Barrier(PARALLEL)

    def one(wanted: orders.Wish) -> None:
        try:
            begin.wait(60)
            download, _queued = orders.ask(user, wanted, attempts=3, now=NOW)
            won.append(download.id)
        except quotas.NoneLeft:
            pass
        except BaseException as error:
            problems.append(error)
        finally:
            database.close_thread()

    threads = [threading.Thread(target=one, args=(wanted,)) for wanted in wishes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert problems == []
    assert len(won) == 1
    assert DownloadGrant.select().count() == 1
    assert Download.select().count() == 1


def test_the_same_track_in_the_same_month_costs_once_whatever_the_format(release: Release) -> None:
    user, row = make_user(), add_track(release)
    for format in (Format.FLAC, Format.OPUS, Format.FLAC):
        ask(user, [row], counted(1), format)
    with pytest.raises(quotas.NoneLeft, match="1 downloads"):
        ask(user, [add_track(release, title="Another")], counted(1))
    assert quotas.left(user, release.artist_id, 1, now=NOW) == 0


def test_a_month_begins_anew_at_midnight_utc(release: Release) -> None:
    user = make_user()
    last = NOW.replace(day=31, hour=23, minute=59, second=59)
    ask(user, [add_track(release)], counted(1), now=last)
    other = add_track(release, title="Another")
    with pytest.raises(quotas.NoneLeft):
        ask(user, [other], counted(1), now=last)
    ask(user, [other], counted(1), now=last + timedelta(seconds=1))


def test_a_release_counts_each_of_its_tracks_and_is_granted_wholly_or_not_at_all(release: Release) -> None:
    user = make_user()
    rows = [add_track(release, title=f"Song {number}") for number in range(3)]
    with pytest.raises(quotas.NoneLeft):
        ask(user, rows, counted(2), whole=True)
    assert (DownloadGrant.select().count(), Download.select().count(), DownloadFile.select().count()) == (
        0,
        0,
        0,
    )
    ask(user, rows, counted(3), whole=True)
    assert DownloadGrant.select().count() == 3


def test_what_was_bought_and_what_is_unlimited_is_not_counted(release: Release) -> None:
    user = make_user()
    ask(user, [add_track(release)], MAY)
    assert DownloadGrant.select().count() == 0
    ask(user, [add_track(release, title="Another")], counted(1))
    assert DownloadGrant.select().count() == 1


def test_what_could_not_be_made_is_given_back_unless_the_track_was_had_in_another_format(
    release: Release,
) -> None:
    user, row = make_user(), add_track(release)
    ask(user, [row], counted(1))
    files.give_up(DownloadFile.get().id, "It broke.")
    assert DownloadGrant.select().count() == 0
    download, _ = ask(user, [row], counted(1))
    made = orders.items_of([download])[download.id][0].file
    DownloadFile.update(state=FileState.READY).where(DownloadFile.id == made.id).execute()
    other, _ = ask(user, [row], counted(1), Format.OPUS)
    files.give_up(orders.items_of([other])[other.id][0].file_id, "It broke.")
    assert DownloadGrant.select().count() == 1


def test_without_the_right_or_anything_ready_nothing_is_granted(release: Release) -> None:
    user, row = make_user(), add_track(release)
    with pytest.raises(NotAllowed, match="come with a membership"):
        ask(user, [row], Access(may_see=True))
    with pytest.raises(Conflict, match="nothing to download"):
        ask(user, [add_track(release, "processing", "Later")])


def test_nobody_keeps_more_than_ten_downloads_in_the_making(release: Release) -> None:
    user = make_user()
    for number in range(orders.MOST_WAITING):
        ask(user, [add_track(release, title=f"Song {number}")])
    with pytest.raises(Conflict, match="10 downloads of yours are being prepared"):
        ask(user, [add_track(release, title="One more")])


def test_a_file_that_is_there_is_made_once_for_all_and_for_each_where_copies_are_marked(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = add_track(release)
    one, other = make_user(), make_user()
    assert ask(one, [row])[1] == ask(other, [row])[1]
    assert DownloadFile.select().count() == 1
    monkeypatch.setattr(hooks, "has", lambda hook: hook == "mark_download")
    assert ask(one, [row])[1] != ask(other, [row])[1]
    assert {file.listener for file in DownloadFile.select()} == {"", one.id, other.id}


# Room.


def made(
    appliance: Appliance, row: Track, *, size: int = 100, age: timedelta = timedelta(hours=5)
) -> DownloadFile:
    """A file of this size in the store, last used so long ago."""
    download, _ = ask(make_user(), [row], format=Format.FLAC, now=NOW - age)
    file = orders.items_of([download])[download.id][0].file
    stored = appliance.store.put(
        f"downloads/{row.id}/{file.id}.flac", io.BytesIO(bytes(size)), content_type="audio/flac"
    )
    files.ready(file, stored, crc32=0, now=NOW - age)
    return DownloadFile.get_by_id(file.id)


def test_what_nobody_used_for_the_longest_time_goes_first(appliance: Appliance, release: Release) -> None:
    rows = [
        made(appliance, add_track(release, title=f"{age}"), age=timedelta(hours=age)) for age in (3, 9, 5)
    ]
    assert keeping.make_room(appliance.store, budget_bytes=200, now=NOW) == 1
    states = [DownloadFile.get_by_id(row.id).state for row in rows]
    assert states == ["ready", "gone", "ready"]
    assert len(list(appliance.store.list("downloads/"))) == 2
    assert keeping.make_room(appliance.store, budget_bytes=200, now=NOW) == 0


def test_what_was_promised_within_the_hour_or_is_on_its_way_is_not_removed(
    appliance: Appliance, release: Release
) -> None:
    old = made(appliance, add_track(release, title="Old"))
    fresh = made(appliance, add_track(release, title="Fresh"), age=timedelta(minutes=10))
    large = made(appliance, add_track(release, title="Large"))
    DownloadFile.update(size_bytes=files.SLOW_LINE_BYTES_S * 3600 * 3).where(
        DownloadFile.id == large.id
    ).execute()
    assert files.promise([DownloadFile.get_by_id(large.id)], now=NOW)
    assert keeping.make_room(appliance.store, budget_bytes=1, now=NOW + timedelta(hours=2)) == 2
    assert [DownloadFile.get_by_id(row.id).state for row in (old, fresh, large)] == ["gone", "gone", "ready"]
    assert keeping.make_room(appliance.store, budget_bytes=1, now=NOW + timedelta(hours=4)) == 1


def test_what_went_is_not_promised_and_is_made_again_when_somebody_asks(
    appliance: Appliance, release: Release
) -> None:
    row = add_track(release)
    file = made(appliance, row)
    keeping.make_room(appliance.store, budget_bytes=0, now=NOW)
    assert not files.promise([file], now=NOW)
    _, queued = ask(make_user(), [row])
    assert len(queued) == 1
    assert DownloadFile.get_by_id(file.id).state == FileState.WAITING


def test_objects_nobody_speaks_of_and_lists_of_long_ago_are_forgotten(
    appliance: Appliance, release: Release
) -> None:
    file = made(appliance, add_track(release))
    appliance.store.put("downloads/x/lost.flac", io.BytesIO(b"x"), content_type="audio/flac")
    much_later = NOW + timedelta(days=400)
    assert keeping.sweep(appliance.store, now=NOW - timedelta(days=400)) == 0
    assert keeping.sweep(appliance.store, now=datetime.now(UTC) + timedelta(days=2)) == 1
    assert [row.key for row in appliance.store.list("downloads/")] == [file.key]
    assert keeping.expire(now=much_later) == 1
    assert DownloadItem.select().count() == 0


# Sleeves and formats.


def test_any_change_of_what_is_written_makes_another_digest(release: Release) -> None:
    row = add_track(release)

    def digest() -> str:
        found = sleeves.of(releases.find(release.id), public_url="", label="Us")
        return found[row.id].digest()

    before = digest()
    assert digest() == before
    for fields in (
        {"title": "High Tide"},
        {"isrc": "DEA122600001"},
        {"contributors": [{"name": "Ada", "role": "Composer"}]},
    ):
        tracks.edit(tracks.find(row.id), fields, now=NOW)
        assert digest() != before
        before = digest()
    releases.edit(releases.find(release.id), {"genre": "Dub"}, now=NOW)
    assert digest() != before


def test_an_album_is_as_loud_as_its_energy_by_length(release: Release) -> None:
    one, other = add_track(release), add_track(release, title="Another")
    one.loudness_lufs, one.duration_ms, one.true_peak_dbtp = -10.0, 1000, -3.0
    other.loudness_lufs, other.duration_ms, other.true_peak_dbtp = -10.0, 9000, -0.5
    assert sleeves.album_level([one, other]) == (pytest.approx(-10.0), -0.5)
    other.loudness_lufs = None
    assert sleeves.album_level([one, other])[0] == pytest.approx(-10.0)
    assert sleeves.album_level([]) == (None, None)


def test_formats_offer_what_makes_sense() -> None:
    assert formats.offered(["flac"]) == [format for format in Format if format is not Format.ORIGINAL]
    assert formats.offered(["mp3"]) == [Format.ORIGINAL]
    assert formats.offered(["opus", "mp3"]) == [Format.ORIGINAL, Format.MP3_320]
    assert Format.FLAC in formats.offered(["mp3", "pcm_s24le"])
    assert formats.fitting(Format.FLAC, "mp3") is Format.ORIGINAL
    assert formats.fitting(Format.MP3_V0, "vorbis") is Format.MP3_320
    assert formats.fitting(Format.OPUS, "flac") is Format.OPUS
    with pytest.raises(Invalid, match="The format is one of flac"):
        formats.read("wma")


# Names.

WINDOWS = set('<>:"/\\|?*') | {chr(code) for code in range(32)}


@given(st.text(max_size=400))
def test_every_name_can_be_written_on_every_system(text: str) -> None:
    name = names.safe(text)
    assert name
    assert not set(name) & WINDOWS
    assert len(name.encode()) <= 200
    assert name == name.strip(". ")
    assert name.partition(".")[0].casefold() not in {"con", "nul", "aux", "prn", "com1", "lpt9"}
    name.encode("utf-8")


def test_names_read_like_the_music_and_are_told_apart() -> None:
    assert names.track(7, 12, "Ebbe: Flut?", "flac") == "07 Ebbe꞉ Flut？.flac"
    assert names.track(7, 120, "潮", "mp3") == "007 潮.mp3"
    assert names.safe("CON.txt") == "_CON.txt"
    assert names.safe("\u202egpj.exe") == "gpj.exe"
    assert names.folder("AC/DC", "Live") == "AC∕DC - Live"
    assert names.different(["01 Song.flac", "01 SONG.flac", "01 Song.flac"]) == [
        "01 Song.flac",
        "01 SONG (2).flac",
        "01 Song (3).flac",
    ]
