"""Loopy belief propagation for users of pgmpy: the queries of its ``VariableElimination``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from mpnet.answer import Result
from mpnet.batch import infer_batch
from mpnet.dense import frozen
from mpnet.errors import (
    InconsistentError,
    NotConvergedWarning,
    NumericalError,
    UsageError,
    shown,
    size,
)
from mpnet.inference import infer, model_of
from mpnet.interchange.pgmpy_models import Named, named_graph, pgmpy_parts
from mpnet.kernels.layout import FloatArray
from mpnet.names import suggestion

RUNS = 10_000
"""Runs that a joint distribution may take, at most."""

EDGES = 2_000_000
"""Edges of the graphs that run side by side, at most."""

States = dict[int, int]


class LoopyBP:
    """Answers the queries of pgmpy's ``VariableElimination`` by message passing.

    One run answers for all variables, and is kept as long as the evidence stays the same. On
    trees answers are exact, within the tolerance; on graphs with loops they are approximate. A
    run that does not converge warns with ``NotConvergedWarning``. *Evolving.*

    Parameters
    ----------
    model : model of pgmpy, or whatever ``mpnet.infer`` takes
        A DiscreteBayesianNetwork, DiscreteMarkovNetwork, FactorGraph or JunctionTree; or a
        path, a shipped name or a graph of mpnet.
    estimator : str
        As for ``mpnet.infer``: ``flat`` is belief propagation; ``exact`` is a referee.
    **settings
        As for ``mpnet.infer``: ``damping``, ``schedule``, ``tolerance`` (nats), ....

    Examples
    --------
    >>> bp = LoopyBP("sprinkler")
    >>> bp.marginals({"x3": "1"})["x1"]["1"]  # doctest: +ELLIPSIS
    0.4...

    """

    def __init__(self, model: Any, *, estimator: str = "flat", **settings: Any) -> None:
        self.model = model
        self.estimator = estimator
        self.settings = {"on_failure": "ladder" if estimator == "flat" else "stop", **settings}
        self._named = _named(model)
        self._index = {name: number for number, name in enumerate(self._named.variables)}
        self._last: tuple[Any, Result] | None = None

    @property
    def result(self) -> Result | None:
        """What the last run came to: status, iterations, log Z; None before the first query."""
        return None if self._last is None else self._last[1]

    def query(
        self,
        variables: Sequence[Hashable],
        evidence: Mapping[Any, Any] | None = None,
        virtual_evidence: Sequence[Any] | None = None,
        elimination_order: Any = None,
        joint: bool = True,
        show_progress: bool = False,
    ) -> Any:
        """Probabilities of some variables, given what is known of others.

        The joint distribution of several variables is the belief of a factor that holds them
        all; where there is none, p(a) p(b | a) ..., with a run for each state of those in
        front: exact on trees, approximate elsewhere.

        Parameters
        ----------
        variables : sequence
            Names of variables.
        evidence : mapping, optional
            Observed states by variable, both by name.
        virtual_evidence : sequence of TabularCPD, optional
            Likelihoods of the states of a variable, as pgmpy takes them.
        elimination_order : object
            Taken for the sake of pgmpy's signature; nothing is eliminated.
        joint : bool
            Whether to return one distribution over all of ``variables``, or one for each.
        show_progress : bool
            Taken for the sake of pgmpy's signature; nothing is shown.

        Returns
        -------
        DiscreteFactor, or dict of DiscreteFactor by variable
            Normalised, also for models whose answers pgmpy leaves as they are.

        Raises
        ------
        UsageError
            If a name is unknown, a variable is both asked and known, or a joint distribution
            would take too many runs.
        InconsistentError
            If the model rules the evidence out.

        """
        asked, seen = self._asked(variables, evidence)
        logs = self._virtual(virtual_evidence)
        if joint:
            return self._factor(asked, self._joint(asked, seen, logs))
        found = self._run(seen, logs)
        states = self._named.graph.states_of
        return {
            self._named.variables[v]: self._factor([v], found.beliefs[states(v)]) for v in asked
        }

    def map_query(
        self,
        variables: Sequence[Hashable] | None = None,
        evidence: Mapping[Any, Any] | None = None,
        virtual_evidence: Sequence[Any] | None = None,
        elimination_order: Any = None,
        show_progress: bool = False,
    ) -> dict[Any, Any]:
        """The likeliest states.

        Parameters
        ----------
        variables : sequence, optional
            Their joint distribution is maximised, all others summed out. Where left out, all
            that are not known are maximised, by max-product messages.
        evidence, virtual_evidence, elimination_order, show_progress
            As for ``query``.

        Returns
        -------
        dict
            State by variable.

        """
        if variables:
            asked, seen = self._asked(variables, evidence)
            table = self._joint(asked, seen, self._virtual(virtual_evidence))
            best = np.unravel_index(int(np.argmax(table)), table.shape)
            return self._states(dict(zip(asked, map(int, best), strict=True)))
        seen = self._seen(evidence)
        graph = self._weighted(self._virtual(virtual_evidence))
        settings = {k: v for k, v in self.settings.items() if k != "on_failure"}
        found = _checked(infer(graph, seen, task="MPE", **settings))
        if found.assignment is None:
            raise NumericalError(f"no possible assignment was found: {found.reason}")
        best_states = enumerate(found.assignment.tolist())
        return self._states({v: s for v, s in best_states if v not in seen})

    def marginals(
        self,
        evidence: Mapping[Any, Any] | None = None,
        virtual_evidence: Sequence[Any] | None = None,
    ) -> dict[Any, dict[Any, float]]:
        """Probabilities of all states of all variables, from one run.

        Parameters
        ----------
        evidence, virtual_evidence
            As for ``query``.

        """
        found = self._run(self._seen(evidence), self._virtual(virtual_evidence))
        graph = self._named.graph
        return {
            name: dict(zip(states, found.beliefs[graph.states_of(v)].tolist(), strict=True))
            for v, (name, states) in enumerate(
                zip(self._named.variables, self._named.states, strict=True)
            )
        }

    # From names to numbers.

    def _asked(
        self, variables: Sequence[Hashable], evidence: Mapping[Any, Any] | None
    ) -> tuple[list[int], States]:
        if isinstance(variables, str):
            raise UsageError(f"variables must be a list of names: [{variables!r}]")
        asked, seen = [self._variable(name) for name in variables], self._seen(evidence)
        if not asked:
            raise UsageError("name at least one variable to ask about")
        if len(set(asked)) != len(asked):
            raise UsageError(f"a variable is asked twice: {shown(str(list(variables)))}")
        both = [name for name in variables if self._index[name] in seen]
        if both:
            raise UsageError(f"{shown(str(both))}: asked and known at once; leave one out")
        return asked, seen

    def _variable(self, name: Any) -> int:
        if name not in self._index:
            near = suggestion(shown(str(name)), map(str, self._index), "variables")
            raise UsageError(f"there is no variable {shown(repr(name))}; {near}")
        return self._index[name]

    def _seen(self, evidence: Mapping[Any, Any] | None) -> States:
        found = {}
        for name, state in (evidence or {}).items():
            variable = self._variable(name)
            states = self._named.states[variable]
            if state not in states:
                near = suggestion(shown(str(state)), map(str, states), "states")
                raise UsageError(f"{shown(str(name))!r} has no state {shown(repr(state))}; {near}")
            found[variable] = states.index(state)
        return found

    def _virtual(self, tables: Sequence[Any] | None) -> FloatArray | None:
        """Log-likelihoods of virtual evidence on all states in a row, in nats."""
        if not tables:
            return None
        graph = self._named.graph
        logs = np.zeros(graph.unary.size)
        for table in tables:
            where = graph.states_of(self._variable(table.variables[0]))
            values = np.asarray(table.values, dtype=np.float64).reshape(-1)
            if len(table.variables) != 1 or values.size != where.stop - where.start:
                raise UsageError(
                    f"virtual evidence on {shown(str(table.variables))}: expected one variable "
                    f"and a likelihood for each of its states, got {values.size}"
                )
            with np.errstate(divide="ignore"):
                logs[where] += np.log(values)
        return logs

    def _states(self, states: States) -> dict[Any, Any]:
        return {self._named.variables[v]: self._named.states[v][s] for v, s in states.items()}

    def _factor(self, variables: Sequence[int], table: FloatArray) -> Any:
        names = [self._named.variables[v] for v in variables]
        states = {self._named.variables[v]: list(self._named.states[v]) for v in variables}
        return pgmpy_parts().DiscreteFactor(names, table.shape, table, state_names=states)

    # Runs.

    def _weighted(self, logs: FloatArray | None) -> Any:
        graph = self._named.graph
        return graph if logs is None else replace(graph, unary=frozen(graph.unary + logs))

    def _run(self, seen: States, logs: FloatArray | None) -> Result:
        """The one run that answers for all variables; the last is kept."""
        key = (tuple(sorted(seen.items())), None if logs is None else logs.tobytes())
        if self._last is None or self._last[0] != key:
            found = infer(self._weighted(logs), seen, estimator=self.estimator, **self.settings)
            self._last = key, found
        return _checked(self._last[1])

    def _joint(self, asked: list[int], seen: States, logs: FloatArray | None) -> FloatArray:
        """Joint probabilities, one axis per variable that is asked."""
        first, graph = self._run(seen, logs), self._named.graph
        if len(asked) == 1:
            return first.beliefs[graph.states_of(asked[0])]
        if any(set(asked) <= set(graph.factors[f].scope) for f in graph.factors_at[asked[0]]):
            return _normalised(first.estimate.joint(tuple(asked)))
        # Fewest runs: the variable with most states needs none of its own.
        order = sorted(asked, key=lambda v: int(graph.cardinalities[v]))
        table = self._chain(order, first, seen, logs)
        return table.transpose([order.index(v) for v in asked])

    def _chain(
        self, order: list[int], first: Result, seen: States, logs: FloatArray | None
    ) -> FloatArray:
        """p(a) p(b | a) p(c | a, b) ..., each from runs with what stands before it held."""
        graph = self._named.graph
        counts = [int(graph.cardinalities[v]) for v in order]
        runs = sum(math.prod(counts[:n]) for n in range(1, len(counts)))
        if runs > RUNS:
            raise UsageError(
                f"the joint distribution of {len(order)} variables would take {size(runs)} runs; "
                f"at most {RUNS} are done; ask for fewer, or with joint=False"
            )
        table = first.beliefs[graph.states_of(order[0])].copy()
        for depth in range(1, len(order)):
            before = list(product(*map(range, counts[:depth])))
            alive = [states for states in before if table[states] > 0.0]
            held = [{**seen, **dict(zip(order, states, strict=False))} for states in alive]
            below = np.zeros((*counts[:depth], counts[depth]))
            for states, found in zip(alive, self._runs(held, logs), strict=True):
                if found.status != "inconsistent":  # believed by an approximation, yet impossible
                    below[states] = _checked(found).beliefs[graph.states_of(order[depth])]
            table = table[..., None] * below
        return _normalised(table)

    def _runs(self, held: list[States], logs: FloatArray | None) -> Iterable[Result]:
        """One run for each evidence set, side by side where the estimator allows it."""
        graph = self._weighted(logs)
        if self.estimator != "flat":
            yield from (infer(graph, h, estimator=self.estimator, **self.settings) for h in held)
            return
        step = max(1, EDGES // max(1, graph.arrays.edge_variable.size))
        for start in range(0, len(held), step):
            yield from infer_batch(graph, held[start : start + step], **self.settings)


def _named(model: Any) -> Named:
    if type(model).__module__.partition(".")[0] != "pgmpy":
        graph = model_of(model).graph
        names = tuple(v.name for v in graph.variables)
        return Named(graph, names, tuple(v.states for v in graph.variables))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.check_model()
    return named_graph(model)


def _checked(found: Result) -> Result:
    """The result, if it has beliefs; a warning if they may not be trusted."""
    if found.status == "inconsistent":
        raise InconsistentError(found.reason)
    if not found.has_beliefs:
        raise NumericalError(found.reason)
    if not found.converged:
        warnings.warn(NotConvergedWarning(found.reason), stacklevel=4)
    return found


def _normalised(table: FloatArray) -> FloatArray:
    total = float(table.sum())
    if not total > 0.0:
        raise NumericalError("no assignment of the variables has a positive probability")
    result: FloatArray = table / total
    return result
