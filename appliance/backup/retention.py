"""Which snapshots stay: the last few, and the last of each hour, day, week and month, for as many of these as the setting says."""

from collections.abc import Callable
from collections.abc import Iterable
from datetime import datetime

_PERIODS: dict[str, Callable[[datetime], str]] = {
    "latest": lambda at: at.isoformat(),
    "hourly": lambda at: f"{at:%Y-%m-%dT%H}",
    "daily": lambda at: f"{at:%Y-%m-%d}",
    "weekly": lambda at: f"{at:%G-%V}",
    "monthly": lambda at: f"{at:%Y-%m}",
}


def read(text: str) -> dict[str, int]:
    """How many of which, out of words such as ``24 hourly, 7 daily``, as the setting allows them."""
    found: dict[str, int] = {}
    for part in text.split(","):
        count, period = part.split()
        found[period] = int(count)
    return found


def kept(snapshots: Iterable[tuple[str, datetime]], rules: dict[str, int]) -> set[str]:
    """Pure: the names of those that stay; the newest always does."""
    newest_first = sorted(snapshots, key=lambda one: one[1], reverse=True)
    stay = {name for name, _ in newest_first[:1]}
    for period, count in rules.items():
        seen: set[str] = set()
        for name, at in newest_first:
            place = _PERIODS[period](at)
            if place not in seen and len(seen) < count:
                seen.add(place)
                stay.add(name)
    return stay
