"""The compose files are understood by compose, shut in what they start, and tell settings that exist."""

import re
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from appliance import settings
from appliance import supervisor
from appliance.jobs import consuming
from appliance.jobs.lanes import Lane
from appliance.jobs.rota import HANDS
from appliance.settings import Settings
from appliance.settings import load
from appliance.storage import LocalStore
from tests.deploy.docker.engine import compose
from tests.servers.nginx import PROGRAM
from web import gunicorn_serving
from web.nginx import configuration
from web.nginx import nginx

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "docker"
FILES = ("compose.yml", "compose.cluster.yml")
PASSING = {"migrate", "nginx-site"}
"""Services that do one thing and end."""


def read(name: str) -> dict[str, Any]:
    """The file as compose sees it: anchors and merges resolved."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return found


SERVICES = [(file, name, told) for file in FILES for name, told in read(file)["services"].items()]
each_service = pytest.mark.parametrize(
    ("file", "name", "told"), SERVICES, ids=[f"{file.split('.')[-2]}-{name}" for file, name, _ in SERVICES]
)


def default(value: str) -> str:
    """A value with its variables' defaults in their places."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


@pytest.mark.parametrize("file", FILES)
def test_compose_understands_it(file: str, tmp_path: Path) -> None:
    argv = [*compose(), "--file", str(FOLDER / file), "config", "--quiet"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


@each_service
def test_a_service_is_shut_in(file: str, name: str, told: dict[str, Any]) -> None:
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert "cap_add" not in told and "privileged" not in told
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert told["init"] is True
    assert told["pids_limit"] <= 512
    assert told["ulimits"]["nofile"]["soft"] >= 1024
    assert not any("docker.sock" in volume for volume in told["volumes"])


@each_service
def test_a_service_comes_back_and_has_the_time_to_stop(file: str, name: str, told: dict[str, Any]) -> None:
    assert told["restart"] == ("no" if name in PASSING else "unless-stopped")
    assert int(told["stop_grace_period"].removesuffix("s")) > supervisor.STOP_WITHIN_S
    if name in PASSING:
        assert told["healthcheck"] == {"disable": True}


@each_service
def test_an_image_is_pinned_and_can_be_chosen(file: str, name: str, told: dict[str, Any]) -> None:
    assert re.fullmatch(r"\$\{\w+_IMAGE:-[^}]+\}", told["image"])
    image = default(told["image"])
    assert image == "musicconnect" or re.search(r":(?!latest$)[\w.-]+$", image), image


@each_service
def test_only_this_machine_reaches_it_until_that_is_wanted(
    file: str, name: str, told: dict[str, Any]
) -> None:
    for port in told.get("ports", []):
        assert default(port).startswith("127.0.0.1:"), port
    if name in {"postgres", "redis", "s3"}:
        assert set(told["networks"]) == {"back"}
        assert read(file)["networks"]["back"]["internal"] is True


@each_service
def test_secrets_come_from_files_alone(file: str, name: str, told: dict[str, Any]) -> None:
    given = {key: str(value) for key, value in told.get("environment", {}).items()}
    rows = {settings.ENV_PREFIX + row.name.upper(): row for row in settings.core_settings()}
    for key, value in given.items():
        if key.startswith(settings.ENV_PREFIX):
            row = rows.get(key) or rows[key.removesuffix("_FILE")]
            assert row.secret == key.endswith("_FILE"), key
            if not row.secret:
                row.read(default(value), source=file)
        assert key.endswith("_FILE") or "PASSWORD" not in key
        if key.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in told["secrets"], key


def test_one_node_is_one_service_and_one_volume() -> None:
    found = read("compose.yml")
    assert list(found["services"]) == ["musicconnect"]
    assert list(found["volumes"]) == ["data"]
    assert found["services"]["musicconnect"]["volumes"] == ["data:/data"]


def test_a_cluster_is_what_the_manual_says() -> None:
    services = read("compose.cluster.yml")["services"]
    assert set(services) == {
        "nginx",
        "nginx-site",
        "web1",
        "web2",
        "worker1",
        "worker2",
        "migrate",
        "postgres",
        "redis",
        "s3",
    }
    for name in ("web1", "web2", "worker1", "worker2", "nginx-site"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    # Who names another is started later and stopped earlier.
    for name in ("web1", "web2", "worker1", "worker2"):
        assert {"postgres", "redis", "s3"} <= set(services[name]["depends_on"])
    # The root is only read: what a request is just bringing needs a place.
    assert services["web1"]["volumes"] == services["web2"]["volumes"] == ["uploads:/data/uploads"]


def test_a_web_server_may_end_what_it_has_in_hand_before_it_is_killed() -> None:
    services = read("compose.cluster.yml")["services"]
    for name in ("web1", "web2"):
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > gunicorn_serving.GRACE_S


def test_postgresql_has_room_for_all_that_the_processes_may_open() -> None:
    services, usual = read("compose.cluster.yml")["services"], Settings()
    of_web = gunicorn_serving.MOST_WORKERS * (usual.web_threads + 2)
    threads = consuming.threads(tuple(Lane), transcode=usual.worker_threads, others=usual.worker_lane_threads)
    of_worker = 2 * sum(threads.values()) + HANDS + 2
    [most] = re.findall(r"max_connections=(\d+)", " ".join(services["postgres"]["command"]))
    # Some are left to commands and to whoever looks.
    assert 2 * of_web + 2 * of_worker + 10 <= int(most)


def test_web_servers_listen_where_nginx_and_docker_ask(tmp_path: Path) -> None:
    """What the image sets, and nothing of the compose file, says where; Docker asks at the same port."""
    image = dict(
        re.findall(
            r"\b(MUSICCONNECT_\w+)=(\S+)",
            (FOLDER / "Dockerfile").read_text("utf-8").partition("USER 10001")[0],
        )
    )
    services = read("compose.cluster.yml")["services"]
    given = {
        key: default(str(value))
        for key, value in services["web1"]["environment"].items()
        if not key.endswith("_FILE")
    }
    taken = load({"data": tmp_path}, environ=image | given)
    assert (taken.host, taken.web_server, taken.web_socket) == ("0.0.0.0", "auto", "")
    assert f"EXPOSE {taken.port}\n" in (FOLDER / "Dockerfile").read_text("utf-8")
    assert set(re.findall(r"--upstream \S+?:(\d+)", services["nginx-site"]["command"][0])) == {
        str(taken.port)
    }
    assert f'"MUSICCONNECT_PORT", "{taken.port}"' in (FOLDER / "health.py").read_text("utf-8")
    assert gunicorn_serving.is_wanted(taken)
    assert f"{taken.host}:{taken.port}" in gunicorn_serving.arguments(taken)


def test_nginx_is_told_the_addresses_that_the_web_servers_have() -> None:
    services = read("compose.cluster.yml")["services"]
    script = services["nginx-site"]["command"][0]
    told = re.findall(r'--upstream "\$\$NETWORK(\.\d+):8000"', script)
    network = services["nginx-site"]["environment"]["NETWORK"]
    addresses = [services[name]["networks"]["back"]["ipv4_address"] for name in ("web1", "web2")]
    assert [network + end for end in told] == addresses


def test_the_command_for_nginx_has_the_options_it_is_given() -> None:
    script = read("compose.cluster.yml")["services"]["nginx-site"]["command"][0]
    known = {word for option in nginx.params if isinstance(option, click.Option) for word in option.opts}
    assert set(re.findall(r"--[\w-]+", script)) <= known


@pytest.mark.skipif(not PROGRAM, reason="nginx is not installed")
def test_nginx_takes_its_frame_with_a_site(tmp_path: Path) -> None:
    environ = {"MUSICCONNECT_PUBLIC_URL": "http://localhost:8080", "MUSICCONNECT_TRUSTED_PROXIES": "1"}
    site = configuration(
        load({"data": tmp_path}, environ=environ),
        LocalStore(tmp_path / "media"),
        secret="s" * 64,
        listen=("8080",),
        cache=str(tmp_path / "cache"),
        upstreams=("172.30.77.11:8000", "172.30.77.12:8000"),
    )
    (tmp_path / "cache").mkdir()
    (tmp_path / "site.conf").write_text(site, "utf-8")
    frame = (FOLDER / "nginx.conf").read_text("utf-8")
    (tmp_path / "nginx.conf").write_text(re.sub(r"/srv/proxy|/tmp", str(tmp_path), frame), "utf-8")
    argv = [PROGRAM, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    # In the usual form nginx would note who asked for what, with the tokens in it.
    assert re.findall(r"access_log (?!off)[^;]+;", frame) == []


# ---- the secrets of a cluster


def made(folder: Path) -> dict[str, str]:
    subprocess.run(
        ["sh", str(FOLDER / "secrets.sh"), str(folder)], check=True, capture_output=True, timeout=60
    )
    return {path.name: path.read_text("utf-8").strip() for path in folder.iterdir()}


def test_each_secret_is_made_once(tmp_path: Path) -> None:
    first = made(tmp_path / "one")
    assert set(first) >= set(read("compose.cluster.yml")["secrets"])
    (tmp_path / "one" / "s3_password").unlink()
    second = made(tmp_path / "one")
    assert {name for name in first if first[name] != second[name]} == {"s3_password"}
    other = made(tmp_path / "other")
    assert not set(first.values()) & set(other.values())


def test_the_folder_of_secrets_is_for_its_owner_only(tmp_path: Path) -> None:
    made(tmp_path / "secrets")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    # Within it they can be read: the programs in the containers are other people.
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()} == {0o444}


def test_the_secrets_are_settings_that_musicconnect_takes(tmp_path: Path) -> None:
    found = made(tmp_path / "secrets")
    given = read("compose.cluster.yml")["services"]["web1"]["environment"]
    environ = {
        key: str(tmp_path / "secrets" / Path(value).name)
        for key, value in given.items()
        if key.endswith("_FILE")
    }
    taken = load({"data": tmp_path}, environ=environ)
    assert taken.secret_key == found["secret_key"]
    assert found["postgres_password"] in taken.database_url
    assert found["s3_password"] in taken.store_url
    for url in (taken.queue_url, taken.rate_limit_url, found["redis_conf"]):
        assert found["redis_password"] in url
