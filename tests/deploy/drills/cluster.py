"""The whole cluster on eight hosts: an inventory after the example of twelve, what the site is asked, and the crowd that never stops."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import yaml

from tests.deploy import releases
from tests.deploy.drills.engines import Engines
from tests.deploy.drills.outside import Store
from tests.deploy.drills.outside import found_at
from tests.deploy.drills.outside import store
from tests.deploy.drills.outside import till
from tests.deploy.hosts import ENVIRON
from tests.deploy.hosts import FOLDER
from tests.deploy.hosts import KEPT
from tests.deploy.hosts import PLAYS
from tests.deploy.hosts import Host
from tests.deploy.hosts import Played
from tests.deploy.hosts import play
from tests.deploy.hosts import reach
from tests.deploy.hosts import script
from tests.deploy.site import NAME
from tests.deploy.site import Site
from tests.deploy.site import certificate
from tests.deploy.site import names_lead_to
from tests.deploy.site import way_to
from tests.load.crowd import Stage as Scene
from tests.load.people import song

DATA = ["db1", "db2", "db3"]
GROUPS = {
    "proxy": ["proxy1"],
    "web": ["web1", "web2"],
    "worker": ["worker1", "worker2"],
    "etcd": DATA,
    "postgres": DATA,
    "redis": DATA,
    "objectstore": ["worker2"],
    "monitoring": ["worker2"],
}
SECRETS = {
    "musicconnect_vault_secret_key": "secret-key-of-the-drill-that-is-long-enough",
    "musicconnect_vault_database": "application-of-the-drill",
    "musicconnect_vault_redis": "redis-of-the-drill-only",
    "musicconnect_vault_store": "unused",
    "musicconnect_vault_postgres": "superuser-of-the-drill",
    "musicconnect_vault_postgres_replication": "replicator-of-the-drill",
    "musicconnect_vault_postgres_api": "api-of-the-drill-only",
}
GATEWAY = f"{ENVIRON['TH_NET']}.1"
EMAIL, PASSWORD = "crowd@example.org", "harbour lights at low tide"
ARTIST = "artist@example.org"
PLAY_S = 3600
# The outbox of the cluster's database, read with what a web server knows of it.
OUTBOX = """
import sys, tomllib, psycopg
told = tomllib.load(open("/srv/musicconnect/data/musicconnect.toml", "rb"))
with psycopg.connect(told["database_url"]) as database:
    asked = database.execute('SELECT text FROM mail_message WHERE "to" = %s ORDER BY id DESC LIMIT 1', (sys.argv[1],))
    print(asked.fetchone()[0])
