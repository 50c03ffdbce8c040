"""The collective's name, look and texts."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.permissions import Permission
from appliance.collective import identity
from appliance.collective.identity import Collective
from appliance.errors import Conflict
from appliance.errors import Invalid
from web import addresses
from web import bodies
from web import colours
from web.admin import entrance
from web.request_cycle import appliance

FIELDS = ("name", "tagline", "accent", "about", "imprint", "privacy", "footer_links")


@entrance.get("/collective", Permission.COLLECTIVE_CHANGE)
def collective() -> str:
    """What the collective says of itself, as a form."""
    return _page(_shown())


@entrance.post("/collective", Permission.COLLECTIVE_CHANGE)
def change_collective() -> ResponseReturnValue:
    """Take what was written; with *preview*, show it first."""
    now = _shown()
    fields = _fields(now)
    try:
        if "preview" in request.form:
            # Not taken yet, so 422: after any other answer that is no redirect, Turbo would show nothing.
            return _page(now, previewed=identity.checked(fields, settings=appliance().settings)), 422
        identity.change(
            fields,
            version=request.form.get("version", 0, type=int),
            settings=appliance().settings,
            actor=entrance.actor().id,
            now=clock.now(),
        )
    except Invalid as error:
        return _page(now, problem=error), 422
    except Conflict as error:
        identity.forget()
        return _page(_shown(), problem=error, theirs=_shown()), 409
    return entrance.done(_("Saved."), "admin.collective")


@entrance.post("/collective/logo", Permission.COLLECTIVE_CHANGE)
@bodies.takes_picture
def change_logo() -> ResponseReturnValue:
    """A new logo, or none."""
    picture = request.files.get("logo")
    try:
        if "remove" not in request.form and (picture is None or not picture.filename):
            raise Invalid("Choose a picture first.", field="logo")
        identity.set_logo(
            None if "remove" in request.form or picture is None else picture.stream,
            settings=appliance().settings,
            store=appliance().store,
            actor=entrance.actor().id,
            now=clock.now(),
        )
    except (Invalid, Conflict) as error:
        return entrance.refused(error, "admin.collective")
    return entrance.done(_("Saved."), "admin.collective")


def _shown() -> Collective:
    return identity.current(appliance().settings)


def _fields(now: Collective) -> dict[str, object]:
    """What the form sent, save what the operator fixed, which it cannot send."""
    fields: dict[str, object] = {name: request.form[name] for name in FIELDS if name in request.form}
    if not request.form.get("own_accent"):
        fields["accent"] = ""
    fields["registration"] = "registration" in request.form
    return {name: value for name, value in fields.items() if name not in now.fixed}


def _page(
    now: Collective,
    *,
    problem: Exception | None = None,
    previewed: Collective | None = None,
    theirs: Collective | None = None,
) -> str:
    stored = {name: getattr(now, name) for name in FIELDS if name != "footer_links"}
    stored["footer_links"] = "\n".join(f"{link.text} {link.href}" for link in now.footer_links)
    sent = {name: request.form.get(name, value) for name, value in stored.items()}
    was_sent = bool(request.form)
    return entrance.page(
        "collective",
        "collective",
        sent=sent,
        shown_accent=sent["accent"] or colours.OWN,
        own_accent=bool(request.form.get("own_accent")) if was_sent else bool(now.accent),
        open_to_all="registration" in request.form if was_sent else now.registration,
        fixed=now.fixed,
        version=now.version if theirs else (request.form.get("version") or now.version),
        logo=addresses.public(f"{now.logo_key}/300.webp") if now.logo_key else "",
        problem=problem,
        previewed=previewed,
        own=colours.accent(previewed.accent) if previewed else None,
        theirs=theirs,
        changed=[name for name in FIELDS if theirs and was_sent and sent[name] != stored[name]],
    )
