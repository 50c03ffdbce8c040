"""Asking payment providers: whatever one does, who asks gets an answer or a sentence, and the next is asked as if nothing had been."""

from __future__ import annotations

import sys
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from appliance import database
from appliance import processors
from appliance.database import proxy
from appliance.errors import Invalid
from appliance.processors import ProviderFailed
from appliance.startup import Appliance

LABEL = "A card"


@pytest.fixture(autouse=True)
def nobody_waits(appliance: Appliance) -> None:
    processors._waiting.clear()


def name() -> int:
    return threading.get_ident()


def test_one_thread_asks_one_thing_after_the_other() -> None:
    asked = {processors.ask(name, LABEL) for _ in range(20)}
    assert len(asked) == 1
    assert threading.get_ident() not in asked


def test_a_thread_that_hangs_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    first, go_on = processors.ask(name, LABEL), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(processors, "PATIENCE_S", 0.1)
        with pytest.raises(ProviderFailed):
            processors.ask(go_on.wait, LABEL, 30)
    assert processors.ask(name, LABEL) != first
    go_on.set()


def test_what_goes_wrong_with_one_question_is_gone_with_the_next() -> None:
    def ours() -> None:
        raise Invalid("That is not a card.")

    def theirs() -> None:
        raise ZeroDivisionError

    def left_open() -> str:
        proxy.connect(reuse_if_open=True)
        proxy.begin()
        return "an answer all the same"

    for verb, raised in ((ours, Invalid), (theirs, ProviderFailed)):
        with pytest.raises(raised):
            processors.ask(verb, LABEL)
    assert processors.ask(left_open, LABEL) == "an answer all the same"
    assert processors.ask(proxy.in_transaction, LABEL) is False


def test_many_ask_at_once_and_each_gets_its_own_answer() -> None:
    answers: dict[int, int] = {}

    def ask(number: int) -> None:
        for _ in range(50):
            answers[number] = answers.get(number, 0) + processors.ask(lambda: number, LABEL)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: 50 * number for number in range(8)}


def ask_once() -> None:
    assert processors.ask(int, LABEL, "7") == 7


def ask_and_let_a_fork_ask(url: str) -> None:
    database.connect(url)
    ask_once()
    child = get_context("fork").Process(target=ask_once)
    child.start()
    child.join(processors.PATIENCE_S)
    sys.exit(child.exitcode)


def test_a_process_that_was_forked_off_asks_with_threads_of_its_own(tmp_path: Path) -> None:
    # What forks is a process that begins anew: what other tests load in this one may warn of forks.
    child = get_context("spawn").Process(
        target=ask_and_let_a_fork_ask, args=(f"sqlite:///{tmp_path}/empty.db",)
    )
    child.start()
    child.join(2 * processors.PATIENCE_S)
    assert child.exitcode == 0
