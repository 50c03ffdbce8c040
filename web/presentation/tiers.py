"""A tier, for the artist's page as for the studio: what it costs and what it opens, in words."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import ngettext

from appliance.catalog.models import Quality
from appliance.memberships.models import Origin
from appliance.memberships.models import Tier
from web.presentation.wording import price

QUALITIES = {
    Quality.LOW: lazy_gettext("128 kbit/s"),
    Quality.MEDIUM: lazy_gettext("256 kbit/s"),
    Quality.HIGH: lazy_gettext("320 kbit/s"),
    Quality.LOSSLESS: lazy_gettext("Lossless"),
    Quality.MASTER: lazy_gettext("Lossless, up to 24-bit masters"),
}

ORIGINS = {
    Origin.GIFT: lazy_gettext("Gift"),
    Origin.PRESS: lazy_gettext("Press"),
    Origin.BAND: lazy_gettext("Member of the band"),
    Origin.PAID: lazy_gettext("Paid"),
    Origin.PRESENT: lazy_gettext("Present"),
}


@dataclass(frozen=True, slots=True)
class WayIn:
    """A link to pay for a tier, and what one saves by it."""

    text: str
    href: str
    saving: str = ""


@dataclass(frozen=True, slots=True)
class TierView:
    """A tier as pages show it; *yours* where who looks is in it, *members* for its artist's people, *ways* in for everybody else."""

    id: str
    kind: str
    name: str
    about: str
    price: str
    annual_price: str
    perks: list[str]
    archived: bool
    yours: bool
    members: int
    ways: Sequence[WayIn] = ()
    gift: str = ""
    """Where it is given to somebody else; empty where it cannot be."""


def tiers(
    rows: Iterable[Tier],
    *,
    own: str = "",
    members: Mapping[str, int] | None = None,
    ways: Mapping[str, Sequence[WayIn]] | None = None,
    gifts: Mapping[str, str] | None = None,
) -> list[TierView]:
    """Tiers in their order; *own* is the id of the one that who looks is in."""
    return [
        tier(
            row,
            yours=row.id == own,
            members=(members or {}).get(row.id, 0),
            ways=(ways or {}).get(row.id, ()),
            gift=(gifts or {}).get(row.id, ""),
        )
        for row in rows
    ]


def tier(
    row: Tier, *, yours: bool = False, members: int = 0, ways: Sequence[WayIn] = (), gift: str = ""
) -> TierView:
    """One tier."""
    monthly = price(row.price_minor, row.currency)
    yearly = price(row.annual_price_minor, row.currency) if row.annual_price_minor else ""
    return TierView(
        id=row.id,
        kind=row.kind,
        # The names that every artist begins with are words of ours; all others are theirs and no key of a text.
        name=_(row.name),
        about=row.about,
        price=_("%(price)s a month", price=monthly) if row.price_minor else _("For everybody"),
        annual_price=_("%(price)s a year", price=yearly) if yearly else "",
        perks=list(perks(row)),
        archived=row.archived_at is not None,
        yours=yours,
        members=members,
        ways=ways,
        gift=gift,
    )


def perks(row: Tier) -> Iterable[str]:
    """What the tier opens, a line for each thing it does."""
    yield _("Sound: %(quality)s", quality=QUALITIES[Quality(row.top_quality)])
    if row.exclusives:
        yield _("Exclusive tracks")
    if row.early_access_hours:
        yield ngettext(
            "New releases an hour before everybody else",
            "New releases %(num)d hours before everybody else",
            row.early_access_hours,
        )
    if row.downloads_a_month is None:
        yield _("Downloads without limit")
    elif row.downloads_a_month:
        yield ngettext("One download a month", "%(num)d downloads a month", row.downloads_a_month)
    if row.offline:
        yield _("Listening offline")
    if row.monthly_qa:
        yield _("Questions and answers every month")
    if row.live_sessions:
        yield _("Live sessions")
    if row.virtual_backstage:
        yield _("The virtual backstage")
    if row.direct_messages_a_month:
        yield ngettext(
            "One message to the artist a month",
            "%(num)d messages to the artist a month",
            row.direct_messages_a_month,
        )
    if row.merchandise_discount_percent:
        yield _("%(percent)d %% off merchandise", percent=row.merchandise_discount_percent)
