"""``musicconnect worker``, ``musicconnect retranscode`` and ``musicconnect demo``."""

import click

from appliance import clock
from appliance import database
from appliance import doctor
from appliance import hookimpl
from appliance import jobs
from appliance import startup
from appliance import supervisor
from appliance.catalog import tracks
from appliance.catalog.models import Track
from appliance.errors import Invalid
from appliance.invocation import data_option
from appliance.invocation import settings_from
from appliance.invocation import started
from appliance.settings import Settings
from transcoder import demo as collective
from transcoder import program
from transcoder import worker as consumer

EXIT_LEFT = 20
"""How a worker ends that was asked to leave (SIGUSR1) and has done all that it had in hand; its unit does not start it again then."""


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add the commands of the transcoder."""
    for command in (worker, retranscode, demo):
        cli.add_command(command)


@doctor.check("ffmpeg")
def _ffmpeg(settings: Settings) -> str:
    return program.check(settings.ffmpeg)


@click.command(short_help="Run a worker: renditions, plugins, chores.")
@click.option(
    "--periodic/--no-periodic",
    default=True,
    help="Stand ready for the chores; one of all such workers does them.",
)
@click.option("--lanes", help="What it does, such as mail,webhooks (default: all; see 'worker_lanes').")
@click.option("--lifeline", type=int, hidden=True)
@data_option
@click.pass_context
def worker(ctx: click.Context, periodic: bool, lanes: str | None, lifeline: int | None) -> None:
    """Run a worker: it makes renditions, tells plugins, and does the chores."""
    supervisor.follow_lifeline(lifeline)
    if consumer.run(settings_from(ctx, {"worker_lanes": lanes}), periodic=periodic):
        ctx.exit(EXIT_LEFT)


@click.command(short_help="Make the renditions of tracks anew.")
@click.argument("track_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every track of the catalogue.")
@data_option
@click.pass_context
def retranscode(ctx: click.Context, track_ids: tuple[str, ...], everything: bool) -> None:
    """Make the renditions of tracks anew; listeners hear the old ones until the new are verified."""
    if not track_ids and not everything:
        raise click.UsageError("Name the tracks, or say --all.")
    appliance = started(ctx)
    wanted = [row.id for row in Track.select(Track.id).order_by(Track.id)] if everything else list(track_ids)
    for track_id in wanted:
        job = tracks.queue_transcode(track_id, now=clock.now(), attempts=appliance.settings.job_attempts)
        jobs.send(job.id)
    click.echo(f"{len(wanted)} track(s) queued.")


@click.command(short_help="Make a demo collective whose music plays.")
@data_option
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Make a demo collective: three artists whose music the worker synthesises and transcodes.

    Makes the accounts artist@demo.com and fan@demo.com with the password password123; a node that has them only
    listens on this machine.
    """
    settings = settings_from(ctx)
    if not doctor.is_loopback(settings.host):
        raise Invalid(
            f"A demo has passwords that everybody knows; it is not made on a node that listens on {settings.host}."
        )
    startup.start(settings)
    database.migrate()
    made = collective.make(now=clock.now())
    click.echo(
        "The demo collective is made; its music becomes ready while the server runs."
        if made
        else "The demo is here already."
    )
