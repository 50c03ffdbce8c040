"""The forms of releases and tracks: what was sent, what is stored, and where two who wrote at once differ."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from flask import jsonify
from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance.catalog import codes
from appliance.catalog import credits
from appliance.catalog import releases
from appliance.catalog.models import Credit
from appliance.catalog.models import Release
from appliance.catalog.models import Track

RELEASE_FIELDS = (
    "title",
    "kind",
    "about",
    "genre",
    "tags",
    "credits",
    "licence",
    "catalogue_number",
    "release_date",
    "audience",
)
TRACK_FIELDS = ("title", "isrc", "lyrics", "synced_lyrics", "licence")
PEOPLE = "contributors"
Row = dict[str, str]


@dataclass(slots=True)
class Form:
    """What a form shows: its fields, its rows of credits, and for each field that differs what is stored by another now."""

    version: int
    values: dict[str, str]
    people: list[Row]
    theirs: dict[str, str] = field(default_factory=dict)
    problem: Exception | None = None
    preview: bool = False


def of_release(row: Release, people: Iterable[Credit]) -> Form:
    """What is stored of a release."""
    values = {
        "title": row.title,
        "kind": row.kind,
        "about": row.about,
        "genre": row.genre,
        "tags": ", ".join(releases.tags_of(row)),
        "credits": row.credits,
        "licence": row.licence,
        "catalogue_number": row.catalogue_number,
        "release_date": row.release_date.isoformat() if row.release_date else "",
        "audience": row.audience,
    }
    return Form(row.version, values, credits.told(people))


def of_track(row: Track, people: Iterable[Credit]) -> Form:
    """What is stored of a track."""
    values = {
        "title": row.title,
        "isrc": codes.isrc_for_people(row.isrc),
        "lyrics": row.lyrics,
        "synced_lyrics": row.synced_lyrics,
        "licence": row.licence,
        "exclusive": "yes" if row.exclusive else "no",
    }
    return Form(row.version, values, credits.told(people))


def sent_of_track() -> dict[str, object]:
    """The fields of a track that were sent."""
    found = sent(TRACK_FIELDS)
    if request.form.get("exclusive") in {"yes", "no"}:
        found["exclusive"] = request.form["exclusive"] == "yes"
    return found


def sent(names: Iterable[str]) -> dict[str, object]:
    """The fields of *names* that were sent, and the credits if their rows were."""
    found: dict[str, object] = {name: request.form[name] for name in names if name in request.form}
    if "credit_name" in request.form:
        found[PEOPLE] = _people()
    return found


def made_from() -> int | None:
    """The version that this form was filled from; None for a form that does not say."""
    return request.form.get("version", type=int)


def act() -> str:
    """What the pressed button asks for: ``save``, ``preview``, ``add_link`` or ``remove_link:NUMBER``."""
    return request.form.get("act", "save")


def filled(stored: Form, problem: Exception | None = None) -> Form:
    """*stored* with what was sent in its place, so that nothing somebody wrote is lost."""
    values = {name: request.form.get(name, value) for name, value in stored.values.items()}
    people = _people() if "credit_name" in request.form else stored.people
    return Form(made_from() or stored.version, values, people, problem=problem, preview=act() == "preview")


def rearranged(stored: Form) -> Form:
    """As sent, with a row of credits more or less: for a browser without scripts."""
    form = filled(stored)
    if act() == "add_link":
        form.people.append({"name": "", "role": ""})
    form.people = [row for number, row in enumerate(form.people) if act() != f"remove_link:{number}"]
    return form


def contested(stored: Form, problem: Exception) -> Form:
    """As sent, each field that differs from what another stored meanwhile with theirs beside; saved again, it takes its place."""
    form = filled(stored, problem)
    form.version = stored.version
    form.theirs = {
        name: value or _("(empty)")
        for name, value in stored.values.items()
        if _plain(value) != _plain(form.values[name])
    }
    if stored.people != [row for row in form.people if row["name"] or row["role"]]:
        form.theirs[PEOPLE] = told_people(stored.people) or _("(empty)")
    return form


def saved(form: Form) -> ResponseReturnValue:
    """For the script that saves as one writes: the new version, and the fields as they were stored."""
    return jsonify(version=form.version, values=form.values, told=_("Saved"))


def told_people(rows: Iterable[Mapping[str, str]]) -> str:
    """Credits in one line."""
    return ", ".join(f"{row['name']} ({row['role']})" if row["role"] else row["name"] for row in rows)


def _people() -> list[Row]:
    # Two lists of the same length, as the rows of the form are; a row too many on either side holds nothing.
    names, roles = request.form.getlist("credit_name"), request.form.getlist("credit_role")
    pairs = zip(names, roles, strict=False)
    return [{"name": name, "role": role} for name, role in pairs][: 2 * credits.MOST_CREDITS]


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
