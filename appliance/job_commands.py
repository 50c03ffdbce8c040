"""``musicconnect jobs``: look at the durable work and try again what failed."""

import click

from appliance import clock
from appliance import jobs as work
from appliance.errors import MusicConnectError
from appliance.invocation import data_option
from appliance.invocation import started


@click.group(invoke_without_command=True, short_help="List jobs, and retry failed ones.")
@click.option(
    "--state", type=click.Choice([str(state) for state in work.JobState]), help="Only jobs in this state."
)
@click.option("--kind", help="Only jobs of this kind, such as transcode.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@data_option
@click.pass_context
def jobs(ctx: click.Context, state: str | None, kind: str | None, limit: int) -> None:
    """List jobs, newest first; 'musicconnect jobs retry' tries failed ones again."""
    if ctx.invoked_subcommand:
        return
    started(ctx)
    rows = work.page(state=state, kind=kind, limit=limit)
    for job in rows:
        tries = f"{job.attempts}/{job.max_attempts}"
        click.echo(
            f"{job.id}  {job.state:<8} {job.kind:<16} {job.subject:<26} {tries:>5}  {job.progress:4.0%}  {job.last_error}"
        )
    if not rows:
        click.echo("No such jobs.")


@jobs.command()
@click.argument("job_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every failed job.")
@data_option
@click.pass_context
def retry(ctx: click.Context, job_ids: tuple[str, ...], everything: bool) -> None:
    """Queue failed jobs again."""
    if not job_ids and not everything:
        raise click.UsageError("Name the jobs, or say --all.")
    started(ctx)
    wanted = [job.id for job in work.page(state="failed", limit=1000)] if everything else list(job_ids)
    for job_id in wanted:
        try:
            work.send(work.retry(job_id, now=clock.now()).id)
            click.echo(f"{job_id} queued")
        except MusicConnectError as error:
            if not everything:
                raise
            click.echo(f"{job_id} left alone: {error}")
