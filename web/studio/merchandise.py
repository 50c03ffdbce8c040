"""An artist's merchandise: the list, and one article with its picture and its variants."""

from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance import clock
from appliance import currencies
from appliance.accounts.models import User
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.versions import Stale
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.shop import prices
from appliance.shop.merchandise import articles
from appliance.shop.merchandise import variants
from appliance.shop.merchandise import zones
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import Variant
from appliance.shop.merchandise.variants import Row
from web import bodies
from web import presentation
from web.errors import told
from web.people.routing import artist_with_money
from web.presentation import merchandise as shown
from web.presentation.pictures import picture
from web.request_cycle import appliance
from web.studio import forms
from web.studio.routing import blueprint

ROW = ("first", "second", "sku", "price", "stock")
NEW = "new"


@blueprint.get("/artists/<slug>/merchandise")
def merchandise(slug: str) -> str:
    """Every article, and a form for one more."""
    artist, _who = artist_with_money(slug)
    return _list(artist)


@blueprint.post("/artists/<slug>/merchandise")
def make_article(slug: str) -> ResponseReturnValue:
    """One more article, hidden at first, with a variant for each combination of options."""
    artist, who = artist_with_money(slug)
    sent = request.form
    try:
        made = articles.make(
            artist,
            sent.get("title", ""),
            price_minor=_amount("price", artist),
            stock=_stock("stock"),
            options=_options(),
            actor=who,
            now=clock.now(),
        )
    except (Invalid, Conflict) as error:
        return _list(artist, problem=error), 422
    flash(_("It is there, and hidden. Give it a picture and put it on sale."))
    return _back(artist, made)


@blueprint.get("/artists/<slug>/merchandise/<article_id>")
def article(slug: str, article_id: str) -> str:
    """One article."""
    artist, _who, row = _asked(slug, article_id)
    return _page(artist, row, _stored(row))


@blueprint.post("/artists/<slug>/merchandise/<article_id>")
def edit_article(slug: str, article_id: str) -> ResponseReturnValue:
    """Change what it is called and said of it, and whether it is sold."""
    artist, who, row = _asked(slug, article_id)
    sent = {name: request.form[name] for name in articles.FIELDS if name in request.form}
    try:
        articles.edit(row, sent, actor=who, now=clock.now(), made_from=forms.made_from())
    except Stale as error:
        now = articles.find(artist, row.id)
        return _page(artist, now, forms.contested(_stored(now), error)), 409
    except Invalid as error:
        return _page(artist, row, forms.filled(_stored(row), error)), 422
    flash(_("Saved."))
    return _back(artist, row)


@blueprint.post("/artists/<slug>/merchandise/<article_id>/variants")
def save_variants(slug: str, article_id: str) -> ResponseReturnValue:
    """Change, remove and add variants, all or none."""
    artist, _who, row = _asked(slug, article_id)
    try:
        variants.save(row, _rows(artist, row))
    except (Invalid, Conflict) as error:
        return _page(artist, row, _stored(row), problem=error), 422
    flash(_("Saved."))
    return _back(artist, row)


@blueprint.post("/artists/<slug>/merchandise/<article_id>/picture")
@bodies.takes_picture
def set_article_picture(slug: str, article_id: str) -> ResponseReturnValue:
    """A new picture."""
    artist, who, row = _asked(slug, article_id)
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise Invalid("Choose a picture first.", field="artwork")
        articles.set_picture(row, sent.stream, store=appliance().store, actor=who, now=clock.now())
    except Invalid as error:
        flash(told(error), "problem")
    else:
        flash(_("The picture is set."))
    return _back(artist, row)


def _asked(slug: str, article_id: str) -> tuple[Artist, User, Article]:
    artist, who = artist_with_money(slug)
    return artist, who, articles.find(artist, article_id[:26])


def _amount(field: str, artist: Artist) -> int:
    text = request.form.get(field, "").strip()
    try:
        if not text:
            raise Invalid("A price is an amount, or 0 for what is given away.")
        return currencies.minor(text, prices.currency_of(artist.id))
    except Invalid as error:
        error.field = field
        raise


