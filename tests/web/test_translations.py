"""Texts in the reader's language: catalogues that are whole and new, pages without a word of the other language, numbers and dates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date

import pytest
from babel.messages.catalog import Message
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from appliance import clock
from appliance.accounts.models import RoleName
from appliance.catalog.models import ReleaseState
from appliance.catalog.models import Track
from appliance.catalog.models import TrackState
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import Word
from appliance.library import playlists
from appliance.memberships import tiers
from appliance.startup import Appliance
from tests.servers import site
from tests.servers.site import Person
from tools import translations
from transcoder import failures
from transcoder.failures import Unplayable
from web import frame
from web import sentences
from web.presentation import wording

PLACES = re.compile(r"%\(\w+\)[sd]|\{\w+(?::,)?\}")
SAID = ("aria-label", "title", "placeholder", "alt", "aria-description")
GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5", "Accept": "text/html"}
OPERATORS_READ = ("p[@lang='en']", "code", "script", "style")
"""What stays English on a German page, and says so."""


SHELVES = (translations.PAGES, translations.LETTERS)
WHOLE = [(shelf, language) for shelf in SHELVES for language in translations.LANGUAGES]


def catalogue(language: str, shelf: translations.Shelf = translations.PAGES) -> list[Message]:
    read = translations._read(shelf.catalogue(language), language)
    return [message for message in read if message.id]


def both(message: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A text and its translation, each in all its forms."""
    ids, strings = message.id, message.string
    return (ids if isinstance(ids, tuple) else (ids,)), (
        strings if isinstance(strings, tuple) else (strings,)
    )


@pytest.fixture
def german() -> dict[str, str]:
    """Texts long enough to be told apart from names, and unlike their translations."""
    found = {}
    for message in catalogue("de"):
        for text, translation in zip(*both(message), strict=True):
            if len(text) > 12 and not PLACES.search(text) and text != translation:
                found[text] = translation
    return found


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_every_text_has_its_translation_and_what_is_made_of_it_is_new(language: str) -> None:
    assert translations.bring_up_to_date(language, translations.gathered(), check=True) == []


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_so_has_every_text_of_mail(language: str) -> None:
    fresh = translations.gathered_letters()
    assert translations.bring_up_to_date(language, fresh, shelf=translations.LETTERS, check=True) == []


@pytest.mark.parametrize(("shelf", "language"), WHOLE)
def test_a_translation_has_the_places_of_its_text_and_was_not_guessed(
    shelf: translations.Shelf, language: str
) -> None:
    for message in catalogue(language, shelf):
        texts, strings = both(message)
        assert not message.fuzzy, message.id
        for string in strings:
            there = set(PLACES.findall(string))
            # "One more track" needs no number.
            assert there in [set(PLACES.findall(text)) for text in texts], string


@pytest.mark.parametrize(("shelf", "language"), WHOLE)
def test_a_translation_begins_and_ends_as_its_text_and_says_du(
    shelf: translations.Shelf, language: str
) -> None:
    for message in catalogue(language, shelf):
        for text, string in zip(*both(message), strict=True):
            assert string == string.strip(), string
            assert string.endswith(".") == text.endswith(".") or len(text) < 70, string
            assert '"' not in string, string
            assert not re.search(r"[a-z,] (?:Sie|Ihnen|Ihre[nmrs]?)\b", string), string


def test_what_is_left_out_exists_and_nobody_else_is() -> None:
    for path in translations.LEFT_OUT:
        assert (translations.ROOT / path).exists(), path


@pytest.fixture
def house(app: Flask, appliance: Appliance, nobody_works: None) -> tuple[Person, list[str]]:
    """Somebody who may see everything, and the addresses of a page of each kind."""
    owner = site.make_person(roles=(RoleName.ADMIN,))
    artist = site.make_artist(owner)
    release = site.make_release(owner, artist=artist, published=True)
    track = site.make_track(release, appliance)
    broken = site.make_track(release, appliance, state=TrackState.FAILED, title="Broken")
    Track.update(problem=str(failures.EMPTY)).where(Track.id == broken.id).execute()
    draft = site.make_release(owner, artist=artist, title="Kelp")
    playlist = playlists.create(owner.user, {"title": "Mornings"}, now=clock.now())
    admin = (
        "",
        "/collective",
        "/featured",
        "/people",
        "/artists",
        "/jobs",
        "/mail",
        "/takedowns",
        "/storage",
        "/plugins",
        "/health",
        "/audit",
    )
    return owner, [
        "/",
        f"/@{artist.slug}",
        f"/@{artist.slug}/{release.slug}",
        f"/@{artist.slug}/{release.slug}/{track.slug}",
        f"/embed/release/{release.id}",
        "/genres",
        "/artists",
        "/new",
        "/search",
        "/search?q=harbour",
        "/search?q=nothing",
        "/nowhere",
        "/library",
        "/library/playlists",
        "/playlists/new",
        f"/playlists/{playlist.id}/edit",
        "/library/favourites",
        "/library/following",
        "/library/history",
        "/library/offline",
        f"/library/add?track={track.id}",
        "/library/downloads",
        "/account",
        "/account/devices",
        "/account/identities",
        "/account/passkeys",
        "/account/passkeys/new",
        "/account/second-factor",
        "/account/second-factor/app",
        "/account/tokens",
        "/account/password",
        "/account/email",
        "/verify",
        "/welcome",
        "/studio",
        "/studio/figures",
        f"/studio/releases/{release.id}",
        f"/studio/releases/{draft.id}",
        f"/studio/tracks/{track.id}",
        f"/studio/artists/{artist.slug}",
        f"/studio/artists/{artist.slug}/people",
        f"/studio/artists/{artist.slug}/tiers",
        f"/studio/artists/{artist.slug}/tiers/{tiers.of_artist(artist)[-1].id}",
        f"/studio/artists/{artist.slug}/members",
        *(f"/admin{path}" for path in admin),
    ]


