"""The service worker: one script at the root, whose text changes whenever a static file does."""

import json
from functools import cache

from flask import Response
from flask import url_for

from web.frame import STATIC
from web.frame import asset
from web.frame import version
from web.installed.routing import blueprint

PARTS = ("shell.js", "vault.js", "main.js")
"""The scripts below ``static/js/worker``, in their order: workers that are modules are not known by every browser yet."""
STYLES = ("base", "parts", "pages", "player", "installed")
FOLDERS = ("js/player", "js/offline", "js/installed")
SINGLE = (
    "js/app.js",
    "js/api.js",
    "js/texts.js",
    "js/preferences.js",
    "js/dialogs.js",
    "js/installed.js",
    "js/elements/kept-list.js",
    "icon.svg",
    "icons.svg",
)
LIBRARIES = ("vendor/turbo", "vendor/instrument-sans")


@blueprint.get("/service-worker.js")
def service_worker() -> Response:
    """The worker of this version; asked for anew each time, so that an update is found."""
    facts = {"version": version(), "shell": shell(), "offline": url_for("installed.offline")}
    head = f"const FACTS = {json.dumps(facts)};\n"
    answer = Response(head + _script(), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    return answer


def shell() -> list[str]:
    """What the app needs before it can show anything: fetched when it is installed, and no more than that."""
    found = [f"css/{name}.css" for name in STYLES] + list(SINGLE)
    for folder in (*FOLDERS, *LIBRARIES):
        kept = (".js", ".woff2")
        found += [
            path.relative_to(STATIC).as_posix()
            for path in sorted((STATIC / folder).glob("*"))
            if path.suffix in kept
        ]
    return [asset(path) for path in found if (STATIC / path).is_file()]


@cache
def _script() -> str:
    return "\n".join((STATIC / "js" / "worker" / part).read_text("utf-8") for part in PARTS)
