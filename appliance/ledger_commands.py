"""``musicconnect ledger``: check the books, and print the statement of a payee."""

from datetime import datetime

import click

from appliance import clock
from appliance import currencies
from appliance.collective import books
from appliance.invocation import data_option
from appliance.invocation import started
from appliance.ledger import balances
from appliance.ledger import statement_files
from appliance.ledger import statements

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("ledger")
def ledger() -> None:
    """Check the books, and print statements."""


@ledger.command(short_help="Find what does not add up, and name the rows.")
@data_option
@click.pass_context
def check(ctx: click.Context) -> None:
    """Check that every transaction balances, every balance is the sum of its entries, the books say what follows from each
    payment, access agrees with money, and our books with those of the payment providers; exit code 1 when something differs.
    """
    settings = started(ctx).settings
    began = clock.now()
    found = books.look(settings, began_at=began)
    for one in found:
        click.echo(f"WRONG {one.check}: {one.row}: {one.sentence}")
    seconds = (clock.now() - began).total_seconds()
    click.echo(f"{len(found) or 'No'} difference(s), looked for in {seconds:.1f} s.")
    ctx.exit(1 if found else 0)


@ledger.command(short_help="Print the statement of ARTIST as CSV.")
@click.argument("artist")
@click.option("--currency", default="", help="Which currency, such as EUR; without it, what is owed in each.")
@click.option(
    "--from", "first", type=DAY, help="From this day on (UTC), such as 2026-01-31; else from this month on."
)
@click.option(
    "--to", "last", type=DAY, help="Until this day, the day itself too; else until the month's end."
)
@data_option
@click.pass_context
def statement(
    ctx: click.Context, artist: str, currency: str, first: datetime | None, last: datetime | None
) -> None:
    """Print what ARTIST (the last part of the address of the page, or the id) is owed; with a currency, every cent of a period as CSV."""
    started(ctx)
    payee = statements.payee_named(artist)
    if not currency:
        for owed in balances.of_payee(payee.id):
            code = owed.currency
            click.echo(
                f"{code}  owed {currencies.written(owed.owed_minor, code)}"
                f"  held {currencies.written(owed.held_minor, code)}"
                f"  available {currencies.written(owed.available_minor, code)}"
            )
        return
    begin, end = statements.month(clock.now())
    told = statements.of(
        payee.id, currency, first=first.date() if first else begin, last=last.date() if last else end
    )
    for line in statement_files.csv_lines(told):
        click.echo(line, nl=False)
