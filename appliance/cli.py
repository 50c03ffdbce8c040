"""``musicconnect``: the command line. Core commands live here; the server's and the worker's are added by hook."""

from pathlib import Path

import click

from appliance import __version__
from appliance import account_commands
from appliance import audit_commands
from appliance import backup_commands
from appliance import cluster_checks
from appliance import database
from appliance import doctor
from appliance import hooks
from appliance import job_commands
from appliance import key_commands
from appliance import ledger_commands
from appliance import mail_commands
from appliance import payment_commands
from appliance import restore_commands
from appliance import search_commands
from appliance import settings as settings_module
from appliance import startup
from appliance.invocation import Commands
from appliance.invocation import data_option
from appliance.invocation import settings_from


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every setting can also be given as MUSICCONNECT_<NAME> or in musicconnect.toml; 'musicconnect settings' lists them.",
)
@click.version_option(__version__, prog_name="musicconnect")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder that holds everything this node keeps (default: ./data).",
)
@click.pass_context
def cli(ctx: click.Context, data: Path | None) -> None:
    """MusicConnect: a music platform that a collective owns.

    \b
    First steps:
      musicconnect demo                       fill a fresh node with music to look around
      musicconnect serve                      run everything this node needs
      musicconnect setup-link                 print a new address to set a fresh node up at
      musicconnect doctor                     check what can be wrong, and how to mend it
    """
    ctx.obj = {"data": data}


@cli.command(short_help="Bring the database to the newest schema.")
@data_option
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Bring the database to the newest schema; safe to run twice."""
    settings = settings_from(ctx)
    startup.make_data_folder(settings)
    startup.connect_database(settings)
    done = database.migrate()
    click.echo("\n".join(f"applied {name}" for name in done) if done else "The database is up to date.")


@cli.command("settings", short_help="List every setting and its value now.")
@data_option
@click.pass_context
def show_settings(ctx: click.Context) -> None:
    """List every setting, its value now and what it is for; secrets are masked."""
    settings = settings_from(ctx)
    for row in settings_module.core_settings():
        value = getattr(settings, row.name)
        note = "" if value == row.default else "  (set)" if not row.secret else ""
        click.echo(f"{row.name} = {row.shown(value)}{note}\n    {row.help} Allowed: {row.allowed()}.")


@cli.command()
@data_option
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """List the plugins, whether each runs, and why not."""
    for plugin in startup.load_plugins(settings_from(ctx)):
        click.echo(f"{plugin.name}  {plugin.status}  {plugin.source}")
        if plugin.explanation:
            click.echo(f"    {plugin.explanation}")
        for row in plugin.settings:
            click.echo(f"    {row.name}: {row.help}")


CHECKS = (cluster_checks,)
"""Modules whose import declares what the doctor looks at."""
for added in (
    account_commands.user,
    account_commands.token,
    account_commands.setup_link,
    audit_commands.trail,
    backup_commands.backup,
    restore_commands.restore,
    restore_commands.restored,
    job_commands.jobs,
    mail_commands.mail,
    payment_commands.payments,
    key_commands.keys,
    ledger_commands.ledger,
    search_commands.search,
    doctor.doctor,
):
    cli.add_command(added)


def main() -> None:
    """Entry point of the command ``musicconnect``."""
    # Commands are collected before settings are read, so that help needs no valid settings.
    for name, problem in hooks.add_commands(cli):
        click.echo(f"musicconnect: the plugin '{name}' adds no commands: {problem}", err=True)
    cli(prog_name="musicconnect")
