"""What an artist has to send and has sent: the list, marking a parcel as sent, and where its stock goes when the money went back."""

from collections.abc import Iterable
from datetime import datetime

from appliance import database
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.wording import clean_line
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import receipts
from appliance.shop.merchandise import destinations
from appliance.shop.merchandise import parcels
from appliance.shop.merchandise import stock
from appliance.shop.merchandise.destinations import Destination
from appliance.shop.merchandise.models import Parcel
from appliance.shop.merchandise.models import ParcelLine
from appliance.shop.merchandise.models import ParcelState
from appliance.shop.models import Order
from appliance.shop.models import OrderState

LONGEST_TRACKING = 500
PAID_FOR = (ParcelState.TO_SEND, ParcelState.SENT, ParcelState.SHORT, ParcelState.RETURNED)
"""What an artist sees; of what was never paid there is nothing to know."""


def of_artist(
    artist: Artist, states: Iterable[ParcelState] = PAID_FOR, *, limit: int, after: str = ""
) -> list[Parcel]:
    """Parcels in these states, their orders joined, the oldest first (keyset by the order's id)."""
    query = (
        Parcel.select(Parcel, Order)
        .join(Order)
        .where(Parcel.artist == artist.id, Parcel.state.in_(list(states)))
        .order_by(Parcel.order)
    )
    if after:
        query = query.where(Parcel.order > after)
    return list(query.limit(limit))


def count(artist: Artist, state: ParcelState) -> int:
    """How many parcels are in this state."""
    return int(Parcel.select().where(Parcel.artist == artist.id, Parcel.state == state).count())


def find(artist: Artist, order_id: str) -> Parcel:
    """The parcel of this order of the artist, its order joined; ``NotFound`` also for what was never paid."""
    query = Parcel.select(Parcel, Order).join(Order)
    here = (Parcel.order == order_id) & (Parcel.artist == artist.id) & Parcel.state.in_(PAID_FOR)
    parcel: Parcel | None = query.where(here).first()
    if parcel is None:
        raise NotFound("There is no such parcel.")
    return parcel


def contents_of(rows: Iterable[Parcel]) -> dict[str, list[ParcelLine]]:
    """What is in each parcel, by its id; by one query."""
    found: dict[str, list[ParcelLine]] = {row.id: [] for row in rows}
    query = ParcelLine.select().where(ParcelLine.parcel.in_(list(found))).order_by(ParcelLine.position)
    for line in query if found else ():
        found[line.parcel_id].append(line)
    return found


def mark_sent(parcel: Parcel, *, tracking: str = "", actor: User, now: datetime) -> None:
    """Note that it was sent, once, and write to the buyer; what is sent already only gets another *tracking*."""
    words = clean_line(tracking, field="tracking", longest=LONGEST_TRACKING, required=False)
    with transaction():
        order, held = _held(parcel)
        if held.state == ParcelState.SENT:
            Parcel.update(tracking=words, updated_at=now).where(Parcel.id == held.id).execute()
            return
        if held.state != ParcelState.TO_SEND:
            raise Conflict("There is nothing to be sent for this order.")
        if not held.name:
            raise Conflict("The address is missing; the buyer was asked for it.")
        Parcel.update(state=ParcelState.SENT, tracking=words, sent_at=now, updated_at=now).where(
            Parcel.id == held.id
        ).execute()
        if words:
            receipts.tell("goods_sent", order, now=now, tracking=words)
        else:
            receipts.tell("goods_sent_untracked", order, now=now)
        _note(Action.PARCEL_SENT, held, actor=actor, now=now)


def set_in_stock(parcel: Parcel, back: bool, *, actor: User, now: datetime) -> None:
    """Say whether what is in a parcel whose money went back is in stock again; ``Conflict`` when somebody else has it meanwhile."""
    with transaction():
        order, held = _held(parcel)
        if order.state != OrderState.REFUNDED or held.state == ParcelState.SHORT:
            raise Conflict("Only what was refunded goes back into stock.")
        lines = parcels.contents(held)
        if back:
            stock.give_back(lines)
        elif not stock.take_all_or_nothing(lines):
            raise Conflict("Somebody else bought it meanwhile.")
        _note(Action.PARCEL_STOCK_CHANGED, held, actor=actor, now=now)


def is_taken(rows: Iterable[ParcelLine]) -> bool:
    """Pure: whether anything of it is out of stock."""
    return any(row.taken for row in rows)


def readdress(parcel: Parcel, sent: Destination, *, now: datetime) -> None:
    """Send it elsewhere in the same country, as long as it was not sent: the price of shipping and the tax stay what they were."""
    to = destinations.checked(sent)
    with transaction():
        _order, held = _held(parcel)
        if held.state not in {ParcelState.TO_SEND, ParcelState.HELD}:
            raise Conflict("The address cannot be changed any more.")
        if to.country != held.country:
            raise Invalid("It is sent to the country that was paid for.", field="country")
        Parcel.update(
            name=to.name, lines=to.lines, postal_code=to.postal_code, city=to.city, updated_at=now
        ).where(Parcel.id == held.id).execute()


def _held(parcel: Parcel) -> tuple[Order, Parcel]:
    # The order first, as where the order is settled, or the two would wait for each other.
    order: Order = database.locked(Order.select().where(Order.id == parcel.order_id)).get()
    held: Parcel = database.locked(Parcel.select().where(Parcel.id == parcel.id)).get()
    return order, held


def _note(action: Action, parcel: Parcel, *, actor: User, now: datetime) -> None:
    audit.record(
        action, actor=actor.id, subject=f"artist:{parcel.artist}", now=now, detail={"order": parcel.order_id}
    )
