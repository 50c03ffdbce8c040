"""What follows on paper from payments: receipts of memberships, credit notes of whatever went back, and the letters they go with."""

from appliance.papers import drawing
from appliance.papers import issuing

__all__ = ["drawing", "issuing"]
