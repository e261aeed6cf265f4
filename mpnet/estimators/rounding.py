"""Room for rounding, so that what is proven of numbers holds of their floating-point kin."""

from __future__ import annotations

ROOM = 1e-12
"""Share of a bound that rounding may have moved it by: some thousand operations' worth."""


def down(bound: float) -> float:
    """A lower bound, lowered by what rounding may have raised it."""
    return bound - ROOM * (1.0 + abs(bound))


def up(bound: float) -> float:
    """An upper bound, raised by what rounding may have lowered it."""
    return bound + ROOM * (1.0 + abs(bound))
