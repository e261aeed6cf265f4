"""First use of a plugin's kernels: whatever is wrong with them is told with family, file and line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mpnet.errors import MpnetError, PluginError, shown
from mpnet.families.registering import line_of, origin_of
from mpnet.graph import Family
from mpnet.kernels.families import FAMILIES, FamilyKernels
from mpnet.kernels.layout import ALIVE, UNSAFE, FloatArray, GraphArrays
from mpnet.kernels.semiring import Semiring, is_linear

ROUNDING = 1e-4
"""How far above one the largest entry of a message may be, in single precision."""

_TRIED: set[tuple[Any, ...]] = set()


def served(
    family: Family, arrays: Any, graph: GraphArrays, semiring: Semiring, dtype: np.dtype[Any]
) -> FamilyKernels:
    """The kernels of a family; those of a plugin are tried on its first factor, once each process.

    Parameters
    ----------
    family : Family
        Its factors.
    arrays : NamedTuple
        What the kernels read of it.
    graph : GraphArrays
        The graph.
    semiring : Semiring
        What values mean.
    dtype : dtype
        Of messages.

    Raises
    ------
    PluginError
        If kernels of a plugin do not compile, fail, or answer what makes no sense.

    """
    kernels = FAMILIES[family.kind]
    key = kernels.send, type(semiring), dtype
    if origin_of(family.kind) and key not in _TRIED and family.first < family.last:
        _Trial(family.kind, graph, arrays, semiring, dtype).run(family.first)
        _TRIED.add(key)
    return kernels


class _Trial:
    """One factor, whose variables say nothing."""

    def __init__(
        self, kind: str, graph: GraphArrays, arrays: Any, semiring: Semiring, dtype: np.dtype[Any]
    ) -> None:
        self.kind, self.graph, self.arrays, self.semiring = kind, graph, arrays, semiring
        self.said = np.full(int(graph.edge_states[-1]), semiring.one, dtype=dtype)

    def run(self, factor: int) -> None:
        """Ask both questions that every run asks.

        Raises
        ------
        PluginError
            If an answer makes no sense.

        """
        out = np.full_like(self.said, np.nan)
        found = self._ask("send", factor, self.said, self.said.copy(), out, 0.0, np.empty(0))
        if not (isinstance(found, tuple) and len(found) == 2):
            self._refuse("send", f"{found!r}; it must be a residual (nats) and a status")
        residual, status = found
        if status == UNSAFE and is_linear(self.semiring):
            return
        if status not in (ALIVE, factor):
            self._refuse("send", f"status {status!r}; for factor {factor} alone it is that or -1")
        self._check_messages(factor, out)
        if not residual >= 0.0:
            self._refuse("send", f"a residual of {residual!r}; it must be a number of nats >= 0")
        total = self._ask("log_partition", factor, self.said)
        if not (isinstance(total, float | np.floating) and total < np.inf):
            self._refuse("log_partition", f"{total!r}; it must be a number of nats, or -inf")

    def _check_messages(self, factor: int, out: FloatArray) -> None:
        first, last = self.graph.factor_edges[factor : factor + 2]
        own = slice(*self.graph.edge_states[[first, last]].tolist())
        others = np.delete(out, own)
        if not np.isnan(others).all():
            self._refuse("send", "messages of other factors than those it was asked for")
        wrong = ~((out[own] >= self.semiring.zero) & (out[own] <= self.semiring.one + ROUNDING))
        if wrong.any():
            entry = int(np.argmax(wrong))
            edge = int(np.searchsorted(self.graph.edge_states, own.start + entry, "right")) - 1
            state = own.start + entry - int(self.graph.edge_states[edge])
            self._refuse(
                "send",
                f"a message of {out[own][entry]} to variable {edge - int(first)} of the scope, "
                f"state {state}; it must be from {self.semiring.zero:g} to {self.semiring.one:g}",
            )

    def _ask(self, question: str, factor: int, *arguments: Any) -> Any:
        kernel: Callable[..., Any] = getattr(FAMILIES[self.kind], question)
        try:
            return kernel(self.semiring, self.graph, self.arrays, factor, factor + 1, *arguments)
        except MpnetError:
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {shown(_reason(error), 1500)}"
            raise PluginError(f"{self._where(question)} failed ({what})") from error

    def _refuse(self, question: str, what: str) -> None:
        space = type(self.semiring).__name__
        raise PluginError(f"{self._where(question)} answered, in {space}, with {what}")

    def _where(self, question: str) -> str:
        line = line_of(getattr(FAMILIES[self.kind], question))
        return f"factor family {shown(self.kind)!r}: {question} ({line})"


def _reason(error: Exception) -> str:
    """What Numba says in its own words, without the advice that follows."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(line for line in lines if not line.startswith(("Failed in", "This error")))
