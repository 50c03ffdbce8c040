"""``musicconnect payments``: what providers sent, and asking them for the truth."""

from datetime import UTC
from datetime import datetime

import click

from appliance import clock
from appliance import jobs
from appliance import startup
from appliance.billing import inbox
from appliance.billing import reconciling
from appliance.billing.models import EventState
from appliance.invocation import data_option
from appliance.invocation import started
from appliance.payouts import requesting


@click.group(short_help="Look at payment events, replay one, reconcile.")
def payments() -> None:
    """What payment providers sent, and asking them for the truth."""


@payments.command(short_help="Ask the providers for the truth.")
@click.option("--provider", help="Only this one, such as stripe.")
@click.option(
    "--since",
    type=click.DateTime(),
    help="What changed since then (UTC); without it, since a day before the last complete run.",
)
@data_option
@click.pass_context
def reconcile(ctx: click.Context, provider: str | None, since: datetime | None) -> None:
    """Ask providers for all that changed, note what was missed, and say what was repaired."""
    started(ctx)
    at = since.replace(tzinfo=UTC) if since is not None else None
    try:
        reconciling.reconcile(provider, since=at, now=(now := clock.now()))
    finally:
        shown = [run for run in reconciling.runs() if run.started_at == now]
        told = reconciling.repairs_of(shown)
        for run in reversed(shown):
            lines = told.get(run.id, [])
            click.echo(
                f"{run.provider}: {run.state}, {run.facts} fact(s) since {run.since:%Y-%m-%d %H:%M} UTC, {len(lines)} repaired"
            )
            for line in [*lines, *run.problem.splitlines()]:
                click.echo(f"    {line}")


@payments.command()
@click.option("--state", type=click.Choice([str(state) for state in EventState]), help="Only in this state.")
@click.option("--provider", help="Only of this one, such as stripe.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@data_option
@click.pass_context
def events(ctx: click.Context, state: str | None, provider: str | None, limit: int) -> None:
    """List events, newest first."""
    started(ctx)
    rows = inbox.page(state=state or "", provider=provider or "", limit=limit)
    for row in rows:
        click.echo(
            f"{row.id}  {row.received_at:%Y-%m-%d %H:%M:%S}  {row.provider:<10} {row.state:<10} {row.attempts:>3}  "
            f"{row.kind}  {row.marks}  {row.problem}".rstrip()
        )
    if not rows:
        click.echo("No such events.")


@payments.command()
@click.argument("event_id")
@data_option
@click.pass_context
def replay(ctx: click.Context, event_id: str) -> None:
    """Process an event once more; the worker does it."""
    started(ctx)
    inbox.replay(event_id, actor=None, now=clock.now())
    click.echo(f"{event_id} queued")


@payments.command("pay-out", short_help="Pay artists for this month now.")
@data_option
@click.pass_context
def pay_out(ctx: click.Context) -> None:
    """Pay the artists who are paid by the month and owed enough, as it is done on the first; each is paid once a month, however often this is asked for."""
    started(ctx)
    now = clock.now()
    for job_id in requesting.request_due(minimum=startup.appliance().settings.payout_minimum, now=now):
        jobs.send(job_id)
    made = requesting.of_run(now=now)
    for row in made:
        click.echo(
            f"{row.id}  {row.payee}  {row.amount_minor} {row.currency} (minor units)  {row.provider}  {row.state}"
        )
    click.echo(f"{len(made)} payout(s) this month")
