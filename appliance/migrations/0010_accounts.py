"""Second factors, passkeys, recovery codes, trusted devices, and sessions that can be seen and ended."""

from peewee import *

from appliance.database import UtcDateTimeField


def up(migrator, db):
    # Natively: a server of the version before still adds rows.
    field = UtcDateTimeField(null=True)
    migrator.migrate(migrator.alter_add_column("user", "second_factor_since", field, allow_not_null=True))

    class User(Model):
        id = CharField(primary_key=True, max_length=26)

        class Meta:
            database = db
            table_name = "user"

    class TotpKey(Model):
        user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
        sealed = TextField()
        last_counter = BigIntegerField(default=0)
        failures = IntegerField(default=0)
        failed_at = UtcDateTimeField(null=True)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "totp_key"

    class Passkey(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User, on_delete="CASCADE")
        name = CharField(max_length=60)
        credential_id = CharField(max_length=1400, unique=True)
        public_key = TextField()
        sign_count = BigIntegerField(default=0)
        transports = CharField(max_length=100, default="")
        created_at = UtcDateTimeField()
        last_used_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "passkey"

    class RecoveryCode(Model):
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        digest = CharField(max_length=64)
        used_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "recovery_code"
            indexes = ((("user", "digest"), True),)

    class TrustedDevice(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User, on_delete="CASCADE")
        digest = CharField(max_length=64, unique=True)
        browser = CharField(max_length=100, default="")
        created_at = UtcDateTimeField()
        last_used_at = UtcDateTimeField()
        expires_at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "trusted_device"

    class AccountSession(Model):
        id = CharField(primary_key=True, max_length=26)
        user = ForeignKeyField(User, on_delete="CASCADE")
        digest = CharField(max_length=64, unique=True)
        browser = CharField(max_length=100, default="")
        address = CharField(max_length=50, default="")
        remembered = BooleanField(default=False)
        failures = IntegerField(default=0)
        created_at = UtcDateTimeField()
        verified_at = UtcDateTimeField()
        seen_at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "account_session"

    db.create_tables([TotpKey, Passkey, RecoveryCode, TrustedDevice, AccountSession])


def down(migrator, db):
    for table in ("account_session", "trusted_device", "recovery_code", "passkey", "totp_key"):
        migrator.migrate(migrator.drop_table(table))
    db.execute_sql('ALTER TABLE "user" DROP COLUMN "second_factor_since"')
