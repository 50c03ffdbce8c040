"""What the API is measured against: a Flask view that tells the same answer from memory, in the same gunicorn."""

import json
from functools import cache
from pathlib import Path

from flask import Flask
from flask import Response
from flask import jsonify

JSON, HTML = ".json", ".html"


def application() -> Flask:
    """Two views and nothing else; the answers lie in the folder in which the process was started."""
    app = Flask("bare")
    app.json.sort_keys = False  # type: ignore[attr-defined]

    @cache
    def kept(name: str) -> str:
        return Path(name).read_text("utf-8")

    @cache
    def facts(name: str) -> object:
        return json.loads(kept(name))

    @app.get("/bare/<name>.json")
    def told(name: str) -> Response:
        return jsonify(facts(f"{name}{JSON}"))

    @app.get("/bare/<name>.html")
    def page(name: str) -> str:
        return kept(f"{name}{HTML}")

    return app
