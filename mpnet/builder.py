"""Building a factor graph by name, one variable and one factor at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from mpnet.content import Content, Kind, Label
from mpnet.dense import TABLE_ENTRIES, DenseTables, checked_logs, frozen
from mpnet.errors import GraphError, TooLargeError, shown, size
from mpnet.graph import FactorGraph, assemble
from mpnet.kernels.layout import FloatArray
from mpnet.variables import Factor, Variable


@dataclass
class GraphBuilder:
    """Collects variables and factors by name, checks each, and builds a ``FactorGraph``.

    ``mpnet.infer`` takes a builder as well. *Evolving.*

    Examples
    --------
    >>> builder = GraphBuilder()
    >>> builder.add_variable("rain", ["no", "yes"])
    >>> builder.add_variable("wet", ["no", "yes"])
    >>> builder.add_factor(["rain"], [0.8, 0.2])
    >>> builder.add_factor(["rain", "wet"], [[0.9, 0.1], [0.2, 0.8]])
    >>> builder.add_factor(["rain", "wet"], lambda rain, wet: 2.0 if rain == wet else 1.0)
    >>> builder.build()
    FactorGraph(2 variables, 2 factors, 4 edges)

    """

    _variables: list[Variable] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)
    _unary: list[FloatArray] = field(default_factory=list)
    _factors: list[tuple[Factor, Content]] = field(default_factory=list)
    _log_constant: float = 0.0

    def add_variable(self, name: str, states: int | Sequence[str]) -> None:
        """Add a variable with named states, or with that many states called "0", "1", ....

        Raises
        ------
        GraphError
            If the name is taken, there are no states, or a state is named twice.

        """
        if name in self._index:
            raise GraphError(f"variable {name!r} is there already; names must differ")
        labels = tuple(map(str, range(states))) if isinstance(states, int) else tuple(states)
        if not labels:
            raise GraphError(f"variable {name!r} has no states; it needs at least one")
        if len(set(labels)) != len(labels):
            twice = next(s for s in labels if labels.count(s) > 1)
            raise GraphError(f"variable {name!r} has the state {twice!r} twice; states must differ")
        self._index[name] = len(self._variables)
        self._variables.append(Variable(name, labels))
        self._unary.append(np.zeros(len(labels)))

    def add_factor(
        self,
        scope: Sequence[str],
        table: ArrayLike | Callable[..., float],
        *,
        log: bool = False,
        name: str = "",
    ) -> None:
        """Multiply the model by a table over the variables in ``scope``.

        Parameters
        ----------
        scope : sequence of str
            Names of variables, each at most once; may be empty (a constant).
        table : array, one axis per variable, or callable
            Potentials >= 0, or their logs (nats, ``-inf`` allowed) where ``log`` is true; copied.
            Or a function that tells one of them from the names of the states, in the order of
            the scope: ``lambda a, b: 2.0 if a == b else 1.0``.
        log : bool
            Whether the table holds logs.
        name : str
            For messages and figures; made up from the scope where empty.

        Raises
        ------
        GraphError
            If a variable is unknown or repeated, or the table has the wrong shape, a NaN, an
            infinite or (unless ``log``) a negative entry; the message names factor and index.
        TooLargeError
            If the table has more than 2^26 entries.

        """
        label = name or _name_of(scope)
        indices = self._resolve(scope, label)
        shape = tuple(len(self._variables[v].states) for v in indices)
        if math.prod(shape) > TABLE_ENTRIES:
            raise TooLargeError(
                f"factor {label!r} would have {size(math.prod(shape))} entries; at most {TABLE_ENTRIES} fit"
            )
        given = self._tabulated(indices, table, label) if callable(table) else table
        logs = checked_logs(given, shape, label, log)
        if not indices:
            self._log_constant += float(logs)
        elif len(indices) == 1:
            self._unary[indices[0]] = self._unary[indices[0]] + logs
        else:
            where = frozen(np.zeros(1), np.int32)
            content = DenseTables(shape, where, frozen(logs.reshape(-1)), log=True)
            self._factors.append((Factor(label, indices), content))

    def add(self, kind: Kind) -> None:
        """Multiply the model by a factor of any kind: see ``mpnet.factors``.

        Parameters
        ----------
        kind : Kind
            Names its variables and says what they have to do with each other.

        Raises
        ------
        GraphError
            If a variable is unknown or repeated, or the kind and the cardinalities of its
            variables do not fit together; the message names factor and index.

        """
        for name, states in kind.hidden.items():
            self.add_variable(name, states)
        for part in kind.expanded:
            label = part.name or _name_of(part.scope)
            indices = self._resolve(part.scope, label)
            counts = np.array([[len(self._variables[v].states) for v in indices]], dtype=np.int64)
            self.add_content(indices, part.content(counts, _always(f"factor {label!r}")), label)

    def add_content(self, scope: Sequence[int], content: Content, name: str) -> None:
        """Multiply the model by what a content of one factor holds, which is not checked.

        Parameters
        ----------
        scope : sequence of int
            Indices of variables, each at most once.
        content : Content
            Holds one factor of that shape.
        name : str
            For messages and figures.

        """
        if len(scope) == 1:
            self._unary[scope[0]] = self._unary[scope[0]] + content.table(0)
        else:
            self._factors.append((Factor(name, tuple(scope)), content))

    def _resolve(self, scope: Sequence[str], label: str) -> tuple[int, ...]:
        for name in scope:
            if name not in self._index:
                raise GraphError(f"factor {label!r}: there is no variable {name!r}")
        if len(set(scope)) != len(scope):
            twice = next(n for n in scope if list(scope).count(n) > 1)
            raise GraphError(f"factor {label!r}: variable {twice!r} is twice in its scope")
        return tuple(self._index[name] for name in scope)

    def _tabulated(
        self, indices: Sequence[int], of: Callable[..., float], label: str
    ) -> FloatArray:
        """What a function answers for each assignment, one axis per variable."""
        states = [self._variables[v].states for v in indices]
        entries = []
        for assignment in product(*states):
            answer = of(*assignment)
            try:
                entries.append(float(answer))
            except (TypeError, ValueError):
                raise GraphError(
                    f"factor {label!r}: its function answers {shown(repr(answer))} for "
                    f"{shown(str(assignment))}; expected a number"
                ) from None
        return np.array(entries).reshape([len(s) for s in states])

    def build(self) -> FactorGraph:
        """Freeze what was collected into a graph; the builder can go on being used.

        Factors of one kind and shape come together, in the order in which they were added.
        """
        counts = np.array([len(v.states) for v in self._variables], dtype=np.int64)
        sizes = counts.tolist()
        together: dict[Hashable, list[tuple[Factor, Content]]] = {}
        for factor, content in self._factors:
            shape = tuple(sizes[v] for v in factor.scope)
            together.setdefault((content.alike, shape), []).append((factor, content))
        groups, names = [], []
        for members in together.values():
            scopes = np.array([factor.scope for factor, _ in members], dtype=np.int64)
            first, *others = [content for _, content in members]
            groups.append((scopes, first.joined(others)))
            names += [factor.name for factor, _ in members]
        return assemble(
            counts,
            groups,
            np.concatenate(self._unary) if self._unary else np.empty(0),
            self._log_constant,
            names=[v.name for v in self._variables],
            states=[v.states for v in self._variables],
            factor_names=names,
        )


def _always(label: str) -> Label:
    return lambda _: label


def _name_of(scope: Sequence[str]) -> str:
    shown = list(scope) if len(scope) <= 12 else [*scope[:10], "...", scope[-1]]
    return f"f({', '.join(shown)})"
