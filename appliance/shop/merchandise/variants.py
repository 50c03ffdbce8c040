"""Variants of an article: what each combination of options costs, and how many there are.

What is typed as the stock is taken as a change of what was shown: what fans bought while the form was open stays bought.
"""

import itertools
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.catalog.wording import clean_line
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.shop import prices
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import ArticleState
from appliance.shop.merchandise.models import Variant

MOST_VARIANTS, MOST_STOCK = 100, 1_000_000
LONGEST = 40


@dataclass(frozen=True, slots=True)
class Row:
    """A variant as a form sends it: *shown_stock* is what stood there when the form was made; without an *id* it is a new one."""

    id: str
    first: str
    second: str
    sku: str
    price_minor: int
    stock: int | None
    shown_stock: int | None = None
    remove: bool = False


def combine(
    article: Article, values: Sequence[Iterable[str]], *, price_minor: int, stock: int | None
) -> None:
    """A variant for each combination of the values of the options; one alone where there are none."""
    cleaned = [list(dict.fromkeys(filter(None, map(_value, names)))) for names in values]
    if not all(cleaned):
        raise Invalid("Say what one chooses from, such as S, M, L.", field="values")
    for first, second in itertools.product(*[*cleaned, [""], [""]][:2]):
        _add(article, Row("", first, second, "", price_minor, stock))


def save(article: Article, rows: Sequence[Row]) -> None:
    """Change, add and remove variants, all or none; an article keeps at least one. Errors name the field with the row's id."""
    with transaction():
        # Whoever changes the same article waits.
        Article.update(version=Article.version).where(Article.id == article.id).execute()
        for row in rows:
            try:
                _save(article, row)
            except Invalid as error:
                error.field = f"{error.field}-{row.id or 'new'}"
                raise
        if not Variant.select().where(Variant.article == article.id).exists():
            raise Conflict("An article has at least one variant. Archive it to sell it no more.")


def of_articles(articles: Iterable[Article]) -> dict[str, list[Variant]]:
    """The variants of each article in their order, by the article's id; by one query."""
    found: dict[str, list[Variant]] = {row.id: [] for row in articles}
    query = Variant.select().where(Variant.article.in_(list(found))).order_by(Variant.position, Variant.id)
    for variant in query if found else ():
        found[variant.article_id].append(variant)
    return found


def is_left(article: Article, variant: Variant) -> bool:
    """Pure: whether one can buy it."""
    return article.state == ArticleState.FOR_SALE and (variant.stock is None or variant.stock > 0)


def named(article: Article, variant: Variant) -> str:
    """Pure: what a variant is called: ``T-shirt (M, black)``."""
    options = ", ".join(filter(None, (variant.first, variant.second)))
    return f"{article.title} ({options})" if options else article.title


def _save(article: Article, row: Row) -> None:
    if not row.id:
        _add(article, row)
        return
    here = (Variant.id == row.id) & (Variant.article == article.id)
    if row.remove:
        Variant.delete().where(here).execute()
        return
    values = _checked(article, row)
    _require_alone(article, values, besides=row.id)
    if row.stock is None or row.shown_stock is None:
        if row.stock != row.shown_stock:
            values["stock"] = row.stock
        Variant.update(**values).where(here).execute()
        return
    # NULL stays NULL: whoever made it to order meanwhile is not overruled by a number that was typed before.
    more = row.stock - row.shown_stock
    enough = Variant.stock.is_null() | (Variant.stock + more >= 0)
    changed = Variant.update(**values, stock=Variant.stock + more).where(here, enough).execute()
    if not changed and Variant.select().where(here).exists():
        raise Invalid("Fans bought some while you counted; look at the stock again.", field="stock")


def _add(article: Article, row: Row) -> None:
    values = _checked(article, row)
    there = Variant.select().where(Variant.article == article.id).count()
    if there >= MOST_VARIANTS:
        raise Conflict("An article has at most {most} variants.", most=MOST_VARIANTS)
    _require_alone(article, values)
    last = (
        Variant.select(Variant.position)
        .where(Variant.article == article.id)
        .order_by(Variant.position.desc())
        .first()
    )
    position = last.position + 1 if last else 0
    Variant.create(article=article.id, position=position, stock=row.stock, **values)


def _checked(article: Article, row: Row) -> dict[str, object]:
    if row.stock is not None and not 0 <= row.stock <= MOST_STOCK:
        raise Invalid("The stock is a number from 0 to {most:,}, or empty for what is made to order.", most=MOST_STOCK, field="stock")  # fmt: skip
    return {
        "first": _value(row.first, field="first", required=bool(article.first_option)),
        "second": _value(row.second, field="second", required=bool(article.second_option)),
        "sku": clean_line(row.sku, field="sku", longest=LONGEST, required=False),
        "price_minor": prices.checked(row.price_minor, prices.currency_of(article.artist_id)),
    }


def _require_alone(article: Article, values: dict[str, object], besides: str = "") -> None:
    same = (Variant.first == values["first"]) & (Variant.second == values["second"])
    if Variant.select().where(Variant.article == article.id, Variant.id != besides, same).exists():
        raise Invalid("There is such a variant already.", field="first")


def _value(text: object, field: str = "values", *, required: bool = False) -> str:
    value = clean_line(text, field=field, longest=LONGEST, required=False)
    if required and not value:
        raise Invalid("Say which one it is.", field=field)
    return value
