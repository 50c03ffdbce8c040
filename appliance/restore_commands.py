"""``musicconnect restore``: the node, or its media alone, out of a snapshot; and what a restored node waits for."""

from datetime import timedelta
from pathlib import Path

import click

from appliance import backup_commands
from appliance import clock
from appliance import doctor
from appliance import jobs
from appliance import startup
from appliance.backup import aftermath
from appliance.backup import refilling
from appliance.backup import repository
from appliance.backup import restoring
from appliance.backup import taking
from appliance.backup.repository import Repository
from appliance.errors import Unavailable
from appliance.invocation import data_option
from appliance.invocation import settings_from
from appliance.invocation import started
from appliance.settings import Settings

PATIENCE = timedelta(hours=1)
"""How long providers may take to tell what happened since the backup before it is told as wrong."""


@doctor.check("restore")
def _restored(settings: Settings) -> str:
    restored = aftermath.unsettled()
    if restored is None:
        return "nothing waits for what happened since a backup"
    if clock.now() - restored.restored_at > PATIENCE:
        raise Unavailable(
            "Since the restore of {at} not every payment provider told what happened, so payouts and letters about memberships wait. "
            "Run: musicconnect payments reconcile. When a provider is gone for good: musicconnect restored --settle.",
            at=restored.restored_at.strftime("%Y-%m-%d %H:%M UTC"),
        )
    return "payment providers are asked what happened since the backup"


@click.command(short_help="Make this node out of a snapshot.")
@click.argument("snapshot", default=repository.LATEST)
@backup_commands.from_option
@click.option("--force", is_flag=True, help="Also where there is a node already; its database goes aside.")
@click.option(
    "--secret-key",
    "secret_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the secret key, for a backup that is not encrypted.",
)
@click.option("--new-secret-key", is_flag=True, help="Go on without the secret key; what it sealed is lost.")
@click.option("--without-damaged", is_flag=True, help="Leave out media that are damaged in the backup.")
@click.option(
    "--media-only",
    is_flag=True,
    help="Bring back the media that the store lost, and touch no row; the node may run.",
)
@click.option(
    "--reread", is_flag=True, help="With --media-only: read what is there, and replace what is damaged."
)
@data_option
@click.pass_context
def restore(
    ctx: click.Context,
    snapshot: str,
    url: str,
    force: bool,
    secret_file: Path | None,
    new_secret_key: bool,
    without_damaged: bool,
    media_only: bool,
    reread: bool,
) -> None:
    """Make this node out of a snapshot (the latest, without a name), into an empty data folder.

    The settings say where database and media go. A restore that was killed is run once more.
    """
    settings = settings_from(ctx)
    if media_only:
        if force or secret_file or new_secret_key:
            raise click.UsageError("--media-only replaces no database and no secret key.")
        _refill(settings, backup_commands.opened(settings, url), snapshot, reread=reread)
        return
    if reread:
        raise click.UsageError("--reread goes with --media-only.")
    done = restoring.restore(
        settings,
        backup_commands.opened(settings, url),
        snapshot,
        force=force,
        secret_file=secret_file,
        fresh_secret=new_secret_key,
        without_damaged=without_damaged,
        now=clock.now(),
    )
    found = done.snapshot
    click.echo(
        f"{found.name} of {found.taken_at:%Y-%m-%d %H:%M:%S} UTC is restored: {done.objects} object(s) "
        f"({done.objects_there} were there), {backup_commands.size(found.size_bytes)}."
    )
    for name in done.migrated:
        click.echo(f"applied {name}")
    click.echo(
        f"{done.mended.sessions} session(s) ended; {done.mended.letters} letter(s) and {done.mended.payouts} payout(s) held, since "
        "they may have gone out after the backup."
    )
    if done.settings_file:
        click.echo(f"The settings file of the backup is {done.settings_file}; look at it.")
    if found.secrets.media_master_mark != taking.mark(settings.media_master_key):
        click.echo(
            "The setting 'media_master_key' is another one than in the backup; set it as it was.", err=True
        )
    if done.orphaned:
        click.echo(done.orphaned, err=True)
    if done.left_out:
        raise Unavailable(
            "{count} object(s) are damaged in the backup and left out: {keys}.",
            count=len(done.left_out),
            keys=", ".join(done.left_out[:20]),
        )
    click.echo(
        "Now: musicconnect doctor, then start. What happened since the backup is fetched from payment providers."
    )


def _refill(settings: Settings, opened: Repository, snapshot: str, *, reread: bool) -> None:
    done = refilling.refill(startup.start(settings), opened, snapshot, reread=reread)
    found = done.snapshot
    click.echo(
        f"{done.brought} object(s) of {found.name} of {found.taken_at:%Y-%m-%d %H:%M:%S} UTC are back, {done.there} were there; "
        f"{done.unnamed} that no row names any more are left away."
    )
    if done.others:
        click.echo(
            f"{len(done.others)} object(s) are others than in the backup and left as they are, such as {', '.join(done.others[:5])}.",
            err=True,
        )
    if done.left_out:
        click.echo(
            f"{len(done.left_out)} object(s) are damaged in the backup: {', '.join(done.left_out[:20])}.",
            err=True,
        )
    if done.left_out or done.lacking:
        raise Unavailable("Not all is back. {why}", why=done.lacking or "Take another snapshot.")


@click.command(short_help="Say how a restored node stands, or settle it.")
@click.option(
    "--settle", is_flag=True, help="Let payouts and letters go on, whatever providers have not told."
)
@data_option
@click.pass_context
def restored(ctx: click.Context, settle: bool) -> None:
    """Say what a restored node still waits for; with --settle it waits no longer."""
    started(ctx)
    found = aftermath.unsettled()
    if found is None:
        click.echo("Nothing waits for what happened since a backup.")
    elif settle:
        for job_id in aftermath.settle(now=clock.now()):
            jobs.send(job_id)
        click.echo("Payouts and letters go on.")
    else:
        waiting = ", ".join(aftermath.outstanding(found)) or "no provider; it is settled within a minute"
        click.echo(f"Restored from {found.snapshot}; waits for {waiting}.")
