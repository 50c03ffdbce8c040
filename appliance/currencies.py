"""Currencies in which prices can be asked (ISO 4217), with how many digits their minor unit has."""

from appliance.errors import Invalid

_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_TWO_DIGITS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK "
    "DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK "
    "LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON "
    "RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER "
    "ZAR ZMW"
)
DIGITS = {
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_TWO_DIGITS.split(), 2),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
}
"""Digits after the point, by code."""
MOST_DIGITS = 9
"""Before the point; nobody means more."""
EURO = "EUR"
"""What prices are asked in until an artist says otherwise."""


def read(value: object) -> str:
    """*value* as the code of a currency; ``Invalid`` for any other."""
    code = value.strip().upper() if isinstance(value, str) else ""
    if code not in DIGITS:
        raise Invalid("A currency is three letters such as EUR (ISO 4217).", field="currency")
    return code


def minor(text: str, code: str) -> int:
    """Pure: the amount that somebody wrote, such as ``5``, ``5.00`` or ``5,00``, in minor units; ``Invalid`` for what is none."""
    whole, point, rest = text.strip().replace(",", ".").partition(".")
    digits = DIGITS[code]
    plain = whole.isascii() and whole.isdigit()
    if plain and len(whole) > MOST_DIGITS:
        raise Invalid("This amount is too large.")
    if not plain or len(rest) > digits or (point and not (rest.isascii() and rest.isdigit())):
        raise Invalid("Write the price like this: {example}.", example=written(500 if digits else 5, code))
    return int(whole + rest.ljust(digits, "0"))


def written(amount_minor: int, code: str) -> str:
    """Pure: *amount_minor* as one writes it into a field, without the currency."""
    digits = DIGITS[code]
    whole, rest = divmod(abs(amount_minor), 10**digits)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}}" if digits else f"{sign}{whole}"
