"""Passkeys (WebAuthn, level 2): keys in a phone, a computer or a stick that open an account without a password.

A challenge needs no memory: it is random bytes, the instant and a seal of both with what it is for. That it is used once is noted when
an answer to it is taken.
"""

import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers import parse_client_data_json
from webauthn.helpers import parse_registration_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AuthenticatorSelectionCriteria
from webauthn.helpers.structs import AuthenticatorTransport
from webauthn.helpers.structs import PublicKeyCredentialDescriptor
from webauthn.helpers.structs import ResidentKeyRequirement
from webauthn.helpers.structs import UserVerificationRequirement

from appliance import idempotency
from appliance.accounts import audit
from appliance.accounts import second_factor
from appliance.accounts.audit import Action
from appliance.accounts.factor_models import Passkey
from appliance.accounts.letters import Letters
from appliance.accounts.models import User
from appliance.database import transaction
from appliance.errors import Conflict
from appliance.errors import Invalid
from appliance.errors import NotFound

MOST = 20
LONGEST_NAME = 60
LONGEST_ANSWER = 20_000
LIVES = timedelta(hours=1)
"""How long a page with a challenge may stay open."""
_NONCE, _TIME, _SEAL = 16, 8, 32
_MALFORMED = (
    WebAuthnException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    struct.error,
)
"""What an answer that somebody made up can bring about in the library."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks for a passkey: the name of this host, the whole address of its pages, and the secret that seals challenges."""

    host: str
    origin: str
    name: str
    secret: str


class WrongPasskey(Invalid):
    """The answer of a passkey cannot be taken; which of its parts is wrong is nobody's business."""

    def __init__(self) -> None:
        super().__init__("This passkey does not open this. Load the page again, or use another way.")


def creation_options(user: User, party: Party, *, now: datetime) -> str:
    """What a browser needs to make a passkey for this person, as JSON."""
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=party.name,
        user_id=user.id.encode(),
        user_name=user.email,
        user_display_name=user.display_name or user.email,
        challenge=_challenge(party, f"register:{user.id}", now),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=_descriptors(user.id),
    )
    return webauthn.options_to_json(options)


def request_options(
    party: Party, *, purpose: str, user_id: str | None = None, verified: bool = True, now: datetime
) -> str:
    """What a browser needs to ask for a passkey, as JSON: for anybody, or one of this person's. *verified* asks for PIN or finger."""
    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        challenge=_challenge(party, purpose, now),
        allow_credentials=_descriptors(user_id) if user_id else None,
        user_verification=(
            UserVerificationRequirement.REQUIRED if verified else UserVerificationRequirement.PREFERRED
        ),
    )
    return webauthn.options_to_json(options)


def register(user: User, answer: str, *, name: str, party: Party, letters: Letters, now: datetime) -> Passkey:
    """Keep the passkey that a browser made. ``WrongPasskey`` for an answer that does not hold, ``Conflict`` for too many."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("A name has at most {most} characters.", most=LONGEST_NAME, field="passkey_name")
    try:
        credential = parse_registration_credential_json(answer[:LONGEST_ANSWER])
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        _require(challenge, party, f"register:{user.id}", now)
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
        )
    except _MALFORMED as error:
        raise WrongPasskey from error
    credential_id = bytes_to_base64url(made.credential_id)
    transports = " ".join(transport.value for transport in credential.response.transports or ())[:100]
    with transaction():
        _use_up(challenge, now)
        if Passkey.select().where(Passkey.credential_id == credential_id).exists():
            raise Conflict("This passkey is known already.")
        if Passkey.select().where(Passkey.user == user.id).count() >= MOST:
            raise Conflict("One person has at most {most} passkeys; remove one first.", most=MOST)
        row = Passkey.create(
            user=user.id,
            name=name.strip(),
            credential_id=credential_id,
            public_key=bytes_to_base64url(made.credential_public_key),
            sign_count=made.sign_count,
            transports=transports,
            created_at=now,
        )
        second_factor.settle(user, now=now)
        audit.record(
            Action.PASSKEY_ADDED,
            actor=user.id,
            subject=f"user:{user.id}",
            detail={"passkey": row.id},
            now=now,
        )
        letters.write("passkey_added", user.email, now=now, passkey=row.name)
    return row


def authenticate(
    answer: str,
    *,
    party: Party,
    purpose: str,
    user_id: str | None = None,
    verified: bool = True,
    now: datetime,
) -> Passkey:
    """The passkey that answered, its person joined; ``WrongPasskey`` when it is unknown, somebody else's, or its seal is wrong."""
    try:
        credential = parse_authentication_credential_json(answer[:LONGEST_ANSWER])
        challenge = parse_client_data_json(credential.response.client_data_json).challenge
        _require(challenge, party, purpose, now)
        row = _find(bytes_to_base64url(credential.raw_id), user_id)
        handle = credential.response.user_handle
        if handle and handle != row.user.id.encode():
            raise WrongPasskey
        done = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(row.public_key),
            credential_current_sign_count=row.sign_count,
            require_user_verification=verified,
        )
    except _MALFORMED as error:
        raise WrongPasskey from error
    with transaction():
        _use_up(challenge, now)
        Passkey.update(sign_count=done.new_sign_count, last_used_at=now).where(
            Passkey.id == row.id, Passkey.sign_count == row.sign_count
        ).execute()
    return row


