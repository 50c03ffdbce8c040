"""Asking payment providers: found by hook, each verb bounded in time, every failure one clear sentence.

A provider is asked outside of any transaction: it may take seconds, and what it did cannot be rolled back.
"""

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from queue import Empty
from queue import SimpleQueue
from typing import Any
from typing import ParamSpec
from typing import TypeVar

from appliance import database
from appliance import hooks
from appliance.database import proxy
from appliance.errors import MusicConnectError
from appliance.errors import NotFound
from appliance.errors import Unavailable
from appliance.payments import Feature
from appliance.payments import PaymentProvider

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_S = 20.0
"""How long a fan waits for a provider before they are told to try again."""
GLANCE_S = 1.0
"""How long a page waits for what a provider knows by itself; without an answer the page is shown without the provider."""
IDLE_S = 60.0
"""How long a thread that asks waits for the next question: to start one takes longer than to check a signature."""
_waiting: "list[SimpleQueue[Any]]" = []
"""Where threads wait for questions. A process that was forked off has none of them."""
MOST_OUT = 32
"""So many questions to one provider may be without an answer; who asks more is told at once that it does not answer."""
_out: "Counter[str]" = Counter()
_counting = threading.Lock()


def _begin_anew() -> None:
    global _counting
    _waiting.clear()
    _out.clear()
    _counting = threading.Lock()


os.register_at_fork(after_in_child=_begin_anew)


class ProviderFailed(Unavailable):
    """The provider raised, or did not answer in time; whether it did what it was asked is not known, so ask again with the same key."""

    def __init__(self, label: str) -> None:
        super().__init__(
            "{label} does not answer at the moment. Nothing was changed here; try again in a few minutes.",
            label=label,
        )


def every() -> tuple[PaymentProvider, ...]:
    """All providers that run, by name; one that another plugin named before is left out, and one that cannot say what it is."""
    found: dict[str, PaymentProvider] = {}
    for answer in hooks.announce("payment_providers"):
        for provider in answer:
            if _is_whole(provider):
                found.setdefault(provider.name, provider)
    return tuple(found[name] for name in sorted(found))


def find(name: str) -> PaymentProvider:
    """The provider of this name, or ``NotFound``."""
    for provider in every():
        if provider.name == name:
            return provider
    raise NotFound("There is no payment provider '{name}'.", name=name[:40])


def offering(feature: Feature, *, currency: str = "", amount_minor: int = 0) -> tuple[PaymentProvider, ...]:
    """Those that can do this and take this amount of this currency."""
    return tuple(
        provider
        for provider in every()
        if feature in provider.features and (not currency or _takes(provider, currency, amount_minor))
    )


def ask(verb: Callable[P, R], label: str, *args: P.args, **named: P.kwargs) -> R:
    """What the *verb* of a provider answers, such as ``ask(provider.refund, provider.label, request)``.

    ``MusicConnectError`` goes on as it is; all else, and more than ``PATIENCE_S``, is ``ProviderFailed``.
    """
    if proxy.in_transaction():
        raise RuntimeError("a provider is asked outside of transactions")
    return _answer(verb, label, PATIENCE_S, *args, **named)


def least_minor(provider: PaymentProvider, currency: str) -> int | None:
    """The smallest amount that *provider* takes in this currency; ``None`` when it takes none, or fails to say."""
    try:
        return _answer(provider.minimum_minor, provider.label, GLANCE_S, currency)
    except MusicConnectError:
        # Every page with a price asks this: a plugin that fails must not take them along.
        return None


def _answer(verb: Callable[P, R], label: str, patience_s: float, *args: P.args, **named: P.kwargs) -> R:
    answers: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
    name = getattr(verb, "__name__", "verb")
    with _counting:
        if _out[label] >= MOST_OUT:
            # So many hang already: one more would be one thread more that never ends.
            raise ProviderFailed(label)
        _out[label] += 1

    def asked() -> R:
        try:
            return verb(*args, **named)
        finally:
            with _counting:
                _out[label] -= 1

    # What a provider logs names the request it was asked for.
    _hand_over(partial(copy_context().run, asked), answers)
    try:
        answer, error = answers.get(timeout=patience_s)
    except Empty:
        log.error("a payment provider hangs", extra={"provider": label, "verb": name})
        raise ProviderFailed(label) from None
    if isinstance(error, MusicConnectError):
        raise error
    if error is not None:
        log.error("a payment provider failed", extra={"provider": label, "verb": name}, exc_info=error)
        raise ProviderFailed(label) from error
    found: R = answer
    return found


def _is_whole(provider: PaymentProvider) -> bool:
    try:
        return bool(provider.name and provider.label) and frozenset() <= provider.features
    except hooks.BROKEN as error:
        log.error("a payment provider failed", extra={"provider": type(provider).__name__}, exc_info=error)
        return False


def _hand_over(question: Callable[[], Any], answers: "SimpleQueue[tuple[Any, BaseException | None]]") -> None:
    """Let a thread that waits ask this, or a new one."""
    try:
        questions = _waiting.pop()
    except IndexError:
        questions = SimpleQueue()
        # A thread of its own, since a plugin that hangs cannot be stopped; as a daemon it keeps no process from ending.
        threading.Thread(target=_ask_on, args=(questions,), name="provider", daemon=True).start()
    questions.put((question, answers))


def _ask_on(questions: "SimpleQueue[Any]") -> None:
    """Ask one thing after the other; one that hangs is lost with this thread, which then waits for no more."""
    while True:
        try:
            question, answers = questions.get(timeout=IDLE_S)
        except Empty:
            try:
                _waiting.remove(questions)
            except ValueError:
                continue  # Somebody took it just now, and is about to put a question.
            return
        try:
            answer: tuple[Any, BaseException | None] = (question(), None)
        except hooks.BROKEN as error:
            answer = (None, error)
        try:
            database.close_thread()
            _waiting.append(questions)
        except hooks.BROKEN:
            # Such as a transaction that was left open: nobody else shall be asked from here.
            log.exception("a payment provider left its connection in use")
            return
        finally:
            answers.put(answer)
        # Nothing of one question is held while the next is waited for.
        del question, answers, answer


def _takes(provider: PaymentProvider, currency: str, amount_minor: int) -> bool:
    least = least_minor(provider, currency)
    return least is not None and amount_minor >= least
