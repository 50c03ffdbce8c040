"""What gunicorn runs to try how bodies are paced: it says how many bytes came, or that the body was cut, or reads nothing of it."""

from collections.abc import Iterable
from typing import Any

from web.pacing import Paced


def count(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The view."""
    try:
        if environ["PATH_INFO"] == "/refused":
            raise PermissionError
        said = str(len(environ["wsgi.input"].read()))
    except PermissionError:
        said = "refused"
    except OSError:
        said = "cut"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))])
    return [said.encode()]


application = Paced(count, body_s=0.5, look_s=0.05)
