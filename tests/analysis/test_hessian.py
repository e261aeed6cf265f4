"""The Bethe Hessian against differences of the free energy and against the walks' matrix."""

import numpy as np
import pytest

from mpnet.analysis import hessian as module
from mpnet.analysis.certificate import certificate
from mpnet.analysis.hessian import bethe_hessian, paramagnetic_hessian, smallest_eigenvalue
from mpnet.analysis.stability import stability
from mpnet.errors import GraphError, NumericalError, UsageError
from mpnet.messages import Messages
from tests.analysis.builders import near, settled, somewhere
from tests.graphs import Model, complete, cycle, grid, ising, logs


def pair_belief(table, q, p):
    """The 2 x 2 belief of least free energy with P(first = 1) = q and P(second = 1) = p.

    Its second entry of both solves a quadratic equation (Welling and Teh 2001, equation 8).
    """
    a = np.exp(table[0, 0] + table[1, 1] - table[0, 1] - table[1, 0]) - 1.0
    b = 1.0 + a * (q + p)
    xi = q * p if abs(a) < 1e-9 else (b - np.sqrt(b * b - 4 * a * (1 + a) * q * p)) / (2 * a)
    return np.array([[1 - q - p + xi, p - xi], [q - xi, xi]])


def surface(model, q):
    """The Bethe free energy of a binary pairwise model, as a function of q alone."""

    def entropy(values):
        return -np.sum(values * np.log(values))

    result = 0.0
    for variable, here in enumerate(q):
        b = np.array([1 - here, here])
        degree = sum(variable in scope for scope in model.scopes)
        result += (degree - 1) * entropy(b) - b @ model.unary[variable]
    for (i, j), table in zip(model.scopes, model.tables, strict=True):
        belief = pair_belief(table, q[i], q[j])
        result -= np.sum(belief * table) + entropy(belief)
    return result


def differences(model, q, step=1e-3):
    """Second derivatives to the fourth order."""
    size = len(q)
    out = np.empty((size, size))

    def slope(at, i):
        move = np.zeros(size)
        move[i] = step
        ends = [surface(model, at + s * move) for s in (1, -1, 2, -2)]
        return (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * step)

    for j in range(size):
        move = np.zeros(size)
        move[j] = step
        ends = [np.array([slope(q + s * move, i) for i in range(size)]) for s in (1, -1, 2, -2)]
        out[:, j] = (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * step)
    return out


def general(seed):
    """Any tables over pairs, one pair twice, and fields."""
    rng = np.random.default_rng(seed)
    pairs = [(0, 1), (1, 2), (2, 0), (0, 3), (1, 2)]
    factors = [(pair, rng.normal(size=(2, 2))) for pair in pairs]
    return Model((2,) * 4, (*factors, *(((v,), 0.3 * rng.normal(size=2)) for v in range(4))))


@pytest.mark.parametrize("at", ["fixed", "off"])
@pytest.mark.parametrize(
    "model", [general(0), general(1), complete(4, -0.5, 0.2), cycle(5, 1.2, 0.1)]
)
def test_equals_second_differences(model, at):
    graph = model.build()
    messages = settled(graph, damping=0.5) if at == "fixed" else somewhere(graph, 2)
    found = bethe_hessian(messages)
    np.testing.assert_array_equal(found.variables, range(len(model.cards)))
    q = messages.marginals().reshape(-1, 2)[:, 1]
    # The fourth order leaves out 1e-12 / q^5 or so, rounding adds 1e-16 / 1e-6.
    np.testing.assert_allclose(found.matrix.toarray(), differences(model, q), rtol=1e-6, atol=2e-7)


def test_the_formula_at_even_beliefs():
    # T = (1 - w^2) / 16 and xi - 1/4 = w / 4, with w = tanh J.
    w = np.tanh(0.7)
    found = bethe_hessian(Messages(cycle(4, 0.7).build())).matrix.toarray()
    assert found[0, 0] == pytest.approx(-4 + 2 * 4 / (1 - w * w))
    assert found[0, 1] == pytest.approx(-4 * w / (1 - w * w))
    assert found[0, 2] == 0.0


def test_a_minimum_is_told_from_a_saddle():
    graph = complete(4, 1.0).build()
    saddle = bethe_hessian(Messages(graph))
    assert not saddle.is_minimum
    assert stability(Messages(graph)).smallest_damping is None
    for seed in (0, 1):
        stable = settled(graph, damping=0.5, start=near(graph, 1.0, seed))
        assert bethe_hessian(stable).is_minimum
    # On a minimum that flooding does not reach undamped, too.
    assert bethe_hessian(Messages(complete(5, -0.6).build())).is_minimum


