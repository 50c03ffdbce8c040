"""A byte that no text may hold: in an address it is read like all that are no text, so that it leads nowhere, on either engine.

PostgreSQL refuses to look for a text with a NUL in it, and SQLite finds nothing.
"""

from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from web.retrying import Wsgi

IN_PATH = "\N{REPLACEMENT CHARACTER}".encode().decode("latin-1")
"""As WSGI writes it (PEP 3333)."""
IN_QUERY = "%EF%BF%BD"


def replaced(app: Wsgi) -> Wsgi:
    """*app*, which never sees a NUL in what it is asked for."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "\0" in environ.get("PATH_INFO", ""):
            environ["PATH_INFO"] = environ["PATH_INFO"].replace("\0", IN_PATH)
        query = environ.get("QUERY_STRING", "")
        if "%00" in query or "\0" in query:
            environ["QUERY_STRING"] = query.replace("%00", IN_QUERY).replace("\0", IN_QUERY)
        return app(environ, start_response)

    return answer
