"""Graphs whose factors are of all families, random messages, and values to and from logs."""

from dataclasses import dataclass

import numpy as np

from mpnet.kernels import variables
from mpnet.kernels.layout import Limits, TableArrays
from mpnet.kernels.semiring import LINEAR, LinearMax, LinearSum, LogMax, LogSum
from tests import reference
from tests.graphs import Model, logs, random_table

LIMITS = Limits(floor=1e-174, tiny=1e-290)


@dataclass(frozen=True)
class Space:
    """One semiring in one precision, and how its values stand for logs."""

    kind: type
    dtype: type = np.float64

    @property
    def semiring(self):
        return self.kind(*map(self.dtype, self.kind()))

    @property
    def linear(self):
        return self.kind in LINEAR

    @property
    def maximise(self):
        return self.kind in (LinearMax, LogMax)

    def values(self, of_logs):
        """Logs as values of the semiring; writable."""
        values = np.exp(of_logs) if self.linear else of_logs
        return np.array(values, dtype=self.dtype)

    def logs(self, values):
        """What values stand for."""
        values = np.asarray(values, dtype=float)
        return logs(values) if self.linear else values

    def family(self, family):
        """The arrays of a family, for the kernel and (with tables as logs) for its twin."""
        arrays, _ = family.arrays(self.linear, self.dtype)
        return arrays, arrays._replace(tables=self.logs(arrays.tables))

    def __repr__(self):
        return f"{self.kind.__name__}-{self.dtype.__name__}"


SPACES = [Space(kind) for kind in (LinearSum, LinearMax, LogSum, LogMax)]


def plain(arrays):
    """The arrays of a dense family of any shape as the kernels for all shapes take them."""
    return TableArrays(arrays.first, arrays.factor_table, arrays.tables)


def frozen(array):
    array.flags.writeable = False
    return array


def mixed(seed, states=None, zeros=0.0):
    """Seven variables, equally many states or 1 to 3 of them, with factors of arity 2, 3 and 4.

    Some tables are shared, and no variable is without a factor.
    """
    rng = np.random.default_rng(seed)
    cards = (states,) * 7 if states else tuple(int(n) for n in rng.integers(1, 4, size=7))
    truth = tuple(int(rng.integers(n)) for n in cards)
    scopes = [(0, 1), (5, 6), (2, 1), (3, 4, 5), (0, 1), (6, 2, 0)]
    factors = [(s, random_table(rng, s, cards, truth, zeros)) for s in scopes]
    if not states or states < 4:
        factors.append(((1, 3, 2, 6), random_table(rng, (1, 3, 2, 6), cards, truth, zeros)))
    factors.append(factors[0])
    factors += [((v,), random_table(rng, (v,), cards, truth, zeros)) for v in (0, 3)]
    return Model(cards, tuple(factors))


def uneven(seed, zeros=0.0, strength=1.0):
    """Five variables on loops, one of them with three states: a family of pairs, one of tables."""
    rng = np.random.default_rng(seed)
    cards, truth = (2, 2, 3, 2, 2), (0, 1, 2, 1, 0)
    scopes = [(0, 1), (1, 3), (3, 0), (3, 4), (1, 2), (4, 2), (0,), (2,)]
    return Model(
        cards, tuple((s, strength * random_table(rng, s, cards, truth, zeros)) for s in scopes)
    )


def random_logs(graph, seed, zeros=0.0, size=3.0):
    """A log message per edge, largest entry 0; each keeps at least one possible state."""
    rng = np.random.default_rng(seed)
    starts = graph.arrays.edge_states
    rows = reference.pieces(rng.normal(size=int(starts[-1])) * size, starts)
    for row in rows:
        row[1:][rng.random(row.size - 1) < zeros] = -np.inf
        rng.shuffle(row)
    return reference.joined(map(reference.scaled, rows))


def scaled_messages(graph, logs_of_messages):
    """Each message with its largest entry at 0: what its scale was does not matter."""
    rows = reference.pieces(logs_of_messages, graph.arrays.edge_states)
    return reference.joined(map(reference.scaled, rows))


@dataclass
class Run:
    """All that the kernels of a schedule pass on to each other, made from log messages."""

    space: Space
    graph: object
    start: np.ndarray

    def __post_init__(self):
        counts = set(self.graph.cardinalities)
        self.states = (0,) * int(counts.pop()) if len(counts) == 1 else ()
        families = [(self.space.family(f), range(f.first, f.last)) for f in self.graph.families]
        self.families = tuple(arrays for (arrays, _), _ in families)
        self.twins = [(twin, factors) for (_, twin), factors in families]
        self.unary = frozen(self.space.values(self.graph.unary))
        self.to_variable = self.space.values(self.start)
        self.to_factor = np.full_like(self.to_variable, np.nan)
        self.beliefs = np.full_like(self.unary, np.nan)
        self.edge_residual = np.full(self.graph.arrays.edge_variable.size, np.nan)
        self.listen()

    def listen(self):
        """Bring what variables say in step with what they hear."""
        return variables.send_from_variables(
            self.space.semiring, self.states, self.graph.arrays, self.unary,
            0, len(self.graph.variables), LIMITS,
            self.to_variable, self.to_factor, self.beliefs,
        )  # fmt: skip

    def same_as_heard(self):
        """Fail unless what variables say is in step with what they hear."""
        said, beliefs = self.to_factor.copy(), self.beliefs.copy()
        self.listen()
        for kept, now, starts in (
            (said, self.to_factor, self.graph.arrays.edge_states),
            (beliefs, self.beliefs, self.graph.arrays.variable_states),
        ):
            rows = [
                reference.joined(map(reference.scaled, reference.pieces(values, starts)))
                for values in (self.space.logs(kept), self.space.logs(now))
            ]
            # A product of the same few numbers.
            np.testing.assert_allclose(rows[0], rows[1], rtol=0, atol=1e-12)
