"""The present instant, asked for once at the edge of the product.

Domain functions take ``now`` as an argument, so that a test can stand at any moment; only views, commands and
the top of a job call this.
"""

from datetime import UTC
from datetime import datetime


def now() -> datetime:
    """The present instant in UTC, aware, to the microsecond."""
    return datetime.now(UTC)
