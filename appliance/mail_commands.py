"""``musicconnect mail``: send a test at once, and say what came of it."""

import click

from appliance import clock
from appliance.collective import identity
from appliance.errors import Unavailable
from appliance.invocation import data_option
from appliance.invocation import started
from appliance.mail import sending
from appliance.mail import server


@click.group()
def mail() -> None:
    """Try the mail server."""


@mail.command("test", short_help="Send a test to ADDRESS.")
@click.argument("address")
@data_option
@click.pass_context
def test_mail(ctx: click.Context, address: str) -> None:
    """Send a test to ADDRESS at once, without a worker, and say what the mail server answered."""
    settings = started(ctx).settings
    place = server.current()
    if place is None:
        raise Unavailable("No mail server is set; the settings are 'smtp_url' and 'mail_from'.")
    name = identity.current(settings).name
    sending.send_at_once("test", address, place, facts={"collective": name}, locale="en", now=clock.now())
    click.echo(f"The mail server {place.host} took the message to {address}.")
