"""Who buys: the account, else a word of this browser; and which orders this browser may look at."""

import secrets

from flask import request
from flask import session
from flask_babel import get_locale

from appliance.accounts.models import Scope
from appliance.collective import identity
from appliance.errors import NotFound
from appliance.shop import keys
from appliance.shop import orders
from appliance.shop.models import Order
from appliance.shop.orders import Buyer
from web import addresses
from web.request_cycle import appliance
from web.request_cycle import person
from web.request_cycle import require_person

WORD, OWN = "buyer", "orders"
MOST_ORDERS = 20


def buyer(email: str, *, name: str = "", address: str = "") -> Buyer:
    """Who buys here; *email* is for who has no account, *name* and *address* are for the receipt, if they like."""
    who = person()
    if who is not None:
        require_person(Scope.MONEY_WRITE)
    elif WORD not in session:
        session[WORD] = secrets.token_urlsafe(16)
    return Buyer(
        email=email,
        user=who,
        browser=str(session.get(WORD, "")),
        locale=str(get_locale() or "en"),
        collective=identity.current(appliance().settings).name,
        root=addresses.root(),
        name=name,
        address=address,
        began=tuple(session.get(OWN, [])),
    )


def keep(order: Order) -> None:
    """Let this browser look at an order without an account."""
    if person() is None:
        session[OWN] = [*[one for one in session.get(OWN, []) if one != order.id], order.id][-MOST_ORDERS:]


def own(order_id: str, scope: Scope = Scope.MONEY_READ) -> Order:
    """The order, for its buyer; ``NotFound`` for everybody else, who need not know that there is one. A program needs *scope*."""
    order = orders.find(order_id[:26])
    who = person()
    if who is not None:
        require_person(scope)
    mine = who is not None and order.user_id == who.id
    here = order.id in session.get(OWN, []) and (who is None or order.user_id is None)
    if not (mine or here):
        raise NotFound("There is no such order.")
    return order


def by_key(order_id: str) -> bool:
    """Whether the address has the key of this order, from a letter; this browser may look at it from now on."""
    key = request.args.get("key", "")
    order = orders.find(order_id[:26])
    if not key or not keys.opens(order, key, secret=appliance().secret):
        return False
    session[OWN] = [*[one for one in session.get(OWN, []) if one != order.id], order.id][-MOST_ORDERS:]
    return True
