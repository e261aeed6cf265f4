"""Flat propagation: what an observer sees and what the estimate holds."""

import numpy as np

from tests import reference
from tests.graphs import Model, chain, complete, flat, logs


def test_the_observer_sees_the_start_and_every_sweep():
    seen = []
    found = flat(chain(4, 0.7, 0.1), lambda s: seen.append((s.estimator, s.residual)))
    assert len(seen) == found.iterations + 1
    assert np.isnan(seen[0][1])
    assert seen[-1] == ("flat", found.residual)


def test_only_a_converged_run_has_a_log_z():
    assert flat(chain(3, 1.0)).log_z is not None
    assert flat(complete(4, -2.0, 0.1), max_iterations=50).log_z is None


def test_a_contradiction_has_no_log_z():
    found = flat(Model((2,), (((0,), logs([0, 0])),)))
    assert (found.status, found.log_z) == ("inconsistent", None)


def test_the_joint_of_a_tree_is_exact():
    model = chain(3, 0.8, 0.3)
    exact = np.exp(reference.joint(model) - reference.log_z(model)).sum(axis=2)
    # Probabilities after a handful of operations.
    np.testing.assert_allclose(flat(model).joint((0, 1)), exact, rtol=0, atol=1e-13)
