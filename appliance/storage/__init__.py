"""Where the sound and the pictures are kept: a local folder, or any S3-compatible store."""

from appliance.storage.files import as_file
from appliance.storage.objects import ObjectStore
from appliance.storage.objects import StoredObject
from appliance.storage.objects import validate_key
from appliance.storage.opening import open_store

__all__ = ["ObjectStore", "StoredObject", "as_file", "open_store", "validate_key"]
