"""Whether somebody may hear the whole and, if not, why and where the way in is."""

from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _

from appliance.memberships.access import Access
from appliance.memberships.access import WayIn
from appliance.memberships.decision import Offer
from web.presentation.wording import price


@dataclass(frozen=True, slots=True)
class RightView:
    """What a page says of the right to hear."""

    may_play: bool
    down: bool
    reason: str
    way_in: dict[str, str] | None


def right(given: Access, *, back: str) -> RightView:
    """What the page at *back* says of the right to hear."""
    return RightView(given.may_play, given.taken_down, _(given.reason), way_in(given, back=back))


def reason(given: Access) -> str:
    """Why a track cannot be played now."""
    return _("This track is being prepared.") if given.may_play else _(given.reason)


def way_in(given: Access, *, back: str) -> dict[str, str] | None:
    """The link that leads to the whole, where there is one, and from there *back* to the page of what one wanted to hear.

    That of a tier leads to what the artist says of it.
    """
    if given.may_play or given.way_in is None:
        return None
    if given.way_in is WayIn.SIGN_IN or given.tier is None:
        return {"href": url_for("security.login", next=back), "text": _("Sign in")}
    # The first part of every address of a release or track is its artist's.
    artist = back.split("/")[1]
    return {"href": f"/{artist}#tiers", "text": offer(given.tier)}


def offer(tier: Offer) -> str:
    """A tier with what it costs, in a few words."""
    return str(
        _("%(tier)s, %(price)s a month", tier=_(tier.name), price=price(tier.price_minor, tier.currency))
    )
