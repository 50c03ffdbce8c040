"""The plays and roles as texts: what needs no machine to be seen. ``make drills`` runs them on hosts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from appliance import hooks
from appliance.cli import cli
from appliance.settings import core_settings
from transcoder.commands import EXIT_LEFT

ROOT = Path(__file__).parents[2]
PLAYS = ROOT / "deploy" / "ansible"
GUIDE = ROOT / "docs" / "deploy.md"
ROLES = ("common", "appliance", "web", "worker", "realtime", "proxy", "backup")
"""Those of the application; the engines' have names and tests of their own."""
OURS = (
    "single",
    "cluster",
    "validate",
    "application",
    "add_node",
    "remove_node",
    "upgrade",
    "rollback",
    "backup",
    "restore",
    "check",
    "uninstall",
)
FREE = {"musicconnect_domain", "musicconnect_package"}
"""What has no sensible default."""
KEYWORDS = {
    "name", "when", "loop", "loop_control", "register", "notify", "vars", "block", "always", "rescue", "become", "changed_when",
    "failed_when", "check_mode", "no_log", "delegate_to", "run_once", "listen", "tags", "until", "retries", "delay", "environment", "ignore_unreachable",
}  # fmt: skip


def tool(name: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name(name)), *words],
        cwd=PLAYS, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def tasks_of(found: Any) -> list[dict[str, Any]]:
    """Every task in a list of tasks or plays, those in blocks too."""
    tasks = []
    for one in found or []:
        inner = [
            one[key]
            for key in ("block", "always", "rescue", "tasks", "pre_tasks", "post_tasks")
            if key in one
        ]
        tasks += [task for some in inner for task in tasks_of(some)] if inner else [one]
    return tasks


FILES = sorted(path for role in ROLES for part in ("tasks", "handlers") for path in (PLAYS / "roles" / role / part).glob("*.yml"))  # fmt: skip
TASKS = [(path.relative_to(PLAYS).as_posix(), task) for path in FILES for task in tasks_of(read(path))]
BOOKS = [PLAYS / f"{name}.yml" for name in OURS]


