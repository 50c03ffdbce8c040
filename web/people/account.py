"""One's own account: the name others see, the language, and where one goes after signing in."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance.accounts import identities
from appliance.accounts import people
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.accounts.models import User
from appliance.catalog.wording import clean_line
from appliance.errors import Invalid
from web.people.memberships import own_memberships
from web.people.memberships import own_subscriptions
from web.people.routing import blueprint
from web.request_cycle import require_person
from web.request_cycle import roles
from web.request_cycle import second_factor_missing
from web.security import elsewhere

SECTIONS = (
    ("profile", lazy_gettext("Profile"), "people.account"),
    ("purchases", lazy_gettext("Purchases"), "shop.purchases"),
    ("papers", lazy_gettext("Receipts"), "shop.papers"),
    ("email", lazy_gettext("E-mail address"), "security.change_email"),
    ("password", lazy_gettext("Password"), "security.change_password"),
    ("second_factor", lazy_gettext("Second factor"), "people.second_factor"),
    ("passkeys", lazy_gettext("Passkeys"), "people.passkeys"),
    ("identities", lazy_gettext("Accounts elsewhere"), "people.identities"),
    ("devices", lazy_gettext("Devices"), "people.devices"),
    ("tokens", lazy_gettext("Tokens"), "people.tokens"),
)


def owner() -> User:
    """Whose account it is: a token that may not do everything must change nothing of it."""
    return require_person(Scope.ADMIN)


@blueprint.app_template_global()
def account_sections() -> list[tuple[str, str, str]]:
    """The pages of an account, as tabs; that of accounts elsewhere where there is a way there, or was one."""
    without = set() if elsewhere.ways() or identities.of_user(owner()) else {"identities"}
    return [(key, str(text), url_for(endpoint)) for key, text, endpoint in SECTIONS if key not in without]


@blueprint.get("/account")
def account() -> ResponseReturnValue:
    """What the collective knows of this person, and what they can change."""
    return _page(owner())


@blueprint.post("/account")
def save_account() -> ResponseReturnValue:
    """Another name."""
    who = owner()
    try:
        people.rename(
            who,
            clean_line(
                request.form.get("display_name", ""),
                field="display_name",
                longest=people.LONGEST_NAME,
                required=False,
            ),
        )
    except Invalid as error:
        return _page(who, problem=error), 422
    flash(_("Saved."))
    return redirect(url_for("people.account"), 303)


@blueprint.get("/welcome")
def welcome() -> str:
    """The first page after joining: next steps for who listens and for who makes music."""
    require_person(Scope.READ)
    return render_template("people/welcome.html")


@blueprint.get("/signed-in")
def after_sign_in() -> ResponseReturnValue:
    """Where one goes after signing in from nowhere in particular: to the studio who makes music, to the music who listens."""
    require_person(Scope.READ)
    if second_factor_missing():
        return redirect(url_for("people.second_factor"), 303)
    makes_music = RoleName.ARTIST in roles()
    return redirect(url_for("studio.dashboard" if makes_music else "storefront.index"), 303)


def _page(who: User, *, problem: Exception | None = None) -> str:
    paid = own_subscriptions(who)
    return render_template(
        "people/account.html",
        person=who,
        subscriptions=paid,
        memberships=own_memberships(who, paid=paid),
        sent=request.form,
        problem=problem,
    )
