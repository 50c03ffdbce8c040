"""Fixtures that carry most tests: ``appliance``, ``client``, ``flac``; and the rules that hold for all of them.

The network ends at the loopback. With ``CI=true`` a skipped test is a failed one: what nobody checks must not look checked.
"""

import functools
import ipaddress
import os
import shutil
import socket
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings
from passlib.hash import argon2
from werkzeug.routing import Rule

from appliance import chores
from appliance import database
from appliance import startup
from appliance.accounts import passwords
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.servers.postgresql import Cluster
from tests.servers.postgresql import cluster
from tests.sounds import tone
from transcoder import downloads
from transcoder import resealing
from transcoder import tasks
from web.app import create_app

REGISTERED = (chores, downloads, resealing, tasks)
"""Modules whose import declares the jobs that an immediate queue runs."""
# A machine that is busy with something else breaks no property.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, turn a skip into a failure that names the test and the reason."""
    report = yield
    if report.skipped and _in_ci() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    if report.skipped and _in_ci():
        report.outcome = "failed"
        report.longrepr = (
            f"{collector.nodeid} was skipped, which CI does not allow: {_reason(report.longrepr)}"
        )
    return report


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


@pytest.fixture(scope="session", autouse=True)
def closed_network() -> Iterator[None]:
    """Refuse every connection that would leave this machine, with the address in the message."""
    real_connect, real_lookup = socket.socket.connect, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _require_loopback(address[0])
        real_connect(self, address)

    def look_up(host: Any, *arguments: Any, **named: Any) -> Any:
        if host:
            _require_loopback(host.decode() if isinstance(host, bytes) else host)
        return real_lookup(host, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket, "getaddrinfo", look_up)
        yield


def _require_loopback(host: str) -> None:
    if host == "localhost" or host.endswith(".localhost"):
        return
    try:
        allowed = ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        allowed = False
    if not allowed:
        raise PermissionError(f"a test wants to reach {host}; the network is closed in tests")


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords by one pass over 8 KiB: at its true price argon2 takes more time than all else that the tests do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        # Flask-Security hashes by passlib.
        for name, cost in {"default_rounds": 1, "memory_cost": 8, "parallelism": 1}.items():
            patch.setattr(argon2, name, cost)
        yield


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A private PostgreSQL server, started when a test first wants it."""
    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and nothing in them, to be copied: all migrations take longer than most tests."""
    path = tmp_path_factory.mktemp("tables") / "tables.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_tables(postgresql: Cluster) -> str:
    """The name of a PostgreSQL database like it."""
    name = "tables"
    _migrate(postgresql.new_database(name))
    return name


def _migrate(url: str) -> None:
    database.connect(url)
    database.migrate()
    database.close()


ENGINES = [os.environ["ENGINE"]] if os.environ.get("ENGINE") else ["sqlite", "postgresql"]
"""``ENGINE=postgresql`` runs every test of this process on PostgreSQL, also those that run on one engine only elsewhere."""


@pytest.fixture(params=ENGINES)
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, on either engine; a test that takes it runs twice."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    server: Cluster = request.getfixturevalue("postgresql")
    url = server.new_database()
    yield url
    server.drop(url)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with all tables and nothing in them, on either engine; a test that takes it runs twice."""
    if request.param == "sqlite":
        path = tmp_path / "test.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_tables"), path)
        yield f"sqlite:///{path}"
        return
    server: Cluster = request.getfixturevalue("postgresql")
    url = server.new_database(like=request.getfixturevalue("postgresql_tables"))
    yield url
    server.drop(url)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where ``appliance`` keeps its rows; a module that must hold on both engines in every run overrides it with ``engine``."""
    if ENGINES != ["postgresql"]:
        yield ""
        return
    server: Cluster = request.getfixturevalue("postgresql")
    url = server.new_database(like=request.getfixturevalue("postgresql_tables"))
    yield url
    server.drop(url)


@pytest.fixture
def more_settings() -> dict[str, Any]:
    """Settings of ``appliance`` beside its own; a module that needs some overrides it."""
    return {}


@pytest.fixture
def appliance(
    tmp_path: Path, database_url: str, sqlite_tables: Path, more_settings: dict[str, Any]
) -> Iterator[Appliance]:
    """MusicConnect started in a temporary folder; what is sent to the queue runs at once, in this process."""
    chosen = Settings(
        data=tmp_path / "data", database_url=database_url, queue_url="memory://", **more_settings
    )
    startup.make_data_folder(chosen)
    if not database_url:
        shutil.copyfile(sqlite_tables, chosen.data / "musicconnect.sqlite3")
    running = startup.start(chosen, immediate=True)
    try:
        yield running
    finally:
        startup.stop()


@pytest.fixture(scope="session", autouse=True)
def addresses_built_late() -> Iterator[None]:
    """Compile the builder of an address when it is first built.

    Werkzeug compiles two for each of some 350 addresses, which takes most of the time of making the application; a test builds a handful.
    """
    at_once = Rule._compile_builder

    def late(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made = functools.cache(lambda: at_once(rule, append_unknown))
        return lambda self, **given: made()(self, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", late)
        yield


@pytest.fixture
def client(appliance: Appliance) -> FlaskClient:
    """A browser without a window, in front of the application of ``appliance``."""
    return create_app(appliance).test_client()


@pytest.fixture
def flac(tmp_path: Path) -> Path:
    """Two seconds of stereo FLAC."""
    path = tmp_path / "two seconds.flac"
    path.write_bytes(tone(2.0))
    return path
