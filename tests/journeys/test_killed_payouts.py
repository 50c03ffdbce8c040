"""Whatever process is killed with -9 while artists are paid: each gets what they are owed, once, and the books say so."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from appliance import clock
from appliance import database
from appliance import startup
from appliance.billing import payout_checking
from appliance.ledger import checking
from appliance.ledger import payments
from appliance.ledger import posting
from appliance.ledger.models import AccountKind
from appliance.ledger.payments import Sale
from appliance.payments import PaymentFact
from appliance.payouts.models import Payout
from appliance.payouts.models import PayoutAccount
from appliance.payouts.models import PayoutStanding
from appliance.settings import Settings
from tests.makers import make_artist
from tests.servers import bank as banks
from tests.servers.bank import Bank
from tests.servers.node import Node

ARTISTS = 40
KILLS = 10
PATIENCE_S = 120


@pytest.mark.timeout(400)
def test_a_payout_run_that_is_killed_again_and_again_pays_everybody_once(tmp_path: Path) -> None:
    seed = int(os.environ.get("DRILL_SEED", "0")) or random.randrange(1, 10**6)
    dice = Random(seed)
    data = tmp_path / "data"
    startup.start(Settings(data=data, queue_url="memory://"))
    try:
        database.migrate()
        owed = dict(owing(dice) for _ in range(ARTISTS))
        path = banks.installed(tmp_path / "plugin")
        with banks.opened(Random(seed)) as bank:
            environ = {"PYTHONPATH": path, banks.ADDRESS: bank.url, "MUSICCONNECT_JOB_LEASE_S": "4"}
            with Node(data, **environ) as node:
                killed = pay_and_kill(node, dice, bank)
                # As the next day of the month would: for whoever the runs did not come to.
                node.run("payments", "pay-out")
                told = f"DRILL_SEED={seed}, killed {killed}\n{node.log()[-4000:]}"
                wait_until_all_are_paid(bank, told)
        assert dict(bank.paid.values()) == owed, told
        assert len(bank.paid) == ARTISTS == Payout.select().count(), told
        assert posting.balance(AccountKind.PAYOUTS_IN_TRANSIT, "bank_of_tests", "EUR") == -sum(owed.values())
        assert [*checking.differences(), *payout_checking.differences()] == [], told
    finally:
        startup.stop()


def owing(dice: Random) -> tuple[str, int]:
    """Somebody who is owed something and paid by the month: their account, and how much."""
    artist, now, amount = make_artist(), clock.now(), dice.randrange(1000, 90_000)
    fact = PaymentFact(artist.id, "mark", amount, "EUR", now, fee_minor=0)
    payments.note(fact, Sale(artist.id, "", 0, []), provider="bank_of_tests", now=now)
    account = PayoutAccount.create(
        payee=artist.id,
        provider="bank_of_tests",
        account=f"account of {artist.id}",
        payable=True,
        monthly=True,
        as_of=now,
        created_at=now,
    )
    return account.account, amount


def pay_and_kill(node: Node, dice: Random, bank: Bank) -> list[str]:
    """Begin the run of the month again and again, and kill it, or who pays, after a moment."""
    killed: list[str] = []
    while len(killed) < KILLS:
        run = subprocess.Popen(
            [sys.executable, "-m", "appliance", "payments", "pay-out"],
            env=node.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        made, asked = Payout.select().count(), bank.asked
        try:
            # In the middle of writing payouts down, or of paying them.
            deadline = time.monotonic() + PATIENCE_S
            while run.poll() is None and Payout.select().count() == made and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(dice.random() * 0.05)
            if run.poll() is None:
                run.kill()
                killed.append("the run")
        finally:
            run.wait()
        while bank.asked == asked and len(bank.paid) < ARTISTS and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(dice.random() * 0.05)
        if pid := node.children().get("worker"):
            os.kill(pid, signal.SIGKILL)
            killed.append("worker")
    return killed


def wait_until_all_are_paid(bank: Bank, told: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    gone = (PayoutStanding.IN_TRANSIT, PayoutStanding.PAID)
    while Payout.select().where(Payout.state.in_(gone)).count() < ARTISTS:
        assert time.monotonic() < deadline, (len(bank.paid), told)
        time.sleep(0.1)
