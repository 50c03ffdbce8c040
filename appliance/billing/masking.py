"""The body of an event as it may be shown: what was sent is told, whom it is about is not.

Nobody can know every field of every provider. So a text is shown only where it looks like a word, a number, a date or a reference, and does not
stand under a key that tells of a person or opens something.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

MASK = "•••"
PERSONAL = re.compile(
    r"name|mail|phone|address|line\d|city|postal|zip|state_or|payer|customer_details|billing|shipping|recipient|owner|user|person"
    r"|card|last4|iban|account_number|routing|fingerprint|tax_id|birth|dob|ip$|user_agent|description|message|note|memo|statement"
    r"|secret|token|password|signature|url|link|href|receipt|pdf",
    re.IGNORECASE,
)
PLAIN = re.compile(r"[A-Za-z0-9_.:+-]{0,80}")


def masked(body: str) -> str:
    """Pure: *body* laid out to be read, with a mask over all that may be personal or secret."""
    try:
        found = json.loads(body)
    except ValueError:
        found = dict(parse_qsl(body, keep_blank_values=True))
        if not found or not all(PLAIN.fullmatch(name) for name in found):
            return MASK
    return json.dumps(_masked(found, hidden=False), indent=2, ensure_ascii=False)


def _masked(value: Any, *, hidden: bool) -> Any:
    if isinstance(value, dict):
        return {
            (str(key) if PLAIN.fullmatch(str(key)) else MASK): _masked(
                part, hidden=hidden or bool(PERSONAL.search(str(key)))
            )
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_masked(part, hidden=hidden) for part in value]
    if value is None or isinstance(value, bool):
        return value
    if hidden:
        return MASK
    return value if isinstance(value, int | float) or PLAIN.fullmatch(value) else MASK
