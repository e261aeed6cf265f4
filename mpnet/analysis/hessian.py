"""The curvature of the Bethe free energy of binary pairwise models.

M. Welling and Y. W. Teh, Belief Optimization for Binary Networks, UAI 2001, for the free energy as
a function of each variable's probability q of its second state; positive definite at a fixed
point if that is a local minimum. A. Saade, F. Krzakala and L. Zdeborova, Spectral Clustering of
Graphs with the Bethe Hessian, NIPS 2014, for unbiased spins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu

from mpnet.analysis.beliefs import fitted, log_beliefs
from mpnet.analysis.tables import batches
from mpnet.errors import GraphError, NumericalError, TooLargeError, UsageError
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.messages import Messages

DENSE = 300
"""Variables up to which all eigenvalues are computed."""


@dataclass(frozen=True, eq=False)
class BetheHessian:
    """Second derivatives of the Bethe free energy.

    *Evolving.*

    Parameters
    ----------
    scaled : sparse float64[n, n]
        The matrix, row and column times sqrt(q (1 - q)): of the same inertia, and of order one however
        sure beliefs are.
    variables : int64[n]
        The variables that it is about: those with two possible states.
    log_width : float64[n]
        Logs of sqrt(q (1 - q)), in nats.

    """

    scaled: Any
    variables: IntArray
    log_width: FloatArray

    @property
    def matrix(self) -> Any:
        """Second derivatives by the probabilities q of second states: sparse float64[n, n].

        Raises
        ------
        NumericalError
            If beliefs are so sure that these are beyond the range of numbers.

        """
        with np.errstate(over="ignore"):
            over = np.exp(-self.log_width)
            finite = np.isfinite(over * over).all()
        if not finite:
            raise NumericalError("second derivatives are beyond the range of numbers; use scaled")
        return (sparse.diags_array(over) @ self.scaled @ sparse.diags_array(over)).tocsr()

    @cached_property
    def smallest_eigenvalue(self) -> float:
        """Smallest eigenvalue of ``scaled``; ``inf`` if there are no variables."""
        return smallest_eigenvalue(self.scaled)

    @property
    def is_minimum(self) -> bool:
        """Whether the matrix is positive definite: at a fixed point, a local minimum."""
        return self.smallest_eigenvalue > 0.0


def bethe_hessian(messages: Messages) -> BetheHessian:
    """Second derivatives of the Bethe free energy where messages are.

    With d_i neighbours, pair beliefs xi_ij that follow q, and T_ij = q_i q_j (1 - q_i)(1 - q_j) -
    (xi_ij - q_i q_j)^2: H_ii = -(d_i - 1) / (q_i (1 - q_i)) + sum_j q_j (1 - q_j) / T_ij and
    H_ij = (q_i q_j - xi_ij) / T_ij. What is observed takes no part.

    Parameters
    ----------
    messages : Messages
        Of sum-product on a model with two states per variable and two variables per factor; not
        modified.

    Raises
    ------
    GraphError
        If the model is not binary and pairwise; names the variable or factor.
    NumericalError
        If two variables are tied to each other by hard zeros or beliefs too sure to tell from
        them, so that there is no second derivative; names the factor.

    """
    graph = messages.graph
    _need_binary_pairs(graph)
    beliefs = log_beliefs(messages).reshape(-1, 2)
    width = 0.5 * beliefs.sum(axis=1)
    free = (beliefs != -np.inf).all(axis=1)
    degrees = np.zeros(len(free))
    diagonal = np.zeros(len(free))
    rows, columns, values = [], [], []
    for found in fitted(messages):
        ends = graph.arrays.edge_variable[found.batch.edges]
        both = free[ends].all(axis=1)
        left, right = ends[both].T
        curve, twist = _pair_terms(found.beliefs[both], width[left] + width[right])
        tied = ~np.isfinite(curve)
        if tied.any():
            name = graph.factors[int(found.batch.factors[both][np.argmax(tied)])].name
            raise NumericalError(
                f"factor {name!r} ties its variables: there is no second derivative"
            )
        for end in (left, right):
            np.add.at(degrees, end, 1.0)
            np.add.at(diagonal, end, curve)
        rows += [left, right]
        columns += [right, left]
        values += [twist, twist]
    diagonal += 1.0 - degrees
    return _assembled(diagonal, rows, columns, values, free, width)


def _pair_terms(pair: FloatArray, widths: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Scaled diagonal and off-diagonal terms of pairs, from logs; infinite where T vanishes.

    T is the sum of products of three of the four entries of a pair belief: no differences.
    """
    one, two, three, four = pair.reshape(-1, 4).T
    across, along = two + three, one + four
    t = np.logaddexp(across + np.logaddexp(one, four), along + np.logaddexp(two, three))
    with np.errstate(invalid="ignore", over="ignore"):
        curve = np.exp(2.0 * widths - t)
        twist = np.exp(widths + across - t) - np.exp(widths + along - t)
    return curve, twist


