"""Artists and their releases."""

from flask import Response
from flask import jsonify
from flask import request
from flask import url_for

from appliance import clock
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog import artist_page
from appliance.catalog import artists
from appliance.catalog import members
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.wording import clean_line
from appliance.errors import Invalid
from appliance.memberships import access
from appliance.memberships import founding
from appliance.memberships.access import Standing
from web import bodies
from web import profiles
from web.api import representation
from web.api.routing import blueprint
from web.api.routing import body
from web.api.routing import made_from
from web.api.routing import versioned
from web.request_cycle import appliance
from web.request_cycle import require_person
from web.request_cycle import roles


@blueprint.post("/artists")
def create_artist() -> tuple[Response, int, dict[str, str]]:
    """Make an artist that the caller runs."""
    owner = require_person()
    sent = body(required=("name",))
    for field in sent.keys() - {"name", "slug", "about"}:
        raise Invalid(f"An artist has no field '{field[:60]}'; it has name, slug, about.", field=field[:60])
    artist = founding.found(
        owner,
        name=sent["name"],
        slug=clean_line(sent.get("slug", ""), field="slug", longest=60, required=False),
        about=sent.get("about", ""),
        now=clock.now(),
    )
    return (
        jsonify(representation.whole_artist(artist)),
        201,
        {"Location": url_for("api.show_artist", slug=artist.slug)},
    )


@blueprint.get("/artists/<slug>")
def show_artist(slug: str) -> Response:
    """One artist."""
    return versioned(representation.whole_artist(profiles.artist(slug)))


@blueprint.patch("/artists/<slug>")
def edit_artist(slug: str) -> Response:
    """Change what the artist says; with ``slug`` also the address, and the one before leads on."""
    artist, who = _run(slug, Standing.MANAGER)
    changed = artist_page.edit(artist, body(), actor=who, now=clock.now(), made_from=made_from())
    return versioned(representation.whole_artist(changed))


@blueprint.delete("/artists/<slug>")
def remove_artist(slug: str) -> tuple[str, int]:
    """Remove an artist without releases."""
    artist, who = _run(slug, Standing.OWNER)
    artists.delete(artist, actor=who, now=clock.now())
    return "", 204


@blueprint.put("/artists/<slug>/picture")
@bodies.takes_picture
def set_picture(slug: str) -> Response:
    """Give the artist a picture: multipart ``file``, or the picture as the body."""
    artist, who = _run(slug, Standing.MANAGER)
    picture = request.files["file"].stream if "file" in request.files else request.stream
    shown = artist_page.set_picture(artist, picture, store=appliance().store, actor=who, now=clock.now())
    return versioned(representation.whole_artist(shown))


@blueprint.get("/artists/<slug>/members")
def list_members(slug: str) -> Response:
    """The people of an artist, for who decides about them."""
    artist, _ = _run(slug, Standing.OWNER, Scope.READ)
    return jsonify(items=representation.members(members.of_artist(artist)))


@blueprint.post("/artists/<slug>/releases")
def create_release(slug: str) -> tuple[Response, int, dict[str, str]]:
    """Make a draft for an artist that the caller runs."""
    owner = require_person()
    artist = artists.find(slug)
    access.require_artist(owner, artist, roles=roles())
    release = releases.create(artist, body(required=("title",)), now=clock.now())
    right = access.to_release(owner, release, roles=roles(), now=clock.now())
    shown = representation.whole_release(release, [], right, {}, listener=owner.id)
    return jsonify(shown), 201, {"Location": url_for("api.show_release", release_id=release.id)}


def _run(slug: str, least: Standing, scope: Scope = Scope.WRITE) -> tuple[Artist, User]:
    who = require_person(scope)
    artist = artists.find(slug)
    access.require_artist(who, artist, roles=roles(), least=least)
    return artist, who
