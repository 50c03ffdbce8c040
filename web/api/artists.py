"""Artists and their releases."""

from flask import Response
from flask import jsonify
from flask import url_for

from appliance import clock
from appliance.catalog import artists
from appliance.catalog import releases
from appliance.catalog.wording import clean_line
from appliance.errors import Invalid
from appliance.memberships import access
from web.api import representation
from web.api.routing import blueprint
from web.api.routing import body
from web.request_cycle import require_person
from web.request_cycle import roles


@blueprint.post("/artists")
def create_artist() -> tuple[Response, int, dict[str, str]]:
    """Make an artist that the caller runs."""
    owner = require_person()
    sent = body(required=("name",))
    for field in sent.keys() - {"name", "slug", "about"}:
        raise Invalid(f"An artist has no field '{field[:60]}'; it has name, slug, about.", field=field[:60])
    artist = artists.create(
        owner,
        name=sent["name"],
        slug=clean_line(sent.get("slug", ""), field="slug", longest=60, required=False),
        about=sent.get("about", ""),
        now=clock.now(),
    )
    return (
        jsonify(representation.artist(artist)),
        201,
        {"Location": url_for("api.show_artist", slug=artist.slug)},
    )


@blueprint.get("/artists/<slug>")
def show_artist(slug: str) -> Response:
    """One artist."""
    return jsonify(representation.artist(artists.find(slug)))


@blueprint.post("/artists/<slug>/releases")
def create_release(slug: str) -> tuple[Response, int, dict[str, str]]:
    """Make a draft for an artist that the caller runs."""
    owner = require_person()
    artist = artists.find(slug)
    access.require_artist(owner, artist, roles=roles())
    release = releases.create(artist, body(required=("title",)), now=clock.now())
    right = access.to_release(owner, release, roles=roles())
    shown = representation.whole_release(release, [], right, listener=owner.id)
    return jsonify(shown), 201, {"Location": url_for("api.show_release", release_id=release.id)}