def _assembled(
    diagonal: FloatArray,
    rows: list[Any],
    columns: list[Any],
    values: list[FloatArray],
    free: Any,
    width: FloatArray,
) -> BetheHessian:
    everyone = np.arange(len(diagonal))
    where = np.concatenate([everyone, *rows]), np.concatenate([everyone, *columns])
    shape = diagonal.size, diagonal.size
    full = sparse.csr_array((np.concatenate([diagonal, *values]), where), shape)
    kept = np.flatnonzero(free)
    return BetheHessian(full[kept][:, kept], kept, width[kept])


def paramagnetic_hessian(graph: FactorGraph, r: float = 1.0) -> Any:
    """The weighted Bethe Hessian of unbiased spins with the graph's couplings.

    With w_ij = tanh J_ij: H_ii = 1 + sum_j w_ij^2 / (r^2 - w_ij^2), H_ij = - r w_ij / (r^2 - w_ij^2).
    At r = 1 it is a quarter of ``bethe_hessian`` where all beliefs are even; it is singular where
    r is an eigenvalue of the non-backtracking matrix weighted with w.

    Parameters
    ----------
    graph : FactorGraph
        Binary and pairwise; its unary potentials do not matter.
    r : float
        Larger than each abs w_ij.

    Returns
    -------
    sparse float64[V, V]
        Symmetric.

    Raises
    ------
    GraphError
        If the graph is not binary and pairwise; names the variable or factor.
    UsageError
        If r is too small.

    """
    _need_binary_pairs(graph)
    diagonal = np.ones(len(graph.variables))
    rows, columns, values = [], [], []
    for batch in batches(graph):
        if batch.tables is None:
            raise TooLargeError("a factor over two variables with two states has no table")
        t = batch.tables
        with np.errstate(invalid="ignore"):
            w = np.tanh(0.25 * (t[:, 0, 0] + t[:, 1, 1] - t[:, 0, 1] - t[:, 1, 0]))
        if not (np.abs(w) < r).all():
            worst = int(batch.factors[np.argmin(np.abs(w) < r)])
            raise UsageError(
                f"r must be larger than the weight of each factor, got {r:g}; that of "
                f"{graph.factors[worst].name!r} is {abs(w[~(np.abs(w) < r)][0]):g}"
            )
        left, right = graph.arrays.edge_variable[batch.edges].T
        over = r * r - w * w
        for end in (left, right):
            np.add.at(diagonal, end, w * w / over)
        rows += [left, right]
        columns += [right, left]
        values += [-r * w / over] * 2
    found = _assembled(
        diagonal, rows, columns, values, np.ones(len(diagonal), dtype=bool), np.ones(len(diagonal))
    )
    return found.scaled


def smallest_eigenvalue(matrix: Any) -> float:
    """The smallest eigenvalue of a symmetric sparse matrix.

    Parameters
    ----------
    matrix : sparse float64[n, n]
        Symmetric.

    Returns
    -------
    float
        ``inf`` if the matrix is empty.

    Raises
    ------
    NumericalError
        If it can't be computed.

    """
    size = matrix.shape[0]
    if size == 0:
        return np.inf
    if size <= DENSE:
        return float(np.linalg.eigvalsh(matrix.toarray())[0])
    start = np.random.default_rng(0).normal(size=size)
    try:
        # Quick where the smallest stands apart, as in random graphs, whose factors would fill up.
        found = eigsh(
            matrix, k=1, which="SA", v0=start, tol=1e-3, maxiter=30, return_eigenvectors=False
        )
        return float(found[0])
    except ArpackNoConvergence:
        return _inverted(matrix, start)


def _inverted(matrix: Any, start: FloatArray) -> float:
    """The smallest eigenvalue as the largest one of the inverse, from a bound below all."""
    around = abs(matrix).sum(axis=1) - abs(matrix.diagonal())
    below = float((matrix.diagonal() - around).min())
    below -= 1e-3 * (1.0 + abs(below))
    solve = splu(
        (matrix - below * sparse.eye_array(matrix.shape[0])).tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    ).solve
    inverse: Any = LinearOperator(matrix.shape, matvec=solve, dtype=np.float64)
    try:
        found = eigsh(inverse, k=1, which="LA", v0=start, tol=1e-6, return_eigenvectors=False)
    except ArpackNoConvergence:
        raise NumericalError("the smallest eigenvalue of the Bethe Hessian was not found") from None
    return below + 1.0 / float(found[0])


def _need_binary_pairs(graph: FactorGraph) -> None:
    if (wrong := graph.cardinalities != 2).any():
        variable = graph.variables[int(np.argmax(wrong))]
        raise GraphError(
            f"variable {variable.name!r} has {len(variable.states)} states; "
            "the Bethe Hessian is for variables with 2"
        )
    if (wrong := np.diff(graph.arrays.factor_edges) != 2).any():
        factor = graph.factors[int(np.argmax(wrong))]
        raise GraphError(
            f"factor {factor.name!r} has {len(factor.scope)} variables; "
            "the Bethe Hessian is for factors with 2"
        )
