"""Whether the books hold together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that does not fit: which *check* found it, the *row* by its kind and id, and a *sentence* with both figures."""

    check: str
    row: str
    sentence: str
