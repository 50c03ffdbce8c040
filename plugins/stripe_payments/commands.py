"""``musicconnect stripe``: register the webhook, and look whether Stripe answers."""

from collections.abc import Callable

import click

from appliance.errors import Conflict
from appliance.invocation import data_option
from appliance.invocation import started
from plugins.stripe_payments.provider import StripePayments


def group(provider: Callable[[], StripePayments | None]) -> click.Group:
    """The commands, for whichever *provider* there is once the settings are read."""

    def found(ctx: click.Context) -> StripePayments:
        started(ctx)
        there = provider()
        if there is None:
            raise Conflict("The plugin 'stripe_payments' has no 'secret_key', so it does nothing.")
        return there

    @click.group("stripe", short_help="Payments by Stripe.")
    def stripe() -> None:
        """Payments by Stripe."""

    @stripe.command("webhook", short_help="Register the webhook of this server.")
    @data_option
    @click.pass_context
    def webhook(ctx: click.Context) -> None:
        """Register the webhook of this server at Stripe anew, and keep its secret with the settings of plugins."""
        for reference in found(ctx).endpoints.register():
            click.echo(f"{reference} registered")
        click.echo("Start MusicConnect again, so that every process knows the new secret.")

    @stripe.command("check", short_help="Look whether Stripe answers.")
    @data_option
    @click.pass_context
    def check(ctx: click.Context) -> None:
        """Ask Stripe for its balance, and show the id of this installation that our objects carry there."""
        there = found(ctx)
        held = there.stripe.ask(lambda v1: v1.balance.retrieve())
        click.echo(f"Stripe answers ({'live' if held.get('livemode') else 'test'} mode).")
        click.echo(f"Our objects carry the id {there.marks.site}.")
        click.echo("The webhook has a secret." if there.endpoints.secrets(anew=True) else "No webhook yet.")

    return stripe
