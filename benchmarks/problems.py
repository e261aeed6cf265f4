"""The UAI problems: where they are, what is known of them, and how far an answer is from that."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.exchange import Group, Instance

MISSING = """\
there are no UAI problems in {folder}; name a folder with --data or MPNET_DATA. It holds, in folders of \
any depth, NAME.uai with NAME.uai.evid (evidence), NAME.uai.PR (log10 Z) and, where known, NAME.uai.MAR \
(marginals), such as those of the UAI 2014 inference competition"""


@dataclass(frozen=True)
class Reference:
    """A problem and what is known of its answer."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def evidence(self) -> Path | None:
        """Its evidence file, if there is one."""
        path = self.path.with_name(f"{self.path.name}.evid")
        return path if path.exists() else None

    @cached_property
    def log10_z(self) -> float | None:
        """Reference of log10 Z given the evidence."""
        path = self.path.with_name(f"{self.path.name}.PR")
        return float(path.read_text().split()[1]) if path.exists() else None

    @cached_property
    def marginals(self) -> np.ndarray | None:
        """Reference marginals of all variables in a row, float64[B]."""
        path = self.path.with_name(f"{self.path.name}.MAR")
        if not path.exists():
            return None
        tokens, found = path.read_text().split()[2:], []
        while tokens:
            count = int(tokens[0])
            found += map(float, tokens[1 : count + 1])
            tokens = tokens[count + 1 :]
        return np.array(found)

    def errors(
        self, beliefs: np.ndarray, log10_z: float | None, counts: np.ndarray, seen: set[int]
    ) -> dict[str, float | None]:
        """Errors of log10 Z and of marginals over variables that are not observed.

        Parameters
        ----------
        beliefs : float64[B]
            Marginals; NaN where there are none.
        log10_z : float or None
            Log partition sum to the base of 10.
        counts : int64[V]
            Number of states of each variable.
        seen : set of int
            Observed variables.

        """
        found: dict[str, float | None] = {"log10_z_error": None, "mean": None, "hellinger": None}
        if log10_z is not None and self.log10_z is not None:
            found["log10_z_error"] = abs(log10_z - self.log10_z)
        if self.marginals is None or np.isnan(beliefs).any():
            return found
        owner = np.repeat(np.arange(len(counts)), counts)
        free = ~np.isin(np.arange(len(counts)), list(seen))
        gaps = np.abs(beliefs - self.marginals)
        found["mean"] = float(gaps[free[owner]].mean())
        both = np.bincount(owner, np.sqrt(np.maximum(beliefs, 0.0) * self.marginals))
        found["hellinger"] = float(np.sqrt(np.maximum(0.0, 1.0 - both))[free].mean())
        return found


def folder_of(given: Path | None) -> Path | None:
    """The folder that was asked for, by option or environment."""
    if given is not None:
        return given
    named = os.environ.get("MPNET_DATA")
    return Path(named) if named else None


def problems(folder: Path) -> list[Reference]:
    """All problems in a folder with a reference, by name."""
    paths = sorted(folder.rglob("*.uai"), key=lambda path: (path.parent.name, path.name))
    found = [Reference(path) for path in paths]
    return [each for each in found if each.log10_z is not None or each.marginals is not None]


def to_instance(graph: Any, name: str) -> Instance:
    """A graph of tables as plain arrays, for peers that read no UAI file."""
    shapes: dict[tuple[int, ...], tuple[list[Any], list[np.ndarray]]] = {}
    for number, factor in enumerate(graph.factors):
        logs = graph.table_of(number)
        scopes, tables = shapes.setdefault(logs.shape, ([], []))
        scopes.append(factor.scope)
        tables.append(np.exp(logs - logs.max()))
    starts = graph.arrays.variable_states
    best = np.maximum.reduceat(graph.unary, starts[:-1])
    unary = np.exp(graph.unary - np.repeat(best, np.diff(starts)))
    groups = tuple(
        Group("table", np.array(scopes), np.array(tables)) for scopes, tables in shapes.values()
    )
    return Instance(name, graph.cardinalities, unary, groups)


def answer(path: Path, evidence: Path | None, settings: dict[str, Any]) -> dict[str, Any]:
    """Run mpnet on one problem and tell how far it is from the reference.

    Parameters
    ----------
    path : Path
        The UAI file.
    evidence : Path or None
        Its evidence.
    settings : dict
        Of ``mpnet.infer``.

    """
    from mpnet.errors import MpnetError
    from mpnet.inference import infer

    try:
        result = infer(path, evidence, **settings)
    except MpnetError as error:
        return {"status": "refused", "reason": str(error), "seconds": math.nan}
    reference = Reference(path)
    beliefs = result.beliefs if result.has_beliefs else np.full(result.graph.unary.size, np.nan)
    log_z = result.log10_z
    if log_z is None and result.estimate.log_z is not None:
        log_z = result.estimate.log_z / math.log(10.0)
    counts, seen = result.graph.cardinalities, set(result.evidence)
    return {
        "status": "exact" if result.exact else result.status,
        "reason": result.reason,
        "seconds": result.seconds,
        "iterations": result.iterations,
        **reference.errors(beliefs, log_z, counts, seen),
    }
