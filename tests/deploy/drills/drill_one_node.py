"""``single.yml`` on a bare Debian, for real: from nothing to a song that is heard, to the next version and back, and to nothing.

Run by ``make drills``, in this order. Every drill prints a line with figures.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance import __version__
from tests.deploy import releases
from tests.deploy.hosts import FOLDER
from tests.deploy.hosts import KEPT
from tests.deploy.hosts import Host
from tests.deploy.hosts import hosts
from tests.deploy.hosts import play
from tests.deploy.hosts import reach
from tests.deploy.site import NAME
from tests.deploy.site import Load
from tests.deploy.site import Site
from tests.deploy.site import certificate
from tests.deploy.site import names_lead_to
from tests.deploy.site import way_to
from tests.journeys.test_engines import hear

pytestmark = pytest.mark.timeout(1800)
NEXT = "0.2.0"
FAR = "0.4.0"


@dataclass
class Stage:
    """What all drills share: the machine, how to reach it, and the packages."""

    folder: Path
    host: Host
    site: Site
    inventory: Path
    certificate: Path
    first: Path

    @property
    def track(self) -> str:
        """The song that was sent."""
        release = self.site.get("/api/v1/releases")["items"][0]["id"]
        return str(self.site.get(f"/api/v1/releases/{release}")["tracks"][0]["id"])

    def package(self, wheel: Path) -> tuple[str, str]:
        return "-e", f"musicconnect_package={wheel}"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """With ``KEEP_HOSTS=1`` all of it stays, and the next run goes on with it."""
    folder = FOLDER / "one-node"
    if not KEPT:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    first, (known, key) = releases.build(folder), certificate(folder)
    with hosts("music") as [host]:
        variables = {
            **reach(host),
            "musicconnect_domain": NAME,
            "musicconnect_certificate": str(known),
            "musicconnect_certificate_key": str(key),
            "musicconnect_package": str(first),
            "musicconnect_wheelhouse": str(releases.wheelhouse(folder / "wheelhouse")),
            "musicconnect_settings": {"collective_name": "Tide", "rate_limits": 10000},
        }
        inventory = folder / "inventory.yml"
        inventory.write_text(json.dumps({"single": {"hosts": {"music": variables}}}))
        with names_lead_to(way_to(host, known)):
            yield Stage(folder, host, Site(host), inventory, known, first)


def told(line: str, **figures: float) -> None:
    """The line of a drill."""
    print(f"\n{line}: " + ", ".join(f"{name} {value:.4g}" for name, value in figures.items()), flush=True)


def test_1_a_bare_host_can_be_asked_what_would_happen(stage: Stage) -> None:
    done = play("single", stage.inventory, "--check")
    assert stage.host.run("ls", "/opt") == ""
    told("check mode on a bare host", seconds=done.seconds)


def test_2_one_play_makes_a_whole_node(stage: Stage) -> None:
    done = play("single", stage.inventory)
    assert "All is well" in stage.site.run("doctor")
    told("installation", seconds=done.seconds, memory_mb=stage.host.memory_mb())


def test_3_a_second_run_changes_nothing(stage: Stage) -> None:
    assert play("single", stage.inventory).changed == []
    assert play("single", stage.inventory, "--check", "--diff").changed == []


def test_4_plain_http_leads_to_tls_and_other_ports_are_shut(stage: Stage) -> None:
    with closing(http.client.HTTPConnection(stage.host.address, timeout=10)) as plain:
        plain.request("GET", "/discover", headers={"Host": NAME})
        answer = plain.getresponse()
        answer.read()
        assert (answer.status, answer.getheader("Location")) == (301, f"https://{NAME}/discover")
    _, headers, _ = stage.site.send("GET", "/")
    assert int(re.findall(r"max-age=(\d+)", headers["Strict-Transport-Security"])[0]) >= 31_536_000
    # Somebody listens there, and the firewall lets nobody in.
    stage.host.run("systemd-run", "--unit=listener", "python3", "-m", "http.server", "8081")
    with pytest.raises(TimeoutError):
        socket.create_connection((stage.host.address, 8081), timeout=3)
    stage.host.run("systemctl", "stop", "listener.service")
    with pytest.raises(OSError, match=r"refused|timed out"):
        socket.create_connection((stage.host.address, 8000), timeout=3)


def test_5_a_song_is_sent_made_and_heard(stage: Stage) -> None:
    began = time.monotonic()
    assert stage.site.join(
        way_to(stage.host, stage.certificate), "fan@example.org", "harbour lights at low tide"
    )
    assert hear(stage.site) == stage.track
    told(
        "sign up, upload, transcode, hear", seconds=time.monotonic() - began, memory_mb=stage.host.memory_mb()
    )


def test_6_the_units_are_walled_in_and_the_sandbox_stands_inside(stage: Stage) -> None:
    units = [
        line.split()[0]
        for line in stage.host.run("systemctl", "list-units", "--plain", "--no-legend", "musicconnect-w*.service").splitlines()
    ]  # fmt: skip
    assert len(units) == 2
    scores = {}
    for unit in units:
        shown = stage.host.run("systemd-analyze", "security", "--no-pager", unit)
        scores[unit.split("@")[0]] = float(re.findall(r"Overall exposure level for .*: ([\d.]+)", shown)[0])
    assert max(scores.values()) <= 3.0
    # The doctor, within the walls of the worker.
    text = stage.host.run("systemctl", "cat", "musicconnect-worker.service")
    text = re.sub(
        r"ExecStart=.*",
        "ExecStart=/opt/musicconnect/current/bin/musicconnect --data /srv/musicconnect/data doctor",
        text,
    )
    text = re.sub(r"Type=.*", "Type=oneshot", re.sub(r"Restart=.*", "Restart=no", text))
    stage.host.run("tee", "/run/systemd/system/doctor.service", given=text)
    stage.host.run("systemctl", "daemon-reload")
    stage.host.run("systemctl", "start", "doctor.service")
    said = stage.host.run("journalctl", "--no-pager", "--unit=doctor.service")
    assert "bubblewrap stands around the decoders" in said
    assert "All is well" in said
    stage.host.run("rm", "/run/systemd/system/doctor.service")
    told("exposure by systemd-analyze", **scores)


def test_7_the_host_comes_up_again(stage: Stage) -> None:
    began = time.monotonic()
    stage.host.reboot()
    stage.site.wait_until_ready()
    told("reboot until ready", seconds=time.monotonic() - began)
    assert stage.host.run("systemctl", "--failed", "--plain", "--no-legend") == ""
    play("check", stage.inventory)


def test_8_the_next_version_takes_over_without_a_failed_request_and_the_one_before_can_be_gone_back_to(stage: Stage) -> None:  # fmt: skip
    following = releases.build(stage.folder, version=NEXT)
    way = way_to(stage.host, stage.certificate)
    with Load(way, stage.track).people(4) as load:
        done = play("upgrade", stage.inventory, *stage.package(following))
    assert load.failed == []
    assert NEXT in stage.host.run("readlink", "/opt/musicconnect/current")
    told("upgrade with a migration", seconds=done.seconds, requests=load.asked, failed=len(load.failed), slowest_s=load.slowest_s)  # fmt: skip
    assert "All is well" in stage.site.run("doctor")
    with Load(way, stage.track).people(4) as load:
        done = play("rollback", stage.inventory)
    assert load.failed == []
    assert f"/{__version__}" in stage.host.run("readlink", "/opt/musicconnect/current")
    told(
        "rollback",
        seconds=done.seconds,
        requests=load.asked,
        failed=len(load.failed),
        slowest_s=load.slowest_s,
    )
    assert "All is well" in stage.site.run("doctor")


def test_9_what_would_go_wrong_is_refused_by_name(stage: Stage) -> None:
    """And the node goes on as it was."""
    far = releases.build(stage.folder, version=FAR)
    for play_name, given, expected in (
        ("upgrade", f"musicconnect_package={far}", "more than one step"),
        ("single", "musicconnect_domian=music.example", "No role knows musicconnect_domian"),
        ("single", "musicconnect_package=", "'musicconnect_package' to a wheel"),
        ("single", "musicconnect_package=/nowhere/musicconnect-0.1.0-py3-none-any.whl", "which is not on the machine"),
        ("single", "musicconnect_certificate=", "musicconnect_certbot_email"),
        ("single", "musicconnect_realtime=true", "musicconnect_realtime"),
        ("single", '{"musicconnect_settings": {"collective_nmae": "Tide"}}', "There is no setting 'collective_nmae'"),
    ):  # fmt: skip
        assert expected in play(play_name, stage.inventory, "-e", given, fine=False).output.replace("\n", " ")
    stage.site.wait_until_ready()


def test_9_the_web_server_goes_to_another_address_and_what_a_run_cut_short_left_is_made_good(stage: Stage) -> None:  # fmt: skip
    elsewhere = ("-e", "musicconnect_web_listen=127.0.0.1:8017")
    play("single", stage.inventory, *elsewhere)
    assert "127.0.0.1:8017" in stage.host.run("cat", "/etc/nginx/conf.d/musicconnect.conf")
    stage.site.wait_until_ready()
    # As after a run that wrote them, in a later second than that before, and restarted nobody.
    stage.host.run("sleep", "2")
    stage.host.run("touch", "/srv/musicconnect/data/musicconnect.toml", "/etc/nginx/conf.d/musicconnect.conf")
    assert {"Restart the web server", "Restart the worker", "Reload nginx"} <= {name.partition(" : ")[2] for name in play("single", stage.inventory, *elsewhere).changed}  # fmt: skip
    assert play("single", stage.inventory, *elsewhere).changed == []
    play("single", stage.inventory)
    stage.site.wait_until_ready()


def test_a_version_that_does_not_start_leaves_the_old_one_at_work(stage: Stage) -> None:
    tree = stage.folder / "tree-0.1.1"
    releases.build(stage.folder, version="0.1.1")
    serving = tree / "web" / "serving.py"
    serving.write_text(serving.read_text() + '\nraise RuntimeError("broken on purpose")\n')
    broken = releases.wheel_of(tree, stage.folder / "broken")
    with Load(way_to(stage.host, stage.certificate), stage.track).people(2) as load:
        done = play("upgrade", stage.inventory, *stage.package(broken), fine=False)
        play("rollback", stage.inventory)
    assert "does not come up; one of before goes on" in done.output
    assert load.failed == []


def test_b_everything_goes_again_but_what_people_entrusted_to_it(stage: Stage) -> None:
    play("uninstall", stage.inventory)
    left = stage.host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "musicconnect*")
    assert left == ""
    assert stage.host.run("ls", "/opt") == ""
    assert "musicconnect.sqlite3" in stage.host.run("ls", "/srv/musicconnect/data")
    assert play("uninstall", stage.inventory).changed == []
    play("single", stage.inventory)
    stage.site.wait_until_ready()
    assert stage.site.get(f"/api/v1/tracks/{stage.track}")["state"] == "ready"
    play("uninstall", stage.inventory, "-e", "musicconnect_purge=true")
    assert "musicconnect" not in stage.host.run("ls", "/srv", "/etc/systemd/system", "/etc/nginx/conf.d")
