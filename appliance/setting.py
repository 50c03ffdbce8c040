"""One row of the settings: what may be set and what it is for; the core and the plugins declare theirs as such."""

import re
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appliance.errors import Invalid

_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: what may be set, of which type, between which bounds, and what it is for."""

    name: str
    type: type
    default: Any
    help: str
    secret: bool = False
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    form: str = ""

    def allowed(self) -> str:
        """What may be written, in words, for an error message or a page of the manual."""
        if self.form:
            return self.form
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.type is bool:
            return "true or false"
        if self.type is int:
            if self.minimum is not None and self.maximum is not None:
                return f"a whole number from {self.minimum} to {self.maximum}"
            if self.maximum is not None:
                return f"a whole number up to {self.maximum}"
            return "a whole number" if self.minimum is None else f"a whole number from {self.minimum} upwards"
        if self.type is tuple:
            return "names separated by commas"
        return "a path" if self.type is Path else "a text"

    def shown(self, value: object) -> str:
        """*value* as it may be printed: a secret is never spelled out."""
        if self.secret:
            return "(set)" if value else "(not set)"
        if isinstance(value, tuple):
            return ",".join(value)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def read(self, raw: object, *, source: str) -> Any:
        """*raw* as this setting's type; ``Invalid`` names the setting, the value and what is allowed."""
        value = self._convert(raw)
        wrong = value is None
        if isinstance(value, int) and not isinstance(value, bool):
            wrong = (self.minimum is not None and value < self.minimum) or (
                self.maximum is not None and value > self.maximum
            )
        if self.choices and value not in self.choices:
            wrong = True
        if self.pattern and isinstance(value, str) and not re.fullmatch(self.pattern, value):
            wrong = True
        if wrong:
            told = "(a secret)" if self.secret else repr(raw)
            raise Invalid(
                f"The setting '{self.name}' is {told} in {source}; allowed is {self.allowed()}.",
                field=self.name,
            )
        if self.secret and isinstance(value, str) and self.name.endswith("_url") and not can_be_read(value):
            raise Invalid(
                f"The setting '{self.name}' in {source} is an address whose parts cannot be told apart; "
                "write / ? # of a password in per cent, such as %2F, and ports as numbers up to 65535.",
                field=self.name,
            )
        return value

    def _convert(self, raw: object) -> Any:
        if self.type is bool:
            return raw if isinstance(raw, bool) else _WORDS.get(str(raw).strip().lower())
        if self.type is int:
            if isinstance(raw, bool):
                return None
            try:
                return int(str(raw).strip())
            except ValueError:
                return None
        if self.type is tuple:
            parts = raw.split(",") if isinstance(raw, str) else raw
            if not isinstance(parts, Iterable) or isinstance(parts, Mapping):
                return None
            return tuple(str(part).strip() for part in parts if str(part).strip())
        if not isinstance(raw, str | Path) or "\0" in str(raw):
            return None
        # An empty path would be the working folder, which nobody means.
        if self.type is Path and not str(raw).strip():
            return None
        return Path(raw).expanduser() if self.type is Path else str(raw)


def can_be_read(address: str) -> bool:
    """Pure: whether it is clear which host, port and database an address means, so that nothing of a password is taken for one of them, and told."""
    if "://" not in address:
        return True  # A folder.
    try:
        parts = urlsplit(address)
        # PostgreSQL's may name several hosts.
        for host in parts.netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port
    except ValueError:
        return False
    if parts.scheme in {"redis", "rediss"}:
        return not parts.fragment and re.fullmatch(r"/?|/[0-9]+", parts.path) is not None
    return True
