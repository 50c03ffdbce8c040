"""Discovery: what a search finds, and what the collective features."""
