"""What is costly is found out once by all together; what is no longer true is believed by nobody, also when Redis was away."""

import threading
from collections.abc import Callable
from collections.abc import Iterator

import pytest

from appliance import cache
from appliance.cache import Cache
from appliance.cache import Namespace
from appliance.shared_cache import Shared
from appliance.startup import Appliance
from tests.servers.redis import Redis
from tests.waiting import until

PLACES = Namespace("places", 300)


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Finder:
    """Somebody who finds something out, and how often they had to."""

    def __init__(self) -> None:
        self.truth, self.asked = "first", 0

    def __call__(self) -> str:
        self.asked += 1
        return self.truth


@pytest.fixture
def finder() -> Finder:
    return Finder()


@pytest.fixture
def counted() -> Iterator[list[tuple[str, str, str]]]:
    found: list[tuple[str, str, str]] = []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "_count", lambda namespace, *told: found.append((namespace.name, *told)))
        yield found


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis(kept=True) as server:
        yield server


@pytest.fixture
def two(redis: Redis) -> Iterator[tuple[Cache, Cache]]:
    """The caches of two processes."""
    made = Cache(Shared(redis.url)), Cache(Shared(redis.url))
    for one in made:
        assert one.shared
        one.shared.start(drop=one.drop, drop_all=one.drop_all)
    until(lambda: all(listening(one) for one in made))
    yield made
    for one in made:
        assert one.shared
        one.shared.stop()


def listening(one: Cache) -> bool:
    return one.shared is not None and one.shared.listens()


def test_what_was_found_is_kept_for_a_while_and_counted(
    finder: Finder, counted: list[tuple[str, str, str]]
) -> None:
    clock = Clock()
    one = Cache(clock=clock)
    assert [one.get(PLACES, "a", finder) for _ in range(3)] == ["first"] * 3
    finder.truth = "second"
    clock.now += cache.ALONE_S - 1
    assert one.get(PLACES, "a", finder) == "first"
    clock.now += 2
    assert one.get(PLACES, "a", finder) == "second"
    assert counted == [
        ("places", "none", "miss"),
        *[("places", "process", "hit")] * 3,
        ("places", "none", "miss"),
    ]


def test_nobody_changes_what_another_is_given(finder: Finder) -> None:
    one = Cache()
    one.get(PLACES, "a", lambda: ["x"]).append("y")
    assert one.get(PLACES, "a", finder) == ["x"]


def test_many_who_miss_at_once_make_one_look(finder: Finder) -> None:
    one, start = Cache(), threading.Barrier(8)
    inside = threading.Event()

    def slow() -> str:
        inside.wait(0.3)
        return finder()

    def ask() -> None:
        start.wait()
        assert one.get(PLACES, "a", slow) == "first"

    in_threads([ask] * 8)
    assert finder.asked == 1


