"""The one page where download codes are redeemed."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import codes
from web import rates
from web.request_cycle import person
from web.shop import visitors
from web.shop.routing import blueprint


@blueprint.get("/redeem")
def redeem() -> str:
    """A field for the code; a link may bring it along."""
    return _page(request.args.get("code", ""))


@blueprint.post("/redeem")
@rates.limited("codes")
def redeem_code() -> ResponseReturnValue:
    """Take the code."""
    try:
        order = codes.redeem(
            request.form.get("voucher", ""),
            visitors.buyer(request.form.get("email", "")),
            now=clock.now(),
        )
    except (Invalid, Conflict, NotFound) as error:
        return _page(request.form.get("voucher", ""), problem=error), 422
    visitors.keep(order)
    flash(_("It is yours."))
    return redirect(url_for("shop.order", order_id=order.id), 303)


def _page(code: str, *, problem: Exception | None = None) -> str:
    return render_template(
        "shop/redeem.html",
        code=code[:100],
        email=request.form.get("email", ""),
        guest=person() is None,
        problem=problem,
    )
