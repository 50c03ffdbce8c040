"""Bank account numbers as ISO 13616 has them."""

import re

from text_unidecode import unidecode

from appliance.errors import Invalid

_FORM = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27,
    "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27,
    "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}  # fmt: skip
"""Characters of an IBAN, by country (SWIFT's IBAN registry), for the countries of the SEPA."""


def read(value: str) -> str:
    """Pure: *value* without blanks, in capitals; ``Invalid`` unless its length and its check digits are right (ISO 7064, MOD 97-10)."""
    text = re.sub(r"[\s-]", "", value).upper()
    length = _LENGTHS.get(text[:2], len(text))
    if not _FORM.fullmatch(text) or len(text) != length or not _checks(text):
        raise Invalid("This is not an IBAN: look at its digits again.", field="iban")
    return text


def read_bic(value: str) -> str:
    """Pure: *value* as a BIC (ISO 9362), or an empty text; banks in the SEPA need none."""
    text = re.sub(r"\s", "", value).upper()
    if text and not _BIC.fullmatch(text):
        raise Invalid("A BIC has 8 or 11 letters and digits.", field="bic")
    return text


def plain(text: str) -> str:
    """Pure: *text* in the letters that every bank takes (EPC217-08); empty when no letter or digit of it is left."""
    kept = " ".join(re.sub(r"[^A-Za-z0-9/?:().,'+ -]", " ", str(unidecode(text))).split())
    return kept if re.search("[A-Za-z0-9]", kept) else ""


def masked(iban: str) -> str:
    """Pure: enough of it to know one's own."""
    return f"{iban[:4]} … {iban[-4:]}" if len(iban) > 8 else iban


def _checks(text: str) -> bool:
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1
