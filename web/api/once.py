"""The header Idempotency-Key: what is sent twice with the same key is done once, and both get the same answer."""

import hashlib
import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from flask import request

from appliance import clock
from appliance import idempotency
from appliance.accounts.models import User
from appliance.errors import Invalid

HEADER = "Idempotency-Key"
LONGEST = 255


def once(who: User, sent: Mapping[str, Any], do: Callable[[], str], *, needed: bool = True) -> str:
    """The id of what *do* makes, or made before when this person sent this key to this address.

    A key that was used for another body is ``Invalid``; one whose first request has not ended yet, ``Conflict``. What failed can be sent again.
    """
    key = request.headers.get(HEADER, "").strip()
    if not key and not needed:
        return do()
    if not 1 <= len(key) <= LONGEST:
        raise Invalid(
            "Send the header Idempotency-Key with a text of your own, up to {most} characters: a new one, such as a UUID, for each new act.",
            most=LONGEST,
            field=HEADER,
        )
    name = idempotency.digest(key, owner=who.id, act=f"api {request.path}")
    said = hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()[:32]
    found, begun_at = idempotency.begin_or_wait(name, now=clock.now)
    if found:
        made, _blank, before = found.partition(" ")
        if before != said:
            raise Invalid("This Idempotency-Key was used for something else; take a new one.", field=HEADER)
        return made
    try:
        made = do()
    except BaseException:
        idempotency.give_back(name, begun_at=begun_at)
        raise
    idempotency.end(name, f"{made} {said}")
    return made