"""


class Front(Site):
    """The site by its proxy; commands are given on one of its web servers."""

    def __init__(self, proxy: Host, commands: Host) -> None:
        super().__init__(proxy)
        self.commands = commands

    def run(self, *arguments: str, given: str = "") -> str:
        return self.commands.run("musicconnect", *arguments, given=given)

    def link_to(self, email: str) -> str:
        text = self.commands.run("/opt/musicconnect/current/bin/python", "-c", OUTBOX, email)
        return next(word for word in text.split() if word.startswith(self.url))

    def log(self) -> str:
        return self.commands.run("journalctl", "--no-pager", "--lines=60", "--unit=musicconnect-*")


@dataclass
class Cluster:
    """Hosts by their groups, and what the inventory tells of them."""

    folder: Path
    certificate: Path
    groups: dict[str, list[str]]
    variables: dict[str, Any]
    site: Front
    store: Store
    package: Path
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return sorted({name for names in self.groups.values() for name in names})

    @property
    def engines(self) -> Engines:
        return Engines(self)

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.yml"

    def host(self, name: str) -> Host:
        return Host(name)

    def address(self, name: str) -> str:
        return Host(name).address

    def on(self, name: str, *argv: str, timeout_s: float = 120) -> str:
        """A command on a host, as root."""
        return Host(name).run(*argv, timeout_s=timeout_s)

    def up(self, *names: str) -> None:
        script("up", *names)

    def describe(self) -> None:
        """Write the inventory: that of the example for twelve machines, with our hosts and secrets."""
        told = yaml.safe_load((PLAYS / "inventories" / "twelve.yml").read_text("utf-8"))["all"]
        told["hosts"] = {
            name: {**reach(Host(name)), "cluster_address": Host(name).address} for name in self.names
        }
        told["children"] = {
            group: {"hosts": dict.fromkeys(names)} for group, names in self.groups.items() if names
        }
        settings = told["vars"]["musicconnect_settings"] | self.variables.get("musicconnect_settings", {})
        told["vars"] |= self.variables | {"musicconnect_settings": settings}
        self.inventory.write_text(yaml.safe_dump({"all": told}), "utf-8")

    def play(self, name: str, *words: str, fine: bool = True, **variables: Any) -> Played:
        """Run a play of the project on this inventory."""
        self.describe()
        given = ("-e", json.dumps(variables)) if variables else ()
        return play(name, self.inventory, *given, *words, timeout_s=PLAY_S, fine=fine)


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Hosts that are bare, and the world around them; with ``KEEP_HOSTS=1`` the hosts stay, and what lies with the others does not."""
    folder = FOLDER / "cluster"
    folder.mkdir(parents=True, exist_ok=True)
    known, key = certificate(folder)
    groups = {group: list(names) for group, names in GROUPS.items()}
    names = sorted({name for listed in groups.values() for name in listed})
    script("up", *names)
    proxy = Host(groups["proxy"][0])
    try:
        with (
            store(folder, GATEWAY) as kept,
            till(GATEWAY, name=NAME, proxy=proxy.address, certificate=known) as stripe,
            names_lead_to(way_to(proxy, known)),
            found_at(NAME, proxy.address),
        ):
            package = releases.build(folder)
            variables = {
                **SECRETS,
                "redis_password": SECRETS["musicconnect_vault_redis"],
                **kept.repository("backups"),
                "musicconnect_certificate": str(known),
                "musicconnect_certificate_key": str(key),
                "musicconnect_package": str(package),
                "musicconnect_wheelhouse": str(
                    releases.wheelhouse(folder / "wheelhouse-all", lock="requirements-all.lock")
                ),
                "musicconnect_backup_url": kept.url("copies"),
                "musicconnect_backup_key": "key-of-the-copies-of-the-drill-0123456789",
                "musicconnect_plugins": {"stripe_payments": stripe.settings},
                "objectstore_endpoint": f"http://{GATEWAY}:9444",
                "musicconnect_settings": {
                    "collective_name": "Tide",
                    "rate_limits": 0,
                    "require_second_factor": False,
                    "store_url": kept.url("media"),
                    "metrics_networks": ["127.0.0.0/8", f"{ENVIRON['TH_NET']}.0/24"],
                },
            }
            front = Front(proxy, Host(groups["web"][0]))
            yield Cluster(folder, known, groups, variables, front, kept, package)
    finally:
        if not KEPT:
            script("down")


def scene(made: Cluster) -> Scene:
    """An artist with songs that everybody may hear and one for members, a fan, and their tokens."""
    site, dice = made.site, random.Random(7)
    artist = site.sign_up(ARTIST)
    free, closed = site.make_release("Low Water"), site.make_release("For the crew")
    tracks = [
        site.upload(release, f"0{number} Song.wav", song(dice))
        for number, release in enumerate((free, free, free, closed), 1)
    ]
    for track in tracks:
        site.wait_for(track, patience_s=240)
    site.post(f"/api/v1/releases/{closed}", {"audience": "members"}, method="PATCH")
    for release in (free, closed):
        site.post(f"/api/v1/releases/{release}/publish")
    mine = site.get("/api/v1/artists/trio")
    site.run("user", "create", "--email", EMAIL, "--password-stdin", given=f"{PASSWORD}\n")
    fan = site.run("token", "create", "--email", EMAIL, "--scope", "read", "--scope", "money.write").strip()
    site.token = ""
    return Scene(
        site.url, mine["slug"], mine["id"], artist, fan, EMAIL, tracks[-1:], ca=str(made.certificate)
    )