def of_user(user_id: str) -> list[Passkey]:
    """This person's passkeys, the oldest first."""
    return list(Passkey.select().where(Passkey.user == user_id).order_by(Passkey.id))


def remove(user: User, passkey_id: str, *, needed: bool, letters: Letters, now: datetime) -> None:
    """Remove a passkey; ``Conflict`` when it is the last second factor of who needs one, ``NotFound`` when it is not theirs."""
    with transaction():
        row = Passkey.get_or_none(Passkey.id == passkey_id, Passkey.user == user.id)
        if row is None:
            raise NotFound("There is no such passkey.")
        row.delete_instance()
        second_factor.settle(user, needed=needed, now=now)
        audit.record(
            Action.PASSKEY_REMOVED,
            actor=user.id,
            subject=f"user:{user.id}",
            detail={"passkey": row.id},
            now=now,
        )
        letters.write("passkey_removed", user.email, now=now, passkey=row.name)


def _find(credential_id: str, user_id: str | None) -> Passkey:
    query = Passkey.select(Passkey, User).join(User).where(Passkey.credential_id == credential_id)
    row: Passkey | None = query.get_or_none()
    if row is None or not row.user.active or (user_id and row.user.id != user_id):
        raise WrongPasskey
    return row


def _descriptors(user_id: str) -> list[PublicKeyCredentialDescriptor]:
    known = set(AuthenticatorTransport)
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row.credential_id),
            transports=[AuthenticatorTransport(name) for name in row.transports.split() if name in known],
        )
        for row in of_user(user_id)
    ]


def _challenge(party: Party, purpose: str, now: datetime) -> bytes:
    body = secrets.token_bytes(_NONCE) + int(now.timestamp()).to_bytes(_TIME, "big")
    return body + _seal(party, purpose, body)


def _require(challenge: bytes, party: Party, purpose: str, now: datetime) -> None:
    body, seal = challenge[:-_SEAL], challenge[-_SEAL:]
    if len(body) != _NONCE + _TIME or not hmac.compare_digest(seal, _seal(party, purpose, body)):
        raise WrongPasskey
    age_s = int(now.timestamp()) - int.from_bytes(body[_NONCE:], "big")
    if not 0 <= age_s <= LIVES.total_seconds():
        raise WrongPasskey


def _seal(party: Party, purpose: str, body: bytes) -> bytes:
    key = hashlib.sha256(b"passkey\0" + party.secret.encode()).digest()
    return hmac.digest(key, purpose.encode() + b"\0" + body, "sha256")


def _use_up(challenge: bytes, now: datetime) -> None:
    name = idempotency.digest(challenge.hex(), owner="", act="passkey")
    if idempotency.begin(name, now=now):
        raise WrongPasskey
    # Kept for two days, longer than a challenge lives; anything but an empty text says that it was done.
    idempotency.end(name, "used")
