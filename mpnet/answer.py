"""What inference on a model file found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mpnet.estimators.base import Estimate, Options
from mpnet.graph import FactorGraph
from mpnet.interchange import Model
from mpnet.kernels.layout import FloatArray, IntArray

SCHEMA = "mpnet.inference/1"

BEST = ("MPE", "MAP")
"""Tasks that ask for an assignment."""


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
        How it was run.
    estimate : Estimate
        What the estimator found; many of its fields can be had from the result as well.
    seconds : float
        Time that inference took.
    certificate : str
        What was known before the run about convergence; empty if it was not asked for.

    """

    model: Model
    task: str
    evidence: Mapping[int, int]
    estimator: str
    options: Options
    estimate: Estimate
    seconds: float
    certificate: str = ""

    @property
    def graph(self) -> FactorGraph:
        """The graph, without the evidence."""
        return self.model.graph

    @property
    def status(self) -> str:
        """``converged``, ``oscillating``, ``max_iterations``, ``stalled``, ``diverged`` or ``inconsistent``."""
        return self.estimate.status

    @property
    def reason(self) -> str:
        """One sentence: what stopped the run, and what would help."""
        return self.estimate.reason

    @property
    def iterations(self) -> int:
        """Sweeps done in a row."""
        return self.estimate.iterations

    @property
    def residual(self) -> float:
        """Last undamped residual, in nats."""
        return self.estimate.residual

    @property
    def exact(self) -> bool:
        """Whether the answer is exact, and not an approximation."""
        return self.estimate.exact and self.converged

    @property
    def beliefs(self) -> FloatArray:
        """Probabilities of all states of all variables in a row; NaN where there is none."""
        return self.estimate.beliefs

    @property
    def assignment(self) -> IntArray | None:
        """For MPE and MAP, a state for each variable, if a possible one was found."""
        return self.estimate.assignment

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """A proven lower and upper bound of log Z, in nats; None where there is none."""
        return self.estimate.bounds

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a user should know."""
        return self.estimate.notes

    @property
    def converged(self) -> bool:
        """Whether the numbers mean anything."""
        return self.status == "converged"

    @property
    def has_beliefs(self) -> bool:
        """Whether there are beliefs at all, good or bad."""
        return self.status not in ("diverged", "inconsistent")

    @property
    def damping(self) -> float | str:
        """Weight of the old message: what was computed, or else what was asked for."""
        computed = self.estimate.damping
        return self.options.damping if computed is None else computed

    @property
    def log_z(self) -> float | None:
        """Log partition sum given the evidence, in nats; None unless converged, or for MAP."""
        if self.task in BEST or not self.converged:
            return None
        return self.estimate.log_z

    @property
    def log_score(self) -> float | None:
        """For MPE and MAP, the log weight of the assignment, in nats."""
        return self.estimate.log_z if self.task in BEST else None

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
        found = self.estimate
        edges = self.graph.arrays.edge_variable.size
        sent = found.updates + edges * found.iterations
        answer: dict[str, Any] = {}
        if self.task in BEST:
            answer["log_score"] = self.log_score
            states = None
            if found.assignment is not None:
                states = self.named(dict(enumerate(found.assignment.tolist())))
            answer["assignment"] = states
            answer["ties"] = [self.graph.variables[v].name for v in found.ties]
        elif self.task == "MAR":
            answer["marginals"] = self.marginals if self.has_beliefs else None
        return {
            "schema": SCHEMA,
            "model": self.model.name,
            "task": self.task,
            "status": self.status,
            "reason": self.reason,
            "criterion": found.criterion,
            "exact": self.exact,
            "algorithm": self.estimator,
            "schedule": self.options.schedule,
            "damping": self.damping,
            "tolerance": self.options.tolerance,
            "iterations": self.iterations,
            "updates": found.updates,
            "residual": _finite(self.residual),
            "period": found.period,
            "contraction_rate": found.rate,
            "iterations_needed": found.needed,
            "guilty": [self.graph.variables[v].name for v in found.guilty[:100]],
            "log_z": self.log_z,
            "log10_z": self.log10_z,
            "log_z_bounds": [_finite(bound) for bound in self.bounds],
            "certificate": self.certificate or None,
            "fixed_points": [
                {"log_z": p.log_z, "weight": p.weight, "starts": p.starts}
                for p in found.fixed_points
            ],
            "ladder": [
                {
                    "step": s.name,
                    "damping": s.damping,
                    "status": s.status,
                    "iterations": s.iterations,
                    "residual": _finite(s.residual),
                    "seconds": s.seconds,
                    "reason": s.reason,
                }
                for s in found.steps
            ],
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


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
