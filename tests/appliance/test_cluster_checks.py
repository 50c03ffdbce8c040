"""What the doctor says of the engines that a node can do without: nothing fails when they are away, so nobody else tells."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance import cluster_checks
from appliance import database
from appliance.errors import Invalid
from appliance.errors import Unavailable
from appliance.settings import Settings
from appliance.startup import Appliance
from tests.servers.postgresql_node import PostgresqlNode
from tests.servers.redis import Redis


def test_a_node_that_needs_nobody_is_well(appliance: Appliance) -> None:
    for look in (cluster_checks.replica, cluster_checks.cache, cluster_checks.counts, cluster_checks.lanes):
        assert look(appliance.settings)


def test_a_redis_that_is_away_is_told_of(appliance: Appliance) -> None:
    with Redis() as server:
        settings = replace(appliance.settings, cache_url=server.url, rate_limit_url=server.url)
        assert (cluster_checks.cache(settings), cluster_checks.counts(settings)) == ("answers", "answers")
        server.kill()
        for look in (cluster_checks.cache, cluster_checks.counts):
            with pytest.raises(Unavailable, match="Redis does not answer"):
                look(settings)


def test_a_redis_that_takes_another_password_is_told_of_without_ours(appliance: Appliance) -> None:
    with Redis() as server:
        server.client().config_set("requirepass", "another")
        address = server.url.replace("//", "//:hunter2@")
        with pytest.raises(Unavailable, match="Redis does not answer") as told:
            cluster_checks.cache(replace(appliance.settings, cache_url=address))
    assert "hunter2" not in str(told.value)


def test_a_lane_that_there_is_not_is_told_of(appliance: Appliance) -> None:
    with pytest.raises(Invalid, match="There is no lane 'post'"):
        cluster_checks.lanes(replace(appliance.settings, worker_lanes=("mail", "post")))


def test_a_replica_of_sqlite_is_told_of(tmp_path: Path) -> None:
    database.connect(f"sqlite:///{tmp_path / 'rows.sqlite3'}")
    try:
        with pytest.raises(Invalid, match="one of PostgreSQL"):
            cluster_checks.replica(Settings(data=tmp_path, database_replica_url="postgresql://here/music"))
    finally:
        database.close()


def test_a_replica_that_is_away_or_none_is_told_of(tmp_path: Path) -> None:
    with PostgresqlNode() as primary:
        settings = Settings(data=tmp_path, database_url=primary.url())
        database.connect(primary.url())
        try:
            with PostgresqlNode(primary) as follower:
                followed = replace(settings, database_replica_url=follower.url())
                assert "behind" in cluster_checks.replica(followed)
            with pytest.raises(Unavailable, match="does not answer"):
                cluster_checks.replica(followed)
            with pytest.raises(Invalid, match="is no replica"):
                cluster_checks.replica(replace(settings, database_replica_url=primary.url()))
        finally:
            database.close()
