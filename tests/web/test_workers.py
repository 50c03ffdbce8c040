"""Workers of gunicorn: one that is started while the database is away waits for it."""

from pathlib import Path

import pytest

from appliance import database
from appliance import startup
from appliance.errors import Unavailable
from appliance.settings import Settings
from web import gunicorn_serving
from web import wsgi


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(wsgi, "PAUSE_S", 0.01)
    return Settings(data=tmp_path, queue_url="memory://")


def test_a_worker_that_starts_while_the_database_is_away_waits_for_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([Unavailable("It is away."), Unavailable("It is away."), None])

    def check() -> None:
        if error := next(answers):
            raise error

    monkeypatch.setattr(database, "check", check)
    try:
        assert wsgi._started(settings) is startup.appliance()
        assert next(answers, "asked three times") == "asked three times"
    finally:
        startup.stop()


def test_it_does_not_wait_for_ever(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "PATIENCE_S", 0.05)
    # Without a single table.
    with pytest.raises(Unavailable, match="migration"):
        wsgi._started(settings)


def test_its_patience_ends_before_gunicorn_takes_it_for_dead() -> None:
    assert wsgi.PATIENCE_S + 2 * Settings().database_connect_s < gunicorn_serving.SILENT_S
