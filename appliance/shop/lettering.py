"""The letters that codes are made of, and what is told of one that is none."""

import secrets

from appliance.errors import N_

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that are read as others; each is five bits."""
UNKNOWN = N_("There is no such code. Look at each letter again; there is no 0, 1, I or O in it.")


def drawn(length: int) -> str:
    """A code of so many letters that nobody has."""
    return normal("".join(secrets.choice(LETTERS) for _ in range(length)), length)


def normal(code: str, length: int) -> str:
    """Pure: a code as it is kept, however it was typed; empty for what cannot be one of this length."""
    letters = "".join(sign for sign in code.upper()[:100] if sign.isalnum())
    if len(letters) != length or set(letters) - set(LETTERS):
        return ""
    return "-".join(letters[start : start + 4] for start in range(0, length, 4))
