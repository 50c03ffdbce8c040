"""Where the sound and the pictures are kept: a local folder, or any S3-compatible store."""

from appliance.storage.files import as_file
from appliance.storage.local import LocalStore
from appliance.storage.objects import ObjectStore
from appliance.storage.objects import Seen
from appliance.storage.objects import Signing
from appliance.storage.objects import StoredObject
from appliance.storage.objects import validate_key
from appliance.storage.opening import open_store

__all__ = [
    "LocalStore",
    "ObjectStore",
    "Seen",
    "Signing",
    "StoredObject",
    "as_file",
    "open_store",
    "validate_key",
]
