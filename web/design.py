"""The living page of the design: every component in every state, for who builds pages, plugins and themes.

It shows invented things, and only where visitors are developers: on a demo, or on a node that only its own machine reaches.
"""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint
from flask import render_template

from appliance import doctor
from appliance.accounts import people
from appliance.errors import Invalid
from appliance.errors import NotFound
from web import colours
from web.frame import STATIC
from web.request_cycle import appliance

blueprint = Blueprint("design", __name__)

LONG = "A Treatise on Lighthouses, Their Keepers, the Ships That Saw Them, and Donaudampfschifffahrtsgesellschaftskapitäne Who Did Not"
ARABIC = "ليلة على الميناء القديم"
EMOJI = "🌊🌙 tides 🦀"
NAMES = (
    ("Harbour Lights", "Night Ferry", "#1f4f6b"),
    (LONG, "The Very Long Name of an Orchestra from a Small Town by the Sea", "#7a4a2b"),
    (ARABIC, "فرقة الميناء", "#5b3b6b"),
    (EMOJI, "🎷 trio", "#2f6b3a"),
    ("é", "Ü", "#6b5b1f"),
)
COLOURS = ("#1f6f6b", "#ffee00", "#ff2d55", "#0a0a0a", "#ffffff", "#3a5bff", "#7f7f7f")
REASON = "This track is for members."


@blueprint.get("/design")
def design() -> str:
    """Every component in every state."""
    if not (doctor.is_loopback(appliance().settings.host) or people.demo_accounts_exist()):
        raise NotFound("There is nothing at this address.")
    releases = [_release(*name) for name in NAMES]
    tracks = [_track(number, *name[:2]) for number, name in enumerate(NAMES, start=1)]
    return render_template(
        "design.html",
        releases=releases,
        artists=[_artist(artist, colour) for _, artist, colour in NAMES],
        playlists=[_playlist(title, colour) for title, _, colour in NAMES[:3]],
        tracks=tracks,
        others=[_again(track, "other") for track in tracks],
        rightwards=[_again(track, "right") for track in tracks[1:4]],
        tiers=[
            _tier("Free", "For everybody"),
            _tier(LONG, "€5 a month", yours=True),
            _tier(ARABIC, "€10 a month"),
        ],
        boxes=[
            _box("A release", price="€7", pay_more=True),
            _box(LONG, price="€8", instead="€10"),
            _box(ARABIC, price="€9", preorder="It is out on Friday."),
            _box(EMOJI, price="Free", free=True),
            _box("What one has", owned=True),
        ],
        colours=[(colour, colours.accent(colour)) for colour in COLOURS],
        icons=icons(),
        problem=Invalid("This cannot be read as a date.", field="wrong"),
        long=LONG,
        arabic=ARABIC,
        emoji=EMOJI,
        week=[(f"2026-03-{day:02}", day * 37 % 41) for day in range(1, 29)],
    )


def _box(name: str, **values: Any) -> Any:
    said = {"price": "", "instead": "", "pay_more": False, "free": False, "owned": False, "preorder": ""}
    return SimpleNamespace(name=name, action="#buying", **{**said, **values})


def icons() -> list[str]:
    """The names of all pictures in the sprite."""
    sprite = (STATIC / "icons.svg").read_text("utf-8")
    return sorted(part.split('"', 1)[0] for part in sprite.split('<symbol id="')[1:])


def _release(title: str, artist: str, colour: str) -> Any:
    return SimpleNamespace(
        title=title,
        url="#cards",
        artist=artist,
        artist_url="#cards",
        cover=None,
        colour=colour,
        kind="Album",
        date="2026",
        play_source="",
    )


def _artist(name: str, colour: str) -> Any:
    return SimpleNamespace(name=name, url="#cards", cover=None, colour=colour, note="")


def _playlist(title: str, colour: str) -> Any:
    return SimpleNamespace(
        title=title, url="#cards", cover=None, colour=colour, note="12 tracks", play_source=""
    )


def _track(number: int, title: str, artist: str) -> Any:
    playable = number != 4
    return SimpleNamespace(
        id=f"design-{number}",
        number=number,
        title=title,
        url="#tracks",
        artist=artist,
        artist_url="#tracks",
        release="Harbour Lights",
        release_url="#tracks",
        duration="3:45",
        plain_url="",
        playable=playable,
        reason="" if playable else REASON,
        player={"id": f"design-{number}", "title": title, "mayPlay": False, "reason": REASON, "preview": ""},
    )


def _tier(name: str, price: str, *, yours: bool = False) -> Any:
    return SimpleNamespace(
        name=name,
        price=price,
        annual_price="€50 a year" if yours else "",
        about="A chair at the table." if yours else "",
        perks=["Sound: Lossless", "10 downloads a month"],
        yours=yours,
    )


def _again(track: Any, list_name: str) -> Any:
    """The same in another list: ids are used once on a page."""
    return SimpleNamespace(**{**vars(track), "id": f"{track.id}-{list_name}"})
