"""Artists, releases and tracks as JSON."""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from appliance import jobs
from appliance.catalog import artist_page
from appliance.catalog import credits
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.member_models import ArtistMember
from appliance.catalog.models import Artist
from appliance.catalog.models import Credit
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.memberships import access
from appliance.memberships.access import Access
from appliance.memberships.decision import Offer
from appliance.shop import price_tags
from appliance.shop import prices
from appliance.shop.models import Price
from appliance.shop.price_tags import PriceTag
from web import addresses
from web.api import order_told
from web.frame import catalogue


def whole_artist(row: Artist) -> dict[str, Any]:
    """An artist, with what all of it at once costs."""
    return {**artist(row), "catalogue": order_told.tag(price_tags.of_catalogue(row))}


def artist(row: Artist) -> dict[str, Any]:
    """An artist as they stand in lists."""
    return {
        "id": row.id,
        "slug": row.slug,
        "name": row.name,
        "about": row.about,
        "location": row.location,
        "links": [{"url": link.url, "label": link.label} for link in artist_page.links_of(row)],
        "accent": row.accent or None,
        "picture": addresses.pictures(row.picture_key) if row.picture_key else None,
        "colour": row.colour or None,
        "version": row.version,
        "url": f"{addresses.root()}/@{row.slug}",
    }


def members(rows: Sequence[ArtistMember]) -> list[dict[str, Any]]:
    """The people of an artist, for those who decide about them."""
    return [
        {
            "id": row.user_id,
            "name": row.user.display_name,
            "email": row.user.email,
            "role": row.role,
            "since": row.since.isoformat(),
        }
        for row in rows
    ]


def right_of(right: Access) -> dict[str, Any]:
    """What the caller may do with a release or a track, and why."""
    return {
        "may_play": right.may_play,
        "may_download": right.may_download,
        "may_play_offline": right.may_play_offline,
        "top_quality": right.top_quality if right.may_play else None,
        "reason": catalogue().ugettext(right.reason),
        "way_in": right.way_in,
        "tier": offer(right.tier) if right.tier else None,
        "downloads_a_month": right.downloads_a_month,
        "until": right.until.isoformat() if right.until else None,
        "taken_down": right.taken_down,
    }


def offer(tier: Offer) -> dict[str, Any]:
    """A tier that one could be in."""
    return {
        "id": tier.id,
        "name": tier.name,
        "price_minor": tier.price_minor,
        "currency": tier.currency,
    }


def releases_told(rows: Sequence[Release], priced: Mapping[str, Price] | None = None) -> list[dict[str, Any]]:
    """Releases as they stand in lists, with what they cost by two queries whatever their number; none for what is *priced* already."""
    tags, root = price_tags.of_releases(rows, priced), addresses.root()
    return [_release(row, tags.get(row.id), root) for row in rows]


def _release(row: Release, tag: PriceTag | None, root: str) -> dict[str, Any]:
    artist = row.artist
    return {
        "id": row.id,
        "artist": {"slug": artist.slug, "name": artist.name},
        "slug": row.slug,
        "title": row.title,
        "kind": row.kind,
        "state": row.state,
        "about": row.about,
        "genre": row.genre,
        "tags": releases.tags_of(row),
        "credits": row.credits,
        "licence": row.licence,
        "catalogue_number": row.catalogue_number,
        "release_date": row.release_date.isoformat() if row.release_date else None,
        "artwork": addresses.pictures(row.artwork_key) if row.artwork_key else None,
        "colour": row.colour or None,
        "audience": row.audience,
        "published_at": row.published_at.isoformat() if row.published_at else None,
        "publish_at": row.publish_at.isoformat() if row.publish_at else None,
        "version": row.version,
        "url": root + addresses.release_page(row),
        "price": order_told.tag(tag),
    }


def whole_release(
    row: Release, rows: Sequence[Track], right: Access, rights: Mapping[str, Access], *, listener: str
) -> dict[str, Any]:
    """A release with its credits and the tracks that this person may know of, by six more queries whatever their number."""
    people = credits.of_release(row)
    priced = prices.of_things([row.id, *(one.id for one in rows)])
    shown = {
        **releases_told([row], priced)[0],
        "contributors": credits.told(people.get("", [])),
        "access": right_of(right),
        "tracks": track_list(rows, rights, people, listener=listener, priced=priced),
    }
    if right.may_publish:
        shown["private_url"] = addresses.private_link(row) or None
    return shown


def track_list(
    rows: Sequence[Track],
    rights: Mapping[str, Access],
    people: Mapping[str, Sequence[Credit]],
    *,
    listener: str,
    priced: Mapping[str, Price] | None = None,
) -> list[dict[str, Any]]:
    """The tracks that this person may know of, by four more queries whatever their number; one less where they are *priced* already."""
    seen = [
        row
        for row in rows
        if rights[row.id].may_see and (rights[row.id].may_edit or row.state == TrackState.READY)
    ]
    made = tracks.qualities_of(seen)
    own = [row.id for row in seen if rights[row.id].may_edit]
    work = jobs.latest(tracks.TRANSCODE, own) if own else {}
    tags = price_tags.of_tracks(seen, priced)
    # The tracks of a release differ in so few rights that most of a long list is told by the same words.
    told = {right: right_of(right) for right in {rights[row.id] for row in seen}}
    return [
        {
            **track(row, rights[row.id], made.get(row.id, ()), work, listener=listener),
            "access": told[rights[row.id]],
            "price": order_told.tag(tags.get(row.id)),
            "contributors": credits.told(people.get(row.id, [])),
        }
        for row in seen
    ]


def track(
    row: Track, right: Access, made: Collection[str], work: Mapping[str, jobs.Job], *, listener: str
) -> dict[str, Any]:
    """A track without what is told of rights and prices; the people behind it also see the original and what went wrong."""
    job = work.get(row.id)
    shown: dict[str, Any] = {
        "id": row.id,
        "release_id": row.release_id,
        "position": row.position,
        "title": row.title,
        "state": row.state,
        "progress": 1.0 if row.state == TrackState.READY else round(job.progress, 3) if job else 0.0,
        # For the artist: a rerun that failed is nothing to those who still hear the run before.
        "problem": (right.may_edit and row.problem) or None,
        "duration_ms": row.duration_ms,
        "loudness_lufs": row.loudness_lufs,
        "true_peak_dbtp": row.true_peak_dbtp,
        "qualities": list(access.playable(row, right, made)),
        "waveform_url": addresses.public(row.waveform_key)
        if row.waveform_key and right.may_preview
        else None,
        "preview_url": addresses.public(row.preview_key) if row.preview_key and right.may_preview else None,
        "isrc": row.isrc or None,
        "lyrics": row.lyrics or None,
        "synced_lyrics": row.synced_lyrics or None,
        "licence": row.licence or row.release.licence,
        "slug": row.slug,
        "exclusive": row.exclusive,
        "version": row.version,
    }
    if right.may_edit:
        shown["original"] = {
            "name": row.original_name,
            "type": row.original_type,
            "format": row.original_format or None,
            "size_bytes": row.original_size_bytes,
            "sha256": row.original_sha256,
            "url": addresses.original(row, listener),
        }
    return shown
