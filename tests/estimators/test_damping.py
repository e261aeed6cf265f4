import numpy as np
import pytest

from mpnet.estimators.base import Options, Problem
from mpnet.estimators.flat import Flat
from mpnet.estimators.loop import propagate
from mpnet.messages import Messages
from tests.graphs import JITTED, complete, cycle


def auto(model, **options):
    settings = Options(**{"damping": "auto", "max_iterations": 3000, **options})
    return Flat().estimate(Problem(model.build()), settings, lambda _: None)


def test_where_no_damping_is_needed_none_is_used():
    found = auto(cycle(5, 0.5, 0.2))
    assert (found.status, found.damping, found.notes) == ("converged", 0.0, ())


@pytest.mark.skipif(not JITTED, reason="thousands of sweeps")
def test_the_smallest_damping_of_the_antiferromagnet_is_known():
    # Five variables that all want to differ, J = -0.6: predicted .234.
    graph = complete(5, -0.6).build()
    rng = np.random.default_rng(0)
    start = 1e-2 * rng.normal(size=int(graph.arrays.edge_states[-1]))
    found = {}
    for damping in (0.210, 0.257):
        messages = Messages(graph, start=start)
        options = Options(damping=damping, max_iterations=20000, tolerance=1e-14)
        found[damping] = propagate(messages, options)
    assert found[0.210].status == "oscillating"
    assert found[0.257].status == "converged"
    messages = Messages(graph, start=start)
    outcome = propagate(messages, Options(damping="auto"))
    assert outcome.status == "converged"
    assert outcome.notes[-1].endswith("fixed point: 0.234")
    assert 0.234 < outcome.damping < 0.35


def test_all_tries_count_and_are_told():
    found = auto(complete(4, -2.0, 0.1))
    assert found.status == "converged"
    assert found.notes[0].startswith("damping tried before: 0 (oscillating)")
    assert found.iterations > 100


def test_max_product_is_damped_without_eigenvalues():
    found = auto(complete(4, -2.0, 0.1), temperature=0.0)
    assert found.notes
    assert not any("smallest damping" in note for note in found.notes)