def test_who_cannot_find_it_leaves_the_next_to_try(finder: Finder) -> None:
    one = Cache()
    with pytest.raises(ZeroDivisionError):
        one.get(PLACES, "a", lambda: 1 // 0)
    assert one.get(PLACES, "a", finder) == "first"


def test_what_was_forgotten_while_somebody_looked_is_not_kept(finder: Finder) -> None:
    one = Cache()

    def overtaken() -> str:
        found = finder()
        finder.truth = "second"
        one.forget(PLACES, "a")
        return found

    assert one.get(PLACES, "a", overtaken) == "first"
    assert one.get(PLACES, "a", finder) == "second"


def test_what_one_process_found_another_need_not(
    two: tuple[Cache, Cache], finder: Finder, counted: list[tuple[str, str, str]]
) -> None:
    assert [one.get(PLACES, "a", finder) for one in (*two, *two)] == ["first"] * 4
    assert finder.asked == 1
    assert [told[1:] for told in counted] == [
        ("none", "miss"),
        ("shared", "hit"),
        ("process", "hit"),
        ("process", "hit"),
    ]


def test_of_processes_that_miss_at_once_one_looks(two: tuple[Cache, Cache], finder: Finder) -> None:
    start, inside = threading.Barrier(2), threading.Event()

    def slow() -> str:
        inside.wait(0.5)
        return finder()

    def ask(one: Cache) -> None:
        start.wait()
        assert one.get(PLACES, "a", slow) == "first"

    in_threads([lambda one=one: ask(one) for one in two])  # type: ignore[misc]
    assert finder.asked == 1


def test_what_one_process_forgets_no_other_believes(two: tuple[Cache, Cache], finder: Finder) -> None:
    for one in two:
        one.get(PLACES, "a", finder)
    finder.truth = "second"
    two[0].forget(PLACES, "a")
    until(lambda: two[1].get(PLACES, "a", finder) == "second")
    assert two[0].get(PLACES, "a", finder) == "second"
    assert finder.asked == 2


def test_another_process_does_not_put_back_what_was_forgotten(
    two: tuple[Cache, Cache], finder: Finder
) -> None:
    def overtaken() -> str:
        found = finder()
        finder.truth = "second"
        two[0].forget(PLACES, "a")
        return found

    assert two[1].get(PLACES, "a", overtaken) == "first"
    until(lambda: two[1].get(PLACES, "a", finder) == "second")
    assert two[0].get(PLACES, "a", finder) == "second"


def test_while_redis_is_away_all_is_found_out_anew_and_afterwards_nothing_from_before_is_believed(
    two: tuple[Cache, Cache], redis: Redis, finder: Finder
) -> None:
    for one in two:
        one.get(PLACES, "a", finder)
    redis.kill()
    until(lambda: not any(listening(one) for one in two))
    assert [one.get(PLACES, "a", finder) for one in two] == ["first"] * 2
    assert finder.asked == 3
    finder.truth = "second"
    two[0].forget(PLACES, "a")
    assert [one.get(PLACES, "a", finder) for one in two] == ["second"] * 2
    # It comes back with what it kept on its disk, which is no longer true.
    redis.start()
    with redis.client() as client:
        assert [key for key in client.scan_iter() if key.endswith(b":places:a")], "the old value is there"
    until(lambda: all(listening(one) for one in two))
    until(lambda: {one.get(PLACES, "a", finder) for one in two} == {"second"})
    asked = finder.asked
    assert [one.get(PLACES, "a", finder) for one in two] == ["second"] * 2
    assert finder.asked == asked, "it is kept again"


def test_who_does_not_listen_yet_forgets_the_value_that_counts(
    two: tuple[Cache, Cache], redis: Redis, finder: Finder
) -> None:
    with redis.client() as client:
        client.incr("musicconnect:cache:epoch")
        client.publish("musicconnect:cache", "")
    until(lambda: all(one.shared is not None and one.shared._epoch == "1" for one in two))
    two[0].get(PLACES, "a", finder)
    finder.truth = "second"
    newcomer = Cache(Shared(redis.url))
    newcomer.forget(PLACES, "a")
    until(lambda: {one.get(PLACES, "a", finder) for one in two} == {"second"})


def test_who_cannot_find_it_lets_the_next_process_try_at_once(
    two: tuple[Cache, Cache], redis: Redis, finder: Finder
) -> None:
    with pytest.raises(ZeroDivisionError):
        two[0].get(PLACES, "a", lambda: 1 // 0)
    with redis.client() as client:
        assert not [key for key in client.scan_iter() if key.endswith(b":lock")]
    assert two[1].get(PLACES, "a", finder) == "first"


def test_a_frozen_redis_is_given_up(two: tuple[Cache, Cache], redis: Redis, finder: Finder) -> None:
    redis.freeze()
    until(lambda: not any(listening(one) for one in two))
    assert two[0].get(PLACES, "a", finder) == "first"
    redis.thaw()
    until(lambda: all(listening(one) for one in two))


def test_a_node_starts_while_redis_is_away(finder: Finder) -> None:
    with Redis() as server:
        server.kill()
        cache.configure(server.url)
        assert cache.get(PLACES, "a", finder) == "first"
        server.start()
        until(lambda: listening(cache._cache))
        assert [cache.get(PLACES, "a", finder) for _ in range(2)] == ["first"] * 2
        assert finder.asked == 2
        cache.close()


def test_a_node_begins_with_nothing_kept(appliance: Appliance, finder: Finder) -> None:
    assert cache.get(PLACES, "a", finder) == "first"
    cache.configure()
    finder.truth = "second"
    assert cache.get(PLACES, "a", finder) == "second"


def test_what_a_replica_says_is_told_to_nobody_who_asks_the_primary(
    appliance: Appliance, finder: Finder
) -> None:
    assert [cache.get(PLACES, "a", finder, behind=True) for _ in range(2)] == ["first"] * 2
    finder.truth = "second"
    assert cache.get(PLACES, "a", finder) == "second"
    assert cache.get(PLACES, "a", finder, behind=True) == "first"
    assert finder.asked == 2


def in_threads(work: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
