"""Codes of gifts: longer than those for downloads, so that neither is taken for the other."""

from appliance.shop import lettering

LENGTH = 16
"""Sixteen letters are 80 bits, which nobody guesses."""


def fresh() -> str:
    """A code that nobody has."""
    return lettering.drawn(LENGTH)


def normal(code: str) -> str:
    """Pure: a code as it is kept, however it was typed; empty for what cannot be one of a gift."""
    return lettering.normal(code, LENGTH)
