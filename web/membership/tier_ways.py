"""The ways from an artist's page into each of their tiers: to pay for it, or to change into it."""

from collections.abc import Iterable
from collections.abc import Sequence

from flask import url_for
from flask_babel import gettext as _

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.memberships import subscription_offers as offers
from appliance.memberships import subscriptions
from appliance.memberships.models import Membership
from appliance.memberships.models import Tier
from appliance.payments import Interval
from web.presentation import subscriptions as shown
from web.presentation.tiers import WayIn


def of(
    artist: Artist, rows: Iterable[Tier], who: User | None, mine: Membership | None
) -> dict[str, Sequence[WayIn]]:
    """The ways into each tier, by its id, for who is *mine* (nothing: no member); only those that can be gone."""
    own = subscriptions.current(who, artist) if who else None
    if own is not None and subscriptions.runs(own):
        here = WayIn(_("Your membership"), url_for("membership.show", subscription_id=own.id))
        return {own.tier_id: [here]}
    least = mine.tier.price_minor if mine is not None else -1
    found: dict[str, Sequence[WayIn]] = {}
    for tier in rows:
        if tier.price_minor > least:
            ways = [_way(offer) for offer in offers.of_tier(tier) if offers.ways(offer)]
            if ways:
                found[tier.id] = ways
    return found


def _way(offer: offers.Offer) -> WayIn:
    return WayIn(
        text=_("Join by the year") if offer.interval == Interval.YEAR else _("Join"),
        href=url_for("membership.join", tier_id=offer.tier.id, interval=offer.interval),
        saving=shown.offer(offer).saving,
    )
