"""The page on which an artist says who they are: texts, links, colour, picture and address."""

from dataclasses import dataclass
from typing import Any

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from appliance import clock
from appliance.accounts.models import Scope
from appliance.catalog import artist_page
from appliance.catalog import artists
from appliance.catalog.artwork import Crop
from appliance.catalog.models import Artist
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.memberships.access import Standing
from web import bodies
from web import colours
from web import presentation
from web import rich_text
from web.errors import told
from web.people.routing import artist_for
from web.people.routing import blueprint
from web.request_cycle import appliance
from web.request_cycle import require_person

FIELDS = ("name", "slug", "about", "location", "accent")
LONGEST_PREVIEW = 20_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else changed while this form was open: what they wrote and what was sent."""

    label: str
    theirs: str
    yours: str


@blueprint.get("/studio/artists/<slug>")
def edit_artist(slug: str) -> str:
    """The form, filled with what is stored."""
    artist, _who, standing = artist_for(slug, Standing.MANAGER)
    return _page(artist, standing, _stored(artist))


@blueprint.post("/studio/artists/<slug>")
def save_artist(slug: str) -> ResponseReturnValue:
    """Save; or, for a browser without scripts, add or take away a row of links, or look at the text."""
    artist, who, standing = artist_for(slug, Standing.MANAGER)
    sent, act = _sent(), request.form.get("act", "save")
    if act == "add_link":
        sent["links"].append({"url": "", "label": ""})
    if act.startswith("remove_link:"):
        sent["links"] = [row for number, row in enumerate(sent["links"]) if act != f"remove_link:{number}"]
    if act != "save":
        return _page(artist, standing, sent, preview=act == "preview"), 422
    fields = {name: sent[name] for name in FIELDS if name in request.form}
    fields["links"] = [row for row in sent["links"] if row["url"].strip() or row["label"].strip()]
    try:
        changed = artist_page.edit(
            artist, fields, actor=who, now=clock.now(), made_from=request.form.get("version", type=int)
        )
    except Stale as error:
        now = artists.by_id(artist.id)
        return _page(now, standing, sent, problem=error, differences=_differences(now, sent)), 409
    except (Invalid, Conflict) as error:
        return _page(artist, standing, sent, problem=error), 422
    flash(_("Saved."))
    return redirect(url_for("people.edit_artist", slug=changed.slug), 303)


@blueprint.post("/studio/preview")
def preview() -> str:
    """A rich text as it will be shown, for the script beside its field."""
    require_person()
    return rich_text.rendered(request.form.get("text", "")[:LONGEST_PREVIEW])


@blueprint.get("/studio/accent")
def accent_hint() -> str:
    """How a colour would be shown, for the script beside its field."""
    require_person(Scope.READ)
    return render_template("people/_accent.html", **_shown_accent(request.args.get("colour", "")))


@blueprint.post("/studio/artists/<slug>/picture")
@bodies.takes_picture
def set_picture(slug: str) -> ResponseReturnValue:
    """A new picture."""
    artist, who, _standing = artist_for(slug, Standing.MANAGER)
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Invalid("Choose a picture first.", field="artwork")
        artist_page.set_picture(
            artist,
            sent.stream,
            store=appliance().store,
            actor=who,
            now=clock.now(),
            crop=Crop.read(request.form),
        )
    except Invalid as error:
        flash(told(error), "problem")
    else:
        flash(_("The picture is set."))
    return redirect(url_for("people.edit_artist", slug=artist.slug), 303)


@blueprint.post("/studio/artists/<slug>/picture/remove")
def remove_picture(slug: str) -> ResponseReturnValue:
    """No picture any more."""
    artist, who, _standing = artist_for(slug, Standing.MANAGER)
    artist_page.remove_picture(artist, actor=who, now=clock.now())
    flash(_("The picture is gone."))
    return redirect(url_for("people.edit_artist", slug=artist.slug), 303)


@blueprint.post("/studio/artists/<slug>/remove")
def remove_artist(slug: str) -> ResponseReturnValue:
    """Take away an artist without releases."""
    artist, who, _standing = artist_for(slug, Standing.OWNER)
    try:
        artists.delete(artist, actor=who, now=clock.now())
    except Conflict as error:
        flash(told(error), "problem")
        return redirect(url_for("people.edit_artist", slug=artist.slug), 303)
    flash(_("“%(name)s” is gone.", name=artist.name))
    return redirect(url_for("studio.dashboard"), 303)


def _stored(artist: Artist) -> dict[str, object]:
    rows = [{"url": link.url, "label": link.label} for link in artist_page.links_of(artist)]
    return {name: getattr(artist, name) for name in FIELDS} | {"links": rows}


def _sent() -> dict[str, Any]:
    form: MultiDict[str, str] = request.form
    values: dict[str, Any] = {name: form.get(name, "").strip() for name in FIELDS}
    values["slug"] = form.get("slug", "").strip().lower().removeprefix("@")
    if not form.get("own_accent"):
        values["accent"] = ""
    # Two lists of the same length, as the rows of the form are; a row too many on either side holds nothing.
    pairs = zip(form.getlist("link_url"), form.getlist("link_label"), strict=False)
    values["links"] = [{"url": url, "label": label} for url, label in pairs][: 2 * artist_page.MOST_LINKS]
    return values


def _shown_accent(colour: str) -> dict[str, object]:
    """The colour as pages show it, and in words whether it was moved to be read."""
    known, shown = colours.is_colour(colour.lower()), colours.accent(colour)
    moved = known and colour.lower() not in {shown.on_light, shown.on_dark}
    hints = [
        _("It is shown in these two shades, so that everybody can read it.")
        if moved
        else _("It can be read on the light page and on the dark.")
    ]
    return {"shades": shown, "pages": (colours.LIGHT_PAGE, colours.DARK_PAGE), "hints": hints}


def _differences(artist: Artist, sent: dict[str, object]) -> list[Difference]:
    labels = {
        "name": _("Name"),
        "slug": _("Address"),
        "about": _("About"),
        "location": _("Location"),
        "accent": _("Colour"),
    }
    stored = _stored(artist)
    return [
        Difference(label, str(stored[name]), str(sent[name]))
        for name, label in labels.items()
        if stored[name] != sent[name]
    ]


def _page(
    artist: Artist,
    standing: Standing,
    values: dict[str, object],
    *,
    problem: Exception | None = None,
    differences: list[Difference] | None = None,
    preview: bool = False,
) -> str:
    return render_template(
        "people/artist_page.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        version=artist.version,
        values=values,
        artist_cover=presentation.artist(artist),
        fallback=artist.colour or colours.OWN,
        **_shown_accent(str(values["accent"]) or artist.colour or colours.OWN),
        problem=problem,
        differences=differences or [],
        preview=preview,
        most_links=artist_page.MOST_LINKS,
        may_remove=standing.reaches(Standing.OWNER),
        has_picture=bool(artist.picture_key),
    )
