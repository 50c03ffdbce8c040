"""A real S3 server for tests: OpenStack Swift with its s3api, one process, loopback only.

Swift checks every signature and every payload hash, which the well-known mocks do not. Its four servers
(account, container, object, proxy) share one process here, because that starts quicker and is one pid to
stop. The process also ends by itself when its standard input closes, so that a killed test run leaves none.

Run as a script it is the server; imported it offers :func:`s3_server`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

ACCESS_KEY = "test:tester"
SECRET_KEY = "a/secret+with@signs:"


@dataclass(frozen=True)
class S3Server:
    """Where the server listens, and whom it lets in."""

    pid: int
    port: int

    def url(self, bucket: str, *, secret: str = SECRET_KEY, **options: str) -> str:
        """The storage URL of *bucket* on this server."""
        query = "&".join(f"{name}={value}" for name, value in {"secure": "0", **options}.items())
        credentials = f"{quote(ACCESS_KEY, safe='')}:{quote(secret, safe='')}"
        return f"s3://{credentials}@127.0.0.1:{self.port}/{bucket}?{query}"


@contextlib.contextmanager
def s3_server(*folders: Path) -> Iterator[S3Server]:
    """Run Swift with its data below the first of *folders* that keeps extended attributes."""
    with tempfile.TemporaryDirectory(prefix="s3-", dir=_keeps_attributes(folders)) as data:
        log = Path(data, "log")
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", __file__, data],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()
            if not ready:
                raise RuntimeError(f"Swift did not start:\n{log.read_text()[-4000:]}")
            yield S3Server(pid=process.pid, **json.loads(ready))
        finally:
            process.stdin.close()
            process.kill()
            process.wait()
            process.stdout.close()


def _keeps_attributes(folders: tuple[Path, ...]) -> Path:
    for folder in (*folders, Path("/var/tmp"), Path.cwd()):
        with contextlib.suppress(OSError), tempfile.NamedTemporaryFile(dir=folder) as probe:
            os.setxattr(probe.fileno(), "user.probe", b"1")
            return folder
    raise RuntimeError("Swift needs a file system with user extended attributes (ext4, xfs, btrfs).")


_SWIFT_CONF = """
[swift-hash]
swift_hash_path_suffix = test
[storage-policy:0]
name = one
default = yes
"""

_BACKEND_CONF = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
disable_fallocate = true
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

# Port 1 never answers: without memcached every look-up goes to the servers, slower but always fresh.
_PROXY_CONF = """
[DEFAULT]
swift_dir = {folder}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats s3api tempauth
    bulk slo dlo versioned_writes symlink copy proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
memcache_max_connections = 1
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
[filter:copy]
use = egg:swift#copy
"""


def start(folder: Path, *, address: tuple[str, int] = ("127.0.0.1", 0), secret: str = SECRET_KEY) -> Any:
    """The four servers as green threads of this process, the proxy at *address*; returns the proxy's application and its port.

    Binds first, so that the rings name ports that are surely ours.
    """
    import eventlet
    import eventlet.wsgi
    from swift.common import utils
    from swift.common.ring import RingBuilder
    from swift.common.storage_policy import reload_storage_policies
    from swift.common.wsgi import SwiftHttpProtocol
    from swift.common.wsgi import loadapp

    utils.monkey_patch()
    (folder / "devices" / "disk").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text(_SWIFT_CONF)
    utils.set_swift_dir(str(folder))
    reload_storage_policies()

    sockets = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in ("account", "container", "object")}
    sockets["proxy"] = eventlet.listen(address)
    for kind in ("account", "container", "object"):
        ring = RingBuilder(part_power=1, replicas=1, min_part_hours=0)
        ip, port = sockets[kind].getsockname()
        ring.add_dev({"region": 1, "zone": 1, "ip": ip, "port": port, "device": "disk", "weight": 1.0})
        ring.rebalance()
        ring.get_ring().save(str(folder / f"{kind}.ring.gz"))
        (folder / f"{kind}.conf").write_text(_BACKEND_CONF.format(kind=kind, folder=folder))
    user = ACCESS_KEY.replace(":", "_")
    (folder / "proxy.conf").write_text(_PROXY_CONF.format(folder=folder, user=user, secret=secret))

    for kind, socket in sockets.items():
        app = loadapp(str(folder / f"{kind}.conf"), global_conf={"log_name": kind})
        eventlet.spawn(
            eventlet.wsgi.server,
            socket,
            app,
            log_output=False,
            protocol=SwiftHttpProtocol,
            capitalize_response_headers=False,
        )
    return app, sockets["proxy"].getsockname()[1]


def _serve(folder: Path) -> None:
    """Serve until standard input closes."""
    import eventlet

    _, port = start(folder)
    print(json.dumps({"port": port}), flush=True)
    eventlet.tpool.execute(sys.stdin.buffer.read)
    os._exit(0)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
