"""What changes while belief propagation runs: messages and the beliefs that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from mpnet.dense import frozen, logs_of
from mpnet.families.trying import served
from mpnet.graph import FactorGraph, Family
from mpnet.kernels import free_energy, jit, variables
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray, Limits, States
from mpnet.kernels.residuals import larger
from mpnet.kernels.semiring import LinearMax, LinearSum, LogMax, LogSum, Semiring
from mpnet.threads import run_ranges

KNOWN_STATES = 16
"""Most states for which the variables' kernel is compiled with the number built in."""

SMALLEST = {"float64": 1e-290, "float32": 1e-35}
"""No product of possible values may fall below this in linear space."""


class Space(NamedTuple):
    """Where the numbers of a run live."""

    semiring: Semiring
    linear: bool
    limits: Limits


class Messages:
    """The messages of one run on one graph.

    ``to_variable`` is the state of the run; everything else follows from it. Its values are
    those of ``semiring``: numbers where linear space is safe, logs (nats) where it is not; a
    run that starts in linear space moves to logs, without losing anything, when a value
    leaves the range that is exact. Letters of shapes are those of ``mpnet.kernels.layout``.
    *Evolving.*

    Parameters
    ----------
    graph : FactorGraph
        The graph; not modified.
    unary : float64[B], optional
        Log unary potentials used instead of the graph's: other evidence, same structure.
    start : float64[S], optional
        Factor-to-variable log messages to start from (copied); uniform where not given.
    space : str
        ``auto``, ``linear`` or ``log``; ``linear`` moves to logs, too, where it must.
    maximise : bool
        Max-product instead of sum-product.
    dtype : str
        ``float64`` or ``float32``.
    threads : int
        Threads that share each half of a flooding sweep.
    edge_residuals : bool
        Whether flooding keeps the residual of each message in ``edge_residual``, shape (E,), in
        nats, which takes a logarithm each; the largest is known anyway. Other schedules need it.

    """

    def __init__(
        self,
        graph: FactorGraph,
        unary: FloatArray | None = None,
        start: FloatArray | None = None,
        *,
        space: str = "auto",
        maximise: bool = False,
        dtype: DTypeLike = np.float64,
        threads: int = 1,
        edge_residuals: bool = True,
    ) -> None:
        self.graph = graph.maximised() if maximise else graph
        self.threads = threads
        self.unary = graph.unary if unary is None else frozen(unary)
        self.maximise = maximise
        self.dtype = np.dtype(dtype)
        self.states = _known_states(graph)
        self.space = space
        edges = graph.arrays.edge_variable.size if edge_residuals else 0
        self.edge_residual = np.full(edges, np.nan)
        self.restart(start)

    def restart(self, start: FloatArray | None = None) -> None:
        """Begin again, from log messages (float64[S], nats, copied) or from uniform ones."""
        linear = self.space != "log" and self._fits_linear() and self._holds(start)
        self._enter(linear, start)
        self.edge_residual[:] = np.nan
        self.refresh()

    def find_edge_residual(self) -> FloatArray:
        """The residual of each message, measured now if it was not kept; shape (E,), in nats."""
        edges = self.graph.arrays.edge_variable.size
        if self.edge_residual.size == edges:
            return self.edge_residual
        found = np.full(edges, np.nan)
        self.ask_factors(0.0, self.to_variable.copy(), found)
        return found

    @property
    def linear(self) -> bool:
        """Whether values are numbers and not logs."""
        return isinstance(self.semiring, LinearSum | LinearMax)

    @property
    def family_arrays(self) -> tuple[Any, ...]:
        """What the kernels read of each family, in the present space."""
        return tuple(arrays for _, _, _, arrays in self.families)

    def _fits_linear(self) -> bool:
        if not all(family.content.is_linear() for family in self.graph.families):
            return False
        if self.dtype == np.float32 and not all(map(_fits_single, self.graph.families)):
            return False
        low, _ = self._linear_unary()
        return bool(low.min(initial=1.0, where=low > 0.0) > self._limits().floor) and bool(
            ((low > 0.0) == (self.unary != -np.inf)).all()
        )

    def _holds(self, start: FloatArray | None) -> bool:
        """Whether these log messages, as numbers, keep every possible entry above zero."""
        if start is None:
            return True
        logs = self._scaled(np.array(start, dtype=np.float64))
        possible = logs != -np.inf
        return bool((logs[possible] > np.log(SMALLEST[self.dtype.name])).all())

    def _linear_unary(self) -> tuple[FloatArray, float]:
        """Unary potentials as numbers, largest one, and the log of what they were divided by."""
        starts = self.graph.arrays.variable_states
        if not self.unary.size:
            return self.unary, 0.0
        best = np.maximum.reduceat(self.unary, starts[:-1])
        best = np.where(best == -np.inf, 0.0, best)
        numbers: FloatArray = np.exp(self.unary - np.repeat(best, np.diff(starts)))
        numbers.flags.writeable = False  # so that it need not be copied
        return numbers, float(best.sum())

    def _limits(self) -> Limits:
        tiny = SMALLEST[self.dtype.name]
        reach = max((f.content.reach for f in self.graph.families), default=1)
        # A term multiplies one table entry, down to 1e-100 in float64, and `reach` messages.
        return Limits(floor=(tiny**0.6) ** (1.0 / max(1, reach)), tiny=tiny)

    def _enter(self, linear: bool, start: FloatArray | None) -> None:
        """Set all arrays up in one space, the messages from their logs."""
        kind = ((LinearSum, LinearMax) if linear else (LogSum, LogMax))[self.maximise]
        self.semiring: Semiring = kind(*map(self.dtype.type, kind()))
        self.limits = self._limits()
        self.log_scale = self.graph.log_constant
        if linear:
            unary, scale = self._linear_unary()
            self.log_scale += scale
        else:
            unary = self.unary
        self.potentials: FloatArray = frozen(unary, self.dtype)
        self.families: list[tuple[Any, int, int, Any]] = []
        for family in self.graph.families:
            arrays, scale = family.arrays(linear, self.dtype)
            self.log_scale += scale
            kernels = served(family, arrays, self.graph.arrays, self.semiring, self.dtype)
            self.families.append((kernels, family.first, family.last, arrays))
        size = int(self.graph.arrays.edge_states[-1])
        if start is None:
            self.to_variable = np.full(size, self.semiring.one, dtype=self.dtype)
        else:
            logs = self._scaled(np.array(start, dtype=np.float64))
            self.to_variable = (np.exp(logs) if linear else logs).astype(self.dtype)
        self.to_factor = np.empty(size, dtype=self.dtype)
        self.beliefs = np.empty(self.potentials.size, dtype=self.dtype)

    def log_messages(self) -> FloatArray:
        """Factor-to-variable messages as logs, largest entry 0, shape (S,), in nats; a copy."""
        logs = self.to_variable.astype(np.float64)
        return self._scaled(logs_of(logs) if self.linear else logs)

    def _scaled(self, logs: FloatArray) -> FloatArray:
        """Shift each message so that its largest entry is 0, in place."""
        starts = self.graph.arrays.edge_states
        if logs.size:
            best = np.maximum.reduceat(logs, starts[:-1])
            logs -= np.repeat(np.where(best == -np.inf, 0.0, best), np.diff(starts))
        return logs

    def use_logs(self) -> None:
        """Go on in log space, from the messages as they are."""
        self._enter(False, self.log_messages())
        self._send_from_variables()

    def refresh(self) -> int:
        """Recompute what variables say from ``to_variable``; -1, or the variable left impossible."""
        status = self._send_from_variables()
        if status == UNSAFE:
            self._enter(False, self.log_messages())
            status = self._send_from_variables()
        return status

    def _send_from_variables(self) -> int:
        arrays = self.graph.arrays

        def send(first: int, last: int) -> int:
            return variables.send_from_variables(
                self.semiring,
                self.states,
                arrays,
                self.potentials,
                first,
                last,
                self.limits,
                self.to_variable,
                self.to_factor,
                self.beliefs,
            )

        answers = run_ranges(send, 0, arrays.variable_states.size - 1, self.threads)
        return _first_of(answers)

    def send_from_factors(self, damping: float) -> tuple[float, int]:
        """Let all factors answer what variables say.

        Parameters
        ----------
        damping : float
            Weight of the old message, in the log domain, in [0, 1).

        Returns
        -------
        float
            The largest undamped residual, in nats.
        int
            The first factor that allows nothing, or -1.

        """
        worst, status = self._send_from_factors(damping)
        if status == UNSAFE:
            # Factors that had moved before the range was left move no further: the larger
            # residual is the true one.
            self.use_logs()
            again, status = self._send_from_factors(damping)
            worst = larger(worst, again)
        return worst, status

    def _send_from_factors(self, damping: float) -> tuple[float, int]:
        return self.ask_factors(damping, self.to_variable, self.edge_residual)

    def ask_factors(
        self, damping: float, out: FloatArray, edge_residual: FloatArray
    ) -> tuple[float, int]:
        """What all factors would say, written elsewhere; their messages stay as they are.

        Parameters
        ----------
        damping : float
            Weight of the old message, in the log domain, in [0, 1).
        out : float[S]
            Overwritten with messages in the present space.
        edge_residual : float64[E] or float64[0]
            Overwritten with undamped residuals, in nats.

        Returns
        -------
        float, int
            The largest residual, and the first factor that allows nothing, ``ALIVE``, or
            ``UNSAFE`` where linear space is left; the caller then goes on in logs.

        """
        worst, statuses = 0.0, [ALIVE]
        for kernels, first, last, arrays in self.families:

            def send(
                begin: int, end: int, kernels: Any = kernels, arrays: Any = arrays
            ) -> tuple[float, int]:
                answer: tuple[float, int] = kernels.send(
                    self.semiring,
                    self.graph.arrays,
                    arrays,
                    begin,
                    end,
                    self.to_factor,
                    self.to_variable,
                    out,
                    float(damping),
                    edge_residual,
                )
                return answer

            for change, answer in run_ranges(send, first, last, self.threads):
                worst = larger(worst, change)
                statuses.append(answer)
            if UNSAFE in statuses:
                return worst, UNSAFE
        return worst, _first_of(statuses)

    def log_z(self) -> float:
        """Bethe log partition sum of the present messages, in nats, constants included."""
        result = self.log_scale + free_energy.variable_and_edge_terms(
            self.semiring, self.graph.arrays, self.beliefs, self.to_factor, self.to_variable
        )
        for kernels, first, last, arrays in self.families:
            result += kernels.log_partition(
                self.semiring, self.graph.arrays, arrays, first, last, self.to_factor
            )
        return float(result)

    def marginals(self) -> FloatArray:
        """Beliefs as probabilities, shape (B,); NaN for a variable that is left impossible."""
        out = np.empty(self.potentials.size)
        variables.marginals(self.semiring, self.graph.arrays.variable_states, self.beliefs, out)
        return out

    def factor_belief(self, factor: int) -> FloatArray:
        """Joint belief over one factor's scope, a probability table with one axis per variable."""
        scores = self.graph.table_of(factor).copy()
        first = int(self.graph.arrays.factor_edges[factor])
        for axis in range(scores.ndim):
            states = self.graph.arrays.edge_states[first + axis : first + axis + 2]
            shape = [1] * scores.ndim
            shape[axis] = -1
            said = self.to_factor[states[0] : states[1]]
            with np.errstate(divide="ignore"):
                scores += (np.log(said) if self.linear else said).reshape(shape)
        scores -= scores.max()
        joint: FloatArray = np.exp(scores)
        joint /= joint.sum()
        return joint


