"""What the Dockerfile promises, read off it: nobody is root, nothing is fetched unchecked, no secret goes in."""

import configparser
import fnmatch
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"
SMELLS = re.compile(r"passw|secret|token|credential|proxy|index_url|_key\b", re.IGNORECASE)


def instructions(path: Path = DOCKERFILE) -> list[tuple[str, str]]:
    """Each instruction and its arguments, with continued lines joined and comments left out."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def of(kind: str) -> list[str]:
    return [rest for word, rest in instructions() if word == kind]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for word, rest in instructions():
        if word == "FROM":
            found.append([])
        if found:
            found[-1].append((word, rest))
    return found


def test_every_stage_stands_on_a_base_that_can_be_chosen_and_is_not_just_the_latest() -> None:
    default = next(rest for rest in of("ARG") if rest.startswith("BASE_IMAGE="))
    assert re.fullmatch(r"BASE_IMAGE=debian:bookworm-slim(@sha256:[0-9a-f]{64})?", default)
    named = [rest.partition(" AS ")[2] for rest in of("FROM")]
    assert all(rest.split()[0] in {"${BASE_IMAGE}", *named} for rest in of("FROM"))
    assert len(named) > 1


def test_the_last_stage_is_nobody_s_root() -> None:
    users = [rest for word, rest in stages()[-1] if word == "USER"]
    assert users == ["10001:10001"], "by number: who looks for root cannot look names up"


def test_it_says_how_it_is_started_asked_and_stopped() -> None:
    last = dict(stages()[-1])
    assert last["ENTRYPOINT"] == '["musicconnect"]'
    assert last["CMD"] == '["serve"]'
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert last["VOLUME"] == '["/data"]'
    assert '/opt/musicconnect/health.py"]' in last["HEALTHCHECK"]
    assert not any("curl" in rest for _, rest in stages()[-1])


def test_it_is_labelled_in_the_words_that_registries_know() -> None:
    text = " ".join(of("LABEL"))
    for name in ("title", "description", "licenses", "version", "revision", "base.name"):
        assert f"org.opencontainers.image.{name}=" in text
    license_ = configparser.ConfigParser()
    license_.read(ROOT / "setup.cfg")
    assert f'licenses="{license_["metadata"]["license_expression"]}"' in text


def test_no_secret_can_be_written_into_the_image() -> None:
    assert not [rest for rest in (*of("ARG"), *of("ENV")) if SMELLS.search(rest)]
    for rest in of("RUN"):
        secrets = re.findall(r"--mount=type=secret,id=(\w+)", rest)
        assert set(secrets) <= {"pip_conf", "ca_bundle"}
        assert not SMELLS.search(re.sub(r"--mount=\S+", "", rest))


@pytest.mark.parametrize("rest", of("RUN"), ids=lambda rest: rest[:40])
def test_debian_packages_bring_no_friends_and_leave_no_lists(rest: str) -> None:
    if "apt-get install" in rest:
        assert "--no-install-recommends" in rest
        assert "rm -rf /var/lib/apt/lists/*" in rest
    assert "sudo" not in rest and "| sh" not in rest and "apt-get upgrade" not in rest


def test_what_is_fetched_from_pypi_is_held_against_a_hash() -> None:
    calls = [
        call
        for rest in of("RUN")
        for call in re.split(r"&&|;", rest)
        if re.search(r"pip .*\b(install|wheel)\b", call)
    ]
    assert len(calls) >= 4
    for call in calls:
        assert "--require-hashes" in call or "--no-index" in call, call


def test_only_what_is_named_is_copied() -> None:
    assert not of("ADD")
    copied = [rest.split()[:-1] for rest in of("COPY") if "--from=" not in rest]
    taken = [name for names in copied for name in names]
    assert "." not in taken
    assert all((ROOT / name).exists() for name in taken)
    # What is not named there does not even reach the engine.
    lines = (ROOT / "deploy" / "docker" / "Dockerfile.dockerignore").read_text("utf-8").split()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == set(taken)


def test_neither_data_nor_secrets_reach_the_build() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    assert not fnmatch.filter(listed, "deploy/docker/secrets/*")
    ignored = (ROOT / ".gitignore").read_text("utf-8").split()
    assert {"/deploy/docker/secrets/", "/deploy/docker/certificates/"} <= set(ignored)


# ---- what is locked


def locked(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))


def test_the_image_s_lock_is_the_node_s_and_what_the_extras_add() -> None:
    node, image = locked("requirements.lock"), locked("requirements-all.lock")
    assert node.items() <= image.items()
    # The last is what Redis's client wants of Debian's Python; a lock that is made by a newer one forgets it.
    assert {"gunicorn", "psycopg-binary", "redis", "authlib", "stripe", "async-timeout"} <= set(image)


def test_make_lock_names_the_extras_of_all() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    [extras] = re.findall(r"musicconnect\[(.*)\]", setup["options.extras_require"]["all"])
    [named] = re.findall(r"^ALL := (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert named.split() == extras.split(",")
