"""Rights that somebody does not have, not yet, or not any more: on a whole node, on the embedded server and on nginx."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from appliance.catalog.models import Quality
from tests.attacks import wire
from tests.attacks.conftest import Front
from tests.attacks.conftest import Stage
from tests.sounds import tone

ALL = frozenset(Quality)
EARLY = {"supporter": timedelta(hours=24), "superfan": timedelta(hours=48)}
PATIENCE_S = 60.0
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class House:
    """Who comes to the artist of the stage: a member of each tier, somebody without any, a moderator; and an encrypted track."""

    fans: dict[str, str]
    stranger: str
    moderator: str
    release: str
    """Of the draft of the stage."""
    sealed: str
    sealed_asset: str


@pytest.fixture(scope="session")
def house(stage: Stage) -> House:
    tiers = {
        row["kind"]: row["id"] for row in stage.speak("", "/api/v1/artists/trio/tiers", method="GET")["items"]
    }
    fans = {}
    for kind in EARLY:
        fans[kind] = stage.node.sign_up(f"{kind}@example.org", "listener")
        given = {"email": f"{kind}@example.org", "tier": tiers[kind], "origin": "gift"}
        stage.speak(stage.owner, "/api/v1/artists/trio/memberships", given)
    stranger = stage.node.sign_up("stranger@example.org", "listener")
    moderator = stage.node.sign_up("moderator@example.org", "moderator")
    stage.node.token = stage.owner
    release = stage.node.make_release("Sealed")
    sealed = stage.node.upload(release, "song.flac", tone(4, 330))
    stage.node.wait_for(sealed)
    stage.node.token = ""
    stage.speak(stage.owner, f"/api/v1/tracks/{sealed}", {"exclusive": True}, method="PATCH")
    stage.speak(stage.owner, f"/api/v1/releases/{release}/publish")
    until = time.monotonic() + PATIENCE_S
    while True:
        played = played_by(stage, fans["superfan"], sealed)
        if wire.ask(stage.ports["waitress"], played.replace("master.m3u8", "low.key")).status == 200:
            break
        assert time.monotonic() < until, "the track was not encrypted"
        time.sleep(0.2)
    draft = stage.speak(stage.owner, f"/api/v1/tracks/{stage.draft}", method="GET")
    return House(fans, stranger, moderator, draft["release_id"], sealed, played.split("/")[3])


def played_by(stage: Stage, token: str, track: str) -> str:
    """The path of the playlist that whoever holds *token* is given for *track*."""
    return urlsplit(stage.speak(token, f"/api/v1/tracks/{track}/play")["hls_url"]).path


def asked_by(front: Front, token: str, path: str, *, method: str = "GET") -> wire.Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return front.ask(path, method=method, headers={**headers, "Content-Length": "0"})


def stored(instant: datetime) -> str:
    """As the database keeps it."""
    return instant.strftime("%Y-%m-%d %H:%M:%S.%f")


@pytest.fixture
def coming(stage: Stage, house: House) -> Iterator[Callable[[datetime], None]]:
    """Lets the draft of the stage go out at an instant; it is a draft again when the test is over."""

    def at(instant: datetime) -> None:
        wanted = "UPDATE release SET state = 'scheduled', publish_at = ? WHERE id = ?"
        stage.write(wanted, stored(instant), house.release)

    yield at
    stage.write("UPDATE release SET state = 'draft', publish_at = NULL WHERE id = ?", house.release)


@pytest.mark.parametrize("kind", EARLY)
def test_a_member_hears_it_from_their_hour_on_and_not_a_second_before(
    front: Front, house: House, coming: Callable[[datetime], None], kind: str
) -> None:
    track, fan = front.stage.draft, house.fans[kind]
    paths = (f"/api/v1/tracks/{track}", f"/api/v1/releases/{house.release}")
    hour = datetime.now(UTC) + timedelta(seconds=4)
    coming(hour + EARLY[kind])
    seen: set[tuple[str, bool]] = set()
    while ("after", True) not in seen:
        for path, method in (*((path, "GET") for path in paths), (f"/api/v1/tracks/{track}/play", "POST")):
            began = datetime.now(UTC)
            answer = asked_by(front, fan, path, method=method)
            ended = datetime.now(UTC)
            opens = answer.status == 200
            assert opens or answer.status == 404
            if ended < hour:
                assert not opens, "a second before"
            if began > hour + timedelta(seconds=1):
                assert opens, "a second after"
                seen.add(("after", method == "POST"))
            assert asked_by(front, house.stranger, path, method=method).status == 404
        time.sleep(0.3)
    rung = played_by(front.stage, fan, track).replace("master.m3u8", "low.mp4")
    assert front.ask(rung).status == 200
    # A later hour shuts it again: what was given before opens nothing, nor is it given anew.
    front.stage.speak(
        front.stage.owner,
        f"/api/v1/releases/{house.release}/schedule",
        {"at": (hour + EARLY[kind] + timedelta(hours=1)).isoformat()},
    )
    assert asked_by(front, fan, f"/api/v1/tracks/{track}/play", method="POST").status == 404
    assert front.ask(rung.replace("low.mp4", "medium.mp4")).status == 403


def test_the_earlier_hour_is_of_the_higher_tier_alone(
    front: Front, house: House, coming: Callable[[datetime], None]
) -> None:
    coming(datetime.now(UTC) + timedelta(hours=36))
    play = f"/api/v1/tracks/{front.stage.draft}/play"
    assert asked_by(front, house.fans["superfan"], play, method="POST").status == 200
    for token in (house.fans["supporter"], house.stranger, ""):
        assert asked_by(front, token, play, method="POST").status == 404


def test_a_key_is_for_who_may_hear_that_rung(front: Front, house: House) -> None:
    stage, asset = front.stage, house.sealed_asset
    grant = {"asset": asset, "epoch": stage.epoch(), "release": "R", "listener": f"KEYS{front.kind}".upper()}
    low, every = (f"/media/{stage.token(qualities=q, **grant)}/{asset}/" for q in ({Quality.LOW}, ALL))
    assert len(front.ask(f"{low}low.key").body) == 16
    assert front.ask(f"{low}low.m4a").status == 200
    for name in ("high", "lossless", "master"):
        for ending in ("key", "m4a", "KEY", "key/", "key;x", "%6bey", "mp4/../low.key", "key%00.mp4"):
            answer = front.ask(f"{low}{name}.{ending}")
            assert answer.status in {308, 400, 403, 404}, (name, ending)
            assert len(answer.body) != 16
    other = f"/media/{stage.token()}/{stage.asset}/low.key"
    assert front.ask(other).status == 404, "a track that is not encrypted has no key"
    for token in (
        stage.token(qualities=ALL),
        stage.token(qualities=ALL, secret="x" * 64, **grant),
        stage.token(qualities=ALL, **{**grant, "expires_at_s": 1_700_000_000}),
    ):
        assert front.ask(f"/media/{token}/{asset}/low.key").status == 403
    assert front.ask(f"{every}high.key").status == 200
    stage.revoke(f"listener:{grant['listener']}")
    # Keys and clear files are never kept in front: within the seconds of the look for revocations they are shut.
    until = time.monotonic() + 20
    while front.ask(f"{every}high.key").status != 403:
        assert time.monotonic() < until
        time.sleep(0.5)
    assert front.ask(f"{every}high.m4a").status == 403


def test_who_is_in_no_tier_that_opens_it_is_given_no_address(front: Front, house: House) -> None:
    for token in (house.stranger, ""):
        answer = asked_by(front, token, f"/api/v1/tracks/{house.sealed}/play", method="POST")
        assert answer.status in {401, 403}
        assert b"/media/" not in answer.body


def test_the_link_to_a_download_is_of_one_person(front: Front, house: House) -> None:
    stage, fan = front.stage, house.fans["superfan"]
    asked = stage.speak(fan, f"/api/v1/tracks/{house.sealed}/downloads", {"format": "flac"})
    until = time.monotonic() + PATIENCE_S
    while not (shown := stage.speak(fan, f"/api/v1/downloads/{asked['id']}", method="GET"))["url"]:
        assert time.monotonic() < until, shown
        time.sleep(0.2)
    path = urlsplit(shown["url"]).path
    assert asked_by(front, fan, path).body.startswith(b"fLaC")
    for token, wanted in (
        (house.stranger, 403),
        (house.fans["supporter"], 403),
        (stage.owner, 403),
        ("", 302),
    ):
        answer = asked_by(front, token, path)
        assert (answer.status, b"fLaC" in answer.body) == (wanted, False)
        assert asked_by(front, token, f"/api/v1/downloads/{asked['id']}").status in {401, 404}
    key, _, signature = path.partition(".")
    for forged in (
        key,
        f"{key}.",
        f"{path}x",
        path[:-1],
        f"{key}.{signature.swapcase()}",
        f"{key[:-1]}{'Y' if key.endswith('X') else 'X'}.{signature}",
    ):
        assert asked_by(front, fan, forged).status in {403, 404}, forged
    stage.write(
        "UPDATE download SET expires_at = ? WHERE id = ?", stored(datetime.now(UTC) - SECOND), asked["id"]
    )
    late = asked_by(front, fan, path)
    assert (late.status, b"fLaC" in late.body) == (403, False)
    later = stored(datetime.now(UTC) + timedelta(hours=1))
    stage.write("UPDATE download SET expires_at = ? WHERE id = ?", later, asked["id"])
    assert asked_by(front, fan, path).status == 200
    stage.speak(
        house.moderator, f"/api/v1/tracks/{house.sealed}/takedown", {"reason": "A claim"}, method="PUT"
    )
    try:
        assert asked_by(front, fan, path).status in {403, 404}
    finally:
        stage.speak(house.moderator, f"/api/v1/tracks/{house.sealed}/takedown", method="DELETE")
    assert asked_by(front, fan, path).status == 403, "what was given before a takedown stays shut"


def test_what_was_given_before_a_takedown_or_a_downgrade_is_not_heard_again(
    front: Front, house: House
) -> None:
    """Each rung is asked for the first time, so that nothing is answered from what is kept in front."""
    stage, fan = front.stage, house.fans["superfan"]
    before = played_by(stage, fan, house.sealed)
    stage.speak(
        house.moderator, f"/api/v1/tracks/{house.sealed}/takedown", {"reason": "A claim"}, method="PUT"
    )
    refuse(front, before)
    assert asked_by(front, fan, f"/api/v1/tracks/{house.sealed}/play", method="POST").status == 404
    stage.speak(house.moderator, f"/api/v1/tracks/{house.sealed}/takedown", method="DELETE")
    refuse(front, before)
    before = played_by(stage, fan, house.sealed)
    tiers = stage.speak("", "/api/v1/artists/trio/tiers", method="GET")["items"]
    ids = {row["kind"]: row["id"] for row in tiers}
    members = stage.speak(stage.owner, "/api/v1/artists/trio/memberships", method="GET")["items"]
    [own] = [row["id"] for row in members if row["person"]["email"] == "superfan@example.org"]
    for kind in ("supporter", "superfan"):
        stage.speak(
            stage.owner, f"/api/v1/artists/trio/memberships/{own}", {"tier": ids[kind]}, method="PATCH"
        )
        refuse(front, before)


def refuse(front: Front, played: str) -> None:
    for name in (
        "master.m3u8",
        "low.media.m3u8",
        "low.mp4",
        "high.mp4",
        "lossless.mp4",
        "low.key",
        "low.m4a",
    ):
        assert front.ask(played.replace("master.m3u8", name)).status == 403, name
