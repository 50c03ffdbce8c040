"""What opens the page of an order to a buyer without an account."""

import base64
import hashlib
import hmac

from appliance.shop.models import Order


def of_order(order: Order, *, secret: str) -> str:
    """The key of an order; it stands in the letter to its buyer alone."""
    said = f"musicconnect.order|{order.id}|{order.email}".encode()
    digest = hmac.new(secret.encode(), said, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode("ascii")


def opens(order: Order, key: str, *, secret: str) -> bool:
    """Whether *key* is the one of this order."""
    return hmac.compare_digest(key.encode("utf-8", "replace"), of_order(order, secret=secret).encode())
