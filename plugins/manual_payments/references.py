"""Pure: the reference that goes with a transfer (ISO 11649), numbers of accounts (ISO 13616), and the text that a banking app reads off a QR code."""

import secrets

from appliance import currencies

_DIGITS = 12
_FEWEST, _MOST = 15, 34


def new() -> str:
    """A creditor reference nobody else has: ``RF``, two digits to find mistyped ones by, and a number."""
    number = "".join(secrets.choice("0123456789") for _digit in range(_DIGITS))
    return f"RF{_check_digits('RF', number)}{number}"


def spaced(reference: str) -> str:
    """A reference or number of an account in groups of four, as one reads it out."""
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def plain(text: str) -> str:
    """What somebody typed as a reference or number of an account, without what makes it readable."""
    return "".join(text.split()).replace("-", "").upper()


def holds(text: str) -> bool:
    """Whether the check digits of a creditor reference or an IBAN are right."""
    if not (text.isascii() and text.isalnum() and text[2:4].isdigit() and text[:2].isalpha()):
        return False
    return int(_number(text[4:] + text[:4])) % 97 == 1


def is_iban(text: str) -> bool:
    """Whether this can be the number of an account."""
    return _FEWEST <= len(text) <= _MOST and holds(text)


def transfer(*, holder: str, iban: str, bic: str, amount_minor: int, reference: str) -> str:
    """A transfer in euros as the European Payments Council writes it for QR codes (EPC069-12, version 2)."""
    amount = f"EUR{currencies.written(amount_minor, currencies.EURO)}"
    return "\n".join(("BCD", "002", "1", "SCT", bic, holder[:70], iban, amount, "", reference))


def _check_digits(country: str, rest: str) -> str:
    return f"{98 - int(_number(rest + country + '00')) % 97:02}"


def _number(text: str) -> str:
    return "".join(str(int(letter, 36)) for letter in text)
