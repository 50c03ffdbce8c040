"""Which snapshots stay."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from appliance.backup import retention
from appliance.settings import Settings

RULES = retention.read(Settings().backup_keep)
START = datetime(2026, 1, 1, tzinfo=UTC)


def every(minutes: int, *, days: int) -> list[tuple[str, datetime]]:
    count = days * 24 * 60 // minutes
    return [(str(number), START + timedelta(minutes=minutes * number)) for number in range(count)]


def test_the_usual_rules_are_read() -> None:
    assert RULES == {"latest": 8, "hourly": 24, "daily": 7, "weekly": 5, "monthly": 12}


def test_of_a_year_of_quarters_of_an_hour_some_fifty_stay() -> None:
    taken = every(15, days=365)
    at = dict(taken)
    stay = sorted((at[name] for name in retention.kept(taken, RULES)), reverse=True)
    newest = taken[-1][1]
    assert stay[0] == newest
    assert stay[:8] == [newest - timedelta(minutes=15 * number) for number in range(8)]
    assert {f"{one:%Y-%m}" for one in stay} == {f"2026-{month:02}" for month in range(1, 13)}
    for day in range(7):
        assert newest.date() - timedelta(days=day) in {one.date() for one in stay}
    assert 40 <= len(stay) <= 56


def test_the_newest_stays_whatever_the_rules_are() -> None:
    assert retention.kept(every(60, days=1), {"daily": 0}) == {"23"}
    assert retention.kept([], RULES) == set()


@given(st.lists(st.integers(0, 10**6), max_size=60, unique=True))
def test_what_goes_once_is_not_missed_later(minutes: list[int]) -> None:
    """To forget after every backup comes to the same as to forget once at the end, in what is kept of the newest."""
    taken = [(str(minute), START + timedelta(minutes=minute)) for minute in sorted(minutes)]
    held: list[tuple[str, datetime]] = []
    for one in taken:
        held.append(one)
        stay = retention.kept(held, RULES)
        held = [kept for kept in held if kept[0] in stay]
    assert {name for name, _ in held} >= retention.kept(taken, RULES)
