"""The bytes of music: streams only behind a signed token, artwork, waveforms and previews for everyone."""

import time

from flask import Blueprint
from flask import Response
from flask import request

from appliance.catalog import rendition_keys
from appliance.catalog.models import Quality
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.memberships import media_tokens
from web.byte_ranges import serve
from web.clear_media import ClearView
from web.request_cycle import appliance

blueprint = Blueprint("media", __name__)

QUALITIES = frozenset(Quality)
PUBLIC = ("artwork", "waveforms", "previews")
"""Folders that are for everybody."""
EXPOSED = "Accept-Ranges, Content-Length, Content-Range, ETag"
PUBLIC_S = 365 * 86_400
SOUND_CACHE = "private, no-store"
"""Nobody asks twice under one token, and of a range that was asked for, given up and asked for again Chromium's cache hands out the first
few bytes as the whole."""


@blueprint.after_request
def open_to_players(answer: Response) -> Response:
    """Let players on other origins read what they were given an address for; the address is the permission, not the origin.

    Errors too: a player that may not read the status cannot tell an expired address from a broken network (Fetch, 3.3).
    """
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == "OPTIONS":
        answer.headers["Access-Control-Allow-Headers"] = "Range, If-Range, If-None-Match"
        answer.headers["Access-Control-Max-Age"] = "86400"
    elif answer.status_code >= 400:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.get("/media/<token>/<asset>/<name>")
def protected(token: str, asset: str, name: str) -> Response:
    """A playlist, a rung or an original, if the token opens it."""
    now_s = int(time.time())
    grant = opened(token, asset, now_s=now_s)
    quality, _, ending = name.partition(".")
    track_id, _, run_id = asset.partition(".")
    # Private: a shared cache must not hand one listener's bytes to another; and not longer than the permission lasts.
    cache = f"private, max-age={max(0, grant.expires_at_s - now_s)}"
    if name == "master.m3u8":
        return master(f"hls/{track_id}/{run_id}/{name}", grant, cache)
    if quality in QUALITIES and ending == "media.m3u8":
        media_tokens.require(grant, quality)
        key = f"hls/{track_id}/{run_id}/{name}"
        return serve(appliance().store, key, request=request, cache_control=cache)
    if quality in QUALITIES and ending in {"key", "m4a"}:
        media_tokens.require(grant, quality)
        return unsealed(track_id, run_id, quality, ending)
    return serve(appliance().store, sound(grant, name), request=request, cache_control=SOUND_CACHE)


def opened(token: str, asset: str, *, now_s: int) -> media_tokens.Grant:
    """What *token* permits for *asset* at this moment; ``NotAllowed`` when that is nothing."""
    here = appliance()
    grant = media_tokens.read(
        token, asset, secret=here.secret, now_s=now_s, longest_s=here.settings.media_token_ttl_s
    )
    media_tokens.require_standing(grant)
    return grant


def sound(grant: media_tokens.Grant, name: str) -> str:
    """The key of the rung or original that *name* is of the asset of *grant*: what a web server in front may hand out itself."""
    if name == "original" and grant.asset.endswith(".original"):
        media_tokens.require(grant, Quality.MASTER)
        return f"originals/{grant.asset.removesuffix('.original')}"
    quality, _, ending = name.partition(".")
    if quality not in QUALITIES or ending != "mp4":
        raise NotFound("There is nothing at this address.")
    media_tokens.require(grant, quality)
    track_id, _, run_id = grant.asset.partition(".")
    return f"hls/{track_id}/{run_id}/{name}"


def unsealed(track_id: str, run_id: str, quality: str, ending: str) -> Response:
    """The key of an encrypted rung, for players of playlists, or the rung as one clear file, for all others (RFC 8216, 5.1)."""
    ring = rendition_keys.ring(appliance().settings, appliance().secret)
    opener = rendition_keys.find(track_id, run_id, quality, ring)
    if opener is None:
        raise NotFound("There is nothing at this address.")
    if ending == "m4a":
        view = ClearView(appliance().store, opener)
        key = f"hls/{track_id}/{run_id}/{quality}.mp4"
        return serve(view, key, request=request, cache_control="private, no-store")
    answer = Response(opener.key, mimetype="application/octet-stream")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def master(key: str, grant: media_tokens.Grant, cache: str) -> Response:
    """The master playlist with the allowed qualities only."""
    try:
        with appliance().store.open(key) as stream:
            text = stream.read().decode("utf-8")
    except (NotFound, Invalid) as error:
        raise NotFound("There is nothing at this address.") from error
    answer = Response(restricted(text, grant.qualities), mimetype="application/vnd.apple.mpegurl")
    answer.headers["Cache-Control"] = cache
    answer.add_etag()
    return answer.make_conditional(request)


def restricted(text: str, qualities: frozenset[str]) -> str:
    """Pure: a master playlist without the variants whose address is not of *qualities* (RFC 8216, 4.3.4.2)."""
    kept: list[str] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("#EXT-X-STREAM-INF:"):
            address = next(lines, "")
            if address.partition(".")[0] in qualities:
                kept += [line, address]
        else:
            kept.append(line)
    return "\n".join(kept) + "\n"


@blueprint.get(f"/<any({', '.join(PUBLIC)}):folder>/<path:name>")
def public(folder: str, name: str) -> Response:
    """A public object; its key holds a run or picture id, so it never changes."""
    cache = f"public, max-age={PUBLIC_S}, immutable"
    return serve(appliance().store, f"{folder}/{name}", request=request, cache_control=cache)