def _first_of(statuses: list[int]) -> int:
    """``UNSAFE`` if any range is, else the first that is not ``ALIVE``."""
    if UNSAFE in statuses:
        return UNSAFE
    return next((status for status in statuses if status != ALIVE), ALIVE)


def _fits_single(family: Family) -> bool:
    """Whether potentials leave room for messages in what single precision can hold."""
    arrays, _ = family.arrays(True)
    numbers = [a for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    return all(bool(((a == 0.0) | ((a > 1e-14) & (a < 1e14))).all()) for a in numbers)


def _known_states(graph: FactorGraph) -> States:
    """As long as every variable has states, or empty where they differ."""
    counts = np.diff(graph.arrays.variable_states)
    if counts.size and counts.min() == counts.max() and counts[0] <= KNOWN_STATES:
        return (0,) * int(counts[0])
    return ()


def compile_kernels(
    announce: Callable[[], None] = lambda: None, graph: FactorGraph | None = None
) -> None:
    """Compile kernels into the cache if that was not done before.

    Parameters
    ----------
    announce : callable
        Called once, before a compilation that takes seconds.
    graph : FactorGraph, optional
        What the kernels are wanted for; those that most runs need where there is none. Others
        are compiled when they are first used.

    """
    from mpnet.kernels import cache

    if jit.is_compiled():
        return
    announce()
    try:
        _touch_kernels(graph)
    except Exception:  # a cache file that numba can't read may raise anything
        cache.wipe(jit.FOLDER)
        _touch_kernels(graph)
    cache.seal(jit.FOLDER)


def _touch_kernels(graph: FactorGraph | None) -> None:
    """Use the kernels that a graph needs; or those over tables of sums, in both spaces."""
    from mpnet.builder import GraphBuilder

    spaces = ["auto"]
    if graph is None:
        spaces = ["linear", "log"]
        builder = GraphBuilder()
        for name, states in (("a", 2), ("b", 2), ("c", 3)):
            builder.add_variable(name, states)
        builder.add_factor(["a", "b"], [[2.0, 1.0], [1.0, 2.0]])
        builder.add_factor(["a", "c"], [[2.0, 1.0, 1.0], [1.0, 2.0, 1.0]])
        graph = builder.build()
    for space in spaces:
        messages = Messages(graph, space=space)
        messages.send_from_factors(0.0)
        messages.refresh()
        messages.log_z()
        messages.marginals()
