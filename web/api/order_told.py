"""Orders and what they would be, as JSON."""

from collections.abc import Sequence
from typing import Any

from flask import url_for

from appliance import processors
from appliance.accounts.models import User
from appliance.payments import Feature
from appliance.shop import offers
from appliance.shop import order_lists
from appliance.shop import taxes
from appliance.shop.models import Order
from appliance.shop.models import OrderItem
from appliance.shop.models import OrderState
from appliance.shop.price_tags import PriceTag
from appliance.shop.quotes import Quote
from web import addresses


def tag(row: PriceTag | None) -> dict[str, Any] | None:
    """For how much something can be bought, and on which page; nothing for what cannot."""
    if row is None:
        return None
    return {
        "price_minor": row.price_minor,
        "full_minor": row.full_minor,
        "currency": row.currency,
        "pay_more": row.pay_more,
        "preorder": row.preorder,
        "out_at": row.out_at.isoformat() if row.out_at else None,
        "buy_url": addresses.root() + url_for("shop.checkout", kind=row.kind, thing=row.thing),
    }


def quote(row: Quote, who: User | None) -> dict[str, Any]:
    """What an order would say, and by whom it could be paid."""
    total = row.total_minor
    ways = processors.offering(Feature.ONE_OFF, currency=row.currency, amount_minor=total) if total else ()
    return {
        "kind": row.offer.kind,
        "thing": row.offer.thing,
        "name": row.offer.name,
        "artist": {"id": row.offer.artist.id, "name": row.offer.artist.name},
        "lines": [
            {
                "kind": line.kind,
                "name": line.name,
                "message": line.message,
                "amount_minor": line.amount_minor,
                "tax_minor": line.tax_minor,
                "tax_name": line.tax_name,
                "tax_bps": line.tax_bps,
                "release": line.release or None,
                "track": line.track or None,
            }
            for line in row.lines
        ],
        "currency": row.currency,
        "total_minor": total,
        "tax_minor": row.tax_minor,
        "discount_minor": row.discount_minor,
        "country": row.country or None,
        "country_needed": bool(taxes.are_asked() and total),
        "owned": offers.has_all(row.offer, who),
        "providers": [{"name": way.name, "label": way.label} for way in ways],
    }


def bought(rows: Sequence[Order]) -> list[dict[str, Any]]:
    """Orders for who bought, by two more queries whatever their number."""
    items, numbers = order_lists.items_of(rows), order_lists.receipts_of(rows)
    return [
        {
            **_facts(row, items[row.id]),
            "receipt": _receipt(row, numbers),
            "pay_url": row.url if row.state == OrderState.OPEN and row.url else None,
            "url": addresses.root() + url_for("shop.order", order_id=row.id),
        }
        for row in rows
    ]


def sold(rows: Sequence[Order]) -> list[dict[str, Any]]:
    """Orders for who sold, by two more queries whatever their number."""
    items, numbers = order_lists.items_of(rows), order_lists.receipts_of(rows)
    return [
        {
            **_facts(row, items[row.id]),
            "buyer": row.email,
            "receipt_number": numbers.get(row.id),
        }
        for row in rows
    ]


def _receipt(row: Order, numbers: dict[str, str]) -> dict[str, str] | None:
    if row.id not in numbers:
        return None
    return {
        "number": numbers[row.id],
        "url": addresses.root() + url_for("api.order_receipt", order_id=row.id),
    }


def _facts(row: Order, items: Sequence[OrderItem]) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "artist": {"id": row.artist, "name": row.artist_name},
        "items": [
            {
                "kind": item.kind,
                "name": item.name,
                "message": item.message,
                "amount_minor": item.amount_minor,
                "tax_minor": item.tax_minor,
                "tax_name": item.tax_name,
                "tax_bps": item.tax_bps,
                "release": item.release or None,
                "track": item.track or None,
            }
            for item in items
        ],
        "currency": row.currency,
        "total_minor": row.total_minor,
        "tax_minor": row.tax_minor,
        "discount_minor": row.discount_minor,
        "country": row.country or None,
        "business_number": row.business_number or None,
        "provider": row.provider or None,
        "created_at": row.created_at.isoformat(),
        "paid_at": row.paid_at.isoformat() if row.paid_at else None,
        "refunded_at": row.refunded_at.isoformat() if row.refunded_at else None,
    }
