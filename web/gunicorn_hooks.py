"""What gunicorn calls. Its master imports this file and nothing else of ours, so that workers it starts later run what is installed then."""

from typing import Any


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
