"""Whether who redeemed a gift is a member for as long as its money stays, and no longer: asked of the rows as they stand."""

from collections.abc import Iterator
from itertools import groupby

import peewee

from appliance.ledger.checking import Difference
from appliance.memberships.models import Membership
from appliance.shop import gift_rights
from appliance.shop import gift_settling
from appliance.shop.gift_models import Gift
from appliance.shop.models import Order

MOST_NAMED = 100


def differences() -> Iterator[Difference]:
    """Each gift that gives more or less than it must."""
    named = 0
    taken = Gift.redeemed_at.is_null(False) & Gift.user.is_null(False)
    query = Gift.select(Gift, Order).join(Order).where(taken).order_by(Gift.user, Gift.tier, Gift.id)
    for _who, rows in groupby(query.iterator(), key=lambda row: (row.user_id, row.tier_id)):
        gifts = list(rows)
        spans = gift_rights.spans(gift_settling.told(row) for row in gifts)
        known = _memberships([row.id for row in gifts])
        for row in gifts:
            span, found = spans[row.id], known.get(row.id)
            if found is not None and (found.paid_through, found.ended_at) == (span.through, span.ended_at):
                continue
            until = (span.ended_at or span.through).isoformat()
            yield Difference(
                "access",
                f"membership:{row.id}",
                f"The gift of the order {row.order_id} lasts until {until}, but its membership does not.",
            )
            named += 1
            if named >= MOST_NAMED:
                return


def _memberships(ids: list[str]) -> dict[str, Membership]:
    found: peewee.ModelSelect[Membership] = Membership.select().where(Membership.id.in_(ids))
    return {row.id: row for row in found}
