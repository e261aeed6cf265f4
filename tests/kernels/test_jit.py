"""Every kernel is compiled once, for one set of types."""

import importlib
import inspect

import numba
import numpy as np
import pytest

from mpnet.estimators import make_estimator
from mpnet.estimators.base import Options, Problem
from mpnet.kernels import jit
from mpnet.messages import Messages
from tests.graphs import JITTED, random_loopy

KERNEL_FILES = ("variables", "tables", "residuals", "free_energy")


def kernels():
    for file in KERNEL_FILES:
        module = importlib.import_module(f"mpnet.kernels.{file}")
        for name, value in vars(module).items():
            if isinstance(value, numba.core.dispatcher.Dispatcher):
                yield f"{file}.{name}", value


@pytest.mark.skipif(not JITTED, reason="kernels are plain functions here")
def test_no_run_compiles_a_kernel_for_other_types():
    # A second signature would rewrite the sealed cache, which then counts as damaged.
    model = random_loopy(3)
    graph = model.build()
    Messages(graph, unary=np.array(graph.unary)).accept(0)
    problem = Problem(graph, tuple(range(len(graph.variables))))
    for name, damping in (("flat", 0), ("clamped", 0.5)):
        options = Options(damping=damping, max_iterations=3)
        make_estimator(name).estimate(problem, options, lambda _: None)
    found = dict(kernels())
    assert len(found) >= 9
    assert {name: len(k.signatures) for name, k in found.items() if len(k.signatures) > 1} == {}


@pytest.mark.skipif(not JITTED, reason="kernels are plain functions here")
def test_no_kernel_uses_fastmath():
    # Under fastmath numpy's isnan answers False.
    assert not any(k.targetoptions.get("fastmath") for _, k in kernels())


def test_the_numba_cache_folder_of_others_is_left_alone():
    before = numba.config.CACHE_DIR
    jit.kernel(lambda value: value)
    assert before == numba.config.CACHE_DIR


def test_every_kernel_has_a_docstring():
    for file in KERNEL_FILES:
        module = importlib.import_module(f"mpnet.kernels.{file}")
        for name, value in vars(module).items():
            function = getattr(value, "py_func", value)
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                assert function.__doc__, name
