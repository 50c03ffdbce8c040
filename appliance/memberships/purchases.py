"""What was bought, and what becomes of it."""

from datetime import datetime

from appliance import revocations
from appliance.database import transaction
from appliance.memberships.models import Purchase


def refund(purchase: Purchase, *, now: datetime) -> None:
    """Take back what a purchase opened, whose money goes back: it is shut at once. Nothing happens the second time."""
    with transaction():
        standing = (Purchase.id == purchase.id) & Purchase.refunded_at.is_null()
        if Purchase.update(refunded_at=now).where(standing).execute():
            revocations.revoke(f"member:{purchase.user_id}:{purchase.artist_id}", now=now)


def restore(purchase: Purchase) -> None:
    """Open again what a refund shut that did not come to be. Nothing happens when it is open."""
    standing = (Purchase.id == purchase.id) & Purchase.refunded_at.is_null(False)
    Purchase.update(refunded_at=None).where(standing).execute()
