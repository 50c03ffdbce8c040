"""Download codes: made in batches for one release, and each redeemed by whoever is first."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import peewee

from appliance.accounts import audit
from appliance.accounts import people
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.wording import clean_line
from appliance.database import new_id
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import lettering
from appliance.shop import offers
from appliance.shop import prices
from appliance.shop import receipts
from appliance.shop import settling
from appliance.shop.lettering import UNKNOWN
from appliance.shop.models import CodeBatch
from appliance.shop.models import DownloadCode
from appliance.shop.models import Kind
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.orders import Buyer

LENGTH = 12
"""Twelve letters are 60 bits, which nobody guesses through a page that counts tries."""
MOST_AT_ONCE = 5_000
MOST_OF_ARTIST = 200_000


def make(
    release: Release,
    number: int,
    *,
    name: str = "",
    expires_at: datetime | None = None,
    actor: User,
    now: datetime,
) -> CodeBatch:
    """So many new codes for *release*; they hold until *expires_at*, or for good."""
    if not 1 <= number <= MOST_AT_ONCE:
        raise Invalid("Make 1 to {most:,} codes at once.", most=MOST_AT_ONCE, field="number")
    if expires_at is not None and expires_at <= now:
        raise Invalid("This day has passed. Choose a later one.", field="expires_at")
    said = clean_line(name, field="name", longest=100, required=False)
    with transaction():
        there = CodeBatch.select(peewee.fn.SUM(CodeBatch.number)).where(CodeBatch.artist == release.artist_id)
        if int(there.scalar() or 0) + number > MOST_OF_ARTIST:
            raise Conflict("An artist has at most {most:,} codes.", most=MOST_OF_ARTIST)
        batch: CodeBatch = CodeBatch.create(
            artist=release.artist_id,
            release=release.id,
            name=said,
            number=number,
            expires_at=expires_at,
            created_at=now,
        )
        for some in peewee.chunked([lettering.drawn(LENGTH) for _ in range(number)], 100):
            DownloadCode.insert_many(
                [{"id": new_id(), "batch": batch.id, "code": code} for code in some]
            ).execute()
        _note(Action.CODES_MADE, batch, actor=actor, now=now, number=number)
    return batch


def stop(artist: Artist, batch_id: str, *, actor: User, now: datetime) -> None:
    """Let the codes of this batch that nobody redeemed open nothing any more."""
    with transaction():
        batch = find(artist, batch_id)
        standing = (CodeBatch.id == batch.id) & CodeBatch.stopped_at.is_null()
        if CodeBatch.update(stopped_at=now).where(standing).execute():
            _note(Action.CODES_STOPPED, batch, actor=actor, now=now)


def find(artist: Artist, batch_id: str) -> CodeBatch:
    """The batch of this artist with this id, its release joined, or ``NotFound``."""
    query = CodeBatch.select(CodeBatch, Release).join(Release)
    batch: CodeBatch | None = query.where(CodeBatch.id == batch_id, CodeBatch.artist == artist.id).first()
    if batch is None:
        raise NotFound("There are no such codes.")
    return batch


def of_artist(artist: Artist, *, limit: int | None = None, before: str = "") -> list[CodeBatch]:
    """The batches of the artist, their releases joined, newest first (keyset by id)."""
    query = CodeBatch.select(CodeBatch, Release).join(Release).where(CodeBatch.artist == artist.id)
    if before:
        query = query.where(CodeBatch.id < before)
    return list(query.order_by(CodeBatch.id.desc()).limit(limit))


def redeemed(batches: list[CodeBatch]) -> dict[str, int]:
    """How many codes of each batch were redeemed, by its id; by one query."""
    if not batches:
        return {}
    count = peewee.fn.COUNT(DownloadCode.id)
    here = DownloadCode.batch.in_([row.id for row in batches]) & DownloadCode.redeemed_at.is_null(False)
    rows: Any = DownloadCode.select(DownloadCode.batch, count).where(here).group_by(DownloadCode.batch)
    return {key: int(number) for key, number in rows.tuples()}


def every(batch: CodeBatch) -> Iterator[tuple[str, datetime | None]]:
    """The codes of a batch, each with when it was redeemed."""
    query = DownloadCode.select().where(DownloadCode.batch == batch.id).order_by(DownloadCode.id)
    for row in query.iterator():
        yield row.code, row.redeemed_at


def redeem(code: str, buyer: Buyer, *, now: datetime) -> Order:
    """Give *buyer* what the code opens, as an order that costs nothing; of many who try at once exactly one gets it.

    ``NotFound`` for a code that is none, ``Conflict`` for one that was redeemed, is over or was stopped, and where they have it already.
    """
    typed = normal(code)
    query = DownloadCode.select(DownloadCode, CodeBatch, Release, Artist).join(CodeBatch).join(Release)
    row = query.join(Artist).where(DownloadCode.code == typed).first() if typed else None
    if row is None:
        raise NotFound(UNKNOWN)
    release = row.batch.release
    email = people.address(buyer.user.email if buyer.user else buyer.email)
    if row.batch.stopped_at is not None or release.taken_down_at is not None:
        raise Conflict("This code opens nothing any more.")
    if row.batch.expires_at is not None and row.batch.expires_at <= now:
        raise Conflict("This code is over.")
    with transaction():
        free = (DownloadCode.id == row.id) & DownloadCode.redeemed_at.is_null()
        if not DownloadCode.update(redeemed_at=now).where(free).execute():
            raise Conflict("This code was redeemed already.")
        if offers.bought(buyer.user, [release.id]):
            # It goes back with the transaction, to be given to somebody else.
            raise Conflict("You have this already. The code still holds: give it to a friend.")
        order = _order(release, buyer, email, now=now)
        DownloadCode.update(order=order.id).where(DownloadCode.id == row.id).execute()
        settling.settle(order.id, now=now)
        receipts.tell("code_redeemed", Order.get_by_id(order.id), now=now, release=release.title)
    return Order.get_by_id(order.id)


def normal(code: str) -> str:
    """Pure: a code as it is kept, however it was typed; empty for what cannot be one."""
    return lettering.normal(code, LENGTH)


def _order(release: Release, buyer: Buyer, email: str, *, now: datetime) -> Order:
    order: Order = Order.create(
        user=buyer.user.id if buyer.user else None,
        email=email,
        artist=release.artist_id,
        artist_name=release.artist.name,
        collective=buyer.collective[:200],
        root=buyer.root[:200],
        currency=prices.currency_of(release.artist_id),
        total_minor=0,
        locale=buyer.locale[:12],
        created_at=now,
        updated_at=now,
    )
    OrderItem.create(
        order=order.id,
        position=0,
        kind=Kind.CODE,
        name=release.title[:300],
        amount_minor=0,
        release=release.id,
    )
    return order


def _note(action: Action, batch: CodeBatch, *, actor: User, now: datetime, **detail: object) -> None:
    audit.record(
        action,
        actor=actor.id,
        subject=f"release:{batch.release_id}",
        now=now,
        detail={"codes": batch.id, **detail},
    )
