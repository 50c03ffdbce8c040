"""PostgreSQL from nothing: a backup in S3, hosts that are wiped, and every row as it was at an instant. Run by ``make drills``.

The object store is OpenStack Swift with its s3api, as in the other tests, with TLS by nginx in front.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from minio import Minio

from tests.deploy.drills.engines import Engines
from tests.deploy.drills.stage import Stage
from tests.deploy.drills.stage import certificate
from tests.deploy.drills.stage import until
from tests.deploy.drills.traffic import Attempts
from tests.servers.nginx import nginx
from tests.servers.s3 import ACCESS_KEY
from tests.servers.s3 import SECRET_KEY
from tests.servers.s3 import s3_server

PORT, BUCKET = 9443, "backups"
FRONT = """
server {{
    listen 127.0.0.1:{port} ssl;
    listen {gateway}:{port} ssl;
    ssl_certificate {tls}/store.crt;
    ssl_certificate_key {tls}/store.key;
    client_max_body_size 0;
    location / {{
        proxy_pass http://127.0.0.1:{swift};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_request_buffering off;
        proxy_buffering off;
    }}
}}
"""
DIGEST = "SELECT count(*), md5(string_agg(id || text, '' ORDER BY id)) FROM kept"


@contextlib.contextmanager
def store(stage: Stage) -> Iterator[dict[str, str | int]]:
    """What the role is told about an object store that runs while the block does."""
    tls = stage.folder / "tls"
    # pgBackRest looks for what it connects to among the names of a certificate only, even if that is an address.
    certificate(tls, "store", f"DNS:{stage.gateway},IP:{stage.gateway}")
    with s3_server(Path("/var/tmp")) as swift:
        client = Minio(f"127.0.0.1:{swift.port}", ACCESS_KEY, SECRET_KEY, secure=False, region="us-east-1")
        client.make_bucket(BUCKET)
        front = FRONT.format(port=PORT, gateway=stage.gateway, tls=tls, swift=swift.port)
        with nginx(stage.folder / "nginx", front, PORT):
            yield {
                "postgres_backup_repository": "s3",
                "postgres_backup_s3_endpoint": stage.gateway,
                "postgres_backup_s3_port": PORT,
                "postgres_backup_s3_bucket": BUCKET,
                "postgres_backup_s3_key": ACCESS_KEY,
                "postgres_backup_s3_secret": SECRET_KEY,
                "postgres_backup_s3_authority": stage.authority.read_text("utf-8"),
                "postgres_backup_passphrase": "passphrase-of-the-drill",
            }


def insert(engines: Engines, primary: str, first: int, last: int, text: str) -> None:
    engines.sql(
        primary, f"INSERT INTO kept SELECT n, repeat('{text}', 50) FROM generate_series({first}, {last}) n"
    )


def archived(engines: Engines, primary: str) -> None:
    """Wait until all that was written lies in the repository."""
    segment = engines.sql(primary, "SELECT pg_walfile_name(pg_switch_wal())")[0]
    until(
        "Is the log archived",
        lambda: engines.sql(primary, "SELECT last_archived_wal FROM pg_stat_archiver")[0][:24] >= segment,
        patience_s=90,
    )


def test_wiped_hosts_are_restored_to_an_instant(stage: Stage) -> None:
    """A full and a differential backup and the log between them bring back what was there, and nothing later."""
    engines = Engines(stage)
    with store(stage) as told:
        stage.variables |= told
        stage.play("services.yml", "--tags", "etcd,postgres,haproxy")
        engines.whole()
        primary = engines.primary()
        engines.sql(
            primary, "DROP TABLE IF EXISTS kept; CREATE TABLE kept (id bigint PRIMARY KEY, text text)"
        )
        insert(engines, primary, 1, 50_000, "in the differential backup")
        began = time.monotonic()
        stage.on(primary, "systemctl", "start", "postgres-backup-diff.service", timeout_s=300)
        backup_s = time.monotonic() - began
        insert(engines, primary, 50_001, 100_000, "in the log only")
        before = engines.sql(primary, DIGEST)
        instant = engines.sql(primary, "SELECT clock_timestamp() AT TIME ZONE 'UTC'")[0] + "+00"
        until("Has time gone on", lambda: True, pause_s=0.1)
        insert(engines, primary, 100_001, 101_000, "written after the instant")
        engines.sql(primary, "DELETE FROM kept WHERE id <= 60000")
        archived(engines, primary)
        repository = stage.on(primary, "runuser", "-u", "postgres", "--", "pgbackrest", "info")

        began = time.monotonic()
        for name in stage.groups["postgres"]:
            stage.hosts("wipe", name)
        stage.up(*stage.groups["postgres"])
        hosts_s = time.monotonic() - began
        stage.play("services.yml", "--tags", "etcd")
        stage.play("services_restore.yml", restore_postgres_to=instant, timeout_s=1500)
        first = stage.groups["postgres"][0]
        after = engines.sql(first, DIGEST)
        with engines.traffic("postgres") as notes:
            restore_s = time.monotonic() - began - hosts_s
            assert Attempts.of(notes).acknowledged()
        engines.whole()
        archived(engines, engines.primary())
    print(
        f"\nDRILL restore to an instant: differential backup {backup_s:.0f} s · rows {after[0].partition('|')[0]} of"
        f" {before[0].partition('|')[0]}, the same digest: {after == before} · new hosts {hosts_s:.0f} s · from bare hosts"
        f" to writes by the application's address {restore_s:.0f} s"
    )
    assert repository.count("full backup") == 1 and repository.count("diff backup") == 1
    assert after == before