def test_every_play_can_be_read_by_ansible() -> None:
    done = tool(
        "ansible-playbook",
        "--syntax-check",
        "-i",
        "inventories/three.yml",
        "-e",
        "node=two",
        *(path.name for path in BOOKS),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_yaml_is_written_as_the_house_writes_it() -> None:
    paths = [
        str(path) for path in (*BOOKS, PLAYS / "inventories", *(PLAYS / "roles" / role for role in ROLES))
    ]
    done = tool("yamllint", "--strict", "--config-file", ".yamllint", *paths)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_documented_checked_and_has_the_prefix(role: str) -> None:
    text = (PLAYS / "roles" / role / "defaults" / "main.yml").read_text("utf-8")
    defaults, options = yaml.safe_load(text), read(PLAYS / "roles" / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]  # fmt: skip
    assert set(defaults) == set(options)
    for name, default in defaults.items():
        assert name.startswith("musicconnect_")
        assert options[name]["description"]
        assert options[name]["type"]
        # A comment above it, or above the ones it stands together with.
        above = text[: text.index(f"\n{name}:")].splitlines()[-1]
        assert above.startswith(("#", "musicconnect_")), name
        if "default" in options[name] and "{{" not in str(default):
            assert options[name]["default"] == default
        if options[name].get("required"):
            assert name in FREE


@pytest.mark.parametrize(
    ("where", "task"), TASKS, ids=lambda value: value if isinstance(value, str) else value.get("name", "?")
)
def test_a_task_has_a_name_and_a_module_of_ansible_itself(where: str, task: dict[str, Any]) -> None:
    assert re.match(r"[A-Z]", task["name"]), where
    modules = set(task) - KEYWORDS
    assert len(modules) == 1, (where, modules)
    assert modules.pop().startswith("ansible.builtin.")


def test_what_holds_a_secret_is_never_shown() -> None:
    holding = re.compile(
        r"musicconnect\.toml|certificate_key|_musicconnect_site\.stdout|nginx', *'--|musicconnect_backup_url"
    )
    for where, task in TASKS:
        work = {key: value for key, value in task.items() if key.startswith("ansible.builtin.") and "assert" not in key and "include" not in key}  # fmt: skip
        if holding.search(str(work)):
            assert task.get("no_log") is True, (where, task["name"])


def test_settings_that_the_roles_write_are_settings() -> None:
    told = read(PLAYS / "roles" / "appliance" / "vars" / "main.yml")
    written = {*told["_musicconnect_usual_settings"], *told["_musicconnect_backup_settings"]}
    assert written <= {row.name for row in core_settings()}


UNITS = sorted(path for role in ROLES for path in (PLAYS / "roles" / role).glob("templates/*.service") if "firewall" not in path.name)  # fmt: skip


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_bounded_and_walled_in(path: Path) -> None:
    text = path.read_text("utf-8")
    for wanted in (
        "User={{ musicconnect_user }}",
        "MemoryMax=",
        "{{ _musicconnect_hardening }}",
        "Description=MusicConnect",
    ):
        assert wanted in text
    if "Type=oneshot" not in text:
        for wanted in ("Type=notify", "Restart=always", "WantedBy=multi-user.target", "TimeoutStopSec="):
            assert wanted in text


def test_the_walls_leave_the_sandbox_what_it_needs() -> None:
    walls = read(PLAYS / "roles" / "appliance" / "vars" / "main.yml")["_musicconnect_hardening"]
    # bubblewrap makes namespaces, mounts in them, and brings up a loopback.
    assert "RestrictNamespaces" not in walls
    assert re.search(r"^SystemCallFilter=@mount", walls, re.MULTILINE)
    assert re.search(r"^RestrictAddressFamilies=.*AF_NETLINK", walls, re.MULTILINE)
    for wanted in (
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=\n",
        "ProtectSystem=strict",
        "SystemCallArchitectures=native",
    ):
        assert wanted in walls


def test_units_call_commands_that_there_are() -> None:
    hooks.add_commands(cli)
    told = CliRunner().invoke(cli, ["--help"]).output
    for path in UNITS:
        command = re.search(
            r"--data \S+ .*?(\w+)", path.read_text("utf-8").replace("{{ _musicconnect_data }}", "DATA")
        )
        assert command is not None
        assert f"  {command[1]} " in told


@pytest.mark.parametrize("path", sorted((PLAYS / "inventories").glob("*.yml")), ids=lambda path: path.name)
def test_an_example_inventory_is_whole(path: Path) -> None:
    done = tool("ansible-inventory", "-i", f"inventories/{path.name}", "--graph")
    assert done.returncode == 0, done.stderr
    assert "|  |--" in done.stdout
    text = path.read_text("utf-8")
    assert "musicconnect_domain: music.example" in text
    known = {name for role in ROLES for name in read(PLAYS / "roles" / role / "defaults" / "main.yml")}
    used = set(re.findall(r"\bmusicconnect_(?!vault_)\w+", text))
    assert used <= known
    assert not re.search(r"(?i)password: *[a-z0-9]{6,}$", text, re.MULTILINE)


def test_the_guide_tells_of_every_play() -> None:
    text = GUIDE.read_text("utf-8")
    assert [name for name in OURS if f"{name}.yml" not in text] == []


@pytest.mark.parametrize("name", ["three", "six", "twelve"])
def test_an_example_of_a_cluster_is_backed_up_and_the_guide_makes_every_secret_it_asks_for(name: str) -> None:
    text = (PLAYS / "inventories" / f"{name}.yml").read_text("utf-8")
    told = yaml.safe_load(text)["all"]["vars"]
    for wanted in ("musicconnect_backup_url", "musicconnect_backup_key", "postgres_backup_repository", "postgres_backup_passphrase"):  # fmt: skip
        assert told[wanted]
    guide = GUIDE.read_text("utf-8")
    [made] = re.findall(r"^for name in (.*); do$", guide, re.M)
    given = {*made.split(), *re.findall(r'^echo "musicconnect_vault_(\w+): KEY:SECRET"', guide, re.M)}
    assert set(re.findall(r"musicconnect_vault_(\w+)", text)) == given


@pytest.mark.parametrize("name", ["three", "six", "twelve"])
def test_what_an_example_of_a_cluster_tells_the_application_is_where_the_engines_are(name: str) -> None:
    told = read(PLAYS / "inventories" / f"{name}.yml")["all"]["vars"]["musicconnect_settings"]
    way = read(PLAYS / "roles" / "haproxy" / "defaults" / "main.yml")
    assert f"@{way['haproxy_postgres_bind']}/" in told["database_url"]
    # Who connects waits for a primary, and PgBouncer takes no bounds from who connects.
    patience_s = int(re.search(r"connect_timeout=(\d+)", told["database_url"])[1])  # type: ignore[index]
    assert patience_s >= way["haproxy_postgres_wait_s"]
    assert told["database_pooler"] is True
    for url in ("queue_url", "rate_limit_url", "cache_url"):
        assert f"@{way['haproxy_redis_bind']}/" in told[url]
    # Redis itself has 6379 on the hosts that have both.
    assert not way["haproxy_redis_bind"].endswith(":6379")
    scraped = read(PLAYS / "roles" / "monitoring" / "defaults" / "main.yml")["monitoring_application_port"]
    assert told["metrics_port"] == scraped
    assert set(told) <= {row.name for row in core_settings()}


def plays_of(name: str) -> list[dict[str, Any]]:
    return list(read(PLAYS / f"{name}.yml"))


def roles_of(play: dict[str, Any]) -> list[str]:
    return [one if isinstance(one, str) else one["role"] for one in play.get("roles", [])]


def first_with(name: str, role: str) -> int:
    return next(at for at, play in enumerate(plays_of(name)) if role in roles_of(play))


@pytest.mark.parametrize("path", sorted(PLAYS.glob("*.yml")), ids=lambda path: path.stem)
def test_a_role_is_given_what_it_takes(path: Path) -> None:
    """What stands beside its name is held against its specification; what it reads otherwise goes by ``vars``."""
    for role in (one for play in read(path) for one in play.get("roles", []) if isinstance(one, dict)):
        specification = read(PLAYS / "roles" / role["role"] / "meta" / "argument_specs.yml")
        known = specification["argument_specs"]["main"]["options"]
        assert set(role) - {"role", "when", "tags", "vars"} <= set(known)


def test_a_node_that_comes_is_asked_by_proxies_only_when_it_answers() -> None:
    assert (
        first_with("add_node", "common")
        < first_with("add_node", "web")
        < first_with("add_node", "proxy")
        == len(plays_of("add_node")) - 1
    )


def test_a_release_is_on_every_host_of_a_cluster_before_the_first_changes_over() -> None:
    checks, first, *others = plays_of("application")
    assert checks["ansible.builtin.import_playbook"] == "validate.yml"
    assert first["hosts"] == "web:worker"
    assert "serial" not in first
    assert "tasks_from: stage" in yaml.safe_dump(first)
    assert all(play["serial"] == 1 for play in others)


def test_a_node_that_goes_is_asked_no_more_before_it_is_stopped() -> None:
    plays = plays_of("remove_node")
    leaves = next(at for at, play in enumerate(plays) if "tasks_from: leave" in yaml.safe_dump(play))
    proxy, measured = first_with("remove_node", "proxy"), first_with("remove_node", "monitoring")
    assert proxy < leaves < measured < first_with("remove_node", "web") < len(plays) - 2
    for name in ("common/vars", "proxy/vars", "monitoring/defaults", "postgres/defaults"):
        assert "musicconnect_leaving" in (PLAYS / "roles" / name / "main.yml").read_text("utf-8")


def test_a_node_that_goes_reaches_the_engines_until_it_has_finished() -> None:
    """Also those on a machine that is a proxy too: nothing but nginx is told there, and the firewall is shut at the end."""
    plays = plays_of("remove_node")
    shut = [at for at, play in enumerate(plays) if "musicconnect_leaving" in play.get("vars", {})]
    assert [plays[at]["hosts"] for at in shut] == ["monitoring", "all", "postgres"]
    common, proxy = plays[first_with("remove_node", "proxy")]["roles"]
    assert common == {"role": "common"}
    assert "musicconnect_leaving" in proxy["vars"]
    # At the end it is no machine of ours any more, and gets nothing back.
    assert "inventory_hostname not in musicconnect_leaving" in plays[shut[1]]["roles"][0]["when"]


@pytest.mark.parametrize("name", ["add_node", "remove_node"])
def test_several_nodes_come_and_go_at_once(name: str) -> None:
    """A colon and a comma in one pattern would make a name of the first half that no host has."""
    done = tool("ansible-playbook", "--list-hosts", "-i", "inventories/twelve.yml", "-e", "node=web-3,work-3", f"{name}.yml")  # fmt: skip
    assert "Could not match" not in done.stdout + done.stderr
    seen = [set(re.findall(r"^      (\S+)$", play, re.M)) for play in done.stdout.split("  play #")[1:]]
    told = [re.match(r"\d+ \(([^)]*)\)", play)[1] for play in done.stdout.split("  play #")[1:]]  # type: ignore[index]
    assert len(seen) == len(plays_of(name))
    for hosts, pattern in zip(seen, told, strict=True):
        if "web-3" in pattern:
            assert {"web-3", "work-3"} <= hosts
    if name == "add_node":
        assert {"watch", "web-3", "work-3"} in seen


@pytest.mark.parametrize("name", ["add_node", "remove_node"])
@pytest.mark.parametrize("node", ["web-3,wrok-3", ""])
def test_a_node_that_is_not_in_the_inventory_is_told(name: str, node: str) -> None:
    """Ansible would pass over plays without hosts, and all would seem well."""
    done = tool("ansible-playbook", "-i", "inventories/twelve.yml", f"{name}.yml", "-e", f"node={node}", "-c", "local")  # fmt: skip
    assert done.returncode != 0
    said = " ".join(done.stdout.split())
    assert "Say which node of the inventory" in said
    assert ("The inventory has no wrok-3." in said) == bool(node)
    assert "web-3 :" not in said


def test_a_group_of_ones_own_keeps_no_node(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("europe: {hosts: {web-1: null, web-2: null, web-3: null}}\n", "utf-8")
    done = tool(
        "ansible-playbook", "-i", "inventories/twelve.yml", "-i", str(tmp_path / "more.yml"), "remove_node.yml",
        "-e", "node=web-1,web-2,web-3", "-c", "local", "-e", "ansible_become=false",
    )  # fmt: skip
    assert "Nobody would be left in the group web" in " ".join(done.stdout.split())


def test_a_worker_that_left_already_is_not_asked_again() -> None:
    asks, leave, _waits = read(PLAYS / "roles" / "worker" / "tasks" / "leave.yml")
    assert asks["failed_when"] is False
    assert "== 'active'" in leave["when"]


def test_what_is_taken_off_leaves_no_settings_with_their_secrets() -> None:
    text = (PLAYS / "roles" / "appliance" / "tasks" / "uninstall.yml").read_text("utf-8")
    assert "{{ _musicconnect_data }}/musicconnect.toml" in text


def test_what_would_go_wrong_is_told_before_anything_is_changed() -> None:
    """In a play of its own, that stops all when one host fails, for each role of the plays behind it."""
    checks = {"services": plays_of("services")[0], "application": plays_of("validate")[0]}
    for name, play in checks.items():
        assert play["max_fail_percentage"] == 0
        assert "tasks_from: validate" in yaml.safe_dump(play)
        with_checks = {role for behind in plays_of(name) for role in roles_of(behind) if (PLAYS / "roles" / role / "tasks" / "validate.yml").exists()}  # fmt: skip
        assert with_checks - {"common"} == set(play["vars"]["_groups"]) - {"common", "backup"}
    assert plays_of("services")[0]["tags"] == ["always"]
    for name in ("cluster", "application"):
        assert plays_of(name)[0]["ansible.builtin.import_playbook"] == "validate.yml"


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ("front-1", "is in proxy, web"),
        ("data-1", "is in etcd, postgres, redis"),
        ("work-1", "is in etcd, redis, worker"),
    ],
)
def test_only_web_servers_and_workers_are_taken_away(node: str, told: str) -> None:
    done = tool("ansible-playbook", "-i", "inventories/six.yml", "remove_node.yml", "-e", f"node={node}", "-c", "local", "-e", "ansible_become=false")  # fmt: skip
    assert done.returncode != 0
    assert told in " ".join(done.stdout.split())


def test_the_last_of_a_group_is_not_taken_away() -> None:
    nodes = "web-1,web-2,web-3"
    done = tool("ansible-playbook", "-i", "inventories/twelve.yml", "remove_node.yml", "-e", f"node={nodes}", "-c", "local", "-e", "ansible_become=false")  # fmt: skip
    assert done.returncode != 0
    assert "Nobody would be left in the group web" in " ".join(done.stdout.split())


def test_a_worker_that_left_is_not_started_again() -> None:
    unit = (PLAYS / "roles" / "worker" / "templates" / "musicconnect-worker.service").read_text("utf-8")
    assert f"RestartPreventExitStatus={EXIT_LEFT}\n" in unit
    assert f"SuccessExitStatus={EXIT_LEFT}\n" in unit
