"""What inference on a model file found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mpnet.estimators.base import Options
from mpnet.graph import FactorGraph
from mpnet.interchange import Model
from mpnet.kernels.layout import FloatArray, IntArray

SCHEMA = "mpnet.inference/1"


@dataclass(frozen=True, eq=False)
class Result:
    """What inference found, and whether to believe it.

    *Stable.*

    Parameters
    ----------
    model : Model
        What was asked about.
    task : str
        A key of ``TASKS``.
    evidence : mapping of int to int
        Observed states by variable.
    estimator : str
        Who answered.
    options : Options
        How it was run; with ``damping="auto"``, the damping of the last try.
    status : str
        ``converged``, ``oscillating``, ``max_iterations``, ``diverged`` or ``inconsistent``.
    reason : str
        One sentence: what stopped the run, and what would help.
    iterations : int
        Sweeps of the last try.
    residual : float
        Last undamped residual, in nats.
    log_z : float or None
        Log partition sum given the evidence, in nats; None unless converged.
    beliefs : float64[B]
        Probabilities of all states of all variables; NaN if ``diverged`` or ``inconsistent``.
    assignment : int64[V] or None
        For MPE and MAP, a state for each variable.
    exact : bool
        Whether the answer is exact, and not an approximation.
    seconds : float
        Time that inference took.
    notes : tuple of str
        What else a user should know.

    """

    model: Model
    task: str
    evidence: Mapping[int, int]
    estimator: str
    options: Options
    status: str
    reason: str
    iterations: int
    residual: float
    log_z: float | None
    beliefs: FloatArray
    assignment: IntArray | None
    exact: bool
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def graph(self) -> FactorGraph:
        """The graph, without the evidence."""
        return self.model.graph

    @property
    def converged(self) -> bool:
        """Whether the numbers mean anything."""
        return self.status == "converged"

    @property
    def has_beliefs(self) -> bool:
        """Whether there are beliefs at all, good or bad."""
        return self.status not in ("diverged", "inconsistent")

    @property
    def log10_z(self) -> float | None:
        """Log partition sum to the base of 10, as UAI files have it."""
        return None if self.log_z is None else self.log_z / math.log(10.0)

    @cached_property
    def marginals(self) -> dict[str, dict[str, float]]:
        """Probability of each state of each variable, by name."""
        found, start, beliefs = {}, 0, self.beliefs.tolist()
        for variable in self.graph.variables:
            end = start + len(variable.states)
            found[variable.name] = dict(zip(variable.states, beliefs[start:end], strict=True))
            start = end
        return found

    def named(self, states: Mapping[int, int]) -> dict[str, str]:
        """States by the names of variables and states."""
        variables = self.graph.variables
        return {variables[v].name: variables[v].states[s] for v, s in states.items()}

    def to_json(self) -> dict[str, Any]:
        """The result as plain data; what is not finite is None."""
        edges = self.graph.arrays.edge_variable.size
        sent = 2 * edges * self.iterations
        answer: dict[str, Any] = {}
        if self.assignment is not None:
            answer["assignment"] = self.named(dict(enumerate(self.assignment.tolist())))
        elif self.task == "MAR":
            answer["marginals"] = self.marginals if self.has_beliefs else None
        return {
            "schema": SCHEMA,
            "model": self.model.name,
            "task": self.task,
            "status": self.status,
            "reason": self.reason,
            "exact": self.exact,
            "algorithm": self.estimator,
            "schedule": self.options.schedule,
            "damping": self.options.damping,
            "tolerance": self.options.tolerance,
            "iterations": self.iterations,
            "residual": self.residual if math.isfinite(self.residual) else None,
            "log_z": self.log_z,
            "log10_z": self.log10_z,
            "variables": len(self.graph.variables),
            "factors": len(self.graph.factors),
            "evidence": self.named(self.evidence),
            **answer,
            "notes": list(self.notes),
            "seconds": self.seconds,
            "messages_per_second": sent / self.seconds if sent and self.seconds > 0 else None,
        }

    def __repr__(self) -> str:
        """One line: what was asked, and how it went."""
        return f"Result({self.task} of {self.model.name!r}: {self.reason})"
