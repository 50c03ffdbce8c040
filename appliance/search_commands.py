"""``musicconnect search``: make the index of the search anew."""

import click

from appliance.catalog import findable
from appliance.invocation import data_option
from appliance.invocation import started


@click.group()
def search() -> None:
    """Care for the search."""


@search.command(short_help="Make the index of the search, genres and tags anew.")
@data_option
@click.pass_context
def rebuild(ctx: click.Context) -> None:
    """Make the index of the search, genres and tags anew; needed only after rows were changed by hand."""
    started(ctx)
    click.echo(f"Releases that can be found now: {findable.rebuild()}.")
