"""Whether flooding comes to rest near some messages, how fast, and what damping that takes.

A damped log-domain update mixes ``damping`` parts of the old message with ``1 - damping`` parts
of the new: an eigenvalue l of the undamped Jacobian becomes damping + (1 - damping) l.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigs

from mpnet.analysis.jacobian import Jacobian, jacobian
from mpnet.analysis.sweeps import next_messages
from mpnet.errors import NumericalError, UsageError
from mpnet.kernels.layout import FloatArray
from mpnet.messages import Messages

DENSE = 400
"""Coordinates on loops up to which all eigenvalues are computed."""

ROUNDS = 20
"""Dampings that are tried where only the leading eigenvalues are known."""

NEUTRAL = 1e-9
"""An eigenvalue this close to the unit circle is taken to be on it."""

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Stability:
    """What the eigenvalues of the undamped Jacobian say of a fixed point.

    *Evolving.*

    Parameters
    ----------
    eigenvalues : complex128[k]
        By falling modulus: all but zeros that come from trees, or the leading ones, to about
        four digits, and those that decide how much damping is needed.
    complete : bool
        Whether all are there.
    residual : float
        Largest change that one more sweep would make, in nats: eigenvalues mean what they say
        at a fixed point, where it is near 0.

    """

    eigenvalues: ComplexArray
    complete: bool
    residual: float

    def rate(self, damping: float = 0.0) -> float:
        """Factor by which the residual shrinks per sweep in the end; above one it grows.

        Parameters
        ----------
        damping : float
            Weight of the old message, in the log domain, in [0, 1).

        """
        if not 0.0 <= damping < 1.0:
            raise UsageError(f"damping must be in [0, 1), got {damping}")
        # Messages that lie on no loop have eigenvalues zero.
        return max(_largest(damping + (1.0 - damping) * self.eigenvalues), damping)

    @property
    def smallest_damping(self) -> float | None:
        """Damping above which flooding comes to rest here; 0 if it does undamped, None if never."""
        damping = _damping(self.eigenvalues)
        return damping if damping < 1.0 else None

    @property
    def best_damping(self) -> float | None:
        """Damping with which flooding comes to rest fastest; None if it never does."""
        from scipy.optimize import minimize_scalar  # slow to load, and rarely asked for

        lowest = self.smallest_damping
        if lowest is None:
            return None
        found = minimize_scalar(
            self.rate, bounds=(lowest, 1.0 - 1e-9), method="bounded", options={"xatol": 1e-6}
        )
        best = float(found.x)
        return 0.0 if self.rate(0.0) <= self.rate(best) else best

    @property
    def sentence(self) -> str:
        """What follows for a run, in words."""
        rate, lowest = self.rate(), self.smallest_damping
        if lowest is None:
            worst = self.eigenvalues[np.argmax(self.eigenvalues.real)]
            return (
                f"an eigenvalue of the undamped update has real part {worst.real:.4g} >= 1: no damping "
                "makes flooding come to rest here; there is another fixed point or none that is stable"
            )
        if lowest == 0.0:
            return f"undamped flooding comes to rest here, at {rate:.4g} of the residual per sweep"
        worst = self.eigenvalues[0]
        way = "swings to and fro" if worst.real < 0.0 else "circles"
        return (
            f"undamped flooding {way} (eigenvalue {worst.real:.4g}{worst.imag:+.2g}i); "
            f"damping above {lowest:.3f} makes it come to rest, {self.best_damping:.2f} the fastest"
        )


def stability(messages: Messages, count: int = 6) -> Stability:
    """Eigenvalues of the undamped update at some messages.

    Parameters
    ----------
    messages : Messages
        Of sum-product, at a fixed point or near one; not modified.
    count : int
        Leading eigenvalues to compute at a time, where there are too many for all.

    Raises
    ------
    NumericalError
        If no eigenvalue can be computed.

    """
    update = jacobian(messages)
    residual, _ = next_messages(messages)
    where = update.looping
    if where.size <= max(DENSE, count + 2):
        found = np.linalg.eigvals(update.toarray(where)).astype(np.complex128)
        return Stability(_sorted(found), True, residual)
    return Stability(_leading(update, count), False, residual)


def leading_eigenvalues(messages: Messages, count: int = 6) -> ComplexArray:
    """The largest eigenvalues of the undamped update, by falling modulus, shape (<= count,).

    Parameters
    ----------
    messages : Messages
        Of sum-product; not modified.
    count : int
        How many.

    """
    return stability(messages, count).eigenvalues[:count]


def smallest_damping(messages: Messages) -> float | None:
    """The damping above which flooding comes to rest at some messages.

    Every eigenvalue l of the undamped update must have abs(a + (1 - a) l) < 1, which is
    1 - a < 2 (1 - Re l) / abs(1 - l)^2.

    Parameters
    ----------
    messages : Messages
        Of sum-product, at a fixed point; not modified.

    Returns
    -------
    float or None
        In [0, 1), 0 where none is needed; None where none helps, because some Re l >= 1.

    """
    return stability(messages).smallest_damping


def _damping(eigenvalues: ComplexArray) -> float:
    gap = 1.0 - eigenvalues[np.abs(eigenvalues) > 1.0 - NEUTRAL]
    if not gap.size:
        return 0.0
    if (gap.real <= NEUTRAL).any():
        return 1.0
    return max(0.0, float((1.0 - 2.0 * gap.real / np.abs(gap) ** 2).max()))


def _leading(update: Jacobian, count: int) -> ComplexArray:
    """Leading eigenvalues, undamped and for the damping that these ask for, until that suffices."""
    found = _arpack(update, 0.0, count)
    for _ in range(ROUNDS):
        damping = _damping(found)
        if damping in {0.0, 1.0}:
            break
        damping += 1e-3 * (1.0 - damping)
        more = _arpack(update, damping, count)
        if _largest(damping + (1.0 - damping) * more) < 1.0:
            break
        known = np.abs(more[:, None] - found[None, :]).min(axis=1) < 1e-6
        found = np.concatenate([found, more[~known]])
    return _sorted(found)


def _arpack(update: Jacobian, damping: float, count: int) -> ComplexArray:
    """Eigenvalues l of the Jacobian for which damping + (1 - damping) l is largest."""
    where = update.looping

    def matvec(vector: FloatArray) -> FloatArray:
        full = np.zeros(update.size)
        full[where] = vector.reshape(-1)
        moved: FloatArray = update.apply(full)[where]
        return damping * vector.reshape(-1) + (1.0 - damping) * moved

    operator: Any = LinearOperator((where.size, where.size), matvec=matvec, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=where.size)
    for some, wide, tolerance, restarts in ((count, 4 * count, 1e-4, 20), (2, 40, 1e-2, 40)):
        try:
            found = eigs(
                operator,
                k=some,
                which="LM",
                v0=start,
                ncv=min(max(wide, 20), where.size - 1),
                maxiter=restarts,
                tol=tolerance,
                return_eigenvectors=False,
            )
        except ArpackNoConvergence as stopped:
            found = np.asarray(stopped.eigenvalues, dtype=np.complex128)
        except ArpackError as error:
            raise NumericalError(f"no eigenvalue of the update can be computed: {error}") from None
        if found.size:
            values: ComplexArray = (found - damping) / (1.0 - damping)
            return values
    raise NumericalError("no eigenvalue of the update can be computed: too many are equally large")


def _sorted(values: ComplexArray) -> ComplexArray:
    return values[np.argsort(-np.abs(values), kind="stable")]


def _largest(values: ComplexArray) -> float:
    return float(np.abs(values).max(initial=0.0))
