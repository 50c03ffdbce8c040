"""What operators may set: defaults are of the type that roles ask for, and the manual and the examples name nothing that no role takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PLAYS = ROOT / "deploy" / "ansible"
ROLES = sorted(path.name for path in (PLAYS / "roles").iterdir())
TYPES = {"str": str, "path": str, "int": int, "bool": bool, "list": list, "dict": dict}
NAME = re.compile(
    r"(?<![\w.{$/])(?:musicconnect|etcd|postgres|redis|haproxy|objectstore|monitoring)_[a-z0-9_]+(?![\w(])"
)
PAGES = ("deploy", "cluster", "cluster-services", "backup", "operate", "install", "scale", "logs")
OTHERS = re.compile(
    r"musicconnect_vault_\w*|musicconnect_cache_requests_total|haproxy_server_status|postgres_replica"
)
"""Secrets of an inventory, what monitors are told, and a front of HAProxy."""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def options(role: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read(PLAYS / "roles" / role / "meta" / "argument_specs.yml")[
        "argument_specs"
    ]["main"]["options"]
    return found


def defaults(role: str) -> dict[str, Any]:
    found: dict[str, Any] = read(PLAYS / "roles" / role / "defaults" / "main.yml")
    return found


KNOWN = {name for role in ROLES for name in options(role)}


@pytest.mark.parametrize("role", ROLES)
def test_a_default_is_what_the_role_asks_for(role: str) -> None:
    for name, value in defaults(role).items():
        option = options(role)[name]
        if isinstance(value, str) and "{" in value:
            continue  # Reckoned when it is used.
        assert type(value) is TYPES[option["type"]], name
        if "choices" in option:
            assert value in option["choices"], name
        if "default" in option:
            assert option["default"] == value, name


@pytest.mark.parametrize("role", ROLES)
def test_what_has_no_default_is_asked_for(role: str) -> None:
    for name, option in options(role).items():
        assert name in defaults(role) or option.get("required"), name


def test_no_two_roles_mean_the_same_name() -> None:
    names = [name for role in ROLES for name in options(role)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("role", ROLES)
def test_a_secret_is_known_as_one(role: str) -> None:
    for name, option in options(role).items():
        if (
            re.search(
                r"_(password|passphrase|secret|tls_key|application_token|webhook|backup_key|certificate_key)$",
                name,
            )
            and option["type"] == "str"
        ):
            assert option.get("no_log"), name


@pytest.mark.parametrize("page", PAGES)
def test_the_manual_names_only_variables_that_there_are(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    # What follows musicconnect_vault_ in a loop of the shell is no name by itself.
    text = re.sub(r"^for name in .*$", "", text, flags=re.M)
    named = {name for name in NAME.findall(text) if not OTHERS.fullmatch(name)}
    assert named - KNOWN == set()


@pytest.mark.parametrize("path", sorted((PLAYS / "inventories").glob("*.yml")), ids=lambda path: path.stem)
def test_an_example_sets_only_variables_that_there_are(path: Path) -> None:
    found = read(path)
    groups = [found["all"]] if "all" in found else list(found.values())
    told = {name for group in groups for name in group.get("vars", {})}
    told |= {name for group in groups for host in group["hosts"].values() for name in host}
    assert told - KNOWN - {"ansible_host", "ansible_user", "cluster_address"} == set()


def test_plays_and_roles_name_only_variables_that_there_are() -> None:
    for path in sorted((*PLAYS.glob("*.yml"), *PLAYS.glob("roles/*/[dhtv]*/*"))):
        text = path.read_text("utf-8")
        named = {
            name for name in NAME.findall(text) if not name.startswith("_") and not OTHERS.fullmatch(name)
        }
        assert named - KNOWN == set(), path
