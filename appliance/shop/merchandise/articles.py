"""Articles: made and changed by an artist's people, found by their address."""

from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO

import peewee

from appliance import database
from appliance.accounts import audit
from appliance.accounts.audit import Action
from appliance.accounts.models import User
from appliance.catalog import artwork
from appliance.catalog import members
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.versions import Stale
from appliance.catalog.wording import clean_line
from appliance.catalog.wording import clean_text
from appliance.catalog.wording import slugify
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound
from appliance.shop.merchandise import variants
from appliance.shop.merchandise.models import Article
from appliance.shop.merchandise.models import ArticleState
from appliance.shop.merchandise.models import Variant
from appliance.storage import ObjectStore

MOST_ARTICLES = 200
LONGEST_TITLE, LONGEST_ABOUT, LONGEST_OPTION = 200, 5_000, 40
FIELDS = ("title", "about", "state", "first_option", "second_option", "release")
SEEN = (ArticleState.FOR_SALE, ArticleState.SOLD_OUT)
"""What fans see."""


def make(
    artist: Artist,
    title: str,
    *,
    price_minor: int,
    stock: int | None = None,
    options: Mapping[str, list[str]] | None = None,
    actor: User,
    now: datetime,
) -> Article:
    """A new article, hidden at first, with a variant for each combination of its *options*: ``{"Size": ["S", "M"]}``."""
    named = clean_line(title, field="title", longest=LONGEST_TITLE)
    wanted = {_option(name): values for name, values in (options or {}).items()}
    if len(wanted) > 2:
        raise Invalid("An article has at most two options, such as a size and a colour.", field="option")
    with transaction():
        members.hold(artist)
        taken = {row.slug for row in Article.select(Article.slug).where(Article.artist == artist.id)}
        if len(taken) >= MOST_ARTICLES:
            raise Conflict("An artist has at most {most} articles.", most=MOST_ARTICLES)
        names = [*wanted, "", ""]
        made: Article = Article.create(
            artist=artist.id,
            slug=_free(slugify(named, fallback="article"), taken),
            title=named,
            first_option=names[0],
            second_option=names[1],
            created_at=now,
            updated_at=now,
        )
        variants.combine(made, list(wanted.values()), price_minor=price_minor, stock=stock)
        _note(made, actor=actor, now=now)
    return made


def edit(
    article: Article,
    fields: Mapping[str, object],
    *,
    actor: User,
    now: datetime,
    made_from: int | None = None,
) -> None:
    """Change what *fields* names; ``Stale`` when somebody else was faster than a change that was *made_from* an older version."""
    values = {name: _read(article, name, value) for name, value in fields.items()}
    with transaction():
        held = database.locked(Article.select(Article.version).where(Article.id == article.id)).get()
        if made_from not in {None, held.version}:
            raise Stale
        Article.update(version=Article.version + 1, updated_at=now, **values).where(
            Article.id == article.id
        ).execute()
        _note(article, actor=actor, now=now)


def set_picture(
    article: Article, picture: BinaryIO, *, store: ObjectStore, actor: User, now: datetime
) -> None:
    """Give the article a picture, its middle square; ``Invalid`` tells what is wrong with it."""
    key, _colour = artwork.put_sizes(picture, folder=f"artwork/{article.id}", store=store)
    with transaction():
        Article.update(picture_key=key, updated_at=now).where(Article.id == article.id).execute()
        _note(article, actor=actor, now=now)


def find(artist: Artist, article_id: str) -> Article:
    """The article of this artist with this id, whatever its state; ``NotFound`` for any other."""
    return _one(Article.id == article_id, artist)


def find_seen(artist: Artist, slug: str) -> Article:
    """The article at this address, for everybody; ``NotFound`` for what is hidden."""
    return _one((Article.slug == slug) & Article.state.in_(SEEN), artist)


def of_artist(artist: Artist) -> list[Article]:
    """All articles of this artist, the newest first, the archived ones last."""
    rows = Article.select().where(Article.artist == artist.id).order_by(Article.id.desc())
    return sorted(rows, key=lambda row: row.state == ArticleState.ARCHIVED)


def shelf(artist: Artist, *, limit: int) -> list[Article]:
    """What fans see of it, the newest first, what is sold out last."""
    rows = (
        Article.select()
        .where(Article.artist == artist.id, Article.state.in_(SEEN))
        .order_by(Article.id.desc())
    )
    return sorted(rows.limit(limit), key=lambda row: row.state == ArticleState.SOLD_OUT)


def folders() -> tuple[str, ...]:
    """Where the pictures of articles lie in the store: the clean-up must leave them."""
    rows = Article.select(Article.picture_key).where(Article.picture_key != "")
    return tuple(f"{row.picture_key}/" for row in rows)


def _one(here: "peewee.Expression", artist: Artist) -> Article:
    article: Article | None = Article.get_or_none(here, Article.artist == artist.id)
    if article is None:
        raise NotFound("There is no such article.")
    return article


def _read(article: Article, name: str, value: object) -> object:
    match name:
        case "title":
            return clean_line(value, field=name, longest=LONGEST_TITLE)
        case "about":
            return clean_text(value, field=name, longest=LONGEST_ABOUT)
        case "state":
            if value not in set(ArticleState):
                raise Invalid("An article is hidden, for sale, sold out or archived.", field=name)
            return value
        case "first_option" | "second_option":
            return _renamed(article, name, value)
        case "release":
            return _release(article, value)
    raise Invalid("An article has no field '{name}' that can be set.", name=name[:60], field=name[:60])


def _renamed(article: Article, name: str, value: object) -> str:
    column = Variant.first if name == "first_option" else Variant.second
    used = Variant.select().where(Variant.article == article.id, column != "").exists()
    return (
        _option(value, field=name)
        if used
        else clean_line(value, field=name, longest=LONGEST_OPTION, required=False)
    )


def _option(value: object, field: str = "option") -> str:
    name = clean_line(value, field=field, longest=LONGEST_OPTION, required=False)
    if not name:
        raise Invalid("Say what one chooses between, such as Size.", field=field)
    return name


def _release(article: Article, value: object) -> str | None:
    if not value:
        return None
    row: Release = releases.find(str(value))
    if row.artist_id != article.artist_id:
        raise NotFound("There is no such release.")
    return row.id


def _free(wanted: str, taken: set[str]) -> str:
    numbered = (f"{wanted[:50].rstrip('-')}-{number}" for number in range(2, len(taken) + 3))
    return wanted if wanted not in taken else next(slug for slug in numbered if slug not in taken)


def _note(article: Article, *, actor: User, now: datetime) -> None:
    audit.record(
        Action.ARTICLE_CHANGED,
        actor=actor.id,
        subject=f"artist:{article.artist_id}",
        now=now,
        detail={"article": article.id},
    )
