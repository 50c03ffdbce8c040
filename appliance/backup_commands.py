"""``musicconnect backup`` and ``musicconnect restore``: snapshots of the whole node, and the node out of a snapshot."""

from datetime import timedelta
from pathlib import Path

import click

from appliance import clock
from appliance import doctor
from appliance import jobs
from appliance import startup
from appliance.backup import aftermath
from appliance.backup import locks
from appliance.backup import pruning
from appliance.backup import repository
from appliance.backup import restoring
from appliance.backup import retention
from appliance.backup import schedule
from appliance.backup import taking
from appliance.backup import verifying
from appliance.backup.repository import Repository
from appliance.errors import Unavailable
from appliance.invocation import data_option
from appliance.invocation import settings_from
from appliance.invocation import started
from appliance.settings import Settings

PATIENCE = timedelta(hours=1)
"""How long providers may take to tell what happened since the backup before it is told as wrong."""

from_option = click.option(
    "--from", "url", default="", help="Where the backup is (default: the setting backup_url)."
)


@doctor.check("backup")
def _backup(settings: Settings) -> str:
    return schedule.told(settings, now=clock.now())


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


@click.group(invoke_without_command=True, short_help="Back up this node: database, media and secret key.")
@click.option("--to", "url", default="", help="Where to (default: the setting backup_url).")
@click.option(
    "--reread",
    is_flag=True,
    help="Read everything anew, here and there, and write again what is damaged there.",
)
@data_option
@click.pass_context
def backup(ctx: click.Context, url: str, reread: bool) -> None:
    """Take a snapshot of this node while it runs, and forget those that 'backup_keep' does not keep.

    Only what is new is written. Give the key that it is encrypted with as the setting 'backup_key'.
    """
    if ctx.invoked_subcommand:
        return
    appliance = startup.start(settings_from(ctx))
    taken = taking.take(appliance, url=url, distrust=reread)
    snapshot, tally = taken.snapshot, taken.tally
    click.echo(
        f"{snapshot.name}  {snapshot.objects} object(s) and the database, {_size(snapshot.size_bytes)}; "
        f"{taken.objects_read} object(s) new, {_size(tally.bytes_new)} written, {taken.seconds:.1f} s"
    )
    if taken.vanished:
        click.echo(f"{taken.vanished} object(s) were removed meanwhile, which is as it should be.")
    pruned = taken.pruned
    if pruned.snapshots or pruned.swept.pieces:
        click.echo(f"{pruned.snapshots} snapshot(s) forgotten, {_size(pruned.swept.bytes)} cleared away.")
    if not taken.encrypted:
        click.echo(
            "NOT ENCRYPTED: whoever reads the backup reads everything but the secret key, which is left out. Keep "
            f"{appliance.settings.data / startup.SECRET_FILE} and the settings elsewhere yourself, or set 'backup_key'.",
            err=True,
        )
    if taken.damaged:
        if taken.problem:
            click.echo(taken.problem, err=True)
        raise Unavailable(
            "The snapshot is made, but {count} object(s) of the media are damaged in the store: {keys}.",
            count=len(taken.damaged),
            keys=", ".join(taken.damaged[:10]),
        )
    if taken.problem:
        raise Unavailable("The snapshot is made, but: {why}", why=taken.problem)


@backup.command("list", short_help="List the snapshots.")
@from_option
@data_option
@click.pass_context
def list_(ctx: click.Context, url: str) -> None:
    """List the snapshots, oldest first."""
    opened = _opened(settings_from(ctx), url)
    for name in opened.names():
        try:
            found = opened.read(name)
        except Unavailable as error:
            click.echo(f"{name}  {error}")
            continue
        click.echo(
            f"{name}  {found.taken_at:%Y-%m-%d %H:%M:%S} UTC  {_size(found.size_bytes):>10}  {found.objects} object(s)  "
            f"{found.engine}  {found.version}"
        )


@backup.command(short_help="Look whether snapshots are whole.")
@click.argument("snapshot", default=repository.LATEST)
@click.option("--all", "everything", is_flag=True, help="Every snapshot.")
@click.option("--read-data", is_flag=True, help="Read every byte, not only the database and the lists.")
@from_option
@data_option
@click.pass_context
def verify(ctx: click.Context, snapshot: str, everything: bool, read_data: bool, url: str) -> None:
    """Look whether a snapshot (the latest, without a name) is whole; exit code 3 when one is not.

    Every piece must be there, and the database must open and find nothing wrong in itself.
    """
    settings = settings_from(ctx)
    startup.make_data_folder(settings)
    opened = _opened(settings, url)
    names = opened.names() if everything else [opened.find(snapshot).name]
    known, wrong = verifying.known(opened), 0
    for name in names:
        found = verifying.verify(opened, name, known, read=read_data, scratch=settings.data / "scratch")
        wrong += bool(found.problems)
        click.echo(
            f"{name}  {'WRONG' if found.problems else 'whole'}  {found.objects} object(s), {_size(found.size_bytes)}"
        )
        for line in (*found.problems, *found.notes):
            click.echo(f"    {line}")
    if wrong:
        raise Unavailable(
            "{count} snapshot(s) are damaged. 'musicconnect backup --reread' writes again what is still here.",
            count=wrong,
        )


@backup.command(short_help="Forget snapshots and clear away what nothing needs.")
@from_option
@data_option
@click.pass_context
def prune(ctx: click.Context, url: str) -> None:
    """Forget the snapshots that 'backup_keep' does not keep, and clear away what no snapshot needs; each backup forgets, the first of a day clears."""
    settings = settings_from(ctx)
    opened = _opened(settings, url)
    with locks.held(opened.store) as lock:
        done = pruning.prune(opened, retention.read(settings.backup_keep), lock=lock, now=clock.now())
    swept = done.swept
    click.echo(
        f"{done.snapshots} snapshot(s) forgotten, {swept.pieces} piece(s) removed, {_size(swept.bytes)}"
    )
    if swept.missing:
        raise Unavailable(
            "{count} piece(s) of the backup are missing; run musicconnect backup verify --all, then musicconnect backup --reread.",
            count=swept.missing,
        )


@click.command(short_help="Make this node out of a snapshot.")
@click.argument("snapshot", default=repository.LATEST)
@from_option
@click.option("--force", is_flag=True, help="Also where there is a node already; its database goes aside.")
@click.option(
    "--secret-key",
    "secret_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the secret key, for a backup that is not encrypted.",
)
@click.option("--new-secret-key", is_flag=True, help="Go on without the secret key; what it sealed is lost.")
@click.option("--without-damaged", is_flag=True, help="Leave out media that are damaged in the backup.")
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
) -> None:
    """Make this node out of a snapshot (the latest, without a name), into an empty data folder.

    The settings say where database and media go. A restore that was killed is run once more.
    """
    settings = settings_from(ctx)
    done = restoring.restore(
        settings,
        _opened(settings, url),
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
        f"({done.objects_there} were there), {_size(found.size_bytes)}."
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


def _opened(settings: Settings, url: str) -> Repository:
    return repository.open_repository(url or settings.backup_url, settings.backup_key)


def _size(size_bytes: int) -> str:
    size, units = float(size_bytes), ["B", "kB", "MB", "GB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:.1f} {units[0]}" if units[0] != "B" else f"{size_bytes} B"
