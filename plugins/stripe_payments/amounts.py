"""Amounts as Stripe writes them: mostly minor units as ours, with a few currencies of its own mind and a smallest charge for each.

From https://docs.stripe.com/currencies: which currencies it takes, where its digits are not those of ISO 4217, and the smallest charges.
"""

from appliance import currencies
from appliance.currencies import DIGITS
from appliance.errors import Invalid

LARGEST = 99_999_999
"""Eight digits are all that Stripe takes for a charge."""
_TAKEN = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CVE CZK "
    "DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD "
    "KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN "
    "PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF "
    "XCD XOF XPF YER ZAR ZMW"
)
# Digits of an amount at Stripe, where they are not those of ISO 4217: it never followed two changes, and counts one in whole units.
_ITS_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
# The smallest charges that Stripe names, in our minor units.
_SMALLEST = {
    "AED": 200,
    "AUD": 50,
    "BGN": 100,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}
# Elsewhere a charge must be worth half a dollar once it is exchanged. These whole units are worth a dollar or more: rates move.
_ENOUGH = {
    1: "BHD JOD KWD OMR SHP",
    4: "ANG AWG AZN BAM BBD BMD BND BSD BYN BZD FJD FKP GEL GIP ILS KYD PAB PEN QAR SAR TND TOP XCD",
    45: "BOB BWP CNY GHS GTQ LSL MAD MOP MVR NAD PGK SBD SCR SLE SRD SZL TJS TRY TTD TWD UAH WST ZAR ZMW",
    130: "AFN DOP EGP GMD HNL KGS MDL MKD MUR MZN NIO PHP RUB UYU",
    450: "ALL AMD BDT CVE DZD ETB GYD HTG ISK JMD KES LKR LRD NPR PKR RSD YER",
    2000: "AOA ARS CLP CRC DJF KMF KRW KZT NGN RWF SOS VUV XAF XOF XPF",
    6000: "BIF CDF COP KHR MGA MMK MNT MWK TZS UGX",
    100_000: "GNF IDR LAK LBP PYG UZS VND",
}


def taken(currency: str) -> bool:
    """Pure: whether Stripe takes this currency at all."""
    return currency in _TAKEN.split()


def smallest(currency: str) -> int | None:
    """Pure: the smallest charge in our minor units; ``None`` for a currency that Stripe does not take."""
    if not taken(currency):
        return None
    if currency in _SMALLEST:
        return _SMALLEST[currency]
    units = next(units for units, codes in _ENOUGH.items() if currency in codes.split())
    return units * _ten_to(DIGITS[currency])


def theirs(amount_minor: int, currency: str) -> int:
    """Pure: our minor units as Stripe wants them; ``Invalid`` for what it cannot charge."""
    if not taken(currency):
        raise Invalid("Stripe does not take {currency}.", currency=currency, field="currency")
    ours, its = DIGITS[currency], _ITS_DIGITS.get(currency, DIGITS[currency])
    if ours == 3 and amount_minor % 10:
        raise Invalid("An amount in {currency} must end in 0.", currency=currency, field="amount")
    if its >= ours:
        amount = amount_minor * _ten_to(its - ours)
    else:
        amount, rest = divmod(amount_minor, _ten_to(ours - its))
        if rest:
            raise Invalid("An amount in {currency} must be whole here.", currency=currency, field="amount")
    if amount > LARGEST:
        raise Invalid("This amount is more than Stripe takes at once.", field="amount")
    return amount


def ours(amount: int, currency: str) -> int:
    """Pure: what Stripe says as our minor units."""
    digits, its = DIGITS[currency.upper()], _ITS_DIGITS.get(currency.upper(), DIGITS[currency.upper()])
    return amount * _ten_to(digits - its) if digits >= its else _half_up(amount, _ten_to(its - digits))


def part(amount: int, of: int, whole: int) -> int:
    """Pure: *amount* as it is to *of* when that is to *whole*; a half is rounded up."""
    return _half_up(amount * of, whole) if whole else 0


def charged(amount_minor: int, currency: str) -> int:
    """Pure: like ``theirs`` for what somebody pays, which may not be too little either."""
    amount, least = theirs(amount_minor, currency), smallest(currency)
    if amount_minor <= 0 or (least is not None and amount_minor < least):
        raise Invalid(
            "This is too small an amount to be paid this way; the smallest is {least} {currency}.",
            least=currencies.written(least or 1, currency),
            currency=currency,
            field="amount",
        )
    return amount


def _half_up(amount: int, by: int) -> int:
    return (2 * amount + by) // (2 * by)


def _ten_to(power: int) -> int:
    return int(10**power)
