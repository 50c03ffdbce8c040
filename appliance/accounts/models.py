"""Users, roles and API tokens."""

from enum import StrEnum

import peewee

from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class RoleName(StrEnum):
    """What a person is on the whole platform; whose music they manage is said by the artist."""

    LISTENER = "listener"
    ARTIST = "artist"
    MODERATOR = "moderator"
    ADMIN = "admin"


class Scope(StrEnum):
    """What an API token may do in its owner's name."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    MONEY_READ = "money.read"
    MONEY_WRITE = "money.write"
    MONEY_PAYOUT = "money.payout"
    """Apart from the others, so that no token reaches money that was not made for it."""


class Role(Identified):
    """A role by name."""

    name = peewee.CharField(max_length=20, unique=True)
    description = peewee.TextField(default="")


class User(Identified):
    """A person with an account; *fs_uniquifier* changes to end every session at once."""

    email = peewee.CharField(max_length=254, unique=True)
    display_name = peewee.CharField(max_length=100, default="")
    password = peewee.CharField(max_length=255)
    active = peewee.BooleanField(default=True)
    fs_uniquifier = peewee.CharField(max_length=64, unique=True)
    # Made by ``musicconnect demo`` with a password everybody knows: such a node must not face the network.
    demo = peewee.BooleanField(default=False)
    confirmed_at = UtcDateTimeField(null=True)
    # Since when there is an authenticator app or a passkey; kept beside the password, so that signing in need not look for them.
    second_factor_since = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()


class UserRole(Base):
    """A user holds a role."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", backref="role_links")
    role = peewee.ForeignKeyField(Role, on_delete="CASCADE")

    class Meta:
        indexes = ((("user", "role"), True),)


class ApiToken(Identified):
    """A bearer token (RFC 6750): shown once, kept as a SHA-256 of its 256 random bits."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    name = peewee.CharField(max_length=100, default="")
    digest = peewee.CharField(max_length=64, unique=True)
    scopes = peewee.CharField(max_length=100)
    created_at = UtcDateTimeField()
    expires_at = UtcDateTimeField(null=True)
    last_used_at = UtcDateTimeField(null=True)


class SignInIdentity(Identified):
    """An account elsewhere that opens this one: *issuer* and *subject* name it for good, *email* is what it was last known by."""

    user_id: str
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    way = peewee.CharField(max_length=30)
    issuer = peewee.CharField(max_length=300)
    subject = peewee.CharField(max_length=255)
    email = peewee.CharField(max_length=254, default="")
    created_at = UtcDateTimeField()
    last_used_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = ((("issuer", "subject"), True),)


class AuditHead(Base):
    """Where the audit trail ends: one row, written with each entry."""

    id = peewee.SmallIntegerField(primary_key=True)
    count = peewee.BigIntegerField(default=0)
    last = peewee.BigIntegerField(default=0)
    digest = peewee.CharField(max_length=64)
    seal = peewee.CharField(max_length=64, default="")


class AuditEntry(Base):
    """Something that was done: never changed, never removed, which the database refuses; *digest* chains it to the one before.

    *actor* and *subject* are no foreign keys: an entry outlives what it tells of.
    """

    id = peewee.BigAutoField()
    at = UtcDateTimeField(index=True)
    action = peewee.CharField(max_length=100)
    actor = peewee.CharField(max_length=26, null=True)
    subject = peewee.CharField(max_length=200)
    detail = peewee.TextField(default="{}")
    digest = peewee.CharField(max_length=64, default="")

    class Meta:
        indexes = (
            (("action", "id"), False),
            (("actor", "id"), False),
            (("subject", "id"), False),
        )
