"""Papers that go with a letter: named when it is written, drawn when it is sent, so that no database keeps what can be drawn again."""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Paper:
    """A PDF and the *name* of its file."""

    name: str
    content: bytes


_drawing: dict[str, Callable[[str], Paper]] = {}


def declare(kind: str, draw: Callable[[str], Paper]) -> None:
    """Make a kind of papers known; *draw* takes the id of one."""
    _drawing[kind] = draw


def drawn(attached: str) -> Paper:
    """The paper of this name, such as ``receipt:ID``; ``Unavailable`` where nobody can draw it, so that the letter waits and does not go without."""
    kind, _, paper_id = attached.partition(":")
    if kind not in _drawing:
        raise Unavailable("Nobody here can draw what goes with this message.")
    return _drawing[kind](paper_id)
