"""What gunicorn calls. Its master imports this file and nothing else of ours, so that workers it starts later run what is installed then."""

import os
from typing import Any

READY = "NOTIFY_SOCKET"
"""Where systemd wants to be told that work can begin (sd_notify(3))."""


def on_starting(server: Any) -> None:
    """In the master, before it says there itself that it is ready: nobody answers until a worker has started the application."""
    server.ready_address = os.environ.pop(READY, "")


def post_fork(server: Any, worker: Any) -> None:
    """In a worker that begins."""
    if server.ready_address:
        os.environ[READY] = server.ready_address


def post_worker_init(worker: Any) -> None:
    """In a worker that has started the application."""
    from appliance import supervisor

    supervisor.tell_ready()


def worker_exit(server: Any, worker: Any) -> None:
    """In a worker that ends."""
    # Imported here: see above. Nothing is left to do where the application never started.
    from appliance import errors
    from appliance import startup

    try:
        startup.appliance()
    except errors.Unavailable:
        return
    from web import wsgi

    wsgi.leave()
