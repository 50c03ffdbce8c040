"""One act on the tables of the plugin: when it is, and of what it will tell when it is over."""

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Act:
    """An act at *now*; *about* are the things that it changed, such as ``demand:01J…``."""

    now: datetime
    about: list[str] = field(default_factory=list)

    def tell(self, *about: str) -> None:
        """Tell of these when the act is over."""
        self.about.extend(one for one in about if one not in self.about)
