"""``musicconnect audit``: verify that nothing in the trail was changed, export it, seal it."""

from datetime import datetime

import click

from appliance import clock
from appliance.accounts import audit
from appliance.accounts import audit_chain
from appliance.accounts import audit_export
from appliance.accounts import people
from appliance.accounts.audit import Action
from appliance.accounts.audit import Filter
from appliance.invocation import data_option
from appliance.invocation import started

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("audit")
def trail() -> None:
    """Verify, export and seal the audit trail."""


@trail.command(short_help="Find entries that were changed, removed or inserted.")
@click.option("--anchor", default="", help="NUMBER:DIGEST that an earlier 'verify' printed.")
@data_option
@click.pass_context
def verify(ctx: click.Context, anchor: str) -> None:
    """Find entries of the audit trail that were changed, removed or inserted, and name them; exit code 1 when there are any.

    An anchor that was noted outside of this machine shows, in addition, whether an older state of the whole trail was put back.
    """
    found = audit_chain.verify(secret=started(ctx).secret, anchor=anchor)
    for problem in found.problems:
        click.echo(f"WRONG {problem}")
    click.echo(f"{found.entries} entries, {len(found.problems) or 'no'} problem(s).")
    if not found.problems:
        click.echo(f"Anchor, to be noted elsewhere: {found.anchor}")
    ctx.exit(1 if found.problems else 0)


@trail.command(short_help="Print the audit trail as CSV or JSON Lines.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--action", default="", help="Only this act, such as role.granted.")
@click.option("--actor", default="", help="Only what this person did: an address, or an id.")
@click.option("--subject", default="", help="Only what was done to this, such as release:ID.")
@click.option("--from", "first", type=DAY, help="From this day on (UTC), such as 2026-01-31.")
@click.option("--to", "last", type=DAY, help="Until this day, the day itself too.")
@data_option
@click.pass_context
def export(
    ctx: click.Context,
    form: str,
    action: str,
    actor: str,
    subject: str,
    first: datetime | None,
    last: datetime | None,
) -> None:
    """Print the audit trail to standard output, newest first."""
    started(ctx)
    wanted = Filter(
        action=action,
        actor=people.find(actor).id if "@" in actor else actor,
        subject=subject,
        first=first.date() if first else None,
        last=last.date() if last else None,
    )
    lines = audit_export.csv_lines if form == "csv" else audit_export.json_lines
    for line in lines(wanted):
        click.echo(line, nl=False)


@trail.command(short_help="Seal the trail as it is.")
@click.confirmation_option(
    prompt="Is the audit trail as you know it? Nothing that was changed before will show in the seal"
)
@data_option
@click.pass_context
def seal(ctx: click.Context) -> None:
    """Seal the audit trail as it is: once after an upgrade that chained it, and after a change of the secret key."""
    secret = started(ctx).secret
    audit.record(Action.TRAIL_SEALED, actor=None, subject="audit", now=clock.now())
    audit_chain.seal(secret=secret)
    click.echo("The audit trail is sealed.")