def said(page: str) -> Iterator[str]:
    """What a page tells those who see it, hear it, or find it."""
    tree = html.fromstring(page)
    for path in OPERATORS_READ:
        for element in tree.xpath(f"//{path}"):
            element.drop_tree()
    yield from (str(text) for text in tree.xpath("//text()"))
    for name in SAID:
        yield from (str(value) for value in tree.xpath(f"//@{name}"))
    yield from (str(value) for value in tree.xpath("//meta[@name='description']/@content"))


def english_in(page: str, german: dict[str, str]) -> list[str]:
    told = " ".join(" ".join(part.split()) for part in said(page))
    for translation in sorted(set(german.values()), key=len, reverse=True):
        told = told.replace(translation, "")
    return [text for text in german if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", told)]


def test_a_page_in_german_holds_no_english(
    app: Flask, house: tuple[Person, list[str]], german: dict[str, str]
) -> None:
    owner, addresses = house
    browser = site.signed_in(app, owner)
    for address in addresses:
        answer = browser.get(address, headers=GERMAN, follow_redirects=True)
        page = answer.get_data(as_text=True)
        assert answer.status_code == (404 if address == "/nowhere" else 200), address
        assert '<html lang="de"' in page, address
        assert english_in(page, german) == [], address


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/sign-in",
        "/register",
        "/register/letter",
        "/recover",
        "/confirm",
        "/search?q=nothing",
        "/library",
        "/admin",
    ],
)
def test_nor_does_it_for_who_is_not_signed_in(
    client: FlaskClient, german: dict[str, str], address: str
) -> None:
    page = client.get(address, headers=GERMAN, follow_redirects=True).get_data(as_text=True)
    assert '<html lang="de"' in page
    assert english_in(page, german) == []


def test_a_wrong_password_is_told_in_german(app: Flask) -> None:
    browser = app.test_client()
    word = site.csrf_token(browser.get("/sign-in").get_data(as_text=True))
    sent = {"email": "nobody@example.com", "password": "not this one", "csrf_token": word}
    shown = browser.post("/sign-in", data=sent, headers=GERMAN).get_data(as_text=True)
    assert "Diese E-Mail-Adresse und dieses Passwort gehören nicht zusammen." in shown


def test_programs_are_told_in_english_and_our_own_scripts_in_the_language_of_their_page(
    app: Flask, artist: Person
) -> None:
    asked = {"Accept-Language": "de"}
    answer = app.test_client().get("/api/v1/releases/nothing", headers=asked)
    assert answer.get_json()["detail"] == "There is no such release."
    browser = site.signed_in(app, artist)
    token = site.csrf_token(browser.get("/studio").get_data(as_text=True))
    answer = browser.get("/api/v1/releases/nothing", headers={**asked, "X-CSRFToken": token})
    assert answer.get_json()["detail"] == "Diese Veröffentlichung gibt es nicht."


def test_a_fact_is_told_in_the_readers_language_too(app: Flask) -> None:
    states = {"state": Word(ReleaseState.DRAFT), "wanted": Word(ReleaseState.PUBLISHED)}
    moved = Conflict("A release that is {state} cannot become {wanted}.", **states)
    full = Conflict("A playlist has at most {most:,} tracks.", most=10_000)
    empty = Invalid("'{name}' must not be empty.", name=Word("title"), field="title")
    assert str(moved) == "A release that is draft cannot become published."
    assert str(full) == "A playlist has at most 10,000 tracks."
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert (
            sentences.told(moved)
            == "Eine Veröffentlichung im Zustand „Entwurf“ kann nicht „veröffentlicht“ werden."
        )
        assert sentences.told(full) == "Eine Playlist hat höchstens 10.000 Titel."
        assert sentences.told(empty) == "„Titel“ darf nicht leer sein."
    with app.test_request_context():
        assert sentences.told(full) == str(full)


def test_a_reason_that_was_stored_in_english_is_told_in_the_readers_language(app: Flask) -> None:
    whole = "This file is damaged at {place}. Export it again and upload the new file."
    with_facts = str(Unplayable(whole, place="1:05"))
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert sentences.stored(failures.EMPTY).startswith("Diese Datei ist leer.")
        assert sentences.stored(with_facts).startswith("Diese Datei ist bei 1:05 beschädigt.")
        assert sentences.stored("Said by nobody we know.") == "Said by nobody we know."
        assert sentences.stored("") == ""
    with app.test_request_context():
        assert sentences.stored(with_facts) == with_facts


@pytest.mark.parametrize(
    ("language", "number", "day", "size"),
    [("en", "1,234", "November 5, 2026", "1.5 MB"), ("de", "1.234", "5. November 2026", "1,5 MB")],
)
def test_numbers_and_dates_are_written_as_the_reader_writes_them(
    app: Flask, language: str, number: str, day: str, size: str
) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert frame.number(1234) == number
        assert frame.day(date(2026, 11, 5)) == day
        assert wording.size(1_500_000) == size


def test_scripts_of_a_german_page_speak_german(client: FlaskClient) -> None:
    page = html.fromstring(client.get("/", headers=GERMAN).get_data(as_text=True))
    spoken = json.loads(page.xpath("string(//script[@id='texts'])"))
    assert (
        spoken["This track cannot be played just now."] == "Dieser Titel lässt sich gerade nicht abspielen."
    )
    assert 'id="texts"' not in client.get("/").get_data(as_text=True)
