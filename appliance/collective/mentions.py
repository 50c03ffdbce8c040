"""Whom and what the entries of the audit trail are about, by the names they have now."""

from collections.abc import Iterable

from appliance.accounts.models import User
from appliance.catalog.models import Artist
from appliance.catalog.models import Release


def names(subjects: Iterable[str]) -> dict[str, str]:
    """The names of these subjects, such as ``release:01J…``, by three queries; what is gone is missing."""
    keys = {subject: subject.partition(":")[2] for subject in subjects}
    wanted = list(keys.values())
    people = {row.id: row.email for row in User.select(User.id, User.email).where(User.id.in_(wanted))}
    artists = {row.id: row.name for row in Artist.select(Artist.id, Artist.name).where(Artist.id.in_(wanted))}
    releases = {
        row.id: row.title for row in Release.select(Release.id, Release.title).where(Release.id.in_(wanted))
    }
    kinds = {"user": people, "person": people, "artist": artists, "release": releases}
    named = {subject: kinds.get(subject.partition(":")[0], {}).get(key, "") for subject, key in keys.items()}
    return {subject: name for subject, name in named.items() if name}
