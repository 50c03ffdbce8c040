"""The plugin for Stripe in its place: settings, the SDK that waits until it is needed, the webhook it registers, its commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance import clock
from appliance import hooks
from appliance import plugin_settings
from appliance import processors
from appliance.errors import Conflict
from appliance.errors import NotAllowed
from appliance.hooks import Status
from appliance.payments import Delivery
from appliance.payments import Feature
from appliance.payments import PaymentProvider
from appliance.settings import Settings
from appliance.startup import Appliance
from plugins.stripe_payments.calls import Stripe
from plugins.stripe_payments.marks import Marks
from tests.plugins.stripe_stand import once
from tests.servers import stripe

ROOT = Path(__file__).parents[2]
PUBLIC = "https://music.example"
ENDPOINT = f"{PUBLIC}/webhooks/stripe"


@pytest.fixture(scope="module")
def running() -> Iterator[stripe.FakeStripe]:
    with stripe.serving() as fake:
        yield fake


@pytest.fixture
def fake(running: stripe.FakeStripe) -> Iterator[stripe.FakeStripe]:
    running.tell("forget")
    running.tell("sending", hold=True)
    yield running
    hooks.load(Settings())


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def load(appliance: Appliance, fake: stripe.FakeStripe | None = None, **values: Any) -> hooks.Plugin:
    given = {"secret_key": stripe.KEY, "api_base": fake.url, **values} if fake else values
    settings = replace(appliance.settings, public_url=PUBLIC, plugins={"stripe_payments": given})
    hooks.load(plugin_settings.merged(settings))
    [plugin] = [one for one in hooks.plugins() if one.name == "stripe_payments"]
    return plugin


def provider() -> Any:
    return processors.find("stripe")


# ---- loading


def test_without_a_key_it_does_nothing(appliance: Appliance) -> None:
    assert load(appliance).status is Status.READY
    assert [one.name for one in processors.every() if one.name == "stripe"] == []


def test_with_a_key_it_is_a_provider_of_everything(appliance: Appliance, fake: stripe.FakeStripe) -> None:
    assert load(appliance, fake, label=" Card ").status is Status.READY
    found: PaymentProvider = provider()
    assert (found.name, found.label, found.features) == ("stripe", "Card", frozenset(Feature))
    assert found in processors.offering(Feature.PRORATION, currency="EUR", amount_minor=50)
    assert found not in processors.offering(Feature.PRORATION, currency="EUR", amount_minor=49)
    assert found.minimum_minor("IRR") is None
    assert stripe.KEY not in repr(found)


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"secret_key": "pk_test_1"}, Status.BAD_SETTINGS),
        ({"secret_key": "sk_test_1", "site": "a b"}, Status.BAD_SETTINGS),
        ({"secret_key": "sk_test_1", "webhook_secret": "rubbish"}, Status.FAILED_SELF_CHECK),
        ({"secret_key": "sk_test_1", "api_base": "ftp://x"}, Status.FAILED_SELF_CHECK),
    ],
)
def test_wrong_settings_are_named_and_never_spelled_out(
    appliance: Appliance, values: dict[str, Any], status: Status
) -> None:
    plugin = load(appliance, **values)
    assert plugin.status is status
    assert "pk_test_1" not in plugin.explanation and "rubbish" not in plugin.explanation


def test_the_sdk_is_imported_when_it_is_first_used() -> None:
    code = (
        "import sys; from appliance.settings import Settings; import plugins.stripe_payments as p;"
        "p.plugin_start(Settings(), {row.name: row.default for row in p.plugin_settings()} | {'secret_key': 'sk_test_1', 'site': 'x'});"
        "assert p.payment_providers(); assert 'stripe' not in sys.modules, 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)


def test_an_installation_is_known_by_its_secret_or_by_a_name_of_its_own(
    appliance: Appliance, fake: stripe.FakeStripe
) -> None:
    load(appliance, fake)
    made = provider().marks.site
    load(appliance, fake)
    assert provider().marks.site == made and len(made) == 16
    assert made not in appliance.secret and appliance.secret not in made
    load(appliance, fake, site="harbour")
    assert provider().marks.site == "harbour"


# ---- the webhook


def endpoints(fake: stripe.FakeStripe) -> list[dict[str, Any]]:
    return [one for one in fake.things("webhook_endpoint") if one["url"] == ENDPOINT]


def told(fake: stripe.FakeStripe) -> list[Delivery]:
    return [Delivery(one["body"].encode(), one["headers"]) for one in fake.tell("outbox")]


def test_the_first_checkout_registers_the_webhook_once(appliance: Appliance, fake: stripe.FakeStripe) -> None:
    load(appliance, fake)
    for number in range(2):
        processors.ask(provider().begin_checkout, "Stripe", once(mark=f"order-{number}"))
    made = endpoints(fake)
    assert len(made) == 2
    assert {one["api_version"] for one in made} == {"2026-10-28.endive"}
    assert {"account.updated" in one["enabled_events"] for one in made} == {True, False}
    secret = str(plugin_settings.stored()["stripe_payments"]["webhook_secret"])
    assert secret.count("whsec_") == 2
    # As after a restart.
    load(appliance, fake)
    provider().begin_checkout(once(mark="order-3"))
    assert len(endpoints(fake)) == 2
    visit = provider().begin_checkout(once(mark="order-4"))
    told(fake)
    fake.tell("pay", session=visit.reference)
    delivered = told(fake)
    assert delivered
    for delivery in delivered:
        assert provider().read_event(delivery, now=clock.now()).id


def test_a_process_that_started_before_learns_the_secret_of_another(
    appliance: Appliance, fake: stripe.FakeStripe
) -> None:
    load(appliance, fake)
    before = provider()
    load(appliance, fake)
    provider().endpoints.register()
    visit = provider().begin_checkout(once())
    fake.tell("pay", session=visit.reference)
    for delivery in told(fake):
        assert before.read_event(delivery, now=clock.now()).kind
        with pytest.raises(NotAllowed):
            before.read_event(replace(delivery, body=delivery.body + b" "), now=clock.now())


def test_registering_anew_replaces_ours_and_leaves_those_of_others(
    appliance: Appliance, fake: stripe.FakeStripe
) -> None:
    other = Stripe(stripe.KEY, fake.url)
    theirs = other.ask(
        lambda v1: v1.webhook_endpoints.create(
            {"url": ENDPOINT, "enabled_events": ["*"], "metadata": Marks("cellar").on("x")}
        )
    )["id"]
    load(appliance, fake)
    first = set(provider().endpoints.register())
    load(appliance, fake)
    second = set(provider().endpoints.register())
    assert {one["id"] for one in endpoints(fake)} == second | {theirs}
    assert not first & second


def test_a_secret_that_an_operator_gave_is_not_replaced(
    appliance: Appliance, fake: stripe.FakeStripe
) -> None:
    load(appliance, fake, webhook_secret="whsec_given")
    with pytest.raises(Conflict, match="webhook_secret"):
        provider().endpoints.register()
    provider().begin_checkout(once())
    assert endpoints(fake) == []


def test_a_stripe_that_takes_no_webhook_still_takes_money(
    appliance: Appliance, fake: stripe.FakeStripe
) -> None:
    load(appliance, fake)
    fake.tell("fault", match="webhook_endpoints", kind="500", times=3)
    assert provider().begin_checkout(once()).url
    assert endpoints(fake) == []


# ---- the commands


def command(*words: str, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "appliance", "stripe", *words],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )


def test_the_commands_register_and_look(appliance: Appliance, fake: stripe.FakeStripe) -> None:
    prefix = "MUSICCONNECT_PLUGIN_STRIPE_PAYMENTS__"
    given = {
        f"{prefix}SECRET_KEY": stripe.KEY,
        f"{prefix}API_BASE": fake.url,
        "MUSICCONNECT_PUBLIC_URL": PUBLIC,
        "MUSICCONNECT_DATA": str(appliance.settings.data),
        "MUSICCONNECT_DATABASE_URL": appliance.settings.database_url,
    }
    looked = command("check", given=given)
    assert looked.returncode == 0, looked.stderr
    assert "Stripe answers (test mode)." in looked.stdout and "No webhook yet." in looked.stdout
    made = command("webhook", given=given)
    assert made.returncode == 0, made.stderr
    assert made.stdout.count("registered") == 2
    assert "whsec_" not in made.stdout + made.stderr
    assert "The webhook has a secret." in command("check", given=given).stdout
    refused = command("check", given={**given, f"{prefix}SECRET_KEY": ""})
    assert refused.returncode == 2 and "secret_key" in refused.stderr


def test_what_hangs_is_told_to_whoever_waits(
    appliance: Appliance, fake: stripe.FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(appliance, fake, timeout_s=60, webhook_secret="whsec_x")
    monkeypatch.setattr(processors, "PATIENCE_S", 0.5)
    fake.tell("fault", match="checkout/sessions", kind="hang", times=3, seconds=3.0)
    with pytest.raises(processors.ProviderFailed):
        processors.ask(provider().begin_checkout, "Stripe", once())
