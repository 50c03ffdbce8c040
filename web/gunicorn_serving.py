"""Becoming gunicorn: many processes with many threads each, behind one socket, replaced without a dropped request."""

import os
from importlib.util import find_spec

from appliance import supervisor
from appliance.errors import Invalid
from appliance.settings import ENV_PREFIX
from appliance.settings import Settings

GRACE_S = 30
"""Seconds in which a worker that is replaced ends what it has in hand."""
SILENT_S = 60
"""Seconds after which a worker that does nothing at all, not even between requests, is killed."""
KEEP_ALIVE_S = 75
"""Longer than nginx keeps an idle connection: so it is nginx that closes it, and never asks over one that just closed."""
MOST_WORKERS = 12
FIRST_INHERITED = 3
GIVEN = ("data", "host", "port", "web_socket")
"""What may have been said on the command line, and is handed on."""


def is_wanted(settings: Settings) -> bool:
    """Whether gunicorn is to answer; ``Invalid`` when it is and is not installed."""
    if settings.web_server == "embedded":
        return False
    installed = find_spec("gunicorn") is not None
    if settings.web_server == "gunicorn" and not installed:
        raise Invalid(
            "The setting 'web_server' is gunicorn, which is not installed; run: pip install 'musicconnect[cluster]'.",
            field="web_server",
        )
    return installed


def workers(settings: Settings) -> int:
    """How many processes: as the setting says, else one for each core that this one may use."""
    return settings.web_workers or min(len(os.sched_getaffinity(0)), MOST_WORKERS)


def arguments(settings: Settings, *, inherits: bool = False) -> list[str]:
    """The command line of gunicorn, which *inherits* a socket that listens already or else opens its own."""
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    where = f"unix:{settings.web_socket}" if settings.web_socket else f"{shown}:{settings.port}"
    # A worker tells that it lives by touching a file: in memory, for a disk may be slow.
    memory = ["--worker-tmp-dir", "/dev/shm"] if os.access("/dev/shm", os.W_OK) else []  # noqa: S108 - a mount
    return [
        "--config",
        "python:web.gunicorn_hooks",
        "--worker-class",
        "gthread",
        "--workers",
        str(workers(settings)),
        "--threads",
        str(settings.web_threads),
        *([] if inherits else ["--bind", where]),
        "--graceful-timeout",
        str(GRACE_S),
        "--timeout",
        str(SILENT_S),
        "--keep-alive",
        str(KEEP_ALIVE_S),
        "--no-control-socket",
        "--log-level",
        "warning" if settings.log_level == "info" else settings.log_level,
        "--name",
        "musicconnect",
        *memory,
        "web.wsgi:application()",
    ]


def become(settings: Settings, fd: int | None = None) -> None:
    """Turn this process into gunicorn's master, at the socket *fd* where that is handed over; returns never."""
    said = {f"{ENV_PREFIX}{name.upper()}": str(getattr(settings, name)) for name in GIVEN}
    if fd is not None:
        said |= _handed_on(fd)
    supervisor.become("gunicorn", arguments(settings, inherits=fd is not None), said)


def _handed_on(fd: int) -> dict[str, str]:
    """As systemd hands a socket over (sd_listen_fds(3)): gunicorn then leaves it to others when it ends, and removes none of a file's."""
    if fd != FIRST_INHERITED:
        os.dup2(fd, FIRST_INHERITED)
        os.close(fd)
    os.set_inheritable(FIRST_INHERITED, True)
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
