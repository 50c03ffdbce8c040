"""The application as gunicorn runs it, with the hooks of ``web.metrics``: this file is both its configuration and what it loads."""

from flask import Flask

from appliance import settings
from appliance import startup
from web import metrics
from web.app import create_app

workers = 3
threads = 2
worker_class = "gthread"
post_fork = metrics.post_fork
child_exit = metrics.child_exit


def on_starting(server: object) -> None:
    """The master, before it forks."""
    metrics.begin_master(settings.load())


def application() -> Flask:
    """What each worker serves."""
    return create_app(startup.start(settings.load()))
