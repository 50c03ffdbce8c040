"""Reading the fields of a body: each is of the kind it must be, or ``Invalid`` names it."""

from collections.abc import Collection
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from appliance.errors import Invalid
from web.api import routing

MOST = 10**12
LONGEST = 20_000


def only(sent: Mapping[str, Any], known: Collection[str]) -> None:
    """``Invalid`` for a field that nobody knows: one that is mistyped must not be taken for one that was left out."""
    for name in sent:
        if name not in known:
            raise Invalid(
                "There is no field '{name}' here; there are {known}.",
                name=name[:60].encode("ascii", "replace").decode(),
                known=", ".join(known),
            )


def text(sent: Mapping[str, Any], name: str, *, default: str = "") -> str:
    """A text that can be stored, without the blanks around it; the *default* where it is left out or null."""
    found = sent.get(name)
    if found is None:
        return default
    if not isinstance(found, str) or len(found) > LONGEST:
        raise Invalid("'{name}' is a text.", name=name, field=name)
    try:
        found.encode()
    except UnicodeEncodeError:
        found = "\0"
    if "\0" in found:
        raise Invalid("'{name}' holds a character that cannot be stored.", name=name, field=name)
    return found.strip()


def whole(sent: Mapping[str, Any], name: str) -> int | None:
    """A whole number from 0 on, such as an amount in minor units; ``None`` where it is left out or null."""
    found = sent.get(name)
    if found is None:
        return None
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= MOST:
        raise Invalid("'{name}' is a whole number from 0 on.", name=name, field=name)
    return found


def flag(sent: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """True or false; the *default* where it is left out or null."""
    found = sent.get(name)
    if found is None:
        return default
    if not isinstance(found, bool):
        raise Invalid("'{name}' is true or false.", name=name, field=name)
    return found


def instant(sent: Mapping[str, Any], name: str) -> datetime | None:
    """An instant with its zone; ``None`` where it is left out or null."""
    return None if sent.get(name) is None else routing.instant(sent, name)
