"""Where one can go from every page, as finished values for the frame: only places that are there, and that this person may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import replace

from flask import current_app
from flask import request
from flask import url_for
from flask_babel import lazy_gettext
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from appliance.accounts import permissions
from appliance.accounts.models import RoleName
from appliance.accounts.permissions import Permission
from appliance.collective import identity
from web.presentation.pictures import Cover
from web.presentation.pictures import picture
from web.request_cycle import appliance
from web.request_cycle import person
from web.request_cycle import roles

KNOWN = "musicconnect.places"
WORTH_COMING_BACK = frozenset({"storefront", "discovery", "library"})
"""Families of pages to which somebody is led back who signs in."""
LONGEST_WAY = 500

DISCOVER = ("/", lazy_gettext("Discover"), "discover")
SEARCH = ("/search", lazy_gettext("Search"), "search")
LIBRARY = ("/library", lazy_gettext("Library"), "library")
STUDIO = ("/studio", lazy_gettext("Studio"), "studio")
SIGN_IN = ("/sign-in", lazy_gettext("Sign in"), "user")
ACCOUNT = (
    LIBRARY,
    ("/library/history", lazy_gettext("What you heard"), "history"),
    STUDIO,
    ("/admin", lazy_gettext("The collective"), "shield"),
    ("/admin/takedowns", lazy_gettext("Takedowns"), "shield"),
    ("/account", lazy_gettext("Your account"), "settings"),
)
FOOT = (
    ("/about", lazy_gettext("About us"), ""),
    ("/imprint", lazy_gettext("Imprint"), ""),
    ("/privacy", lazy_gettext("Privacy"), ""),
    ("/feed.atom", lazy_gettext("Feed"), "rss"),
    ("/api/v1/docs", lazy_gettext("Interface for programs"), "code"),
)
Row = tuple[str, object, str]


@dataclass(frozen=True, slots=True)
class Place:
    """A link of the frame; *here* for the place one is in."""

    text: str
    href: str
    icon: str
    here: bool


def primary() -> list[Place]:
    """The links of the header: what everybody finds, what is one's own, and the studio of who makes music."""
    own = [LIBRARY] if person() else []
    return _places([DISCOVER, *own, *([STUDIO] if _makes_music() else [])])


def tabs() -> list[Place]:
    """The bar at the bottom of a phone."""
    if not person():
        places = _places([DISCOVER, SEARCH, SIGN_IN])
        return [replace(one, href=sign_in()) if one.href == SIGN_IN[0] else one for one in places]
    return _places([DISCOVER, SEARCH, LIBRARY, *([STUDIO] if _makes_music() else [])])


def sign_in() -> str:
    """Where to sign in, and from there back to what one looks at; from the front page to where one's role leads."""
    here = request.full_path.rstrip("?")
    back = (
        request.method == "GET"
        and request.blueprint in WORTH_COMING_BACK
        and here != "/"
        and len(here) < LONGEST_WAY
    )
    return url_for("security.login", next=here if back else None)


def account() -> list[Place]:
    """The menu of who is signed in."""
    admin = permissions.allows(roles(), Permission.COLLECTIVE_SEE)
    # Admins find it among the pages of the collective.
    moderator = permissions.allows(roles(), Permission.TAKEDOWNS_MANAGE) and not admin
    shut = {path for path, may in (("/admin", admin), ("/admin/takedowns", moderator)) if not may}
    return _places([row for row in ACCOUNT if row[0] not in shut])


def foot() -> list[Place]:
    """The footer's links that come from us: texts only where the collective wrote them. It adds links of its own."""
    said = {f"/{name}": getattr(_collective(), name) for name in identity.TEXTS}
    return _places([row for row in FOOT if said.get(row[0], True)])


def logo() -> Cover | None:
    """The picture of the collective, if it has one."""
    return picture(_collective().logo_key)


def exists(path: str) -> bool:
    """Whether a page answers at this address; what an application has does not change while it runs, so it is asked once."""
    known: dict[str, bool] = current_app.extensions.setdefault(KNOWN, {})
    if path not in known:
        known[path] = _answers(path)
    return known[path]


def _answers(path: str) -> bool:
    try:
        current_app.url_map.bind("localhost").match(path, method="GET")
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


def _collective() -> identity.Collective:
    return identity.current(appliance().settings)


def _makes_music() -> bool:
    return person() is not None and RoleName.ARTIST in roles()


def _places(rows: Iterable[Row]) -> list[Place]:
    return [Place(str(text), path, icon, _here(path)) for path, text, icon in rows if exists(path)]


def _here(path: str) -> bool:
    return request.path == path or (path != "/" and request.path.startswith(f"{path}/"))
