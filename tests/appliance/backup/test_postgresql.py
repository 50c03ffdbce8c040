"""The programs of PostgreSQL: what they are told, and what they say when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance import database
from appliance.backup import postgresql
from appliance.errors import Unavailable
from tests.servers.postgresql import Cluster


def test_nobody_sees_the_password_among_the_words_of_a_program() -> None:
    with postgresql._connection(
        "postgresql://mira:se%3Acret%5C@db.example:5433/music?sslmode=require"
    ) as words:
        [word] = words
        assert "se:cret" not in word and "mira" in word and "5433" in word and "sslmode=require" in word
        path = Path(word.partition("passfile=")[2].split()[0])
        assert path.read_text() == "*:*:*:*:se\\:cret\\\\\n"
        assert path.stat().st_mode & 0o077 == 0
    assert not path.exists()


@pytest.fixture
def url(postgresql: Cluster) -> str:
    url = postgresql.new_database()
    database.connect(url)
    return url


def test_a_dump_that_is_cut_off_is_damage(url: str, tmp_path: Path) -> None:
    database.migrate()
    path = tmp_path / "dump"
    with path.open("wb") as file:
        postgresql.dump(url, file.write)
    postgresql.require_sound(path)
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(Unavailable, match="pg_restore said"):
        postgresql.require_sound(path)
    database.close()


def test_a_dump_that_fails_in_the_middle_leaves_the_database_empty(url: str, tmp_path: Path) -> None:
    database.migrate()
    path = tmp_path / "dump"
    with path.open("wb") as file:
        postgresql.dump(url, file.write)
    postgresql.empty()
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(Unavailable, match="cannot be restored"):
        postgresql.restore(path, url)
    assert database.proxy.get_tables() == []
    database.close()


def test_a_program_older_than_the_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match="needs its program pg_dump, of this version or a later one"):
        postgresql._program("pg_dump", 99)


def test_a_server_that_is_gone_is_told(url: str) -> None:
    with pytest.raises(Unavailable, match="pg_dump said"):
        postgresql.dump("postgresql://nobody@/none?host=/nowhere", lambda block: None)
    database.close()
