"""What a person signs in with besides the password, and where they are signed in."""

import peewee

from appliance.accounts.models import User
from appliance.database import Base
from appliance.database import Identified
from appliance.database import UtcDateTimeField


class TotpKey(Base):
    """The key a person shares with their authenticator app (RFC 6238), sealed; *last_counter* is the code that was used last."""

    user = peewee.ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    sealed = peewee.TextField()
    last_counter = peewee.BigIntegerField(default=0)
    failures = peewee.IntegerField(default=0)
    failed_at = UtcDateTimeField(null=True)
    created_at = UtcDateTimeField()


class Passkey(Identified):
    """A public key of a person (WebAuthn); *credential_id* and *public_key* are base64url."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    name = peewee.CharField(max_length=60)
    credential_id = peewee.CharField(max_length=1400, unique=True)
    public_key = peewee.TextField()
    sign_count = peewee.BigIntegerField(default=0)
    transports = peewee.CharField(max_length=100, default="")
    created_at = UtcDateTimeField()
    last_used_at = UtcDateTimeField(null=True)


class RecoveryCode(Base):
    """A code that stands in for the second factor one time, kept as its SHA-256."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    digest = peewee.CharField(max_length=64)
    used_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = ((("user", "digest"), True),)


class TrustedDevice(Identified):
    """A browser that need not show the second factor for a while; it holds a secret of which this is the SHA-256."""

    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    digest = peewee.CharField(max_length=64, unique=True)
    browser = peewee.CharField(max_length=100, default="")
    created_at = UtcDateTimeField()
    last_used_at = UtcDateTimeField()
    expires_at = UtcDateTimeField(index=True)


class AccountSession(Identified):
    """Somebody is signed in on a browser, which holds a secret of which this is the SHA-256.

    *verified_at* is when they last proved who they are; *failures* counts how often that went wrong since.
    """

    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    user_id: str
    digest = peewee.CharField(max_length=64, unique=True)
    browser = peewee.CharField(max_length=100, default="")
    address = peewee.CharField(max_length=50, default="")
    remembered = peewee.BooleanField(default=False)
    failures = peewee.IntegerField(default=0)
    created_at = UtcDateTimeField()
    verified_at = UtcDateTimeField()
    seen_at = UtcDateTimeField(index=True)
