"""The books after years: how long a page of a statement takes over a million entries of one payee, and how long the check of a million entries takes.

The rows are written past the product, as it would have written them: 250,000 payments of four entries each for the check (what fans
paid, the provider's fee, the collective's share, and what is owed), and one payee with a million entries for the statement. A
statement is measured as people meet it, by its page in the studio, over all days and in the middle of them.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from statistics import median

from appliance import database
from appliance import startup
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.ledger import checking
from appliance.ledger import settlement
from appliance.ledger import statements
from appliance.ledger.models import AccountKind
from appliance.ledger.settlement import Known
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.benchmarks.figures import Figure
from tests.servers import site
from web.app import create_app

ENTRIES = 1_000_000
STATEMENT_MS, CHECK_S = 200, 20
ROUNDS = 15
START = datetime(2020, 1, 1, tzinfo=UTC)
EACH_S = 180
KNOWN = Known(amount=1000, currency="EUR", fee=59, share_bps=1000)
PROVIDER = "demo"


@contextmanager
def running() -> Iterator[tuple[Appliance, Path]]:
    """The product on an empty SQLite database, and the file."""
    with tempfile.TemporaryDirectory() as name:
        settings = Settings(data=Path(name), queue_url="memory://")
        appliance = startup.start(settings, immediate=True)
        try:
            database.migrate()
            yield appliance, Path(name) / "musicconnect.sqlite3"
        finally:
            startup.stop()


def fill(path: Path, payee: str, payments: int) -> None:
    """Write so many payments for the artist *payee* and their four entries each."""
    books, artists = settlement.target(KNOWN)
    amounts = {
        (kind, "" if kind is AccountKind.PLATFORM_SHARE else PROVIDER): amount
        for kind, amount in books.items()
    }
    amounts[AccountKind.PAYABLE, payee] = -artists
    accounts = dict(enumerate(amounts.items(), start=1))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -200000")
    with connection:
        connection.executemany(
            "INSERT INTO ledger_account (id, kind, owner, currency, balance_minor, moved_at) VALUES (?, ?, ?, 'EUR', ?, ?)",
            (
                (number, kind, owner, amount * payments, _at(payments - 1))
                for number, ((kind, owner), amount) in accounts.items()
            ),
        )
        connection.executemany(
            "INSERT INTO payment (id, provider, reference, mark, artist, user, amount_minor, currency, tax_minor, fee_minor, share_bps, "
            "refunded_minor, contested_minor, lost_minor, dispute_fees_minor, paid_at, email, country, created_at, updated_at) "
            "VALUES (?, ?, ?, 'M', ?, '', 1000, 'EUR', 0, 59, 1000, 0, 0, 0, 0, ?, '', '', ?, ?)",
            ((_id(n), PROVIDER, f"pay_{n}", payee, _at(n), _at(n), _at(n)) for n in range(payments)),
        )
        connection.executemany(
            "INSERT INTO payment_line (payment_id, position, name, release, track, amount_minor, booked_minor, agreement) "
            "VALUES (?, 0, 'Low Tide', '', '', 1000, ?, '')",
            ((_id(n), artists) for n in range(payments)),
        )
        connection.executemany(
            "INSERT INTO ledger_transaction (id, key, kind, subject, at, memo) VALUES (?, ?, 'payment', ?, ?, '')",
            ((n + 1, f"payment:{_id(n)}#0", f"payment:{_id(n)}", _at(n)) for n in range(payments)),
        )
        connection.executemany(
            "INSERT INTO ledger_entry (transaction_id, account_id, amount_minor, after_minor, at) VALUES (?, ?, ?, ?, ?)",
            (
                (n + 1, number, amount, amount * (n + 1), _at(n))
                for n in range(payments)
                for number, (_line, amount) in accounts.items()
            ),
        )
        connection.execute(
            "INSERT INTO ledger_day (account_id, day, kind, amount_minor) SELECT account_id, substr(at, 1, 10), 'payment', SUM(amount_minor) "
            "FROM ledger_entry WHERE account_id = ? GROUP BY account_id, substr(at, 1, 10)",
            (len(accounts),),
        )
        connection.execute("ANALYZE")
    connection.close()


def run() -> list[Figure]:
    """The statement of a payee with a million entries, by its page; the check of a million entries."""
    return [*_statement(), _check()]


def _statement() -> Iterator[Figure]:
    with running() as (appliance, path):
        owner = site.make_person(roles=(RoleName.ADMIN,), scopes=tuple(Scope))
        artist = site.make_artist(owner)
        fill(path, artist.id, ENTRIES)
        client = create_app(appliance).test_client()
        last = START + timedelta(seconds=EACH_S * ENTRIES)
        middle = statements.of(artist.id, "EUR", first=date.min, last=(START + timedelta(days=900)).date())
        for told, query in (
            ("its first page", ""),
            ("a page in the middle", f"&after={middle.last_entry}"),
        ):
            address = f"/studio/artists/{artist.slug}/statement?currency=EUR&first=2000-01-01&last={last.date()}{query}"
            times, own = [], []
            for _ in range(ROUNDS):
                began, worked = time.perf_counter(), time.process_time()
                answer = client.get(address, headers=owner.headers)
                times.append(1000 * (time.perf_counter() - began))
                own.append(1000 * (time.process_time() - worked))
                assert answer.status_code == 200, answer.status_code
                assert answer.get_data(as_text=True).count("Low Tide") == statements.ON_A_PAGE
            yield Figure(
                f"A statement over {ENTRIES:,} entries: {told}",
                median(times),
                STATEMENT_MS,
                True,
                "ms",
                f"all days of six years; {median(own):.0f} ms of processor time",
            )


def _check() -> Figure:
    with running() as (_appliance, path):
        payments = ENTRIES // 4
        fill(path, "A" * 26, payments)
        began, worked = time.perf_counter(), time.process_time()
        found = checking.differences()
        seconds, own = time.perf_counter() - began, time.process_time() - worked
        assert found == [], found[:3]
        return Figure(
            f"The check of {ENTRIES:,} entries",
            seconds,
            CHECK_S,
            True,
            "s",
            f"{payments:,} payments in SQLite; {own:.1f} s of processor time",
        )


def _id(number: int) -> str:
    return f"P{number:025d}"


def _at(number: int) -> str:
    return (START + timedelta(seconds=EACH_S * number)).replace(tzinfo=None).isoformat(sep=" ")
