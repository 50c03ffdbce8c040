"""The numbers on a seller's papers: receipts have one series, credit notes another, and neither has gaps."""

from appliance import prepared
from appliance.shop.models import Seller


def hold(artist: str) -> Seller:
    """The seller's row, held until the transaction ends: whoever comes next takes the next number, and one that is rolled back is taken by nobody."""
    found = prepared.one(Seller, hold=True, artist=artist)
    if found is None:
        prepared.insert(Seller, ignore=True, artist=artist)
        found = prepared.one(Seller, hold=True, artist=artist)
        assert found is not None
    return found


def next_receipt(seller: Seller) -> int:
    """The next number for a receipt of a seller that is held."""
    seller.last_number += 1
    prepared.update(Seller, seller.id, last_number=seller.last_number)
    return int(seller.last_number)


def next_credit_note(seller: Seller) -> int:
    """The next number for a credit note of a seller that is held."""
    seller.last_credit_number += 1
    prepared.update(Seller, seller.id, last_credit_number=seller.last_credit_number)
    return int(seller.last_credit_number)
