"""Queries put into words once: the same rows as peewee gives, on both engines, each time."""

import pytest

from appliance.accounts import tokens
from appliance.accounts.models import User
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
