"""The index of one kind of thing, by words: FTS5 in SQLite, a tsvector with GIN in PostgreSQL.

A row an entry. Its *words* hold each word up to three times, with a letter before it that says where it stands: ``t`` in the title, ``n``
in the title or a name near it (the artist of a track), ``a`` anywhere. So a search in titles is a search like any other, and no
engine has to look at where in a text a word was found. The database keeps the engine's own index in step with the rows (triggers in SQLite, a
generated column in PostgreSQL, both made by the migration).

Every question is answered by a few scans that end after so many hits, newest first: what is asked for costs the same however
much there is.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from appliance.database import Base
from appliance.database import proxy
from appliance.search.words import words

MOST_WORDS_ASKED = 12
LONGEST_TITLE = 200
_AT_ONCE = 500
_TIERS = (("t", False), ("t", True), ("n", True), ("a", True))
"""Where all words are looked for, best first, and whether the beginning of a word is enough."""


class IndexedThing(Base):
    """Something that can be found: *subject* is its id, *title* its title folded, *words* what it is found by."""

    id = peewee.BigAutoField()
    subject = peewee.CharField(max_length=100, unique=True)
    title = peewee.CharField(max_length=LONGEST_TITLE)
    words = peewee.TextField()


class IndexedArtist(IndexedThing):
    """An artist of whom something is public."""

    class Meta:
        table_name = "search_artist"
        indexes = ((("title", "id"), False),)


class IndexedRelease(IndexedThing):
    """A public release."""

    class Meta:
        table_name = "search_release"
        indexes = ((("title", "id"), False),)


class IndexedTrack(IndexedThing):
    """A track of a public release that can be heard."""

    class Meta:
        table_name = "search_track"
        indexes = ((("title", "id"), False),)


class IndexedTag(IndexedThing):
    """A genre or tag that a public release has."""

    class Meta:
        table_name = "search_tag"
        indexes = ((("title", "id"), False),)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one thing is found by: its own *title*, names *near* it, and all else that is said *about* it."""

    subject: str
    title: str
    near: str = ""
    about: str = ""


class SearchIndex:
    """The things of one kind, found by their words."""

    def __init__(self, model: type[IndexedThing]) -> None:
        self.model = model
        self._table = model._meta.table_name

    def put(self, entries: Iterable[Entry]) -> None:
        """Make these what is found for their subjects; what is unchanged is not written. In the transaction of the caller."""
        wanted = {entry.subject: row_of(entry) for entry in entries}
        for names in peewee.chunked(wanted, _AT_ONCE):
            stored = {
                row.subject: row for row in self.model.select().where(self.model.subject.in_(list(names)))
            }
            fresh = [wanted[name] for name in names if name not in stored]
            if fresh:
                self.model.insert_many(fresh).execute()
            for name, row in stored.items():
                if (row.title, row.words) != (wanted[name]["title"], wanted[name]["words"]):
                    self.model.update(wanted[name]).where(self.model.id == row.id).execute()

    def remove(self, subjects: Iterable[str]) -> None:
        """Let these be found no more. In the transaction of the caller."""
        for names in peewee.chunked(subjects, _AT_ONCE):
            self.model.delete().where(self.model.subject.in_(list(names))).execute()

    def clear(self) -> None:
        """Forget everything."""
        self.model.delete().execute()

    def find(self, query: str, *, limit: int) -> list[str]:
        """The subjects that have all words of *query*, best first: title, then names near it, then the rest; newer before older.

        Whatever is asked is only a list of words: no sign in it means anything to an engine.
        """
        asked = words(query)[:MOST_WORDS_ASKED]
        if not asked:
            return []
        found: dict[str, None] = {}
        for rows in self._scans(" ".join(asked), asked, limit):
            found.update(dict.fromkeys(rows))
            if len(found) >= limit:
                break
        return list(found)[:limit]

    def by_title(
        self, *, limit: int, after: tuple[str, int] | None = None
    ) -> list[tuple[str, tuple[str, int]]]:
        """Subjects in the order of their titles, each with its place; *after* is the place of the last one seen (keyset)."""
        rows = self._asked_rows(
            f"SELECT subject, title, id FROM {self._table} WHERE (title, id) > (?, ?) "  # noqa: S608
            "ORDER BY title, id LIMIT ?",
            [*(after or ("", 0)), limit],
        )
        return [(subject, (title, place)) for subject, title, place in rows]

    def newest(self, *, limit: int) -> list[str]:
        """The subjects that came in last, newest first."""
        return self._asked(f"SELECT subject FROM {self._table} ORDER BY id DESC LIMIT ?", [limit])  # noqa: S608

    def _scans(self, line: str, asked: Sequence[str], limit: int) -> Iterable[list[str]]:
        line = line[:LONGEST_TITLE]
        exact = f"SELECT subject FROM {self._table} WHERE title = ? ORDER BY id DESC LIMIT ?"  # noqa: S608
        yield self._asked(exact, [line, limit])
        for place, beginning in _TIERS:
            hits = self._having([f"{place}{word}" for word in asked], beginning=beginning, limit=limit)
            # Of one tier those whose title begins so come first; sorting keeps the newer before the older.
            yield [subject for subject, title in sorted(hits, key=lambda hit: not hit[1].startswith(line))]

    def _having(self, wanted: Sequence[str], *, beginning: bool, limit: int) -> list[tuple[Any, ...]]:
        """Subject and title of the newest that have all *wanted* words, or words that begin so."""
        # Words are letters, digits and pictures alone (see words.py), so quotes around them are enough in both languages.
        if isinstance(proxy.obj, peewee.SqliteDatabase):
            match = " AND ".join(f'"{word}"*' if beginning else f'"{word}"' for word in wanted)
            return self._asked_rows(
                f"SELECT e.subject, e.title FROM {self._table}_words JOIN {self._table} e "  # noqa: S608
                f"ON e.id = {self._table}_words.rowid WHERE {self._table}_words MATCH ? "
                f"ORDER BY {self._table}_words.rowid DESC LIMIT ?",
                [match, limit],
            )
        match = " & ".join(f"'{word}':*" if beginning else f"'{word}'" for word in wanted)
        return self._asked_rows(
            f"SELECT subject, title FROM {self._table} WHERE lexemes @@ ?::tsquery ORDER BY id DESC LIMIT ?",  # noqa: S608
            [match, limit],
        )

    def _asked(self, sql: str, values: list[object]) -> list[str]:
        return [row[0] for row in self._asked_rows(sql, values)]

    def _asked_rows(self, sql: str, values: list[object]) -> list[tuple[Any, ...]]:
        if not isinstance(proxy.obj, peewee.SqliteDatabase):
            sql = sql.replace("?", "%s")
        rows: list[tuple[Any, ...]] = proxy.execute_sql(sql, values).fetchall()
        return rows


def row_of(entry: Entry) -> dict[str, str]:
    """The row that *entry* becomes."""
    title = words(entry.title)
    near = dict.fromkeys([*title, *words(entry.near)])
    everything = dict.fromkeys([*near, *words(entry.about)])
    marked = [*(f"t{word}" for word in dict.fromkeys(title)), *(f"n{word}" for word in near)]
    marked += (f"a{word}" for word in everything)
    return {
        "subject": entry.subject,
        "title": " ".join(title)[:LONGEST_TITLE],
        "words": " ".join(marked),
    }


ARTISTS = SearchIndex(IndexedArtist)
RELEASES = SearchIndex(IndexedRelease)
TRACKS = SearchIndex(IndexedTrack)
TAGS = SearchIndex(IndexedTag)
INDEXES = (ARTISTS, RELEASES, TRACKS, TAGS)
