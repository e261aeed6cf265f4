"""The rows of the table of speed: instances, targets, sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import instances
from benchmarks.exchange import Instance


@dataclass(frozen=True)
class Case:
    """One row.

    Parameters
    ----------
    key : str
        For ``--only``.
    target : float or None
        Million factor-to-variable messages a second on one core.
    full, quick, small : callable
        Make the instance; ``small`` is for contestants that the full one takes too long.
    for_peers : callable or None
        What peers are given instead of the instance where they lack its kind of factor.
    note : str
        What a reader should know about the row.

    """

    key: str
    target: float | None
    full: Callable[[], Instance]
    quick: Callable[[], Instance]
    small: Callable[[], Instance]
    for_peers: Callable[[Instance], Instance] | None = None
    note: str = ""


CASES = (
    Case(
        "grid",
        150.0,
        lambda: instances.binary_grid(300),
        lambda: instances.binary_grid(60),
        lambda: instances.binary_grid(20),
    ),
    Case(
        "potts8",
        20.0,
        lambda: instances.potts_grid(50, 8),
        lambda: instances.potts_grid(20, 8),
        lambda: instances.potts_grid(10, 8),
    ),
    Case(
        "potts32",
        1.5,
        lambda: instances.potts_grid(50, 32),
        lambda: instances.potts_grid(15, 32),
        lambda: instances.potts_grid(8, 32),
        note="also at least 30 % of the copy bandwidth, the bytes of tables read once",
    ),
    Case(
        "triples",
        20.0,
        lambda: instances.triples(2000, 3000),
        lambda: instances.triples(400, 600),
        lambda: instances.triples(100, 150),
    ),
    Case(
        "or",
        60.0,
        lambda: instances.ors(2000),
        lambda: instances.ors(200),
        lambda: instances.ors(20, arity=8),
        note="the small instance has arity 8, because peers need the table",
    ),
    Case(
        "noisy_or",
        None,
        lambda: instances.noisy_ors(50),
        lambda: instances.noisy_ors(5),
        lambda: instances.noisy_ors(4, parents=8, causes=20),
        for_peers=instances.with_hidden_causes,
        note="a table would have 2^1001 entries; peers get an OR of 1,000 hidden causes each",
    ),
    Case(
        "parity",
        35.0,
        lambda: instances.parity_checks(10_000),
        lambda: instances.parity_checks(1_000),
        lambda: instances.parity_checks(200),
    ),
)
