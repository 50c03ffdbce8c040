"""What can be asked of the interface: one row an operation. The OpenAPI document and the page for people are made of these rows."""

from web.api.operations import artists
from web.api.operations import books
from web.api.operations import buying
from web.api.operations import downloads
from web.api.operations import library
from web.api.operations import releases
from web.api.operations import selling
from web.api.operations import server
from web.api.operations import subscriptions
from web.api.operations import tiers
from web.api.operations import tracks
from web.api.operations import uploads
from web.api.operations.words import JSON
from web.api.operations.words import PATH_PARAMETERS
from web.api.operations.words import Answer
from web.api.operations.words import Operation

OPERATIONS = (
    *artists.OPERATIONS,
    *releases.OPERATIONS,
    *tracks.OPERATIONS,
    *uploads.OPERATIONS,
    *library.OPERATIONS,
    *downloads.OPERATIONS,
    *tiers.OPERATIONS,
    *subscriptions.OPERATIONS,
    *buying.OPERATIONS,
    *selling.OPERATIONS,
    *books.OPERATIONS,
    *server.OPERATIONS,
)

__all__ = ["JSON", "OPERATIONS", "PATH_PARAMETERS", "Answer", "Operation"]
