"""Addresses of pages and media: plugins may answer first, else they lie below this server."""

import time
from datetime import datetime

from flask import g
from flask import request

from appliance import hooks
from appliance.catalog import rendition_keys
from appliance.catalog.artwork import SIZES_PX
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.memberships import media_tokens
from appliance.memberships.media_tokens import Grant
from web.request_cycle import appliance
from web.request_cycle import noted_epoch

EDGE_S = 50
"""How long the address of a stream lives that a plugin answered: an edge may know of nothing but its expiry, and a right that ends is to
shut it within a minute."""


def public(key: str) -> str:
    """Where anyone may fetch the public object *key* (artwork, waveform, preview)."""
    answers = hooks.announce("media_url", key=key, expires_in_s=0) if hooks.has("media_url") else []
    return str(answers[0]) if answers else f"{root()}/{key}"


def artwork(release: Release, size_px: int, ending: str = "webp") -> str:
    """Where a cover of this size is, or an empty text when the release has none."""
    return public(f"{release.artwork_key}/{size_px}.{ending}") if release.artwork_key else ""


def pictures(key: str) -> dict[str, str]:
    """Where the sizes of the picture *key* are, by their width in pixels."""
    if hooks.has("media_url"):
        return {str(px): public(f"{key}/{px}.webp") for px in SIZES_PX}
    # A list has a hundred of them, and asking nobody for each took a fifth of answering it.
    folder = f"{root()}/{key}/"
    return {str(px): f"{folder}{px}.webp" for px in SIZES_PX}


def stream(
    track: Track, qualities: list[str], listener: str, *, until: datetime | None = None
) -> tuple[str, int]:
    """A master playlist's address that opens just these *qualities*, and when it stops working (Unix time), at the latest *until*."""
    key, expires_at_s = _signed(
        track, f"{track.id}.{track.run_id}", "master.m3u8", qualities, listener, until
    )
    now_s = int(time.time())
    edge_s = min(EDGE_S, expires_at_s - now_s)
    answers = hooks.announce("media_url", key=key, expires_in_s=edge_s) if edge_s > 0 else []
    return (str(answers[0]), now_s + edge_s) if answers else (f"{root()}/{key}", expires_at_s)


def file(track: Track, quality: str, listener: str, *, until: datetime | None = None) -> str:
    """An address of the one file of a rung, for programs that know no playlists; an encrypted one is decrypted on its way."""
    ending = "m4a" if rendition_keys.is_sealed(track) else "mp4"
    asset = f"{track.id}.{track.run_id}"
    # Of this server, which asks each time, for as long as it takes: nobody renews the address that they read a file from.
    return f"{root()}/{_signed(track, asset, f'{quality}.{ending}', [quality], listener, until)[0]}"


def original(track: Track, listener: str) -> str:
    """An address of the untouched original, for the people behind it."""
    # By its key, not by its track: what is cached under this address must not be another master's bytes.
    asset = f"{track.original_key.removeprefix('originals/')}.original"
    return f"{root()}/{_signed(track, asset, 'original', ['master'], listener, None)[0]}"


def _signed(
    track: Track, asset: str, name: str, qualities: list[str], listener: str, until: datetime | None
) -> tuple[str, int]:
    expires_at_s = int(time.time()) + appliance().settings.media_token_ttl_s
    if until is not None:
        expires_at_s = min(expires_at_s, int(until.timestamp()))
    grant = Grant(
        asset=asset,
        qualities=frozenset(qualities),
        expires_at_s=expires_at_s,
        epoch=noted_epoch(),
        listener=listener,
        artist=track.release.artist_id,
        release=track.release_id,
    )
    return f"media/{media_tokens.sign(grant, secret=appliance().secret)}/{asset}/{name}", expires_at_s


def artist_page(artist: Artist) -> str:
    """The public page of an artist."""
    # Put together by hand, as is the next: lists have hundreds, and the router takes longer than the template. Slugs need no quoting.
    return f"/@{artist.slug}"


def release_page(release: Release) -> str:
    """The public page of a release."""
    return f"/@{release.artist.slug}/{release.slug}"


def track_page(track: Track) -> str:
    """The public page of a track, below that of its release, which is joined."""
    return f"{release_page(track.release)}/{track.slug}"


def private_link(release: Release) -> str:
    """The whole address that opens an unpublished release to whoever has it; empty without one."""
    return f"{root()}{release_page(release)}?key={release.private_key}" if release.private_key else ""


def root() -> str:
    """The public address of this server, without a slash at its end."""
    root: str | None = g.get("root")
    if root is None:
        root = g.root = appliance().settings.public_url.rstrip("/") or f"{request.scheme}://{request.host}"
    return root
