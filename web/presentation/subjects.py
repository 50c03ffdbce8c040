"""Genres and tags, with the addresses of their pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from appliance.catalog import topics as catalog_topics
from appliance.catalog.topics import Topic
from appliance.catalog.topics import TopicKind


@dataclass(frozen=True, slots=True)
class TopicView:
    """A genre or tag and how many releases have it."""

    name: str
    url: str
    count: int
    kind: str


def topics(rows: Iterable[Topic]) -> list[TopicView]:
    """Genres and tags, in the order of their names."""
    shown = [TopicView(row.name, _page(row.kind, row.slug), row.count, row.kind) for row in rows]
    return sorted(shown, key=lambda view: view.name.casefold())


def genre_page(name: str) -> str:
    """The page of a genre by its name; empty where no page can be."""
    slug = catalog_topics.slug_of(name)
    return _page(TopicKind.GENRE, slug) if slug else ""


def tag_page(name: str) -> str:
    """The page of a tag by its name; empty where no page can be."""
    slug = catalog_topics.slug_of(name)
    return _page(TopicKind.TAG, slug) if slug else ""


def _page(kind: str, slug: str) -> str:
    return f"/{'genres' if kind == TopicKind.GENRE else 'tags'}/{quote(slug)}"
