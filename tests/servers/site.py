"""The web application in this process, on a temporary folder: people, releases and tracks made in one line each, and a real waitress."""

from __future__ import annotations

import base64
import functools
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from passlib.totp import TOTP
from PIL import Image

from appliance import clock
from appliance import startup
from appliance.accounts import passwords
from appliance.accounts import people
from appliance.accounts import tokens
from appliance.accounts import totp
from appliance.accounts.factor_models import TotpKey
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import findable
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Artist
from appliance.catalog.models import Quality
from appliance.catalog.models import Release
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Rendition
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.database import new_id
from appliance.mail import Message
from appliance.memberships import founding
from appliance.startup import Appliance
from tests.makers import PASSWORD
from web import serving as web_serving
from web.app import create_app

MASTER = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=130000,CODECS="mp4a.40.2"
low.media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=340000,AVERAGE-BANDWIDTH=325000,CODECS="mp4a.40.2"
high.media.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=940000,AVERAGE-BANDWIDTH=800000,CODECS="fLaC"
lossless.media.m3u8
"""
APP_KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""The key in the authenticator app of every admin of a test."""
RUNGS = (Quality.LOW, Quality.HIGH, Quality.LOSSLESS)


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and the header that says who they are."""

    user: User
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@functools.cache
def hashed(password: str) -> str:
    return passwords.hashed(password)


def make_person(
    email: str = "",
    *,
    roles: tuple[RoleName, ...] = (),
    scopes: tuple[str, ...] = (Scope.READ, Scope.WRITE),
    active: bool = True,
) -> Person:
    """Somebody who can sign in with ``PASSWORD``; hashed once, since a good hash is slow."""
    user = User.create(
        email=email or f"{new_id().lower()}@example.com",
        password=hashed(PASSWORD),
        fs_uniquifier=new_id(),
        active=active,
        confirmed_at=clock.now(),
        created_at=clock.now(),
    )
    for role in (RoleName.LISTENER, *roles):
        people.give_role(user.id, role)
    if RoleName.ADMIN in roles:
        set_up_app(user)
    return Person(user, tokens.mint(user, now=clock.now(), scopes=scopes))


def set_up_app(user: User) -> None:
    """An authenticator app with ``APP_KEY`` as the second factor of this person, as admins must have one."""
    sealed = totp.sealed(APP_KEY, startup.appliance().secret)
    TotpKey.create(user=user.id, sealed=sealed, created_at=clock.now())
    User.update(second_factor_since=clock.now()).where(User.id == user.id).execute()
    user.second_factor_since = clock.now()


def app_code(user: User, key: str = APP_KEY) -> str:
    """What the app shows now. A person waits half a minute for the next code; a test that signs in twice does not."""
    TotpKey.update(last_counter=0).where(TotpKey.user == user.id).execute()
    return str(TOTP(key=key).generate().token)


def make_artist(owner: Person, name: str = "Night Ferry") -> Artist:
    return founding.found(owner.user, name=name, now=clock.now())


def make_release(
    owner: Person, *, artist: Artist | None = None, published: bool = False, **fields: Any
) -> Release:
    fields.setdefault("title", "Harbour Lights")
    release = releases.create(artist or make_artist(owner), fields, now=clock.now())
    if published:
        Release.update(state=ReleaseState.PUBLISHED, published_at=clock.now()).where(
            Release.id == release.id
        ).execute()
        findable.release(release.id)
    return releases.find(release.id)


def make_track(
    release: Release, appliance: Appliance, *, state: TrackState = TrackState.READY, title: str = "Low Tide"
) -> Track:
    """A track with its original and, unless it is new, one object a rung; the bytes are no music."""
    track_id, run_id, now = new_id(), new_id(), clock.now()
    original = appliance.store.put(
        f"originals/{track_id}", io.BytesIO(b"fLaC" + bytes(996)), content_type="audio/flac"
    )
    Track.create(
        id=track_id,
        release=release.id,
        position=1 + Track.select().where(Track.release == release.id).count(),
        title=title,
        state=state,
        original_key=original.key,
        original_name="song.flac",
        original_type="audio/flac",
        original_size_bytes=original.size_bytes,
        original_sha256=original.sha256,
        created_at=now,
        updated_at=now,
    )
    if state is TrackState.READY:
        folder = f"{track_id}/{run_id}"
        for quality in RUNGS:
            put(appliance, f"hls/{folder}/{quality}.mp4", rung_bytes(quality), "audio/mp4")
            put(
                appliance, f"hls/{folder}/{quality}.media.m3u8", b"#EXTM3U\n", "application/vnd.apple.mpegurl"
            )
            Rendition.create(
                track=track_id,
                run_id=run_id,
                quality=quality,
                codecs="mp4a.40.2",
                bandwidth=140_000,
                average_bandwidth=130_000,
                sample_rate_hz=44_100,
                channels=2,
                size_bytes=len(rung_bytes(quality)),
            )
        put(appliance, f"hls/{folder}/master.m3u8", MASTER.encode(), "application/vnd.apple.mpegurl")
        put(appliance, f"waveforms/{folder}.json", b"{}", "application/json")
        put(appliance, f"previews/{folder}.m4a", b"preview", "audio/mp4")
        Track.update(
            run_id=run_id,
            duration_ms=2000,
            loudness_lufs=-14.0,
            true_peak_dbtp=-1.0,
            waveform_key=f"waveforms/{folder}.json",
            preview_key=f"previews/{folder}.m4a",
        ).where(Track.id == track_id).execute()
        findable.track(track_id)
    return tracks.find(track_id)


def rung_bytes(quality: str, size_bytes: int = 3000) -> bytes:
    """Bytes that tell where they are from."""
    return (quality.encode() + bytes(range(256))) * (size_bytes // 256 + 1)


def put(appliance: Appliance, key: str, data: bytes, content_type: str) -> None:
    appliance.store.put(key, io.BytesIO(data), content_type=content_type)


def picture_file(folder: Path, size_px: int = 400) -> Path:
    """A small cover."""
    path = folder / "cover.png"
    Image.new("RGB", (size_px, size_px), "teal").save(path)
    return path


def metadata(**values: str) -> str:
    """The header Upload-Metadata of tus."""
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def signed_in(app: Flask, person: Person) -> FlaskClient:
    """A browser with the session of this person, by the form."""
    browser = app.test_client()
    page = browser.get("/sign-in").get_data(as_text=True)
    sent = {"email": person.user.email, "password": PASSWORD, "csrf_token": csrf_token(page)}
    answer = browser.post("/sign-in", data=sent)
    if answer.location and "/sign-in/second" in answer.location:
        page = browser.get(answer.location).get_data(as_text=True)
        sent = {"code": app_code(person.user), "csrf_token": csrf_token(page)}
        answer = browser.post(answer.location, data=sent)
    assert answer.status_code in {302, 303}, answer.get_data(as_text=True)
    return browser


def letter(email: str) -> str:
    """The text of the newest letter to this address."""
    found = Message.select().where(Message.to == email).order_by(Message.id.desc()).get()
    return str(found.text)


def link_to(email: str) -> str:
    """The link in the newest letter to this address, below this server."""
    links = [word for word in letter(email).split() if word.startswith("http")]
    return "/" + links[0].partition("://")[2].partition("/")[2]


def csrf_token(page: str) -> str:
    """The token in a form of *page*."""
    field = next(part for part in page.split("<input") if 'name="csrf_token"' in part)
    return field.split('value="')[1].split('"')[0]


@contextmanager
def serving(appliance: Appliance, **options: Any) -> Iterator[int]:
    """The application behind a real waitress on a free port of the loopback."""
    channels: dict[int, Any] = {}
    server = web_serving.server(
        create_app(appliance), host="127.0.0.1", port=0, map=channels, threads=4, **options
    )
    stopped = threading.Event()

    def run() -> None:
        while not stopped.is_set():
            server.asyncore.loop(timeout=0.05, map=channels, count=1)
        server.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        stopped.set()
        thread.join()
        server.task_dispatcher.shutdown()
        for channel in list(channels.values()):
            channel.handle_close()
