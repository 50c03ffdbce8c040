"""What gunicorn's workers run: the application, started in the worker itself so that no connection is shared by two processes."""

import logging
import tempfile
import time

from flask import Flask

from appliance import clock
from appliance import database
from appliance import logs
from appliance import node_processes
from appliance import plugin_settings
from appliance import settings as settings_module
from appliance import startup
from appliance.catalog import uploads
from appliance.errors import Unavailable
from appliance.settings import Settings
from appliance.startup import Appliance
from web import metrics
from web import pacing
from web.app import create_app

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
"""For how long a worker tries to start; with the last try well below the time after which gunicorn thinks that it stands still."""
PAUSE_S = 1.0


def application() -> Flask:
    """Start MusicConnect in this process by its settings, which are read anew."""
    settings = settings_module.load()
    logs.configure(settings.log_level, settings.log_format)
    appliance = _started(settings)
    # The bodies of large requests are kept in files: beside the data, for /tmp may be memory.
    appliance.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    tempfile.tempdir = str(appliance.scratch)
    uploads.tidy(appliance.staging, now=clock.now())
    # Before anything is counted.
    metrics.begin(settings)
    made = create_app(appliance)
    made.wsgi_app = pacing.Paced(made.wsgi_app)  # type: ignore[method-assign]
    node_processes.enter(
        "web", plugins=plugin_settings.fingerprint(plugin_settings.merged(settings)), now=clock.now()
    )
    database.let_go()
    return made


def _started(settings: Settings) -> Appliance:
    """Everything connected; what does not answer is asked again for a while, for gunicorn halts when a worker cannot start."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            made = startup.start(settings, role=startup.WEB, connections=settings.web_threads + 2)
            database.check()
            return made
        except Unavailable as error:
            if time.monotonic() > deadline:
                raise
            log.warning("this worker cannot start yet", extra={"why": str(error)})
            startup.stop()
        time.sleep(PAUSE_S)


def leave() -> None:
    """This process ends in order."""
    node_processes.leave()
    database.close_thread()
    startup.stop()
