"""Listening: what was heard, by whom, and how often it counts."""