@pytest.mark.parametrize("count", [4, 5, 6])
def test_an_unbiased_magnet_loses_its_minimum_where_the_walks_reach_one(count):
    critical = np.arctanh(1 / (count - 2))
    for coupling, minimum in ((0.999 * critical, True), (1.001 * critical, False)):
        graph = complete(count, coupling).build()
        assert bethe_hessian(Messages(graph)).is_minimum == minimum
        assert (certificate(graph).radius < 1.0) == minimum


def test_paramagnetic_is_a_quarter_of_the_hessian_at_even_beliefs():
    model = ising([(0, 1), (1, 2), (2, 0), (2, 3), (0, 1)], 4, [0.3, -0.8, 0.5, 1.1, 0.2])
    graph = model.build()
    np.testing.assert_allclose(
        4.0 * paramagnetic_hessian(graph).toarray(),
        bethe_hessian(Messages(graph)).matrix.toarray(),
        rtol=1e-12,
    )


@pytest.mark.parametrize("seed", range(5))
def test_paramagnetic_is_singular_where_the_walks_have_an_eigenvalue(seed):
    rng = np.random.default_rng(seed)
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (3, 4), (4, 1)]
    model = ising(pairs, 5, list(rng.uniform(0.3, 0.5, len(pairs))))
    radius = certificate(model.build()).radius
    assert radius > np.tanh(0.5)
    # The bound of the radius is good to 1e-4; all larger r leave the matrix positive definite.
    for r, positive in ((1.001 * radius, True), (2.0 * radius, True), (0.999 * radius, False)):
        found = smallest_eigenvalue(paramagnetic_hessian(model.build(), r))
        assert (found > 0.0) == positive


def test_what_is_observed_takes_no_part():
    model = complete(4, -0.7, 0.2)
    seen = model.plus(((1,), logs([0.0, 1.0])))
    found = bethe_hessian(settled(seen.build(), damping=0.3))
    np.testing.assert_array_equal(found.variables, [0, 2, 3])
    # The same with the observed variable's coupling as a field on the others.
    fields = [((v,), np.array([0.7, -0.7])) for v in range(3)]
    rest = complete(3, -0.7, 0.2).plus(*fields)
    expected = bethe_hessian(settled(rest.build(), damping=0.3))
    np.testing.assert_allclose(
        found.matrix.toarray(), expected.matrix.toarray(), rtol=1e-9, atol=1e-12
    )


def test_sure_beliefs_keep_their_digits():
    # q is 1e-348 or so; nothing of this may be a difference of numbers near one.
    model = cycle(3, 0.4, 400.0)
    found = bethe_hessian(settled(model.build()))
    assert found.is_minimum
    np.testing.assert_allclose(found.scaled.diagonal(), 1.0, rtol=1e-6)
    # 1 / q is no number.
    with pytest.raises(NumericalError, match="beyond the range of numbers; use scaled"):
        _ = found.matrix


@pytest.mark.parametrize("sides", [(20, 20, 0.25), (24, 16, 0.6)])
def test_large_matrices_have_the_smallest_eigenvalue(sides, monkeypatch):
    rows, columns, coupling = sides
    matrix = paramagnetic_hessian(grid(rows, columns, coupling).build())
    expected = np.linalg.eigvalsh(matrix.toarray())[0]
    # Asked for to 1e-3 of the largest eigenvalue at worst.
    assert smallest_eigenvalue(matrix) == pytest.approx(expected, abs=1e-2)
    start = np.random.default_rng(0).normal(size=matrix.shape[0])
    assert module._inverted(matrix, start) == pytest.approx(expected, abs=1e-6)


def test_no_variables_have_no_smallest_eigenvalue():
    observed = Model((2,), (((0,), logs([1.0, 0.0])),)).build()
    assert bethe_hessian(Messages(observed)).smallest_eigenvalue == np.inf


def test_other_models_are_refused():
    with pytest.raises(GraphError, match="variable 'v1' has 3 states"):
        bethe_hessian(Messages(Model((2, 3), (((0, 1), np.zeros((2, 3))),)).build()))
    with pytest.raises(GraphError, match=r"factor 'f\(v0, v1, v2\)' has 3 variables"):
        paramagnetic_hessian(Model((2,) * 3, (((0, 1, 2), np.zeros((2, 2, 2))),)).build())
    with pytest.raises(UsageError, match=r"r must be larger .* 'f\(v0, v1\)' is 0.96"):
        paramagnetic_hessian(cycle(3, 2.0).build(), 0.5)
    with pytest.raises(NumericalError, match=r"factor 'f\(v0, v1\)' ties its variables"):
        bethe_hessian(Messages(Model((2, 2), (((0, 1), logs(np.eye(2))),)).build()))
