"""What one bought, and the papers of it: pages of the account."""

from flask import render_template
from flask import request
from flask import url_for

from appliance import clock
from appliance.accounts.models import Scope
from appliance.papers import finding
from appliance.shop import delivery
from appliance.shop import order_lists
from web.presentation import papers as paper_views
from web.presentation import shop as shown
from web.request_cycle import require_person
from web.shop.routing import blueprint

ON_A_PAGE = 30


@blueprint.get("/account/purchases")
def purchases() -> str:
    """Every order, newest first, also those from before there was an account."""
    who = require_person(Scope.ADMIN)
    delivery.claim(who, now=clock.now())
    before = request.args.get("before", "")[:26]
    rows = order_lists.of_person(who, limit=ON_A_PAGE + 1, before=before)
    more, rows = len(rows) > ON_A_PAGE, rows[:ON_A_PAGE]
    items = order_lists.items_of(rows)
    return render_template(
        "shop/purchases.html",
        orders=[shown.order(row, items[row.id]) for row in rows],
        older=url_for("shop.purchases", before=rows[-1].id) if more else "",
        first=not before,
    )


@blueprint.get("/account/receipts")
def papers() -> str:
    """Every receipt, of orders and of memberships, newest first, each with what corrects it."""
    who = require_person(Scope.ADMIN)
    before = request.args.get("before", "")[:26]
    rows = finding.of_person(who, limit=ON_A_PAGE + 1, before=before)
    more, rows = len(rows) > ON_A_PAGE, rows[:ON_A_PAGE]
    return render_template(
        "shop/papers.html",
        papers=paper_views.of(rows),
        older=url_for("shop.papers", before=rows[-1].receipt.id) if more else "",
        first=not before,
    )
