"""Before a run: whether messages must come to rest, and how many sweeps that may take.

The spectral radius of the non-backtracking matrix, weighted with the strengths of the factors,
bounds how changes of messages shrink: below one, sum-product has one fixed point and undamped
flooding reaches it from wherever it starts (Mooij and Kappen, Sufficient Conditions for
Convergence of the Sum-Product Algorithm, IEEE Transactions on Information Theory 53, 2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mpnet.analysis.changes import ChangeBound, change_bound
from mpnet.errors import UsageError
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import ALIVE, FloatArray
from mpnet.messages import Messages

BUDGET = 300
"""Products with the matrix that bounding its radius may take."""

PATIENCE = 10
"""Products after which the bound must have improved, or it is taken as it is."""

ENOUGH = 1e-4
"""Relative improvement of the bound that is still worth ``PATIENCE`` products."""

SLACK = 1e-12
"""Relative rounding of strengths and products, added to the bound."""

FOLLOWED = 200
"""Sweeps for which the bound of every single message is followed before a rate takes over."""

SETTLING = 100
"""Sweeps that hard zeros may take to spread before the first finite residual."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """What is known of sum-product on a graph before it runs.

    *Evolving.* Nothing is said about messages that start with impossible states that nothing rules out,
    and nothing about max-product.

    Parameters
    ----------
    radius : float
        A proven upper bound of the spectral radius of the non-backtracking matrix, tight but
        for about ``ENOUGH``; 0 where no loop is left.
    vector : float64[E]
        Positive, and no entry of matrix times vector exceeds ``radius`` times the vector's
        (Collatz and Wielandt); all ones where no loop is left.
    changes : ChangeBound
        The matrix.
    unary : float64[B]
        Log unary potentials of the run, in nats.
    products : int
        Products with the matrix that were taken.

    """

    radius: float
    vector: FloatArray = field(repr=False)
    changes: ChangeBound = field(repr=False)
    unary: FloatArray = field(repr=False)
    products: int

    @property
    def converges(self) -> bool:
        """Whether it is proven that there is one fixed point and flooding reaches it."""
        return self.radius < 1.0

    @property
    def acyclic(self) -> bool:
        """Whether no loop is left, so that flooding ends after finitely many sweeps."""
        return self.changes.is_acyclic

    def rate(self, damping: float = 0.0) -> float:
        """Bound of the factor by which the residual shrinks per sweep of flooding, at worst.

        Parameters
        ----------
        damping : float
            Weight of the old message, in the log domain, in [0, 1).

        """
        if not 0.0 <= damping < 1.0:
            raise UsageError(f"damping must be in [0, 1), got {damping}")
        return damping + (1.0 - damping) * self.radius

    def iterations(self, tolerance: float, damping: float = 0.0) -> int | None:
        """Sweeps of flooding, from uniform messages, after which the residual must be small.

        Takes the first sweeps in earnest, as many as hard zeros need to spread, usually one.

        Parameters
        ----------
        tolerance : float
            Undamped residual that is wanted, in nats.
        damping : float
            Weight of the old message, in the log domain, in [0, 1).

        Returns
        -------
        int or None
            A proven bound, up to rounding; None where there is none, or where hard zeros take
            more than ``SETTLING`` sweeps to spread, or where damping slows a run without loops
            beyond ``FOLLOWED`` sweeps.

        """
        if not tolerance > 0.0:
            raise UsageError(f"tolerance must be positive, got {tolerance}")
        rate = self.rate(damping)
        if self.acyclic and damping == 0.0:
            return int(self.changes.depths[0].max(initial=0)) + 1
        if rate >= 1.0:
            return None
        started = _first_residuals(self.changes.graph, self.unary, damping)
        if started is None:
            return None
        sweeps, spans = started
        further = self._sweeps_until(spans, tolerance, damping, rate)
        return None if further is None else sweeps + further

    def _sweeps_until(
        self, spans: FloatArray, tolerance: float, damping: float, rate: float
    ) -> int | None:
        """Further sweeps that shrink the residuals of one sweep, shape (E,), to the tolerance."""
        loose, keep = self.changes.loose, damping
        # What is said about impossible states changes last, and nobody listens.
        seen = spans
        for sweep in range(FOLLOWED):
            if seen.max(initial=0.0) <= tolerance:
                return sweep
            if loose.any():
                seen = keep * seen + (1.0 - keep) * self.changes.apply_loosely(spans)
            spans = keep * spans + (1.0 - keep) * self.changes.apply(spans)
            seen = np.where(loose, np.maximum(seen, spans), spans)
        if self.acyclic:
            return None
        height = float((spans / self.vector).max()) * self.vector.max()
        if loose.any():
            # The least C >= seen with keep C + (1 - keep) (what is heard) <= rate C.
            heard = self.changes.apply_loosely(self.vector)[loose].max() / self.vector.max()
            height = max(height, height * heard / self.radius, float(seen.max()))
        left = math.log(max(height / tolerance, 1.0)) / -math.log(rate)
        return FOLLOWED + math.ceil(left)

    @property
    def sentence(self) -> str:
        """The verdict, in words."""
        note = ""
        if self.changes.untold:
            plural = "s" if self.changes.untold > 1 else ""
            note = f" ({self.changes.untold} large factor{plural} taken to hand on every change)"
        if self.acyclic:
            return "no loops are left: flooding ends at the exact answer after finitely many sweeps"
        radius = f"the weighted non-backtracking matrix has a spectral radius of at most {self.radius:.4g}"
        if self.converges:
            return (
                f"{radius}{note}: there is one fixed point, and undamped flooding converges to it"
            )
        return f"{radius}{note}: flooding may not converge, and there may be several fixed points"


def certificate(graph: FactorGraph, unary: FloatArray | None = None) -> Certificate:
    """Find out, before any message is sent, whether flooding must converge.

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    unary : float64[B], optional
        Log unary potentials used instead of the graph's, in nats: other evidence.

    Examples
    --------
    >>> from mpnet.graph import FactorGraph
    >>> pairs = [[0, 1], [1, 2], [2, 0]]
    >>> ring = FactorGraph.from_arrays([2, 2, 2], [(pairs, [[3.0, 1.0], [1.0, 3.0]])])
    >>> certificate(ring).converges
    True

    """
    changes = change_bound(graph, unary)
    logs = graph.unary if unary is None else unary
    size = changes.live.size
    if changes.is_acyclic:
        return Certificate(0.0, np.ones(size), changes, logs, 0)
    radius, vector, products = _bounded_radius(changes)
    return Certificate(radius * (1.0 + SLACK), vector, changes, logs, products)


def _bounded_radius(changes: ChangeBound) -> tuple[float, FloatArray, int]:
    """The least bound max (A x)_e / x_e that a power iteration comes by, its x, and its length."""
    x = np.ones(changes.live.size)
    out, scratch, best_x = np.empty_like(x), np.empty_like(x), x.copy()
    best, before, products = math.inf, math.inf, 0
    while products < BUDGET:
        products += 1
        changes.hand_on(x, scratch, out)
        np.divide(out, x, out=scratch)
        bound = float(scratch.max())
        if bound < best:
            best = bound
            best_x[:] = x
        if best == 0.0:
            break
        if products % PATIENCE == 0:
            if best >= before * (1.0 - ENOUGH):
                break
            before = best
        # Half a step only: all of one might swing between the two sides of a bipartite graph.
        x *= best
        x += out
        x /= x.max()
    return best, best_x, products


def _first_residuals(
    graph: FactorGraph, unary: FloatArray, damping: float
) -> tuple[int, FloatArray] | None:
    """Sweeps from uniform messages to finite residuals, and those; None if there are none."""
    messages = Messages(graph, unary)
    for sweep in range(1, SETTLING + 1):
        residual, dead = messages.send_from_factors(damping)
        if dead != ALIVE or messages.refresh() != ALIVE:
            return None
        if math.isfinite(residual):
            return sweep, messages.edge_residual.copy()
    return None
