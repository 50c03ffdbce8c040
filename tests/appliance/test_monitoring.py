"""What the database tells monitors: sums by kinds, on both engines; as many values with ten thousand artists as with one; and of nobody."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from datetime import datetime
from datetime import timedelta

import peewee
import pytest

from appliance import clock
from appliance import database
from appliance import jobs
from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.catalog.models import Track
from appliance.collective import storage_use
from appliance.collective.models import StorageUse
from appliance.database import new_id
from appliance.jobs import Job
from appliance.jobs import JobState
from appliance.ledger.models import Account
from appliance.ledger.models import AccountKind
from appliance.memberships.models import Membership
from appliance.memberships.models import Origin
from appliance.memberships.models import Tier
from appliance.memberships.models import TierKind
from appliance.memberships.subscription_models import Subscription
from appliance.monitoring import figures
from appliance.monitoring.exposition import Exposition
from appliance.monitoring.figures import FIGURES
from appliance.monitoring.figures import Figure
from appliance.monitoring.readings import Readings
from appliance.payments import SubscriptionState
from appliance.startup import Appliance
from tests.appliance.ledger.stories import give_back
from tests.appliance.ledger.stories import pay
from tests.makers import make_artist
from tests.makers import make_user
from tests.waiting import until

MANY = 10_000


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def asked(name: str, now: datetime | None = None) -> dict[tuple[str, ...], float]:
    """The figure of this name, as the database tells it now."""
    figure = next(figure for figure in FIGURES if figure.name == name)
    return dict(figure.ask(now or clock.now()))


def insert(model: type[peewee.Model], rows: Iterable[dict[str, object]]) -> None:
    for batch in peewee.chunked(rows, 500):
        model.insert_many(batch).execute()


def test_jobs_are_told_by_kind_and_state_and_how_long_the_oldest_waits(appliance: Appliance) -> None:
    now = clock.now()
    jobs.add("transcode", new_id(), now=now - timedelta(minutes=5))
    jobs.add("transcode", new_id(), now=now - timedelta(minutes=2))
    jobs.add("mail", new_id(), now=now + timedelta(hours=1))
    failed = jobs.add("mail", new_id(), now=now)
    Job.update(state=JobState.FAILED, active=None).where(Job.id == failed.id).execute()
    done = jobs.add("mail", new_id(), now=now)
    Job.update(state=JobState.DONE, active=None).where(Job.id == done.id).execute()
    assert asked("musicconnect_jobs", now) == {
        ("transcode", "queued"): 2,
        ("mail", "queued"): 1,
        ("mail", "failed"): 1,
    }
    assert asked("musicconnect_queue_age_seconds", now) == {("transcode",): 300.0}


def test_money_is_told_in_whole_units_whatever_their_digits(appliance: Appliance) -> None:
    rows = [
        (AccountKind.FAN_PAYMENTS, "stripe", "EUR", 123_456),
        (AccountKind.FAN_PAYMENTS, "paypal", "EUR", 1),
        (AccountKind.REFUNDS, "stripe", "EUR", -3_456),
        (AccountKind.FAN_PAYMENTS, "stripe", "JPY", 5_000),
        (AccountKind.FAN_PAYMENTS, "stripe", "KWD", 1_234),
        (AccountKind.PLATFORM_SHARE, "", "EUR", -1_200),
        (AccountKind.PAYABLE, new_id(), "EUR", -100_000),
    ]
    for kind, owner, currency, balance in rows:
        Account.create(kind=kind, owner=owner, currency=currency, balance_minor=balance)
    assert asked("musicconnect_revenue") == {("EUR",): 1200.01, ("JPY",): 5000.0, ("KWD",): 1.234}
    told = asked("musicconnect_book_balance")
    assert told["platform_share", "EUR"] == 12.0
    assert told["fan_payments", "EUR"] == 1234.57
    assert not any(kind == "payable" for kind, _ in told)


def test_revenue_is_what_was_paid_less_what_went_back(appliance: Appliance) -> None:
    artist = make_artist()
    pay(artist.id, 1000, number=1)
    pay(artist.id, 500, number=2)
    give_back(200, of=2)
    assert asked("musicconnect_revenue") == {("EUR",): 13.0}


def test_memberships_are_told_by_the_kind_of_tier_as_long_as_they_hold(appliance: Appliance) -> None:
    artist, now = make_artist(), clock.now()
    supporter = Tier.get(Tier.artist == artist.id, Tier.kind == TierKind.SUPPORTER)
    own = Tier.create(artist=artist.id, name="Lighthouse", position=9, created_at=now, updated_at=now)
    for tier, origin, paid_through, ended_at in (
        (supporter, Origin.PAID, None, None),
        (supporter, Origin.PAID, now + timedelta(days=3), None),
        (supporter, Origin.PAID, now - timedelta(days=3), None),
        (supporter, Origin.GIFT, None, now),
        (own, Origin.PRESENT, now + timedelta(days=3), None),
    ):
        Membership.create(
            user=make_user().id,
            artist=artist.id,
            tier=tier.id,
            origin=origin,
            paid_through=paid_through,
            ended_at=ended_at,
            created_at=now,
            updated_at=now,
        )
    assert asked("musicconnect_memberships", now) == {("supporter", "paid"): 2, ("own", "present"): 1}


def a_great_many(now: datetime) -> None:
    """Ten thousand people, artists, releases, tracks, tiers, members, subscriptions, accounts, and jobs about them."""
    ids = [f"01HZZZZZZZZZZZZZZZZZ{number:06}" for number in range(MANY)]
    dates = {"created_at": now, "updated_at": now}
    insert(
        User,
        [
            {
                "id": id,
                "email": f"{id.lower()}@example.org",
                "password": "",
                "fs_uniquifier": id,
                "created_at": now,
            }
            for id in ids
        ],
    )
    insert(
        Artist,
        [
            {"id": id, "owner": id, "name": f"Artist {id}", "slug": id.lower(), "created_at": now}
            for id in ids
        ],
    )
    insert(
        Release,
        [{"id": id, "artist": id, "title": f"Release {id}", "slug": id.lower(), **dates} for id in ids],
    )
    insert(
        Track,
        [
            {
                "id": id,
                "release": id,
                "position": 1,
                "slug": id.lower(),
                "title": f"Track {id}",
                "state": "ready",
                "original_key": id,
                "original_name": "x.flac",
                "original_type": "audio/flac",
                "original_size_bytes": 1,
                "original_sha256": "0" * 64,
                **dates,
            }
            for id in ids
        ],
    )
    insert(
        Tier,
        [{"id": id, "artist": id, "name": f"Friends of {id}", "position": 4, **dates} for id in ids],
    )
    insert(
        Membership,
        [{"id": id, "user": id, "artist": id, "tier": id, "origin": Origin.PAID, **dates} for id in ids],
    )
    insert(
        Subscription,
        [
            {
                "id": id,
                "user": id,
                "artist": id,
                "tier": id,
                "interval": "month",
                "price_minor": 500,
                "currency": "EUR",
                "provider": "stripe",
                "state": SubscriptionState.ACTIVE,
                "buyer_name": f"Fan {id}",
                **dates,
            }
            for id in ids
        ],
    )
    insert(
        Account,
        [{"kind": AccountKind.PAYABLE, "owner": id, "currency": "EUR", "balance_minor": -500} for id in ids],
    )
    insert(
        StorageUse,
        [
            {"kind": storage_use.ARTIST, "subject": id, "objects": 4, "size_bytes": 9, "counted_at": now}
            for id in ids
        ],
    )
    insert(
        Job,
        [
            {
                "id": id,
                "kind": "transcode",
                "subject": id,
                "run_after": now,
                "active": 1,
                **dates,
            }
            for id in ids
        ],
    )


def test_ten_thousand_of_everything_are_no_more_values_than_one_and_none_names_anybody(
    appliance: Appliance,
) -> None:
    a_great_many(clock.now())
    told = [
        (sample.name, sample.labels)
        for family in Exposition(appliance.settings).collect()
        for sample in family.samples
        if not family.name.startswith(("flask_", "python_"))
    ]
    names = {name for name, _ in told}
    assert {"musicconnect_jobs", "musicconnect_memberships", "musicconnect_subscriptions"} <= names
    for figure in FIGURES:
        assert sum(name == figure.name for name, _ in told) <= 12, figure.name
    values = {value for _, labels in told for value in labels.values()}
    ulid, address = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.I), re.compile(r"@|\d+\.\d+\.\d+\.\d+|/|\s")
    secret = re.compile(r"[0-9a-f]{16,}|[A-Za-z0-9_-]{32,}")
    assert values
    assert not [
        value for value in values if ulid.search(value) or address.search(value) or secret.search(value)
    ]
    assert not [value for value in values if "Artist" in value or "Friends" in value or "Fan" in value]


def test_what_is_asked_often_never_reads_a_table_that_grows(appliance: Appliance) -> None:
    """As the engine itself plans it, with rows in the tables that would make reading all of them dear."""
    a_great_many(clock.now())
    Job.update(state=JobState.DONE, active=None).execute()
    sqlite = isinstance(database.proxy.obj, peewee.SqliteDatabase)
    if not sqlite:
        # Else it reads small tables whole because they are small.
        database.proxy.execute_sql("SET enable_seqscan = off")
    for figure in FIGURES:
        if figure.every_s > figures.OFTEN_S:
            continue
        for sql, given in statements_of(figure):
            before = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plan = [str(row[-1]) for row in database.proxy.execute_sql(before + sql, given).fetchall()]
            whole = [
                line
                for line in plan
                if (line.startswith("SCAN") and "INDEX" not in line) or "Seq Scan on" in line
            ]
            # One row a night, of 90 nights, may be read by the dozen.
            assert not whole or "ledger_check" in sql, (figure.name, plan)


def statements_of(figure: Figure) -> list[tuple[str, object]]:
    """What is asked of the database for a figure."""
    said: list[tuple[str, object]] = []
    real = database.proxy.obj.execute_sql

    def listen(sql: str, params: object = None, *more: object) -> object:
        if sql.lstrip().startswith("SELECT"):
            said.append((sql, params))
        return real(sql, params, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database.proxy.obj, "execute_sql", listen)
        list(figure.ask(clock.now()))
    assert said
    return said


def test_the_database_is_not_asked_again_while_an_answer_is_young(appliance: Appliance) -> None:
    times: list[datetime] = []

    def ask(now: datetime) -> list[tuple[tuple[str, ...], float]]:
        times.append(now)
        return [((), len(times))]

    kept = Readings([Figure("often", "", (), 3600, ask)])
    always = Readings([Figure("always", "", (), 0, ask)])
    for _ in range(3):
        list(kept.families())
    assert len(times) == 1
    for _ in range(3):
        list(always.families())
    assert len(times) == 4


def test_however_many_monitors_come_at_once_one_thread_asks(appliance: Appliance) -> None:
    gate, asking = threading.Event(), []

    def ask(now: datetime) -> list[tuple[tuple[str, ...], float]]:
        asking.append(threading.get_ident())
        gate.wait(30)
        return [((), 1)]

    readings = Readings([Figure("slow", "", (), 3600, ask)])
    monitors = [threading.Thread(target=lambda: list(readings.families())) for _ in range(8)]
    for monitor in monitors:
        monitor.start()
    for monitor in monitors:
        monitor.join()
    gate.set()
    until(lambda: readings._asking is None)
    assert len(asking) == 1


def told(readings: Readings) -> dict[str, list[float]]:
    return {family.name: [sample.value for sample in family.samples] for family in readings.families()}


def test_a_figure_that_takes_too_long_is_left_out_and_the_others_are_told_of_a_sound_database(
    appliance: Appliance,
) -> None:
    def slow(now: datetime) -> list[tuple[tuple[str, ...], float]]:
        if isinstance(database.proxy.obj, peewee.SqliteDatabase):
            raise peewee.OperationalError("interrupted")
        database.proxy.execute_sql("SELECT pg_sleep(60)")
        return [((), 1)]

    figures = [Figure("slow", "", (), 3600, slow), Figure("quick", "", (), 3600, lambda now: [((), 7)])]
    readings = Readings(figures)
    seen: list[dict[str, list[float]]] = []

    def all_are_told() -> bool:
        seen.append(told(readings))
        return "quick" in seen[-1]

    until(all_are_told)
    assert {tuple(one["musicconnect_database_up"]) for one in seen} == {(1,)}
    assert seen[-1] == {"musicconnect_database_up": [1], "slow": [], "quick": [7]}
    # Whoever asks is at its end.
    until(lambda: readings._asking is None)


def test_while_a_figure_is_slow_those_of_before_are_told(appliance: Appliance) -> None:
    gate, times = threading.Event(), []

    def slow(now: datetime) -> list[tuple[tuple[str, ...], float]]:
        if times:
            gate.wait(30)
        times.append(now)
        return [((), min(len(times), 2))]

    readings = Readings(
        [Figure("slow", "", (), 0, slow), Figure("quick", "", (), 3600, lambda now: [((), 7)])]
    )
    try:
        for _ in range(2):
            assert told(readings) == {"musicconnect_database_up": [1], "slow": [1], "quick": [7]}
    finally:
        gate.set()
    until(lambda: readings._asking is None)
    assert told(readings)["slow"] == [2]


def test_a_label_that_went_wrong_has_so_many_values_and_no_more(appliance: Appliance) -> None:
    wrong = Figure("wrong", "", ("name",), 0, lambda now: [((str(number),), 1) for number in range(5000)])
    told = {family.name: len(family.samples) for family in Readings([wrong]).families()}
    assert told["wrong"] == 400
