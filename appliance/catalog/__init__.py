"""The catalogue: artists, releases, tracks, their renditions, and how originals come in."""
