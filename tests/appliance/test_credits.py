"""Credits, licences, and the numbers trade knows music by."""

import pytest

from appliance.catalog import codes
from appliance.catalog import credits
from appliance.catalog import licences
from appliance.catalog import releases
from appliance.catalog import tracks
from appliance.catalog.models import Credit
from appliance.errors import Invalid
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import add_track
from tests.makers import make_release


@pytest.fixture
def database_url(engine: str) -> str:
    """On both engines."""
    return engine


ADA = {"name": "Ada Quill", "role": "Vocals"}
BO = {"name": "Bo Reed", "role": "Mixing"}


def test_a_release_and_its_tracks_have_credits_of_their_own(appliance: Appliance) -> None:
    release = make_release(contributors=[ADA, BO])
    track = add_track(release)
    tracks.edit(track, {"contributors": [BO]}, now=NOW)
    found = credits.of_release(release)
    assert credits.told(found[""]) == [ADA, BO]
    assert credits.told(found[track.id]) == credits.told(credits.of_track(track)) == [BO]


def test_new_credits_take_the_place_of_the_old(appliance: Appliance) -> None:
    release = make_release(contributors=[ADA, BO])
    releases.edit(release, {"contributors": [BO]}, now=NOW)
    assert credits.told(credits.of_release(release)[""]) == [BO]
    releases.edit(release, {"title": "Other"}, now=NOW)
    assert credits.told(credits.of_release(release)[""]) == [BO]


def test_empty_rows_are_left_out_and_the_same_person_twice_is_once(appliance: Appliance) -> None:
    assert credits.read([ADA, {"name": " ", "role": ""}, ADA, {"name": "Cy"}]) == [
        ("Ada Quill", "Vocals"),
        ("Cy", ""),
    ]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("Ada", "is a list"),
        (["Ada"], "is a list"),
        ([{"name": "", "role": "Drums"}], "Credit 1 says “Drums”, but not who it was"),
        ([{"name": "Ada", "instrument": "Drums"}], "nothing else"),
        ([{"name": "x" * 300}], "at most 200"),
        ([{"name": f"Person {number}"} for number in range(101)], "room for 100 credits"),
    ],
)
def test_credits_that_cannot_be_are_told(value: object, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        credits.read(value)
    assert refused.value.field == "contributors"


def test_credits_go_with_their_track_and_their_release(appliance: Appliance) -> None:
    release = make_release(contributors=[ADA])
    track = add_track(release)
    tracks.edit(track, {"contributors": [BO]}, now=NOW)
    tracks.remove(track, now=NOW)
    assert Credit.select().count() == 1
    releases.delete_draft(release)
    assert Credit.select().count() == 0


def test_a_licence_is_known_by_its_name_and_its_key_and_other_words_stay() -> None:
    assert licences.read("cc by-sa 4.0") == licences.read("CC-BY-SA-4.0") == "CC-BY-SA-4.0"
    assert licences.read("Ask us first") == "Ask us first"
    known = licences.of("CC0-1.0")
    assert known is not None
    assert (known.name, known.url[:5]) == ("CC0 1.0", "https")
    assert licences.of("") is None
    assert licences.of("Ask us first") == licences.Licence("Ask us first", "Ask us first")


@pytest.mark.parametrize(
    "text",
    [
        "DEA122600001",
        "DE-A12-26-00001",
        "de-a12-26-00001",
        "ISRC DE-A12-26-00001",
        "DE A12 26 00001",
        "DE‐A12‐26‐00001",
    ],
)
def test_an_isrc_is_taken_in_every_way_it_is_written(text: str) -> None:
    assert codes.isrc(text) == "DEA122600001"
    assert codes.isrc_for_people("DEA122600001") == "DE-A12-26-00001"


@pytest.mark.parametrize(
    "text", ["12345", "DEA12260001", "D1A122600001", "DE-A122-6-00001", "DEA1226-00001", "DEA12260000X"]
)
def test_a_wrong_isrc_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="DE-A12-26-00001"):
        codes.isrc(text)


def test_two_tracks_of_a_release_cannot_have_one_isrc(appliance: Appliance) -> None:
    release = make_release()
    first, second = add_track(release, title="Low Tide"), add_track(release, title="High Tide")
    tracks.edit(first, {"isrc": "DE-A12-26-00001"}, now=NOW)
    tracks.edit(first, {"isrc": "DEA122600001"}, now=NOW)
    with pytest.raises(Invalid, match="“Low Tide” has this ISRC already"):
        tracks.edit(second, {"isrc": "DE-A12-26-00001", "title": "Lost"}, now=NOW)
    assert tracks.find(second.id).title == "High Tide"


@pytest.mark.parametrize("text", ["LAB-001", "LAB 001/2 (B)", "Größe 7", ""])
def test_a_catalogue_number_is_what_stands_on_a_spine(text: str) -> None:
    assert codes.catalogue_number(text) == text


@pytest.mark.parametrize("text", ["<b>", "...", "LAB;001"])
def test_a_catalogue_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="letters, digits"):
        codes.catalogue_number(text)
