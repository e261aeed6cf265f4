"""Model files as text, where the shared folders are, and graphs to write."""

import os
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from mpnet.builder import GraphBuilder

SHARED = Path(__file__).parents[2].parent / "shared"
HOSTILE = Path(os.environ.get("MPNET_HOSTILE") or SHARED / "hostile")
DATA = Path(os.environ.get("MPNET_DATA") or SHARED / "data")

PAIR = "MARKOV\n2\n2 3\n2\n1 0\n2 0 1\n\n2\n 0.5 1.5\n6\n 1 2 3\n 4 5 6\n"


def log_tables(graph):
    """Log potentials by scope: factors, unary ones with largest 0, and all else as a constant."""
    found = [(f.scope, graph.table_of(i)) for i, f in enumerate(graph.factors)]
    constant = graph.log_constant
    for variable in range(len(graph.variables)):
        logs = graph.unary_of(variable)
        constant += logs.max()
        found.append(((variable,), logs - logs.max()))
    return [*found, ((), np.array(constant))]


def assert_same_graph(found, wanted):
    """Same variables, factors in the same order, equal potentials to a few roundings."""
    assert found.cardinalities.tolist() == wanted.cardinalities.tolist()
    pairs = list(zip(log_tables(found), log_tables(wanted), strict=True))
    for (scope, table), (other_scope, other_table) in pairs:
        assert scope == other_scope
        # Logs up to 1e3, through exp and log: a rounding of the potential is 1e-16 of its log,
        # and some ten of them add up in a constant.
        np.testing.assert_allclose(table, other_table, rtol=1e-12, atol=1e-11)


@st.composite
def graphs(draw):
    """Small graphs with every awkward shape: one state, no factor, constants, zeros, extremes."""
    builder = GraphBuilder()
    count = draw(st.integers(1, 5))
    cards = [draw(st.integers(1, 4)) for _ in range(count)]
    for number, states in enumerate(cards):
        builder.add_variable(f"x{number}", states)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([1.0, 30.0, 300.0]))
    for _ in range(draw(st.integers(0, 5))):
        scope = draw(st.permutations(range(count)))[: draw(st.integers(0, min(3, count)))]
        table = rng.normal(scale=scale, size=[cards[v] for v in scope]).clip(-600.0, 600.0)
        if table.size > 1:
            table[rng.random(table.shape) < 0.2] = -np.inf
            table.flat[0] = 1.0  # so that the first states of all variables are possible
        builder.add_factor([f"x{v}" for v in scope], table, log=True)
    return builder.build()
