"""Keys of encrypted rungs at rest: wrapped, bound to their place, and wrapped anew when the master key changes; on both engines."""

import pytest
from click.testing import CliRunner

from appliance import cli
from appliance import database
from appliance import doctor
from appliance.catalog import rendition_keys
from appliance.catalog.models import Rendition
from appliance.catalog.models import RenditionKey
from appliance.catalog.models import Track
from appliance.catalog.rendition_keys import Sealed
from appliance.catalog.sealing import Layout
from appliance.errors import Unavailable
from appliance.settings import Settings
from tests import makers

SECRET = "s" * 32
OLD, NEW = "o" * 32, "n" * 32
KEY = bytes(range(16))
SEALED = Sealed(KEY, Layout(10, (20, 30)), "0" * 64)


@pytest.fixture
def database_url(engine):
    return engine


def ring(present="", former="", secret=SECRET):
    return rendition_keys.ring(Settings(media_master_key=present, media_master_key_former=former), secret)


@pytest.fixture
def rendition(appliance):
    return add_rendition(makers.add_track(makers.make_release()))


def add_rendition(track, quality="high", run_id="RUN"):
    Track.update(run_id=run_id).where(Track.id == track.id).execute()
    facts = {
        "codecs": "mp4a.40.2",
        "bandwidth": 1,
        "average_bandwidth": 1,
        "sample_rate_hz": 1,
        "channels": 2,
    }
    return Rendition.create(track=track.id, run_id=run_id, quality=quality, size_bytes=1, **facts)


def found(rendition, with_ring):
    return rendition_keys.find(rendition.track_id, "RUN", "high", with_ring)


def test_a_key_is_stored_wrapped_and_found_again(rendition):
    rendition_keys.keep(rendition, SEALED, ring())
    rendition_keys.keep(rendition, Sealed(bytes(16), Layout(1, (1,)), ""), ring())
    assert found(rendition, ring()) == SEALED
    row = RenditionKey.get()
    for value in (row.wrapped, row.master, row.layout):
        assert KEY.hex() not in value and SECRET not in value
    assert rendition_keys.find(rendition.track_id, "RUN", "low", ring()) is None
    assert rendition_keys.find(rendition.track_id, "OTHER", "high", ring()) is None


def test_no_two_wrapped_keys_are_alike(rendition):
    assert ring().wrap(KEY, rendition) != ring().wrap(KEY, rendition)


def test_a_wrapped_key_opens_nothing_in_another_place(rendition):
    rendition_keys.keep(rendition, SEALED, ring())
    other = add_rendition(makers.add_track(makers.make_release()))
    RenditionKey.update(rendition=other.id).execute()
    with pytest.raises(Unavailable, match="is damaged"):
        found(other, ring())


@pytest.mark.parametrize("wrapped", ["", "AAAA", "no base64", "A" * 60])
def test_a_damaged_key_is_told(rendition, wrapped):
    rendition_keys.keep(rendition, SEALED, ring())
    RenditionKey.update(wrapped=wrapped).execute()
    with pytest.raises(Unavailable, match="is damaged"):
        found(rendition, ring())


def test_the_master_key_changes_without_a_gap(rendition):
    rendition_keys.keep(rendition, SEALED, ring(OLD))
    with pytest.raises(Unavailable, match="media_master_key_former") as refused:
        found(rendition, ring(NEW))
    assert OLD not in str(refused.value) and KEY.hex() not in str(refused.value)
    both = ring(NEW, OLD)
    assert found(rendition, both) == SEALED
    assert rendition_keys.rewrap(both) == (1, 0)
    assert rendition_keys.rewrap(both) == (0, 0)
    assert found(rendition, ring(NEW)) == SEALED
    assert rendition_keys.by_master() == {ring(NEW).present: 1}


def test_a_first_master_key_follows_the_one_made_of_the_secret(rendition):
    rendition_keys.keep(rendition, SEALED, ring())
    assert found(rendition, ring(NEW)) == SEALED
    assert rendition_keys.rewrap(ring(NEW)) == (1, 0)
    assert found(rendition, ring(NEW, secret="another secret key of this node!!")) == SEALED


def test_what_cannot_be_unwrapped_is_left_and_counted(rendition):
    rendition_keys.keep(rendition, SEALED, ring(OLD))
    other = add_rendition(makers.add_track(makers.make_release()))
    rendition_keys.keep(other, SEALED, ring())
    assert rendition_keys.rewrap(ring(NEW)) == (1, 1)
    assert found(rendition, ring(OLD)) == SEALED


def test_a_rung_that_goes_takes_its_key_along(rendition):
    rendition_keys.keep(rendition, SEALED, ring())
    Rendition.delete().execute()
    assert RenditionKey.select().count() == 0


def test_tracks_that_are_stored_otherwise_than_they_should_be_are_found(rendition):
    track = Track.get_by_id(rendition.track_id)
    assert rendition_keys.unlike_their_tracks() == [] and not rendition_keys.is_sealed(track)
    Track.update(exclusive=True).execute()
    assert rendition_keys.unlike_their_tracks() == [track.id]
    rendition_keys.keep(rendition, SEALED, ring())
    assert rendition_keys.unlike_their_tracks() == [] and rendition_keys.is_sealed(track)
    Track.update(exclusive=False).execute()
    assert rendition_keys.unlike_their_tracks() == [track.id]


def test_the_command_wraps_anew_and_the_doctor_says_what_is_missing(appliance, rendition):
    old = rendition_keys.ring(Settings(media_master_key=OLD), appliance.secret)
    rendition_keys.keep(rendition, SEALED, old)

    def settings(**values):
        return Settings(data=appliance.settings.data, database_url=appliance.settings.database_url, **values)

    def look(**values):
        [finding] = [
            one for one in doctor.findings(settings(**values), connect=False) if one.name == "media keys"
        ]
        return finding.sentence

    assert "media_master_key_former" in look()
    assert look(media_master_key_former=OLD) == (
        "1 key(s) can be unwrapped, 1 by a former master key ('musicconnect keys rewrap')"
    )
    environ = {
        "MUSICCONNECT_DATA": str(appliance.settings.data),
        "MUSICCONNECT_DATABASE_URL": appliance.settings.database_url,
        "MUSICCONNECT_MEDIA_MASTER_KEY_FORMER": OLD,
    }
    if not appliance.settings.database_url:
        del environ["MUSICCONNECT_DATABASE_URL"]
    database.close()
    told = CliRunner().invoke(cli.cli, ["keys", "rewrap"], env=environ)
    assert (told.exit_code, told.output.split(" wrapped")[0]) == (0, "1 key(s)")
    assert look() == "1 key(s) can be unwrapped"
