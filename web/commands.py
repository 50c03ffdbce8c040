"""``musicconnect serve`` and ``musicconnect web``."""

import logging
import signal
import socket
import tempfile
import threading
from types import FrameType

import click

from appliance import clock
from appliance import database
from appliance import doctor
from appliance import hookimpl
from appliance import node_processes
from appliance import plugin_settings
from appliance import startup
from appliance import supervisor
from appliance.collective import setup
from appliance.invocation import EXIT_WRONG
from appliance.invocation import data_option
from appliance.invocation import settings_from
from appliance.settings import Settings
from web import gunicorn_serving
from web.nginx import nginx

log = logging.getLogger(__name__)

LINGER_S = 2.0
"""How long a connection of the proxy in front stays open without a request when this process makes room for the next."""

host_option = click.option("--host", help="Address to listen on (default: 127.0.0.1).")
port_option = click.option("--port", type=int, help="TCP port to listen on (default: 8000).")
lifeline_option = click.option("--lifeline", type=int, hidden=True)


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add the commands of the server."""
    cli.add_command(serve)
    cli.add_command(web)
    cli.add_command(nginx)


@click.command(short_help="Run all of one node: web server and worker.")
@host_option
@port_option
@data_option
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None) -> None:
    """Run all of one node: the web server and a worker, started again when they die."""
    settings = settings_from(ctx, {"host": host, "port": port})
    startup.make_data_folder(settings)
    startup.connect_database(settings)
    database.migrate()
    doctor.require_safe_address(settings)
    listening = supervisor.listen(settings.host, settings.port)
    bound = listening.getsockname()[1]
    token = setup.new_token(now=clock.now()) if setup.is_wanted() else ""
    database.close()
    shared = ["--data", str(settings.data)]
    children = [
        supervisor.Child(
            "web",
            ["web", *shared, "--host", settings.host, "--port", str(bound), "--fd", str(listening.fileno())],
        ),
        supervisor.Child("worker", ["worker", *shared]),
    ]
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = settings.public_url.rstrip("/") or f"http://{shown}:{bound}"
    click.echo(f"MusicConnect is at {address} (stop it with Ctrl-C)")
    if token:
        click.echo(f"Nobody looks after it yet. Set it up at {address}/setup?token={token}")
    ctx.exit(supervisor.run(children, inherited=[listening.fileno()], wrong=EXIT_WRONG))


@click.command()
@host_option
@port_option
@click.option("--fd", type=int, help="Number of a socket that listens already, as systemd hands over (3).")
@lifeline_option
@data_option
@click.pass_context
def web(ctx: click.Context, host: str | None, port: int | None, fd: int | None, lifeline: int | None) -> None:
    """Run the web server alone; a worker must run elsewhere."""
    supervisor.follow_lifeline(lifeline)
    settings = settings_from(ctx, {"host": host, "port": port})
    # As a part of 'serve' it is one process that needs little memory.
    if lifeline is None and gunicorn_serving.is_wanted(settings):
        # What is wrong is told here in a sentence; gunicorn would tell it by the stack of each worker.
        startup.start(settings, role=startup.WEB)
        database.check()
        doctor.require_safe_address(settings)
        startup.stop()
        gunicorn_serving.become(settings, fd)
    # Alone, with a socket that somebody else holds: the next one may be answering at it already.
    _run(settings, fd, linger_s=LINGER_S if fd is not None and lifeline is None else 0.0)


def _run(settings: Settings, fd: int | None, *, linger_s: float) -> None:
    # Imported here: the supervisor, which never answers a request, would carry Flask in its memory all day.
    from appliance.catalog import uploads
    from web import metrics
    from web import serving
    from web.app import create_app

    appliance = startup.start(settings, role=startup.WEB, connections=settings.web_threads + 2)
    database.check()
    doctor.require_safe_address(settings)
    listening = (
        socket.socket(fileno=fd) if fd is not None else supervisor.listen(settings.host, settings.port)
    )
    listening.setblocking(False)
    metrics.begin(settings)
    # Waitress keeps the body of a large request in a temporary file: beside the data, for /tmp may be memory.
    appliance.scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    tempfile.tempdir = str(appliance.scratch)
    uploads.tidy(appliance.staging, now=clock.now())
    server = serving.server(
        create_app(appliance),
        sockets=[listening],
        threads=settings.web_threads,
        clear_untrusted_proxy_headers=not settings.trusted_proxies,
    )

    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    node_processes.enter(
        "web", plugins=plugin_settings.fingerprint(plugin_settings.merged(settings)), now=clock.now()
    )
    database.let_go()
    log.info("web ready", extra={"host": settings.host, "port": listening.getsockname()[1]})
    supervisor.tell_ready()
    serving.run(server, stopping, linger_s=linger_s)
    node_processes.leave()
    startup.stop()
