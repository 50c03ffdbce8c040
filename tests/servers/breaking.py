"""A plugin of somebody else, installed beside MusicConnect for one node: its page and its job fail in ways that nobody expected."""

from __future__ import annotations

from pathlib import Path

PLUGIN = """
from flask import Blueprint

from appliance import clock
from appliance import hookimpl
from appliance import jobs
from appliance.hookspecs import WebPages

blueprint = Blueprint("pages", __name__)


@blueprint.get("/now")
def now():
    secret = "in a variable"
    raise ValueError("somebody@example.org paid by card 4242 4242 4242 4242 from 192.0.2.7 with token=abc123 for 'Ada Secretname'")


@blueprint.get("/later/<subject>")
def later(subject):
    job = jobs.add("breaking", subject, now=clock.now(), max_attempts=2)
    jobs.send(job.id)
    return "queued"


@jobs.handles("breaking")
def work(running):
    try:
        raise KeyError("somebody@example.org")
    except KeyError as error:
        raise RuntimeError(f"the job of Bearer abcdef0123456789abcdef failed at https://ada@music.example/?key=1") from error


@hookimpl
def web_pages():
    return WebPages(blueprint, {"now": "anybody", "later": "anybody"})
"""


def installed(folder: Path) -> dict[str, str]:
    """Install it into *folder*, as pip would; the environment of a node that finds it there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "breaking_plugin.py").write_text(PLUGIN, "utf-8")
    facts = folder / "breaking_plugin-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: breaking-plugin\nVersion: 1.0\n", "utf-8")
    (facts / "entry_points.txt").write_text("[musicconnect]\nbreaking = breaking_plugin\n", "utf-8")
    return {"PYTHONPATH": str(folder)}
