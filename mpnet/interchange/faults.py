"""What a list of factors must be: potentials that are some, scopes that are sets, CPTs that sum to 1."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from mpnet.interchange.building import Listed
from mpnet.interchange.files import ModelFileError
from mpnet.kernels.layout import FloatArray, IntArray

ROW_TOLERANCE = 1e-6
"""How far a row of a CPT may be from 1, per state: more than rounding to six digits."""


class Places(Protocol):
    """What can say where in the file value number ``token`` of ``Listed.values`` stands."""

    def fault(self, token: int, what: str, hint: str = "") -> ModelFileError:
        """An error at a value."""
        ...

    def text(self, token: int) -> str:
        """A value as it is written."""
        ...


def check_potentials(listed: Listed, places: Places) -> None:
    """Refuse the first factor that names a variable twice, or has no or negative potentials.

    Raises
    ------
    ModelFileError
        Names the factor, by its number in the file, and the value.

    """
    found: list[tuple[int, ModelFileError]] = []
    for members, shape in listed.groups():
        scopes = np.sort(listed.scopes_of(members, len(shape)), axis=1)
        twice = (scopes[:, 1:] == scopes[:, :-1]).any(axis=1)
        tables = listed.tables_of(members, int(np.prod(shape)))
        negative = (tables < 0.0).any(axis=1)
        empty = ~(tables > 0.0).any(axis=1)
        wrong = twice | negative | empty
        if wrong.any():
            row = int(np.argmax(wrong))
            factor = int(members[row])
            found.append((factor, _fault(listed, places, factor, tables[row], bool(twice[row]))))
    if found:
        raise min(found, key=lambda entry: entry[0])[1]


def _fault(
    listed: Listed, places: Places, factor: int, table: FloatArray, twice: bool
) -> ModelFileError:
    at = int(listed.places[factor])
    if twice:
        scope = listed.scopes[listed.starts[factor] : listed.starts[factor + 1]].tolist()
        variable = next(v for v in scope if scope.count(v) > 1)
        return places.fault(
            at, f"factor {factor} has variable {variable} twice in its scope {scope}"
        )
    if (table < 0.0).any():
        value = int(np.argmax(table < 0.0))
        return places.fault(
            at + value,
            f"factor {factor}, value {value} is negative: {places.text(at + value)}",
            "potentials are >= 0; is this a log-space file? take the exponential of its values",
        )
    return places.fault(
        at,
        f"factor {factor} has no positive value",
        "a model in which nothing is possible has no answer",
    )


def check_network(listed: Listed, places: Places) -> Listed:
    """Check that factors are the CPTs of a Bayesian network, the child last; make rows sum to 1.

    Raises
    ------
    ModelFileError
        If a variable has no CPT or two, variables form a cycle, or a row does not sum to 1.

    """
    arities = listed.arities
    if not arities.all():
        factor = int(np.argmin(arities))
        raise places.fault(
            int(listed.places[factor]),
            f"factor {factor} has no variables",
            "in a BAYES file each factor is the CPT of the last variable of its scope",
        )
    children = listed.scopes[listed.starts[1:] - 1]
    counts = np.bincount(children, minlength=listed.cardinalities.size)
    if (counts != 1).any():
        raise _wrong_children(listed, places, children, counts)
    _refuse_cycle(listed, places, children)
    return _normalised(listed, places)


def _wrong_children(
    listed: Listed, places: Places, children: IntArray, counts: IntArray
) -> ModelFileError:
    said = [f"variable {v} has {_times(counts[v])}" for v in np.flatnonzero(counts != 1)[:5]]
    twice = np.flatnonzero(counts > 1)
    factor = int(np.flatnonzero(children == twice[0])[1]) if twice.size else 0
    at = int(listed.places[factor]) if listed.places.size else 10**18
    return places.fault(
        at,
        f"not a Bayesian network: {', '.join(said)}",
        "each variable is the last of exactly one scope; or write MARKOV in the first line",
    )


def _times(count: int) -> str:
    return "no CPT" if count == 0 else f"{'two' if count == 2 else count} CPTs"


def _refuse_cycle(listed: Listed, places: Places, children: IntArray) -> None:
    """Take away variables without parents until none is left."""
    child_of_edge = np.repeat(children, listed.arities)
    real = child_of_edge != listed.scopes
    parents, kids = listed.scopes[real], child_of_edge[real]
    waiting = np.bincount(kids, minlength=listed.cardinalities.size)
    order = np.argsort(parents, kind="stable")
    starts = np.searchsorted(parents[order], np.arange(listed.cardinalities.size + 1))
    ready = np.flatnonzero(waiting == 0).tolist()
    left = listed.cardinalities.size
    while ready:
        variable = ready.pop()
        left -= 1
        for kid in kids[order[starts[variable] : starts[variable + 1]]].tolist():
            waiting[kid] -= 1
            if waiting[kid] == 0:
                ready.append(kid)
    if left:
        variable = int(np.argmax(waiting > 0))
        factor = int(np.flatnonzero(children == variable)[0])
        raise places.fault(
            int(listed.places[factor]),
            f"not a Bayesian network: variable {variable} is on a cycle of parents, or below one",
        )


def _normalised(listed: Listed, places: Places) -> Listed:
    values = listed.values.copy()
    found: list[tuple[int, int, float]] = []
    for members, shape in listed.groups():
        states = shape[-1]
        rows = listed.tables_of(members, int(np.prod(shape))).reshape(len(members), -1, states)
        sums = rows.sum(axis=2)
        wrong = ~(np.abs(sums - 1.0) <= ROW_TOLERANCE * states)
        if wrong.any():
            which, row = np.argwhere(wrong)[0]
            found.append((int(members[which]), int(row) * states, float(sums[which, row])))
            continue
        where = listed.places[members][:, None] + np.arange(int(np.prod(shape)))
        values[where] = (rows / sums[:, :, None]).reshape(len(members), -1)
    if found:
        factor, value, total = min(found)
        scope = listed.scopes[listed.starts[factor] : listed.starts[factor + 1]]
        raise places.fault(
            int(listed.places[factor]) + value,
            f"factor {factor}: the row that starts at value {value} sums to {total:g}, not 1 "
            f"(probabilities of variable {scope[-1]})",
            "write MARKOV in the first line if these are not probabilities",
        )
    return replace(listed, values=values)
