"""What a benchmark finds: a figure, the bound it must keep, and how it was come by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row of the table; *bound* is a limit above which (``at_most``) or below which the figure is missed.

    Without a bound it is a cost that others reckon with, and cannot be missed.
    """

    name: str
    value: float
    bound: float | None = None
    at_most: bool = True
    unit: str = "ratio"
    detail: str = ""
    cause: str = ""
    """Where the figure goes when it is missed, and what was tried: written below the table."""

    @property
    def kept(self) -> bool:
        if self.bound is None:
            return True
        return self.value <= self.bound if self.at_most else self.value >= self.bound
