"""Queries put into words once: the same rows as peewee gives, on both engines, each time."""

from datetime import timedelta

import peewee
import pytest

from appliance import database
from appliance import prepared
from appliance.accounts import tokens
from appliance.accounts.models import User
from appliance.billing.models import EventState
from appliance.billing.models import ProviderEvent
from appliance.catalog import releases
from appliance.catalog.models import Artist
from appliance.catalog.models import Release
from appliance.database import new_id
from appliance.prepared import Prepared
from appliance.startup import Appliance
from tests.makers import NOW
from tests.makers import make_artist
from tests.makers import make_release
from tests.makers import make_user

by_ids = Prepared(
    lambda *ids: (
        Release.select(Release, Artist, User)
        .join(Artist)
        .join(User)
        .where(Release.id.in_(ids))
        .order_by(Release.id)
    ),
    Release.artist,
    Artist.owner,
)


@pytest.fixture
def database_url(engine: str) -> str:
    return engine


def test_rows_are_as_peewee_would_give_them(appliance: Appliance) -> None:
    artist = make_artist()
    made = [make_release(artist, title=title, release_date="2026-05-01") for title in ("One", "Zwei", "三")]
    for ids in ([row.id for row in made], [made[1].id], [new_id()]):
        plain = list(Release.select().where(Release.id.in_(ids)).order_by(Release.id))
        found = by_ids(*ids)
        assert [row.__data__ for row in found] == [row.__data__ for row in plain]
        assert all(not row.dirty_fields for row in found)
    assert by_ids(made[0].id)[0].created_at == NOW


def test_linked_rows_are_there_without_another_query(appliance: Appliance) -> None:
    release = make_release()
    row = by_ids(release.id)[0]
    assert set(row.__rel__) == {"artist"}
    assert set(row.artist.__rel__) == {"owner"}
    assert row.artist.owner.email == User.get().email


def test_a_row_can_be_changed_and_saved(appliance: Appliance) -> None:
    release = make_release()
    row = releases.find(release.id)
    row.title = "Changed"
    row.save()
    assert releases.find(release.id).title == "Changed"


def test_a_value_is_a_value_and_never_sql(appliance: Appliance) -> None:
    make_release()
    assert by_ids("' OR 1=1 --") == []
    assert tokens.recognise("' OR 1=1 --", NOW) is None


def test_a_true_and_a_false_come_back_as_such(appliance: Appliance) -> None:
    user = make_user()
    row = tokens.recognise(tokens.mint(user, now=NOW), NOW)
    assert row is not None
    assert (row.user.active, row.user.demo, row.expires_at) == (True, False, None)


def test_a_row_is_written_with_its_defaults_found_changed_and_written_once(appliance: Appliance) -> None:
    artist = make_artist()
    ids = []
    for title in ("One", "Zwei"):
        made = make_release(artist, title=title)
        found = prepared.one(Release, artist=artist.id, slug=made.slug)
        assert found is not None
        assert found.__data__ == Release.get_by_id(made.id).__data__
        ids.append(found.id)
    assert prepared.one(Release, id=new_id()) is None
    assert prepared.exists(Release, id=ids[0])
    assert not prepared.exists(Release, id="' OR 1=1 --")
    later = NOW + timedelta(days=1)
    assert prepared.update(Release, ids[0], title="Changed", updated_at=later) == 1
    assert prepared.update(Release, new_id(), title="Nothing", updated_at=later) == 0
    with database.transaction():
        held = prepared.one(Release, hold=True, id=ids[0])
    assert held is not None
    assert (held.title, held.updated_at) == ("Changed", later)
    assert Release.get_by_id(ids[1]).title == "Zwei"


def test_each_row_gets_a_default_of_its_own_and_a_second_of_one_key_is_none(appliance: Appliance) -> None:
    event = {"provider": "demo", "kind": "paid", "happened_at": NOW, "received_at": NOW, "due_at": NOW}
    for name, written in (("1", 1), ("2", 1), ("1", 0)):
        assert prepared.insert(ProviderEvent, ignore=True, event=name, body="{}", **event) == written
    first, second = ProviderEvent.select().order_by(ProviderEvent.event)
    assert first.id != second.id
    assert (first.state, first.attempts, first.taken_by, first.due_at) == (EventState.RECEIVED, 0, None, NOW)
    with pytest.raises(peewee.IntegrityError):
        prepared.insert(ProviderEvent, event="1", body="{}", **event)


def test_rows_that_somebody_goes_through_stay_while_others_are_read(appliance: Appliance) -> None:
    made = sorted(make_release(make_artist()).id for _ in range(3))
    seen = []
    for row in Release.select().order_by(Release.id).iterator():
        seen.append(row.id)
        assert [one.artist.owner.id for one in by_ids(row.id)] == [by_ids(row.id)[0].artist.owner_id]
    assert seen == made
