"""What a password must be, and how it is kept: the rules of NIST SP 800-63B, section 3.1.1.2.

Long enough and not among those that everybody guesses; no rules about digits and signs, and no end after some months.
"""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError
from argon2.exceptions import VerificationError

from appliance.accounts import common_passwords
from appliance.errors import Invalid

LENGTH = (8, 200)
HASHER = PasswordHasher()
"""Argon2id with the library's parameters, which are those of RFC 9106 for where memory is scarce: 3 passes over 64 MiB."""


def normalised(password: str) -> str:
    """Pure: the same text for the same keys pressed, however a device puts letters and their marks together."""
    # As Flask-Security does it when somebody signs in.
    return unicodedata.normalize("NFKD", password)


def require(password: str, *, email: str = "", known_to_all: bool = False) -> str:
    """*password* as it is hashed; ``Invalid`` says what is wrong with it. *known_to_all* for accounts of the demo alone."""
    password = normalised(password)
    least, most = LENGTH
    if not least <= len(password) <= most:
        raise Invalid(
            "A password has {least} to {most} characters.", least=least, most=most, field="password"
        )
    if known_to_all:
        return password
    if common_passwords.is_common(password):
        raise Invalid(
            "Many people use this password, so it is guessed first. Choose another one.", field="password"
        )
    said = password.lower()
    if email and said in {email.lower(), email.lower().partition("@")[0]}:
        raise Invalid("The e-mail address itself is no password. Choose another one.", field="password")
    if len(set(said)) == 1:
        raise Invalid("One letter again and again is no password. Choose another one.", field="password")
    return password


def hashed(password: str) -> str:
    """*password*, which ``require`` let pass, as it is stored: argon2id with a salt of its own."""
    return HASHER.hash(password)


def matches(password: str, kept: str) -> bool:
    """Whether *password* is the one that is stored as *kept*."""
    try:
        return HASHER.verify(kept, normalised(password))
    except (VerificationError, InvalidHashError):
        return False
