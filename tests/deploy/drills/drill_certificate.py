"""The certificate that a newcomer gets: ``single.yml`` lets certbot ask an authority for it, and the timer renews it while people listen.

Run by ``make drills``, in this order. The authority is Pebble, which proves by HTTP as Let's Encrypt does.
"""

from __future__ import annotations

import json
import shutil
import ssl
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy import releases
from tests.deploy.drills.authority import Authority
from tests.deploy.drills.authority import authority
from tests.deploy.drills.stage import until
from tests.deploy.hosts import ENVIRON
from tests.deploy.hosts import FOLDER
from tests.deploy.hosts import KEPT
from tests.deploy.hosts import Host
from tests.deploy.hosts import hosts
from tests.deploy.hosts import play
from tests.deploy.hosts import reach
from tests.deploy.site import NAME
from tests.deploy.site import Connection
from tests.deploy.site import Load
from tests.deploy.site import Site
from tests.deploy.site import names_lead_to
from tests.deploy.site import way_to
from tests.journeys.test_engines import hear

pytestmark = pytest.mark.timeout(1800)
TRUSTED = "/usr/local/share/ca-certificates/drill.crt"


@dataclass
class Stage:
    """A bare host, and who signs certificates for it."""

    host: Host
    inventory: Path
    authority: Authority

    @property
    def way(self) -> type[Connection]:
        """Connections that trust what the authority signed, and nothing else."""
        return way_to(self.host, self.authority.root())

    def shown(self) -> bytes:
        """The certificate that the host shows."""
        connection = self.way(NAME, timeout=10)
        with closing(connection):
            connection.connect()
            assert isinstance(connection.sock, ssl.SSLSocket)
            return connection.sock.getpeercert(binary_form=True) or b""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    folder = FOLDER / "certificate"
    if not KEPT:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with hosts("music") as [host], authority(folder, f"{ENVIRON['TH_NET']}.1") as signs:
        variables = {
            **reach(host),
            "musicconnect_domain": NAME,
            "musicconnect_certbot_email": "operator@example.org",
            "musicconnect_certbot_server": signs.directory,
            "musicconnect_package": str(releases.build(folder)),
            "musicconnect_wheelhouse": str(releases.wheelhouse(folder / "wheelhouse")),
            "musicconnect_settings": {"rate_limits": 10000},
        }
        inventory = folder / "inventory.yml"
        inventory.write_text(json.dumps({"single": {"hosts": {"music": variables}}}))
        host.run("tee", TRUSTED, given=signs.trusted.read_text("ascii"))
        host.run("update-ca-certificates")
        yield Stage(host, inventory, signs)


def test_1_a_name_that_leads_elsewhere_is_told_and_nothing_is_shown_to_the_world(stage: Stage) -> None:
    stage.authority.lead(NAME, "127.0.0.2")
    said = " ".join(play("single", stage.inventory, fine=False).output.split())
    assert f"No certificate for {NAME}" in said
    assert "port 80" in said
    assert "503" in stage.host.run(
        "curl", "--silent", "--head", "--header", f"Host: {NAME}", "http://127.0.0.1/"
    )


def test_2_the_same_play_gets_the_certificate_when_the_name_leads_here(stage: Stage) -> None:
    stage.authority.lead(NAME, stage.host.address)
    done = play("single", stage.inventory)
    site = Site(stage.host)
    with names_lead_to(stage.way):
        site.wait_until_ready()
    assert "All is well" in site.run("doctor")
    print(f"\nDRILL one node, with a certificate by ACME: seconds {done.seconds:.0f}", flush=True)


def test_3_a_second_run_changes_nothing(stage: Stage) -> None:
    assert play("single", stage.inventory).changed == []


def test_4_the_certificate_is_renewed_while_people_listen(stage: Stage) -> None:
    assert stage.host.run("systemctl", "is-active", "certbot.timer").strip() == "active"
    with names_lead_to(stage.way):
        track = hear(Site(stage.host))
    before = stage.shown()
    with Load(stage.way, track).people(2) as load:
        # What the timer starts, as if it were a month before the end.
        stage.host.run("certbot", "renew", "--quiet", "--force-renewal", "--no-random-sleep-on-renew")
        until("Is the new one shown", lambda: stage.shown() != before, patience_s=30)
    assert load.failed == []
    print(f"\nDRILL one node, its certificate is renewed: requests {load.asked}, failed {len(load.failed)}", flush=True)  # fmt: skip
