"""Whether somebody may hear the whole and, if not, why and where the way in is."""

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from appliance.memberships.access import Access
from appliance.memberships.access import WayIn

WAYS_IN = {WayIn.SIGN_IN: ("security.login", lazy_gettext("Sign in"))}
"""The page, and the words of the link to it, where a right that is missing can be had."""


@dataclass(frozen=True, slots=True)
class RightView:
    """What a page says of the right to hear."""

    may_play: bool
    reason: str
    way_in: dict[str, str] | None


def right(given: Access, *, back: str) -> RightView:
    """What the page at *back* says of the right to hear."""
    return RightView(given.may_play, _(given.reason), way_in(given, back=back))


def reason(given: Access) -> str:
    """Why a track cannot be played now."""
    return _("This track is being prepared.") if given.may_play else _(given.reason)


def way_in(given: Access, *, back: str) -> dict[str, str] | None:
    """The link that leads to the whole, where there is one, and from there *back* to the page of what one wanted to hear."""
    page = WAYS_IN.get(given.way_in) if given.way_in and not given.may_play else None
    return {"href": url_for(page[0], next=back), "text": str(page[1])} if page else None
