"""Buying in the pages of the shop: a release on sale, a form that agrees to what it was shown, a till that is paid."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import clock
from appliance.catalog.models import Release
from appliance.ledger import payments
from appliance.shop import prices
from appliance.shop import settling
from appliance.shop.models import Order
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tests.shop_till import Till


def on_sale(appliance: Appliance, artist: Person) -> Release:
    """A release of one track that is out, for 7.00 or more."""
    made = site.make_release(artist, published=True)
    site.make_track(made, appliance)
    prices.set_release(made, 700, pay_more=True, actor=artist.user, now=clock.now())
    return made


def buy_page(release: Release) -> str:
    return f"/buy/release/{release.id}"


def ask(client: FlaskClient, path: str, **fields: object) -> TestResponse:
    page = client.get(path).get_data(as_text=True)
    sent = {"csrf_token": site.csrf_token(page), "act": "pay", "provider": "till", "agreed": agreed(page)}
    return client.post(path, data={**sent, **fields})


def agreed(page: str) -> str:
    found = re.search(r'name="agreed" value="((?:\d+ [A-Z]{3})?)"', page)
    assert found
    return found[1]


def pay(till: Till, order: Order) -> None:
    """What billing does when the till tells that it was paid."""
    fact = till.paid(order.id, at=clock.now())
    sale = settling.sale_of(order.id, fact)
    assert sale
    payments.note(fact, sale, provider="till", now=clock.now())
    settling.settle(order.id, now=clock.now())
