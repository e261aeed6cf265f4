"""The arithmetic of each semiring: its laws, its awkward numbers, jitted and as plain Python."""

import numba
import numpy as np
import pytest

from mpnet.kernels import semiring
from tests.kernels.semirings import SPACES

NUMBERS = [-np.inf, -745.5, -3.0, -1e-17, 0.0, 1e-300, 0.25, 1.0, 2.0, 709.0, np.nan]


@numba.njit
def jitted_two(kind, a, b):
    return semiring.plus(kind, a, b), semiring.times(kind, a, b)


@numba.njit
def jitted_one(kind, value):
    return semiring.to_log(kind, value), semiring.from_log(kind, value)


@numba.njit
def jitted_tests(kind):
    return semiring.is_linear(kind), semiring.is_linear_sum(kind)


def of(space):
    """Numbers that a message may hold: nothing negative in linear space."""
    return [n for n in NUMBERS if not space.linear or not n < 0.0]


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_jitted_and_plain_python_agree(space):
    kind = space.semiring
    for a in of(space):
        assert jitted_one(kind, a)[0] == pytest.approx(
            semiring.to_log(kind, a), rel=1e-15, nan_ok=True
        )
        with np.errstate(over="ignore"):
            plain = semiring.from_log(kind, np.float64(a))
        assert jitted_one(kind, a)[1] == pytest.approx(plain, rel=1e-14, nan_ok=True)
        for b in of(space):
            plain = semiring.plus(kind, a, b), semiring.times(kind, a, b)
            # An exponential and a logarithm may differ in the last digit.
            assert jitted_two(kind, a, b) == pytest.approx(plain, rel=1e-15, nan_ok=True)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_the_kind_is_known_when_a_kernel_is_compiled(space):
    expected = space.linear, space.linear and not space.maximise
    assert jitted_tests(space.semiring) == expected
    plain = semiring.is_linear(space.semiring), semiring.is_linear_sum(space.semiring)
    assert plain == expected


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_zero_and_one_are_neutral_and_zero_takes_all(space):
    kind = space.semiring
    for a in of(space):
        assert semiring.plus(kind, a, kind.zero) == pytest.approx(a, nan_ok=True)
        assert semiring.plus(kind, kind.zero, a) == pytest.approx(a, nan_ok=True)
        assert semiring.times(kind, a, kind.one) == pytest.approx(a, nan_ok=True)
        nothing = semiring.times(kind, a, kind.zero)
        assert nothing == kind.zero or np.isnan(a)
    assert semiring.to_log(kind, kind.zero) == -np.inf
    assert semiring.to_log(kind, kind.one) == 0.0


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_nan_survives_on_either_side(space):
    for a in of(space):
        for pair in ((a, np.nan), (np.nan, a)):
            if a != space.semiring.zero or not np.isnan(a):
                plain = semiring.times(space.semiring, *pair)
                assert np.isnan(plain)
                assert np.isnan(semiring.plus(space.semiring, *pair))
                assert np.isnan(jitted_two(space.semiring, *pair)).all()


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_all_semirings_stand_for_the_same_numbers(space):
    rng = np.random.default_rng(0)
    for a, b in rng.normal(size=(20, 2)) * 5:
        first, second = (semiring.from_log(space.semiring, x) for x in (a, b))
        product = semiring.to_log(space.semiring, semiring.times(space.semiring, first, second))
        total = semiring.to_log(space.semiring, semiring.plus(space.semiring, first, second))
        # Logs below 20.
        assert product == pytest.approx(a + b, abs=1e-14)
        assert total == pytest.approx(
            max(a, b) if space.maximise else np.logaddexp(a, b), abs=1e-14
        )


def test_the_boolean_semiring_knows_yes_and_no_only():
    kind = semiring.Boolean()
    for a in (0.0, 1e-300, 1.0, 5.0):
        for b in (0.0, 1e-300, 1.0, 5.0):
            expected = float(a > 0 or b > 0), float(a > 0 and b > 0)
            # The product of two numbers near the smallest one is still a yes.
            assert (semiring.plus(kind, a, b), semiring.times(kind, a, b)) == expected
            assert jitted_two(kind, a, b) == expected


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_single_precision_stays_single(space):
    kind = type(space)(space.kind, np.float32).semiring
    one, two = np.float32(0.5), np.float32(0.75)
    assert all(isinstance(value, np.float32) for value in kind)
    if numba.config.DISABLE_JIT:
        assert semiring.times(kind, one, two).dtype == np.float32
        return
    jitted_two(kind, one, two)
    returned = {
        member
        for signature, compiled in jitted_two.overloads.items()
        if signature[1] == numba.float32
        for member in compiled.signature.return_type
    }
    assert returned == {numba.float32}
