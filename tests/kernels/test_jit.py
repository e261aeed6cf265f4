"""Every kernel is compiled once for each set of types, and runs do not bring new ones about."""

import importlib
import inspect
import pkgutil

import numba
import numpy as np
import pytest

import mpnet.kernels
from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options, Problem
from mpnet.kernels import jit
from mpnet.messages import Messages
from tests.graphs import JITTED, cycle

REORDERING = {"reassoc", "contract", "nsz"}
"""The parts of fastmath that leave NaN and infinity their meaning."""


def modules():
    for found in pkgutil.iter_modules(mpnet.kernels.__path__):
        yield importlib.import_module(f"mpnet.kernels.{found.name}")


def kernels():
    for module in modules():
        for name, value in vars(module).items():
            if isinstance(value, numba.core.dispatcher.Dispatcher):
                yield f"{module.__name__}.{name}", value


def signatures():
    return {name: len(kernel.signatures) for name, kernel in kernels()}


@pytest.mark.skipif(not JITTED, reason="kernels are plain functions here")
def test_no_run_compiles_a_kernel_for_other_types():
    # Each signature takes seconds to compile; a kernel is to be known by semiring and shape alone.
    graph = cycle(4, 0.3, field=0.1).build()
    every = tuple(range(4))

    def estimate(name, **options):
        settings = Options(**{"max_iterations": 5, **options})
        make_estimator(name).estimate(Problem(graph, every), settings, lambda _: None)

    def run(space, **how):
        messages = Messages(graph, space=space, **how)
        messages.send_from_factors(how.get("damping", 0.0))
        messages.refresh()
        messages.log_z()
        messages.marginals()

    estimate("flat", damping=0.3)
    for space in ("linear", "log"):
        run(space)
    before = signatures()
    assert sum(before.values()) >= 9
    for damping in (0, 0.0, 0.5, np.float64(0.25)):
        estimate("flat", damping=damping)
        estimate("clamped", damping=damping)
    writable = np.array(graph.unary)
    for space in ("linear", "log"):
        run(space, unary=writable)
        run(space, start=np.zeros(16))
        run(space, start=np.zeros(16, dtype=np.float32))
    assert signatures() == before


@pytest.mark.skipif(not JITTED, reason="kernels are plain functions here")
def test_no_kernel_gives_nan_or_infinity_away():
    # Under full fastmath numpy's isnan answers False.
    reordered = set()
    for name, kernel in kernels():
        how = kernel.targetoptions.get("fastmath") or set()
        assert how is not True, name
        assert set(how) <= REORDERING, name
        reordered |= {name} if how else set()
    assert "mpnet.kernels.pairs._send_sums" in reordered


def test_the_numba_cache_folder_of_others_is_left_alone():
    before = numba.config.CACHE_DIR
    jit.kernel(lambda value: value)
    assert before == numba.config.CACHE_DIR


def test_every_public_kernel_has_a_docstring():
    for module in modules():
        for name, value in vars(module).items():
            function = getattr(value, "py_func", value)
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and not name.startswith("_"):
                assert function.__doc__, f"{module.__name__}.{name}"


@jit.kernel
def awkward(values):
    return values[0] * values[1], values[1] - values[1], values[2] * values[2]


def test_awkward_arithmetic_is_silent_compiled_or_not():
    found = awkward(np.array([0.0, np.inf, 1e300]))
    np.testing.assert_array_equal(found, [np.nan, np.nan, np.inf])
