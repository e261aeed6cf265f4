"""``mpnet doctor``: whether this installation is sound."""

from __future__ import annotations

import platform
import time
from importlib.metadata import PackageNotFoundError, version

import click

from mpnet.cli.output import print_error, print_result

PACKAGES = ("mpnet", "numpy", "numba", "scipy", "matplotlib", "pgmpy", "scikit-learn", "pydantic")


@click.command(name="doctor")
@click.option("--warmup", is_flag=True, help="Compile the kernels now if they are not.")
def command(warmup: bool) -> int:
    """Show versions, the kernel cache, node types, and whether the kernels compute what they should."""
    print_result(f"python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        try:
            print_result(f"{package} {version(package)}")
        except PackageNotFoundError:
            print_result(f"{package} is missing")
    problems = _check_nodes() + _check_kernels(warmup)
    for problem in problems:
        print_error(f"problem: {problem}")
    print_result("all is well" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


def _check_nodes() -> list[str]:
    from mpnet.errors import PluginError
    from mpnet.nodes.registry import node_types

    problems = []
    for found in node_types().values():
        if found.enabled:
            try:
                found.load()
            except PluginError as error:
                problems.append(str(error))
    print_result(f"node types: {', '.join(node_types())}")
    return problems


def _check_kernels(warmup: bool) -> list[str]:
    """Compare the compiled kernels with enumeration on a small graph with a loop."""
    import numpy as np

    from mpnet.builder import GraphBuilder
    from mpnet.estimators.exact import solve
    from mpnet.kernels import jit
    from mpnet.messages import Messages, compile_kernels

    ready = jit.is_compiled()
    print_result(f"kernel cache: {jit.FOLDER} ({'filled' if ready else 'empty'})")
    if warmup and not ready:
        started = time.perf_counter()
        compile_kernels(lambda: print_error("compiling kernels ..."))
        print_result(f"compiled in {time.perf_counter() - started:.1f} s")
    builder = GraphBuilder()
    for name in "abc":
        builder.add_variable(name, 2)
    for pair in ("ab", "bc", "ca"):
        builder.add_factor(list(pair), [[1.2, 0.7], [0.4, 1.5]])
    graph = builder.build()
    messages = Messages(graph)
    for _ in range(3):
        messages.send_from_factors(0.3)
        messages.refresh()
    # Whatever the messages are, beliefs put together give back the model: a check of all kernels.
    joint = np.zeros((2, 2, 2))
    wanted = np.zeros((2, 2, 2))
    marginals = messages.marginals().reshape(3, 2)
    for index in np.ndindex(2, 2, 2):
        for number, factor in enumerate(graph.factors):
            at = tuple(index[v] for v in factor.scope)
            joint[index] += np.log(messages.factor_belief(number)[at])
            wanted[index] += graph.table_of(number)[at]
        joint[index] -= sum(np.log(marginals[v, s]) for v, s in enumerate(index))
    error = float(np.ptp(joint - wanted))
    print_result(f"kernels: reparameterisation error {error:.1e} nats")
    exact = solve(graph).log_z
    print_result(f"exact log Z of the test graph {exact:.6f} nats")
    return [] if error < 1e-12 else ["the kernels give wrong results; clear the kernel cache"]
