"""Paying artists what the books say they are owed."""
