"""Writing together: nobody is answered before it is written, few writes serve many, and one that is wrong harms no other."""

import threading
import time

import pytest

from appliance.billing.together import Together


def in_threads(number: int, act) -> list[object]:  # type: ignore[no-untyped-def]
    answers: list[object] = [None] * number

    def run(mine: int) -> None:
        try:
            answers[mine] = act(mine)
        except ValueError as error:
            answers[mine] = error

    threads = [threading.Thread(target=run, args=(mine,)) for mine in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_each_is_answered_for_what_it_brought_and_few_writes_serve_many() -> None:
    batches: list[list[int]] = []

    def write(things: list[int]) -> list[int]:
        batches.append(things)
        time.sleep(0.02)
        return [thing * 10 for thing in things]

    assert in_threads(40, Together(write)) == [mine * 10 for mine in range(40)]
    assert sorted(thing for batch in batches for thing in batch) == list(range(40))
    assert len(batches) < 40


def test_one_that_cannot_be_written_harms_no_other() -> None:
    def write(things: list[int]) -> list[int]:
        time.sleep(0.01)
        if 7 in things:
            raise ValueError("seven")
        return things

    answers = in_threads(20, Together(write))
    assert [type(answer) for answer in answers].count(ValueError) == 1
    assert isinstance(answers[7], ValueError)
    assert answers[:7] == list(range(7))


def test_after_a_failure_the_next_is_written() -> None:
    answers: list[object] = [ValueError("no"), [2]]

    def write(things: list[int]) -> list[int]:
        answer = answers.pop(0)
        if isinstance(answer, ValueError):
            raise answer
        return answer  # type: ignore[return-value]

    together = Together(write)
    with pytest.raises(ValueError, match="no"):
        together(1)
    assert together(2) == 2
