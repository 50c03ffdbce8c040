"""``musicconnect backup``: snapshots of the whole node."""

import click

from appliance import clock
from appliance import doctor
from appliance import startup
from appliance.backup import locks
from appliance.backup import pruning
from appliance.backup import repository
from appliance.backup import retention
from appliance.backup import schedule
from appliance.backup import taking
from appliance.backup import verifying
from appliance.backup.repository import Repository
from appliance.errors import Unavailable
from appliance.invocation import data_option
from appliance.invocation import settings_from
from appliance.settings import Settings

from_option = click.option(
    "--from", "url", default="", help="Where the backup is (default: the setting backup_url)."
)


@doctor.check("backup")
def _backup(settings: Settings) -> str:
    return schedule.told(settings, now=clock.now())


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
        f"{snapshot.name}  {snapshot.objects} object(s) and the database, {size(snapshot.size_bytes)}; "
        f"{taken.objects_read} object(s) new, {size(tally.bytes_new)} written, {taken.seconds:.1f} s"
    )
    if taken.vanished:
        click.echo(f"{taken.vanished} object(s) were removed meanwhile, which is as it should be.")
    pruned = taken.pruned
    if pruned.snapshots or pruned.swept.pieces:
        click.echo(f"{pruned.snapshots} snapshot(s) forgotten, {size(pruned.swept.bytes)} cleared away.")
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
    place = opened(settings_from(ctx), url)
    for name in place.names():
        try:
            found = place.read(name)
        except Unavailable as error:
            click.echo(f"{name}  {error}")
            continue
        click.echo(
            f"{name}  {found.taken_at:%Y-%m-%d %H:%M:%S} UTC  {size(found.size_bytes):>10}  {found.objects} object(s)  "
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
    place = opened(settings, url)
    names = place.names() if everything else [place.find(snapshot).name]
    known, wrong = verifying.known(place), 0
    for name in names:
        found = verifying.verify(place, name, known, read=read_data, scratch=settings.data / "scratch")
        wrong += bool(found.problems)
        click.echo(
            f"{name}  {'WRONG' if found.problems else 'whole'}  {found.objects} object(s), {size(found.size_bytes)}"
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
    place = opened(settings, url)
    with locks.held(place.store) as lock:
        done = pruning.prune(place, retention.read(settings.backup_keep), lock=lock, now=clock.now())
    swept = done.swept
    click.echo(
        f"{done.snapshots} snapshot(s) forgotten, {swept.pieces} piece(s) removed, {size(swept.bytes)}"
    )
    if swept.missing:
        raise Unavailable(
            "{count} piece(s) of the backup are missing; run musicconnect backup verify --all, then musicconnect backup --reread.",
            count=swept.missing,
        )


def opened(settings: Settings, url: str) -> Repository:
    """The backup at *url*, or where the settings say that it is."""
    return repository.open_repository(url or settings.backup_url, settings.backup_key)


def size(size_bytes: int) -> str:
    """Pure: a number of bytes as a person reads it."""
    left, units = float(size_bytes), ["B", "kB", "MB", "GB"]
    while left >= 1000 and len(units) > 1:
        left, units = left / 1000, units[1:]
    return f"{left:.1f} {units[0]}" if units[0] != "B" else f"{size_bytes} B"
