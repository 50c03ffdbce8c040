"""The words an operation of the interface is described in: one row an operation."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from appliance.catalog import staging

JSON = "application/json"
OCTETS = "application/offset+octet-stream"

PATH_PARAMETERS = {
    "slug": "The artist's slug.",
    "release_id": "The release's id.",
    "track_id": "The track's id.",
    "playlist_id": "The playlist's id.",
    "entry_id": "The id of a place in a playlist.",
    "tier_id": "The tier's id.",
    "membership_id": "The membership's id.",
    "play_id": "The play's id.",
    "download_id": "The download's id.",
    "order_id": "The order's id.",
    "discount_id": "The discount's id.",
    "batch_id": "The batch's id.",
    "receipt_id": "The receipt's id.",
    "note_id": "The credit note's id.",
    "agreement_id": "The agreement's id.",
    "event_id": "The event's id.",
    "subscription_id": "The subscription's id.",
    "upload_id": "The upload's id: the last part of its address.",
}
RESUMABLE = ("Tus-Resumable", "Always 1.0.0.", True)
IF_MATCH = ("If-Match", "The ETag of what you change: 412 when somebody else changed it since.", False)
ONCE = (
    "Idempotency-Key",
    "A text of your own, new for each new act: what is sent twice with it is done once, and answered alike.",
    True,
)
CHECKSUM = (
    "Upload-Checksum",
    f"{', '.join(staging.CHECKSUMS)}, a space, and the digest of this body in base64.",
    False,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One way in which it can go well: what it says, the schema of its body, and headers worth knowing."""

    says: str
    schema: str = ""
    type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address; *problems* are the statuses of the errors it is known for, *scopes* what a token needs where the method says
    not all of it.
    """

    noun: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, Answer]
    signed_in: bool = False
    notes: str = ""
    query: tuple[tuple[str, str, Mapping[str, object]], ...] = ()
    headers: tuple[tuple[str, str, bool], ...] = ()
    sends: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[int, ...] = ()
    example: str = ""
    scopes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """A name to refer to, for links and generated clients."""
        words = (
            self.path.replace("/api/v1", "").replace("{", "").replace("}", "").replace(".", "/").split("/")
        )
        return "_".join([self.method.lower(), *(word for word in words if word)])


AUTH = '-H "Authorization: Bearer $TOKEN"'
TUS = '-H "Tus-Resumable: 1.0.0"'
FORM, BYTES = "multipart/form-data", "application/octet-stream"

PAGE = (
    ("limit", "How many, 1 to 100.", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
    ("cursor", "Where to go on.", {"type": "string"}),
)
