"""What would go wrong is told by name before anything is changed: the roles' own checks, run by Ansible on this machine, which they leave alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.jobs import consuming
from appliance.jobs.lanes import Lane
from appliance.jobs.rota import HANDS
from appliance.settings import Settings
from tests.deploy.playing import PLAYS
from tests.deploy.playing import played
from web.gunicorn_serving import MOST_WORKERS

ENGINES = ("etcd", "postgres", "redis", "objectstore", "haproxy", "monitoring")
SECRETS = {
    f"musicconnect_vault_{name}": f"secret-of-the-test-{name}"
    for name in ("database", "redis", "store", "postgres", "postgres_replication", "postgres_api")
}
SECRETS["musicconnect_vault_secret_key"] = "a-secret-key-that-is-long-enough-for-all"
SECRETS["musicconnect_vault_backup"] = "key-of-the-test:secret-of-the-test"
SECRETS["musicconnect_vault_backup_key"] = "a-key-of-backups-that-is-long-enough-for-all"


def checked(
    folder: Path, role: str, hosts: str, *, inventory: str = "six", **told: Any
) -> subprocess.CompletedProcess[str]:
    """The checks of *role* on *hosts* of an example."""
    play = [
        {
            "hosts": hosts,
            "gather_facts": False,
            "tasks": [{"ansible.builtin.include_role": {"name": role, "tasks_from": "validate"}}],
        }
    ]
    (folder / "play.json").write_text(json.dumps(play), "utf-8")
    here = {"ansible_become": False, "ansible_python_interpreter": sys.executable}
    words = ("-i", str(PLAYS / "inventories" / f"{inventory}.yml"))
    return played(folder, folder / "play.json", *words, **(SECRETS | here | told))


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0, done.stdout
    return " ".join((done.stdout + done.stderr).split())


def settings_of(inventory: str, **more: Any) -> dict[str, Any]:
    """What an example tells the application, with the secrets of the test, and *more*; what is None is left out."""
    text = (PLAYS / "inventories" / f"{inventory}.yml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["all"]["vars"]["musicconnect_settings"] | more
    return {name: value for name, value in found.items() if value is not None}


# ---- connections to PostgreSQL


def connections(inventory: str, *, web_workers: int) -> int:
    """How many the processes of an example may open, as they themselves reckon."""
    usual = Settings()
    groups = yaml.safe_load((PLAYS / "inventories" / f"{inventory}.yml").read_text("utf-8"))["all"][
        "children"
    ]
    webs, workers = (len(groups[name]["hosts"]) for name in ("web", "worker"))
    threads = consuming.threads(tuple(Lane), transcode=usual.worker_threads, others=usual.worker_lane_threads)
    of_web = web_workers * (usual.web_threads + 2)
    if "database_replica_url" in settings_of(inventory):
        of_web *= 2
    # While a host is upgraded, both of its releases answer.
    return (webs + 1) * of_web + workers * (2 * sum(threads.values()) + HANDS + 2)


def test_what_the_check_reckons_with_is_what_the_processes_do() -> None:
    text = (PLAYS / "roles" / "postgres" / "vars" / "main.yml").read_text("utf-8")
    usual = Settings()
    assert yaml.safe_load(text)["_postgres_usual"] == {
        "web_threads": usual.web_threads,
        "web_processes": MOST_WORKERS,
        "beside_web_threads": 2,
        "worker_threads": usual.worker_threads,
        "worker_lane_threads": usual.worker_lane_threads,
        "lanes": len(Lane),
        "beside_worker_threads": HANDS + 2,
    }
    for module in ("web/wsgi.py", "web/commands.py"):
        assert "connections=settings.web_threads + 2)" in (PLAYS.parents[1] / module).read_text("utf-8")


@pytest.mark.parametrize("inventory", ["three", "six", "twelve"])
def test_postgresql_has_room_for_all_processes_of_an_example_on_machines_of_four_cores(
    inventory: str, tmp_path: Path
) -> None:
    done = checked(
        tmp_path, "postgres", "postgres[0]",
        inventory=inventory, musicconnect_settings=settings_of(inventory, web_workers=4),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_manual_tells_how_many_connections_the_examples_need() -> None:
    text = (PLAYS.parents[1] / "docs" / "cluster-services.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)\.yml`[^|]* \| (\d+) \| (\d+) \| (\d+) \|$", text, re.M)
    assert {inventory: tuple(map(int, told)) for inventory, *told in rows} == {
        inventory: tuple(connections(inventory, web_workers=cores) + 5 for cores in (2, 4, 8))
        for inventory in ("three", "six", "twelve")
    }
    parameters = yaml.safe_load((PLAYS / "roles" / "postgres" / "defaults" / "main.yml").read_text("utf-8"))[
        "postgres_parameters"
    ]
    assert f"`max_connections` in `postgres_parameters` is {parameters['max_connections']}," in text


def test_too_few_connections_are_told_with_the_number_that_is_needed(tmp_path: Path) -> None:
    needed = connections("twelve", web_workers=12) + 5
    told = settings_of("twelve", web_workers=12)
    said = refusal(
        checked(tmp_path, "postgres", "postgres[0]", inventory="twelve", musicconnect_settings=told)
    )
    assert f"{needed} connections are needed, and PgBouncer gives 705: set 'max_connections' in" in said
    assert f"'postgres_parameters' to {needed + 15} or more" in said
    assert "240 for web-2 (12 processes with 20 each)" in said
    # What it asks for is enough.
    enough = {"max_connections": needed + 15}
    done = checked(
        tmp_path, "postgres", "postgres[0]",
        inventory="twelve", musicconnect_settings=told, postgres_parameters=enough,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_web_server_that_is_being_taken_away_needs_no_connections(tmp_path: Path) -> None:
    told = settings_of("twelve", web_workers=12)
    leaving = ["web-1", "web-2"]
    done = checked(
        tmp_path, "postgres", "postgres[0]",
        inventory="twelve", musicconnect_settings=told, musicconnect_leaving=leaving, postgres_parameters={"max_connections": 551},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_pgbouncer_is_promised_no_more_than_postgresql_has(tmp_path: Path) -> None:
    said = refusal(checked(tmp_path, "postgres", "postgres[0]", postgres_pgbouncer_pool_size=295))
    assert "'postgres_pgbouncer_pool_size' is 295: PostgreSQL has 300 connections" in said


# ---- what a cluster cannot do without


def test_machines_of_a_cluster_are_not_shut_out_from_each_other(tmp_path: Path) -> None:
    said = refusal(checked(tmp_path, "common", "front-1", musicconnect_peers=[]))
    assert "'musicconnect_peers' is missing: front-1 is one of several machines" in said


def test_etcd_takes_no_orders_from_whoever_reaches_it(tmp_path: Path) -> None:
    said = refusal(checked(tmp_path, "etcd", "data-1", musicconnect_peers=[]))
    assert "etcd would take orders from whoever reaches it: set 'musicconnect_peers'" in said
    assert "password" not in said
    for fine in ({"musicconnect_firewall": False}, {f"etcd_tls_{part}": "PEM" for part in ("authority", "certificate", "key")}):  # fmt: skip
        assert checked(tmp_path, "etcd", "data-1", musicconnect_peers=[], **fine).returncode == 0


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("secret_key", None), ("secret_key", "short"), ("database_url", "sqlite:////srv/one.sqlite3"), ("queue_url", None), ("store_url", None)],
)  # fmt: skip
def test_a_machine_of_a_cluster_is_no_node_by_itself(name: str, wrong: str | None, tmp_path: Path) -> None:
    told = settings_of("six", **{name: wrong})
    said = refusal(
        checked(
            tmp_path, "appliance", "work-1", musicconnect_settings=told, musicconnect_package="musicconnect==1.0.0"
        )
    )  # fmt: skip
    assert f"'{name}' is missing in 'musicconnect_settings', or is none" in said
    assert "secret-of-the-test" not in said


@pytest.mark.parametrize("listen", ["", "127.0.0.1:8000"])
def test_nginx_is_told_of_no_web_server_that_it_cannot_reach(listen: str, tmp_path: Path) -> None:
    said = refusal(checked(tmp_path, "proxy", "proxy-1", inventory="twelve", musicconnect_web_listen=listen))
    assert "'musicconnect_web_listen' must say in the inventory where proxy-1 reaches web-1" in said
    assert f"(it is '{listen}')" in said


def test_certbot_is_not_asked_to_answer_for_several_proxies(tmp_path: Path) -> None:
    by_certbot = {"musicconnect_certificate": "", "musicconnect_certbot_email": "we@music.example"}
    said = refusal(checked(tmp_path, "proxy", "proxy-1", inventory="twelve", **by_certbot))
    assert "certbot cannot answer for proxy-1 and proxy-2 at once: set 'musicconnect_certificate'" in said


@pytest.mark.parametrize(
    "role", ["common", "appliance", "web", "worker", "backup", "realtime", "proxy", *ENGINES]
)
def test_an_example_is_refused_by_no_role(role: str, tmp_path: Path) -> None:
    hosts = {"common": "proxy-1", "appliance": "work-1", "web": "web-1", "worker": "work-1", "backup": "work-1", "realtime": "web-1", "proxy": "proxy-1", "haproxy": "web-1", "monitoring": "watch"}  # fmt: skip
    done = checked(
        tmp_path, role, hosts.get(role, "data-1"),
        inventory="twelve", musicconnect_package="musicconnect==1.0.0",
        objectstore_endpoint="https://s3.example",
    )  # fmt: skip
    if role == "common":
        # Whether this machine is a Debian is asked last, of facts that were not gathered here.
        assert re.findall(r"TASK \[common : (.*?)\]", done.stdout)[-1] == "Refuse what is not Debian"
    else:
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("role", "name", "wrong", "told"),
    [
        ("web", "musicconnect_web_listen", "10.0.0.12", "an address and a port"),
        ("web", "musicconnect_web_memory_max", "400 MB", "a size such as 400M"),
        ("worker", "musicconnect_worker_memory_high", "much", "a size such as 400M"),
        ("worker", "musicconnect_worker_leaves_within_s", "2h", "a number of seconds"),
        ("backup", "musicconnect_backup_url", "s3://KEY:SEC/RET@s3.example/copies", "a folder that begins with /"),
        ("backup", "musicconnect_backup_key", "SEC/RET", "32 characters or more; this one has 7"),
    ],
)  # fmt: skip
def test_a_value_of_another_form_is_told(role: str, name: str, wrong: str, told: str, tmp_path: Path) -> None:
    said = refusal(checked(tmp_path, role, "work-1", **{name: wrong}))
    assert f"'{name}' must" in said
    assert told in said
    assert "SEC/RET" not in said


# ---- plays that would find nobody


def run(folder: Path, play: str, inventory: Path, **told: Any) -> str:
    """What *play* says, of which a task fails before anything is changed."""
    here = {"ansible_become": False, "ansible_python_interpreter": sys.executable}
    return refusal(played(folder, PLAYS / f"{play}.yml", "-i", str(inventory), **(SECRETS | here | told)))


def test_a_cluster_is_not_restored_as_if_it_were_one_node(tmp_path: Path) -> None:
    """Ansible would pass over plays without hosts, and all would seem well."""
    said = run(tmp_path, "restore", PLAYS / "inventories" / "six.yml", musicconnect_restore="latest")
    assert "no host in the group single" in said
    assert "services_restore.yml" in said and "musicconnect restore --media-only" in said
    assert "TASK [Stop everything]" not in said
    # A single node is asked for the snapshot.
    assert "Say which snapshot" in run(tmp_path, "restore", PLAYS / "inventories" / "one.yml")


def test_a_node_without_a_cluster_is_not_restored_as_if_it_were_one(tmp_path: Path) -> None:
    inventory = PLAYS / "inventories" / "one.yml"
    said = run(tmp_path, "services_restore", inventory, restore_postgres_to="latest")
    assert "no host in the group postgres" in said and "by restore.yml" in said
    assert "'restore_postgres_to' is missing" in run(tmp_path, "services_restore", PLAYS / "inventories" / "six.yml")  # fmt: skip


def test_a_backup_that_nobody_would_take_is_told(tmp_path: Path) -> None:
    (tmp_path / "engines.yml").write_text("postgres: {hosts: {data-1: null}}\n", "utf-8")
    assert "no backup would be taken" in run(tmp_path, "backup", tmp_path / "engines.yml")
    said = run(tmp_path, "backup", PLAYS / "inventories" / "six.yml", musicconnect_backup_url="")
    assert "takes no backups: set 'musicconnect_backup_url'" in said


# ---- names and certificates


@pytest.mark.parametrize("role", ["common", *ENGINES])
def test_a_name_that_no_role_knows_is_told(role: str, tmp_path: Path) -> None:
    name = "musicconnect_redis_pasword" if role == "common" else f"{role}_pasword"
    said = refusal(checked(tmp_path, role, "data-1", **{name: "x"}))
    assert (f"No role knows {name}" if role == "common" else f"'{name}' is no variable of the role {role}") in said  # fmt: skip


@pytest.mark.parametrize("role", ["common", *ENGINES])
def test_a_name_of_before_is_told_with_that_of_now(role: str, tmp_path: Path) -> None:
    prefix = "musicconnect" if role == "common" else role
    renamed = {f"{prefix}_old": f"{prefix}_state"}
    said = refusal(checked(tmp_path, role, "data-1", **{f"_{prefix}_renamed": renamed, f"{prefix}_old": "x"}))
    assert f"'{prefix}_old' is now '{prefix}_state'" in said


@pytest.mark.parametrize("role", ["etcd", "postgres"])
def test_half_a_certificate_is_refused_with_a_sentence_and_not_shown(role: str, tmp_path: Path) -> None:
    said = refusal(checked(tmp_path, role, "data-1", **{f"{role}_tls_key": "KEY-OF-THE-TEST"}))
    assert f"'{role}_tls_authority', '{role}_tls_certificate' and '{role}_tls_key' go together" in said
    assert "KEY-OF-THE-TEST" not in said
