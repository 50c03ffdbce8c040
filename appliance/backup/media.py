"""The media of a snapshot: the store is walked beside the list of before, and only what is not on it is read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

from appliance.backup import listing
from appliance.backup.listing import Entry
from appliance.backup.listing import Pages
from appliance.backup.pieces import Pieces
from appliance.backup.pieces import Writer
from appliance.errors import NotFound
from appliance.storage import ObjectStore
from appliance.storage import Seen
from appliance.storage.streams import blocks

log = logging.getLogger(__name__)

LEFT_OUT = ("downloads/", "artwork/cards/", "uploads/", "_check/")
"""Made anew from what is backed up when somebody asks for it, on its way in, or of no use a moment later."""


@dataclass(frozen=True, slots=True)
class Copied:
    """The list that a walk came to."""

    pages: Pages
    objects: int
    object_bytes: int
    read: int
    vanished: int
    damaged: tuple[str, ...]


def copy(
    store: ObjectStore,
    pieces: Pieces,
    before: Iterable[Entry],
    *,
    keep_gone: bool = False,
    tick: Callable[[], None],
) -> Copied:
    """Store what is not in *before*, and list all; with *keep_gone* what was in *before* stays on the list though it is gone.

    An object is replaced in one step and never changed, so one with the size and the mark of before has the bytes of before.
    """
    list_ = listing.Writer(pieces)
    read = vanished = 0
    damaged: list[str] = []
    for old, seen in _side_by_side(before, store.walk("")):
        if seen is None:
            if old is not None and keep_gone:
                list_.add(old)
            continue
        if seen.key.startswith(LEFT_OUT):
            continue
        if old is not None and _is_same(old, seen) and not pieces.distrust:
            list_.add(old)
            continue
        try:
            entry, whole = _stored(store, pieces, seen, tick)
            read += 1
            if not whole:
                damaged.append(seen.key)
                # The copy of before is the good one. Where there is none, damaged bytes are better than none.
                kept = old if old is not None and old.blob.sha256 != entry.blob.sha256 else entry
                # Without a mark it is read, and told, each time.
                entry = replace(kept, mark="")
            list_.add(entry)
        except NotFound:
            # Removed since it was listed.
            vanished += 1
            if old is not None and keep_gone:
                list_.add(old)
    return Copied(list_.finish(), list_.objects, list_.object_bytes, read, vanished, tuple(damaged))


def _stored(store: ObjectStore, pieces: Pieces, seen: Seen, tick: Callable[[], None]) -> tuple[Entry, bool]:
    """The object in pieces, and whether it is what was once put."""
    about = store.stat(seen.key)
    writer = Writer(pieces, tick=tick)
    with store.open(seen.key) as stream:
        for block in blocks(stream):
            writer.write(block)
    blob = writer.finish()
    # Replaced while it was read, it is another one, and the next walk reads it again.
    whole = blob.sha256 == about.sha256 or store.stat(seen.key) != about
    # A mark of before the reading: had it been replaced meanwhile, the next walk sees another one.
    return Entry(seen.key, about.content_type, seen.mark, blob), whole


def _is_same(old: Entry, seen: Seen) -> bool:
    return old.blob.size_bytes == seen.size_bytes and old.mark == seen.mark


def _side_by_side(
    before: Iterable[Entry], walk: Iterable[Seen]
) -> Iterator[tuple[Entry | None, Seen | None]]:
    """Both lists in the order of their keys, each key once."""
    olds, news = iter(before), iter(walk)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old.key < new.key):
            yield old, None
            old = next(olds, None)
        elif old is None or new.key < old.key:
            yield None, new
            new = next(news, None)
        else:
            yield old, new
            old, new = next(olds, None), next(news, None)
