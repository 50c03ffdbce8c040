"""Backups: snapshots of the database and the media in a folder or a bucket, each a whole, each costing only what is new."""

from appliance.backup.runs import last_good

__all__ = ["last_good"]
