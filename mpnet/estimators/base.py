"""What an estimator is given and what it answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mpnet.errors import UsageError
from mpnet.graph import FactorGraph
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.messages import Messages


@dataclass(frozen=True)
class Options:
    """How to run.

    Parameters
    ----------
    schedule : str
        Name of a schedule.
    damping : float or "auto"
        Weight of the old message, in the log domain, in [0, 1); ``auto`` runs without and, where
        that fails, with the smallest damping that is computed to converge.
    tolerance : float
        Undamped residual at which a run has converged, in nats.
    max_iterations : int
        Sweeps after which it is given up.
    exact_limit : int
        Joint states of one connected part that may be enumerated.
    junction : bool
        Whether larger parts may go to pgmpy's junction tree.
    temperature : float
        1 for sum-product, 0 for max-product; between, potentials to the power 1 / temperature.
    dtype : str
        ``float64`` or ``float32``, for messages and tables.
    threads : int
        Threads that share a flooding sweep; the result is the same bit for bit.
    seed : int
        For schedules in random order, starts and samples.
    loss : float
        Share of messages that get lost on the way, in [0, 1); asynchronous schedule.
    delay : float
        Mean time that a message takes, in iterations; asynchronous schedule.
    i_bound : int or None
        Most variables that a cluster of the region estimator may keep in one function; None
        takes as many as fit into ``memory``.
    memory : int
        Bytes that an estimator may plan to use.
    starts : int
        Starts of the estimator mixture.
    fraction : float
        Weight of every factor for the estimator fractional, > 0; 1 is flat propagation.
    time_limit : float
        Seconds after which one run of propagation is given up.
    on_failure : str
        What to do where a run does not converge: ``stop``, or climb the ``ladder``.
    decoder : str
        How the tasks MPE and MAP pick states: ``auto``, ``argmax``, ``decimation`` or
        ``reinforcement``.

    """

    schedule: str = "flooding"
    damping: float | str = 0.0
    tolerance: float = 1e-8
    max_iterations: int = 1000
    exact_limit: int = 2**20
    junction: bool = False
    temperature: float = 1.0
    dtype: str = "float64"
    threads: int = 1
    seed: int = 0
    loss: float = 0.0
    delay: float = 0.0
    i_bound: int | None = None
    memory: int = 2 * 10**9
    starts: int = 8
    fraction: float = 1.0
    time_limit: float = math.inf
    on_failure: str = "stop"
    decoder: str = "auto"

    def __post_init__(self) -> None:
        """Refuse numbers with which no run can end well.

        Raises
        ------
        UsageError
            If the damping is not in [0, 1), the tolerance not positive or there are no sweeps.

        """
        if self.damping != "auto" and not (
            isinstance(self.damping, int | float) and 0.0 <= self.damping < 1.0
        ):
            raise UsageError(f"damping must be in [0, 1) or auto, got {self.damping}")
        if not 0.0 < self.tolerance < math.inf:
            raise UsageError(f"tolerance must be positive and finite, got {self.tolerance}")
        if self.max_iterations < 1:
            raise UsageError(f"max_iterations must be at least 1, got {self.max_iterations}")
        if not 0.0 <= self.temperature <= 1.0:
            raise UsageError(f"temperature must be in [0, 1], got {self.temperature}")
        if self.dtype not in ("float64", "float32"):
            raise UsageError(f"dtype must be float64 or float32, got {self.dtype!r}")
        if self.threads < 1:
            raise UsageError(f"threads must be at least 1, got {self.threads}")
        if not 0.0 <= self.loss < 1.0:
            raise UsageError(f"loss must be in [0, 1), got {self.loss}")
        if not 0.0 <= self.delay < math.inf:
            raise UsageError(f"delay must be at least 0 and finite, got {self.delay}")
        if self.i_bound is not None and self.i_bound < 1:
            raise UsageError(f"i_bound must be at least 1, got {self.i_bound}")
        if self.memory < 1:
            raise UsageError(f"memory must be a positive number of bytes, got {self.memory}")
        if self.starts < 1:
            raise UsageError(f"starts must be at least 1, got {self.starts}")
        if self.on_failure not in ("stop", "ladder"):
            raise UsageError(f"on_failure must be stop or ladder, got {self.on_failure!r}")
        if self.decoder not in ("auto", "argmax", "decimation", "reinforcement"):
            raise UsageError(
                f"decoder must be auto, argmax, decimation or reinforcement, got {self.decoder!r}"
            )
        if not 0.0 < self.fraction < math.inf:
            raise UsageError(f"fraction must be positive and finite, got {self.fraction}")
        if not self.time_limit > 0.0:
            raise UsageError(f"time_limit must be positive, got {self.time_limit}")


@dataclass(frozen=True)
class Problem:
    """A graph (already compiled) and the variables in question, by index."""

    graph: FactorGraph
    query: tuple[int, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """The run after one iteration, as an observer sees it; arrays are live, copy to keep.

    Parameters
    ----------
    estimator : str
        Which estimator the beliefs come from at this iteration.
    messages : Messages
        The messages of the run.
    residual : float
        Undamped residual, in nats; NaN before the first sweep.
    edge_residual : float64[E]
        The same for each factor-to-variable message; NaN where it was not sent.
    find_log_z : callable
        The log partition sum as the estimator sees it, in nats; asked for by ``log_z``, for it
        costs about as much as a sweep.
    overrides : mapping of int to float64[states]
        Beliefs that replace those of the messages, by variable.
    event : tuple of str or None
        Kind, variable name and text of something that happened just before.

    """

    estimator: str
    messages: Messages
    residual: float
    edge_residual: FloatArray
    find_log_z: Callable[[], float]
    overrides: Mapping[int, FloatArray] = field(default_factory=dict)
    event: tuple[str, str, str] | None = None

    @property
    def log_z(self) -> float:
        """Log partition sum of this iteration, in nats."""
        return self.find_log_z()


Observer = Callable[[Snapshot], None]
Joint = Callable[[tuple[int, ...]], FloatArray]


def ignore(snapshot: Snapshot) -> None:
    """An observer that looks at nothing."""


@dataclass(frozen=True)
class Step:
    """One rung of a fallback ladder: what was tried, and how that ended.

    ``damping`` is the weight of the old message, ``residual`` the last undamped one (nats),
    ``seconds`` the time it took. A rung that could not run has the status ``refused``.
    """

    name: str
    damping: float | None
    status: str
    iterations: int
    residual: float | None
    seconds: float
    reason: str


@dataclass(frozen=True, eq=False)
class FixedPoint:
    """One fixed point of belief propagation.

    ``log_z`` is its Bethe log partition sum (nats), ``weight`` its share of the mixture,
    ``starts`` how many starts ended in it, ``beliefs`` its beliefs, shape (B,).
    """

    log_z: float
    weight: float
    starts: int
    beliefs: FloatArray


@dataclass(frozen=True)
class Estimate:
    """What an estimator found.

    Parameters
    ----------
    status : str
        ``converged``, ``oscillating``, ``max_iterations``, ``stalled`` or ``inconsistent``.
    reason : str
        One sentence: which criterion stopped the run, and what would help.
    iterations : int
        Sweeps done in a row; branches of clamping that ran side by side count once.
    residual : float
        Last undamped residual, in nats.
    log_z : float or None
        Log partition sum, in nats; None unless converged.
    beliefs : float64[B]
        Probabilities of all states of all variables.
    joint : callable
        Joint belief over a scope that some factor of the graph contains, as a table.
    flat : float64[B] or None
        What flat propagation believed, where that is not ``beliefs`` itself.
    guilty : tuple of int
        Variables that keep the run from converging, or that were left without support.
    clamped : tuple of int
        Variables whose belief comes from clamping.
    exact : bool
        Whether beliefs and log Z are exact, and not an approximation.
    bounds : tuple of float or None
        A proven lower and upper bound of log Z, in nats; None where there is none.
    notes : tuple of str
        What else a user should know.
    damping : float or None
        The damping that was computed, where it was left to the run.
    criterion : str
        What stopped the run: ``tolerance``, ``max_iterations``, ``time_limit``, ``period``
        (messages repeat), ``rounding`` (of the arithmetic) or ``no_support``.
    period : int
        Iterations after which the messages repeat, if ``oscillating``, else 0.
    rate : float or None
        Factor by which the residual shrank per iteration at the end, unless converged.
    needed : int or None
        Iterations still needed at that rate.
    updates : int
        Factor-to-variable messages that were moved.
    steps : tuple of Step
        What a fallback ladder tried, one after another.
    fixed_points : tuple of FixedPoint
        What the estimator mixture found, the likeliest first.
    assignment : int64[V] or None
        For the tasks MPE and MAP, a state for each variable.
    ties : tuple of int
        Variables for which several states are equally good, for those tasks.

    """

    status: str
    reason: str
    iterations: int
    residual: float
    log_z: float | None
    beliefs: FloatArray
    joint: Joint
    flat: FloatArray | None = None
    guilty: tuple[int, ...] = ()
    clamped: tuple[int, ...] = ()
    exact: bool = False
    bounds: tuple[float | None, float | None] = (None, None)
    notes: tuple[str, ...] = ()
    damping: float | None = None
    criterion: str = ""
    period: int = 0
    rate: float | None = None
    needed: int | None = None
    updates: int = 0
    steps: tuple[Step, ...] = ()
    fixed_points: tuple[FixedPoint, ...] = ()
    assignment: IntArray | None = None
    ties: tuple[int, ...] = ()


class Estimator(Protocol):
    """Turns a problem into beliefs."""

    def estimate(self, problem: Problem, options: Options, observe: Observer) -> Estimate:
        """Run; ``observe`` is called before the first sweep and after each."""
        ...
