"""Downloads in the browser: a button for those who may, a list, and a link that works for one person."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from datetime import timedelta

import mutagen
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from appliance import clock
from appliance import database
from appliance import hooks
from appliance import jobs
from appliance import revocations
from appliance.catalog import artwork
from appliance.catalog import takedowns
from appliance.catalog import tracks
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.database import new_id
from appliance.downloads.models import Download
from appliance.downloads.models import DownloadFile
from appliance.downloads.models import DownloadGrant
from appliance.memberships import granting
from appliance.memberships import tiers
from appliance.memberships.models import Membership
from appliance.startup import Appliance
from tests import makers
from tests.queries import least
from tests.servers import site
from tests.servers.site import Person
from tests.sounds import tone


@pytest.fixture(autouse=True)
def asked_anew(appliance: Appliance) -> Iterator[None]:
    revocations.forget()
    yield
    revocations.forget()


@pytest.fixture
def release(artist: Person, appliance: Appliance) -> Release:
    """A public release with a cover, whose tracks are added by ``record``."""
    row = site.make_release(artist, published=True, title="Ebbe & Flut")
    picture = io.BytesIO()
    Image.new("RGB", (400, 400), "navy").save(picture, "PNG")
    picture.seek(0)
    artwork.set_artwork(row, picture, store=appliance.store, now=clock.now())
    return row


@pytest.fixture
def record(release: Release, appliance: Appliance, tmp_path):
    """A real track of half a second: ``record("Low Tide")``; transcoded as the studio does it."""

    def recording(title: str, *, format: str = "flac", hertz: float = 440.0) -> Track:
        path = tmp_path / f"{new_id()}.{format}"
        path.write_bytes(tone(0.5, hertz, format=format))
        track, job_id = makers.make_track(appliance, path, release=release, now=clock.now())
        jobs.send(job_id)
        return tracks.edit(tracks.find(track.id), {"title": title}, now=clock.now())

    return recording


def member(
    person: Person, release: Release, kind: str = "supporter", *, through: datetime | None = None
) -> Membership:
    tier = next(tier for tier in tiers.of_artist(release.artist) if tier.kind == kind)
    return granting.grant(
        release.artist,
        person.user.email,
        tier_id=tier.id,
        origin="gift",
        through=through,
        actor=release.artist.owner,
        now=clock.now(),
    )


def token_of(browser: FlaskClient) -> str:
    return site.csrf_token(browser.get("/account").text)


def ask(browser: FlaskClient, what: Track | Release, format: str = "flac"):
    kind = "tracks" if isinstance(what, Track) else "releases"
    data = {"format": format, "csrf_token": token_of(browser)}
    return browser.post(f"/downloads/{kind}/{what.id}", data=data)


def test_a_member_gets_the_file_at_once_or_from_the_list(
    app: Flask, stranger: Person, release, record
) -> None:
    track = record("Low Tide")
    member(stranger, release)
    browser = site.signed_in(app, stranger)
    page = browser.get(f"/@{release.artist.slug}/{release.slug}/{track.slug}").text
    assert "10 of 10 downloads are left this month." in page
    answer = ask(browser, track)
    assert answer.status_code == 303
    file = browser.get(answer.location)
    assert file.status_code == 200
    assert file.headers["Content-Disposition"] == (
        "attachment; filename=\"01 Low Tide.flac\"; filename*=UTF-8''01%20Low%20Tide.flac"
    )
    assert file.headers["Cache-Control"] == "private, no-store"
    tags = mutagen.File(io.BytesIO(file.data))
    assert (tags["title"], tags["album"], tags["artist"]) == (["Low Tide"], ["Ebbe & Flut"], ["Night Ferry"])
    assert tags.pictures[0].width == 1200 or tags.pictures[0].width == 400
    listed = browser.get("/library/downloads").text
    assert answer.location in listed
    assert "9 of 10 downloads are left this month." in listed


def test_the_page_remembers_the_format_that_was_chosen_last(app, stranger, release, record) -> None:
    track = record("Low Tide")
    member(stranger, release, "superfan")
    browser = site.signed_in(app, stranger)
    ask(browser, track, "mp3-v0")
    page = browser.get(f"/@{release.artist.slug}/{release.slug}").text
    assert re.search(r'<option value="mp3-v0" selected>', page)


def test_who_may_not_download_sees_no_button_and_is_told_why(app, stranger, release, record) -> None:
    track = record("Low Tide")
    browser = site.signed_in(app, stranger)
    address = f"/@{release.artist.slug}/{release.slug}"
    assert "/downloads/releases/" not in browser.get(address).text
    assert ask(browser, track).status_code == 303
    assert "come with a membership" in browser.get("/library/downloads").text
    assert not Download.select().exists()


def test_the_people_of_the_artist_download_their_own_from_page_and_studio(
    app, artist, release, record
) -> None:
    track = record("Low Tide")
    browser = site.signed_in(app, artist)
    assert f"/downloads/tracks/{track.id}" in browser.get(f"/studio/tracks/{track.id}").text
    assert browser.get(ask(browser, track, "wav").location).status_code == 200
    assert not DownloadGrant.select().exists()


def test_a_release_is_a_zip_with_folder_names_and_cover(app, artist, release, record) -> None:
    for title in ("Low: Tide?", "Wellen/Brecher"):
        record(title)
    browser = site.signed_in(app, artist)
    address = ask(browser, release).location
    answer = browser.get(address)
    assert answer.mimetype == "application/zip"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "Night Ferry - Ebbe & Flut/01 Low꞉ Tide？.flac",
            "Night Ferry - Ebbe & Flut/02 Wellen∕Brecher.flac",
            "Night Ferry - Ebbe & Flut/cover.jpg",
        ]
        assert {row.compress_type for row in archive.infolist()} == {zipfile.ZIP_STORED}
    assert 'filename="Night Ferry - Ebbe & Flut.zip"' in answer.headers["Content-Disposition"]
    for start, stop in ((0, 10), (100, 5000), (len(answer.data) - 300, len(answer.data))):
        part = browser.get(
            address, headers={"Range": f"bytes={start}-{stop - 1}", "If-Range": answer.headers["ETag"]}
        )
        assert part.status_code == 206
        assert part.data == answer.data[start:stop]


def test_a_broken_download_goes_on_where_it_broke_off(app, artist, release, record) -> None:
    browser = site.signed_in(app, artist)
    address = ask(browser, record("Low Tide"), "wav").location
    head = browser.head(address)
    whole = browser.get(address)
    assert (head.headers["Content-Length"], head.headers["Accept-Ranges"]) == (str(len(whole.data)), "bytes")
    rest = browser.get(address, headers={"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]})
    assert (rest.status_code, whole.data[:1000] + rest.data) == (206, whole.data)
    other = browser.get(address, headers={"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (other.status_code, other.data) == (200, whole.data)


def test_a_link_works_for_one_person(app, client, stranger, artist, release, record) -> None:
    address = ask(site.signed_in(app, artist), record("Low Tide")).location
    refused = site.signed_in(app, stranger).get(address)
    assert refused.status_code == 403
    assert "belongs to another account" in refused.text
    assert client.get(address).location.startswith("/sign-in?next=")
    assert client.get(address, headers=artist.headers).status_code == 200


@pytest.mark.parametrize(
    "forge",
    [
        lambda a: a[:-1] + ("A" if a[-1] != "A" else "B"),
        lambda a: a.partition(".")[0],
        lambda a: "/downloads/x",
    ],
)
def test_a_forged_link_is_refused(app, artist, release, record, forge) -> None:
    browser = site.signed_in(app, artist)
    answer = browser.get(forge(ask(browser, record("Low Tide")).location))
    assert (answer.status_code, "is not valid" in answer.text) == (403, True)


def test_a_link_ends_after_a_day_and_asking_again_costs_nothing(app, stranger, release, record) -> None:
    track = record("Low Tide")
    member(stranger, release)
    browser = site.signed_in(app, stranger)
    address = ask(browser, track).location
    Download.update(expires_at=clock.now() - timedelta(seconds=1)).execute()
    answer = browser.get(address)
    assert (answer.status_code, "has ended after a day" in answer.text) == (403, True)
    listed = browser.get("/library/downloads").text
    assert "This link has ended." in listed
    download = Download.get()
    data = {"csrf_token": token_of(browser)}
    renewed = browser.post(f"/library/downloads/{download.id}/again", data=data)
    assert browser.get(renewed.location).status_code == 200
    assert DownloadGrant.select().count() == 1


def test_the_link_ends_with_the_membership(app, stranger, artist, release, record) -> None:
    track = record("Low Tide")
    held = member(stranger, release)
    browser = site.signed_in(app, stranger)
    address = ask(browser, track).location
    granting.end(held, actor=artist.user, now=clock.now())
    answer = browser.get(address)
    assert (answer.status_code, "come with a membership" in answer.text) == (403, True)


def test_the_link_ends_with_a_takedown(app, stranger, artist, release, record) -> None:
    track = record("Low Tide")
    member(stranger, release, "superfan")
    browser = site.signed_in(app, stranger)
    address = ask(browser, track).location
    takedowns.take_down(track, "A claim.", actor=release.artist.owner, now=clock.now())
    assert browser.get(address).status_code == 403


def test_a_right_that_changed_ends_the_link_even_where_another_right_is_there(
    app, artist, release, record
) -> None:
    browser = site.signed_in(app, artist)
    address = ask(browser, record("Low Tide")).location
    with database.transaction():
        revocations.revoke(f"listener:{artist.user.id}", now=clock.now())
    answer = browser.get(address)
    assert (answer.status_code, "has changed since" in answer.text) == (403, True)


def test_a_file_that_made_room_is_made_again(app, artist, release, record) -> None:
    track = record("Low Tide")
    browser = site.signed_in(app, artist)
    address = ask(browser, track).location
    before = browser.get(address).data
    DownloadFile.update(state="gone").execute()
    assert browser.get(address).status_code == 409
    assert "Ask again" in browser.get("/library/downloads").text
    again = browser.get(ask(browser, track).location)
    assert again.data == before


def test_the_quota_is_told_when_it_is_used_up_and_what_was_spent_stays_free(
    app, stranger, release, record
) -> None:
    first, second = record("Low Tide"), record("High Tide")
    tier = next(tier for tier in tiers.of_artist(release.artist) if tier.kind == "supporter")
    tiers.edit(tier, {"downloads_a_month": 1}, actor=release.artist.owner, now=clock.now())
    member(stranger, release)
    browser = site.signed_in(app, stranger)
    assert browser.get(ask(browser, first).location).status_code == 200
    ask(browser, second)
    assert "You have 1 downloads of this artist a month" in browser.get("/library/downloads").text
    ask(browser, release)
    assert Download.select().count() == 1
    assert browser.get(ask(browser, first, "opus").location).status_code == 200


def test_a_lossy_original_is_offered_as_it_came(app, artist, release, record) -> None:
    track = record("Low Tide", format="mp3")
    browser = site.signed_in(app, artist)
    page = browser.get(f"/@{release.artist.slug}/{release.slug}/{track.slug}").text
    assert re.findall(
        r'<option value="([\w-]+)"', page.partition('id="download"')[2].partition("</form>")[0]
    ) == ["original"]
    assert "The artist sent this in a lossy format." in page
    ask(browser, track, "flac")
    assert "would not make it better" in browser.get("/library/downloads").text
    answer = browser.get(ask(browser, track, "original").location)
    assert answer.mimetype == "audio/mpeg"


def test_a_failure_is_told_gives_the_download_back_and_can_be_tried_again(
    app, stranger, release, record, appliance
) -> None:
    track = record("Low Tide")
    member(stranger, release)
    browser = site.signed_in(app, stranger)
    with appliance.store.open(track.original_key) as stream:
        original = stream.read()
    appliance.store.put(track.original_key, io.BytesIO(b"fLaC" + bytes(500)), content_type="audio/flac")
    ask(browser, track)
    page = browser.get("/library/downloads").text
    assert "Try again" in page
    assert "given back" in page
    assert "10 of 10 downloads are left" in page
    appliance.store.put(track.original_key, io.BytesIO(original), content_type="audio/flac")
    data = {"csrf_token": token_of(browser)}
    again = browser.post(f"/library/downloads/{Download.get().id}/again", data=data)
    assert browser.get(again.location).status_code == 200
    assert DownloadGrant.select().count() == 1


@pytest.mark.usefixtures("nobody_works")
def test_what_is_being_prepared_shows_how_far_it_is_and_loads_itself_without_scripts(
    app, artist, release, appliance
) -> None:
    track = site.make_track(release, appliance)
    browser = site.signed_in(app, artist)
    assert ask(browser, track).location == "/library/downloads"
    page = browser.get("/library/downloads").text
    assert "Being prepared" in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert "data-preparing" in browser.get("/library/downloads/list").text


@pytest.mark.usefixtures("nobody_works")
def test_two_who_want_the_same_share_one_job(app, artist, stranger, release, appliance) -> None:
    track = site.make_track(release, appliance)
    member(stranger, release)
    for who in (artist, stranger):
        ask(site.signed_in(app, who), track)
    assert DownloadFile.select().count() == 1
    assert jobs.Job.select().where(jobs.Job.kind == "make_download").count() == 1


def test_edited_tags_make_another_file(app, artist, release, record) -> None:
    track = record("Low Tide")
    browser = site.signed_in(app, artist)
    ask(browser, track)
    tracks.edit(tracks.find(track.id), {"title": "High Tide"}, now=clock.now())
    answer = browser.get(ask(browser, track).location)
    assert mutagen.File(io.BytesIO(answer.data))["title"] == ["High Tide"]
    assert DownloadFile.select().count() == 2


@pytest.mark.usefixtures("nobody_works")
def test_the_list_asks_the_database_a_constant_number_of_times(app, artist, release, appliance) -> None:
    browser = site.signed_in(app, artist)
    for title in ("One", "Two"):
        ask(browser, site.make_track(release, appliance, title=title))
    few = least(lambda: browser.get("/library/downloads"))
    for title in ("Three", "Four", "Five", "Six"):
        ask(browser, site.make_track(release, appliance, title=title))
    assert least(lambda: browser.get("/library/downloads")) == few


def test_with_scripts_the_list_starts_what_is_ready_so_that_the_music_plays_on(
    app, artist, release, record
) -> None:
    browser = site.signed_in(app, artist)
    data = {"format": "flac", "csrf_token": token_of(browser)}
    headers = {"Accept": "text/vnd.turbo-stream.html, text/html, application/xhtml+xml"}
    answer = browser.post(f"/downloads/tracks/{record('Low Tide').id}", data=data, headers=headers)
    assert answer.location == f"/library/downloads?start={Download.get().id}"
    address = re.search(r'data-start="([^"]+)"', browser.get(answer.location).text)
    assert address
    assert browser.get(address[1]).mimetype == "audio/flac"
    assert "data-start" not in browser.get("/library/downloads?start=nothing").text


def test_a_file_that_was_lost_is_made_again(app, artist, release, record, appliance) -> None:
    track = record("Low Tide")
    browser = site.signed_in(app, artist)
    address = ask(browser, track).location
    appliance.store.delete(DownloadFile.get().key)
    assert browser.get(address).status_code == 409
    assert browser.get(ask(browser, track).location).status_code == 200


def test_an_empty_draft_is_nothing_that_a_stranger_knows_of(app, client, artist, stranger) -> None:
    draft = site.make_release(artist)
    assert ask(site.signed_in(app, stranger), draft).status_code == 404
    assert api(client, draft, stranger).status_code == 404
    assert api(client, draft, artist).status_code == 409


def test_a_draft_is_downloaded_by_its_people_only(app, artist, stranger, release, record) -> None:
    track = record("Low Tide")
    Release.update(state=ReleaseState.DRAFT).where(Release.id == release.id).execute()
    assert ask(site.signed_in(app, stranger), track).status_code == 404
    browser = site.signed_in(app, artist)
    assert browser.get(ask(browser, track).location).status_code == 200


def api(client: FlaskClient, what: Track | Release, who: Person | None, **sent: object):
    kind = "tracks" if isinstance(what, Track) else "releases"
    headers = who.headers if who else {}
    return client.post(
        f"/api/v1/{kind}/{what.id}/downloads", json={"format": "flac", **sent}, headers=headers
    )


def test_a_program_asks_waits_and_fetches(client, stranger, release, record) -> None:
    track = record("Low Tide")
    assert api(client, track, None).status_code == 401
    assert api(client, track, stranger).status_code == 403
    assert api(client, release, stranger).status_code == 403
    member(stranger, release)
    answer = api(client, track, stranger)
    assert answer.status_code == 202
    shown = client.get(answer.headers["Location"], headers=stranger.headers).json
    assert (shown["stage"], shown["progress"], shown["tracks"]) == ("ready", 1.0, [track.id])
    assert client.get("/api/v1/downloads", headers=stranger.headers).json["items"] == [shown]
    file = client.get(shown["url"].removeprefix("http://localhost"), headers=stranger.headers)
    assert len(file.data) == shown["size_bytes"]


def test_a_program_takes_some_tracks_of_a_release(client, artist, stranger, release, record) -> None:
    first, second, _third = (record(title) for title in ("One", "Two", "Three"))
    shown = api(client, release, artist, tracks=[second.id, first.id]).json
    assert shown["tracks"] == [first.id, second.id]
    whole = api(client, release, artist).json
    assert (len(whole["tracks"]), whole["id"] == shown["id"]) == (3, False)
    assert api(client, release, artist, tracks=["nothing"]).status_code == 422
    assert api(client, release, artist, tracks="all").status_code == 422
    assert api(client, release, artist, format="wma").status_code == 422
    hidden = client.get(f"/api/v1/downloads/{shown['id']}", headers=stranger.headers)
    assert hidden.status_code == 404
    assert client.get("/api/v1/downloads", headers=stranger.headers).json["items"] == []


def test_a_private_link_gives_no_files_away(app, stranger, artist, release, record) -> None:
    track = record("Low Tide")
    Release.update(state=ReleaseState.DRAFT, private_key="k" * 32).where(Release.id == release.id).execute()
    browser = site.signed_in(app, stranger)
    page = browser.get(f"/@{release.artist.slug}/{release.slug}?key={'k' * 32}", follow_redirects=True)
    assert page.status_code == 200
    assert "/downloads/releases/" not in page.text
    ask(browser, track)
    assert not Download.select().exists()


def test_while_a_plugin_marks_downloads_each_person_gets_a_copy_of_their_own(
    app, artist, stranger, release, record, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = record("Low Tide")
    member(stranger, release)
    shared = ask(site.signed_in(app, artist), track).location
    marked: list[dict[str, str]] = []

    def insist(hook: str, **about: str) -> None:
        marked.append(about)
        file = mutagen.File(about["path"])
        file["MARK"] = about["listener_id"]
        file.save()

    monkeypatch.setattr(hooks, "has", lambda hook: hook == "mark_download")
    monkeypatch.setattr(hooks, "insist", insist)
    assert "has changed since" in site.signed_in(app, artist).get(shared).text
    for who in (artist, stranger):
        browser = site.signed_in(app, who)
        answer = browser.get(ask(browser, track).location)
        assert mutagen.File(io.BytesIO(answer.data))["mark"] == [who.user.id]
    assert [about["format"] for about in marked] == ["flac", "flac"]


def test_a_large_file_and_a_large_zip_hold_no_thread(app, artist, release, record, appliance) -> None:
    """waitress sends what it can seek in by its own loop; so it must be seekable, and as long as it says."""
    for title in ("One", "Two"):
        record(title)
    browser = site.signed_in(app, artist)
    address = ask(browser, release, "wav").location
    # Larger than what is read at once.
    for file in DownloadFile.select():
        data = bytes(1_500_000)
        appliance.store.put(file.key, io.BytesIO(data), content_type="audio/wav")
        DownloadFile.update(size_bytes=len(data), crc32=zlib.crc32(data)).where(
            DownloadFile.id == file.id
        ).execute()
    seen: list[object] = []

    class Wrapper:
        def __init__(self, file, block: int = 0) -> None:
            seen.append((file.seekable(), file.seek(0, 2), file.seek(0)))
            self.file = file

        def __iter__(self):
            return iter(lambda: self.file.read(65536), b"")

    answer = browser.get(address, environ_overrides={"wsgi.file_wrapper": Wrapper})
    assert seen == [(True, len(answer.data), 0)]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
