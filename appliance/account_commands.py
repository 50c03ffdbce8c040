"""``musicconnect user``, ``musicconnect token`` and ``musicconnect setup-link``."""

import sys

import click

from appliance import clock
from appliance.accounts import people
from appliance.accounts import tokens
from appliance.accounts.letters import Letters
from appliance.accounts.models import RoleName
from appliance.accounts.models import Scope
from appliance.collective import identity
from appliance.collective import setup
from appliance.invocation import data_option
from appliance.invocation import started


@click.group()
def user() -> None:
    """Make accounts, and help who lost the way in."""


@user.command("create")
@click.option("--email", required=True, help="Address they sign in with.")
@click.option(
    "--role", type=click.Choice([str(role) for role in RoleName]), default="listener", show_default=True
)
@click.option("--name", default="", help="Name that others see.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
)
@data_option
@click.pass_context
def create_user(ctx: click.Context, email: str, role: str, name: str, password_stdin: bool) -> None:
    """Make an account."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    started(ctx)
    made = people.create(email, password, roles=[RoleName(role)], now=clock.now(), display_name=name)
    click.echo(f"Made the {role} {made.email}.")


@user.command("reset-second-factor")
@click.option("--email", required=True, help="Whose second factors are lost.")
@data_option
@click.pass_context
def reset_second_factor(ctx: click.Context, email: str) -> None:
    """Take all second factors of a person away and sign them out, when they have lost every one."""
    running = started(ctx)
    letters = Letters(identity.current(running.settings).name, "en")
    people.reset_second_factor(people.find(email), letters=letters, now=clock.now())
    letters.post()
    click.echo(f"{email} signs in by password alone, and should set a second factor up again.")


@click.group()
def token() -> None:
    """Mint API tokens."""


@token.command("create")
@click.option("--email", required=True, help="Whose token it is.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([str(scope) for scope in Scope]),
    default=["read", "write"],
    show_default=True,
    help="What it may do; give it several times for several.",
)
@click.option("--name", default="", help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="After how many days it ends (default: never).")
@data_option
@click.pass_context
def create_token(
    ctx: click.Context, email: str, scopes: tuple[str, ...], name: str, days: int | None
) -> None:
    """Mint a token and print it; it is shown this once."""
    started(ctx)
    click.echo(tokens.mint(people.find(email), now=clock.now(), scopes=scopes, name=name, days=days))


@click.command("setup-link", short_help="Print a new address to set this node up at.")
@data_option
@click.pass_context
def setup_link(ctx: click.Context) -> None:
    """Print a new address to set this node up at: it works once, and an older one no more."""
    settings = started(ctx).settings
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    click.echo(f"{base}/setup?token={setup.new_token(now=clock.now())}")