def _stock(field: str) -> int | None:
    """What was typed; nothing for what is made to order, and what is no number is refused further down."""
    text = request.form.get(field, "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _options() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in ("first", "second"):
        option, values = (
            request.form.get(f"{name}_option", "").strip(),
            request.form.get(f"{name}_values", ""),
        )
        if option or values.strip():
            found[option] = values.replace("\n", ",").split(",")
    return found


def _rows(artist: Artist, row: Article) -> list[Row]:
    known = [one.id for one in variants.of_articles([row])[row.id] if f"price-{one.id}" in request.form]
    sent = [_row(artist, key) for key in known]
    if any(request.form.get(f"{name}-{NEW}", "").strip() for name in ROW):
        sent.append(_row(artist, NEW))
    return sent


def _row(artist: Artist, key: str) -> Row:
    def text(name: str) -> str:
        return request.form.get(f"{name}-{key}", "")

    return Row(
        id="" if key == NEW else key,
        first=text("first"),
        second=text("second"),
        sku=text("sku"),
        price_minor=_amount(f"price-{key}", artist),
        stock=_stock(f"stock-{key}"),
        shown_stock=_stock(f"shown-{key}"),
        remove=bool(text("remove")),
    )


def _stored(row: Article) -> forms.Form:
    values = {name: str(getattr(row, name) or "") for name in articles.FIELDS if name != "release"}
    return forms.Form(row.version, {**values, "release": row.release_id or ""}, [])


def _list(artist: Artist, *, problem: Exception | None = None) -> str:
    rows = articles.of_artist(artist)
    known = variants.of_articles(rows)
    currency = prices.currency_of(artist.id)
    return render_template(
        "studio/merchandise.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        articles=[
            (
                row.title,
                url_for("studio.article", slug=artist.slug, article_id=row.id),
                str(shown.STATES[shown.ArticleState(row.state)]),
                row.state,
                shown.cost(row, known[row.id], currency),
                _counted(known[row.id]),
            )
            for row in rows
        ],
        currency=currency,
        no_zones=not zones.of_artist(artist.id),
        sent=request.form,
        longest=(articles.LONGEST_TITLE, articles.LONGEST_OPTION),
        problem=problem,
    )


def _counted(rows: list[Variant]) -> str:
    if any(row.stock is None for row in rows):
        return _("made to order")
    return _("%(number)s in stock", number=sum(row.stock or 0 for row in rows))


def _page(artist: Artist, row: Article, form: forms.Form, *, problem: Exception | None = None) -> str:
    currency = prices.currency_of(artist.id)
    return render_template(
        "studio/article.html",
        artist=presentation.artist(artist),
        slug=artist.slug,
        id=row.id,
        title=row.title,
        seen=url_for("shop.article", artist=artist.slug, article=row.slug)
        if row.state in articles.SEEN
        else "",
        form=form,
        states={str(state): str(text) for state, text in shown.STATES.items()},
        releases=[("", _("No")), *((one.id, one.title) for one in releases.of_artist(artist))],
        picture={"cover": picture(row.picture_key)},
        options=(row.first_option, row.second_option),
        rows=[_cells(one, currency) for one in variants.of_articles([row])[row.id]],
        new={name: request.form.get(f"{name}-{NEW}", "") for name in ROW},
        currency=currency,
        longest=(articles.LONGEST_TITLE, articles.LONGEST_ABOUT, articles.LONGEST_OPTION, variants.LONGEST),
        problem=problem,
    )


def _cells(one: Variant, currency: str) -> dict[str, str]:
    """A row of the form: what was sent, else what is stored."""
    stock = "" if one.stock is None else str(one.stock)
    stored = {
        "first": one.first,
        "second": one.second,
        "sku": one.sku,
        "price": currencies.written(one.price_minor, currency),
        "stock": stock,
    }
    sent = {name: request.form.get(f"{name}-{one.id}", value) for name, value in stored.items()}
    if request.form.get(f"shown-{one.id}", stock) != stock:
        # Something was sold since the form was opened: the number is typed anew from what there is now, or sold pieces would be for sale again.
        sent["stock"] = stock
    return {**sent, "id": one.id, "shown": stock, "name": ", ".join(filter(None, (one.first, one.second)))}


def _back(artist: Artist, row: Article) -> ResponseReturnValue:
    return redirect(url_for("studio.article", slug=artist.slug, article_id=row.id), 303)
