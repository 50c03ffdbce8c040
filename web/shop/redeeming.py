"""The one page where codes are redeemed: those for downloads, and gifts, which are looked at before they begin."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from appliance import clock
from appliance.accounts.models import Scope
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop import codes
from appliance.shop import gift_codes
from appliance.shop import gift_redeeming
from appliance.shop.gift_redeeming import Present
from web import addresses
from web import presentation
from web import rates
from web.presentation import gifts as gift_views
from web.request_cycle import person
from web.request_cycle import require_person
from web.shop import visitors
from web.shop.routing import blueprint

BEGIN = "begin"


@blueprint.get("/redeem")
def redeem() -> str:
    """A field for the code; a link may bring it along."""
    return _page(request.args.get("code", ""))


@blueprint.post("/redeem")
@rates.limited("codes")
def redeem_code() -> ResponseReturnValue:
    """Take the code; one of a gift is looked at first."""
    if gift_codes.normal(request.form.get("voucher", "")):
        return _redeem_gift(request.form["voucher"])
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


def _redeem_gift(code: str) -> ResponseReturnValue:
    who = person()
    if who is not None:
        who = require_person(Scope.WRITE)
    try:
        if who is None or request.form.get("act") != BEGIN:
            return _page(code, present=gift_redeeming.look(code, who, now=clock.now()))
        found = gift_redeeming.redeem(code, who, locale=str(get_locale() or "en"), now=clock.now())
    except (Conflict, NotFound) as error:
        return _page(code, problem=error), 422
    through = presentation.day(found.span.through) if found.span else ""
    flash(_("You are a member of %(artist)s until %(day)s.", artist=found.gift.artist.name, day=through))
    return redirect(f"{addresses.artist_page(found.gift.artist)}#tiers", 303)


def _page(code: str, *, problem: Exception | None = None, present: Present | None = None) -> str:
    return render_template(
        "shop/redeem.html",
        code=code[:100],
        email=request.form.get("email", ""),
        guest=person() is None,
        problem=problem,
        present=gift_views.present(present) if present else None,
        of_gift=bool(gift_codes.normal(code)),
        back=url_for("shop.redeem", code=code[:100]),
    )
