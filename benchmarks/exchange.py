"""Instances as plain numpy arrays, and how they travel to a peer's process; needs numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Group:
    """Factors of one kind and one shape.

    Parameters
    ----------
    kind : str
        ``table``, ``or`` (child last), ``parity`` or ``noisy_or`` (child last).
    scopes : int64[F, arity]
        Indices of variables.
    values : float64[F, ...]
        Potentials of a ``table``, one axis per variable; potentials of even and odd for
        ``parity`` (F, 2); the probabilities that each parent turns the child on for
        ``noisy_or`` (F, parents); empty for ``or``.

    """

    kind: str
    scopes: np.ndarray
    values: np.ndarray = field(default_factory=lambda: np.empty(0))

    @property
    def arity(self) -> int:
        return int(self.scopes.shape[1])


@dataclass(frozen=True)
class Instance:
    """A factor graph as arrays: what every contestant is given.

    Parameters
    ----------
    name : str
        What the tables call it.
    cardinalities : int64[V]
        Number of states of each variable.
    unary : float64[B]
        Unary potentials of all states of all variables in a row.
    groups : tuple of Group
        All other factors; each has at least two variables.

    """

    name: str
    cardinalities: np.ndarray
    unary: np.ndarray
    groups: tuple[Group, ...]

    @property
    def edges(self) -> int:
        """Edges to factors of arity >= 2: factor-to-variable messages of one sweep."""
        return sum(group.scopes.size for group in self.groups)

    @property
    def factors(self) -> int:
        return sum(len(group.scopes) for group in self.groups)

    @property
    def message_entries(self) -> int:
        """Numbers in all factor-to-variable messages."""
        return int(sum(self.cardinalities[group.scopes].sum() for group in self.groups))

    @property
    def table_entries(self) -> int:
        """Numbers that describe all factors, those of structured kinds included."""
        return sum(group.values.size for group in self.groups)

    @property
    def starts(self) -> np.ndarray:
        """Start of each variable's states in ``unary``, int64[V + 1]."""
        return np.concatenate([[0], np.cumsum(self.cardinalities)])

    def kinds(self) -> set[str]:
        return {group.kind for group in self.groups}

    def is_pairwise(self) -> bool:
        return all(group.kind == "table" and group.arity == 2 for group in self.groups)

    def unary_of(self, variable: int) -> np.ndarray:
        return self.unary[self.starts[variable] : self.starts[variable + 1]]


def save(instance: Instance, path: str) -> None:
    """Write an instance as an uncompressed .npz file."""
    arrays = {"cardinalities": instance.cardinalities, "unary": instance.unary}
    for number, group in enumerate(instance.groups):
        arrays[f"{number}_kind"] = np.array(group.kind)
        arrays[f"{number}_scopes"] = group.scopes
        arrays[f"{number}_values"] = group.values
    np.savez(path, name=np.array(instance.name), **arrays)


def load(path: str) -> Instance:
    """Read what ``save`` wrote; tables and scopes are read-only."""
    with np.load(path) as data:
        count = sum(key.endswith("_kind") for key in data)
        groups = tuple(
            Group(str(data[f"{n}_kind"]), data[f"{n}_scopes"], data[f"{n}_values"])
            for n in range(count)
        )
        for group in groups:
            _freeze(group.values)
            _freeze(group.scopes)
        return Instance(str(data["name"]), data["cardinalities"], data["unary"], groups)


def _freeze(array: np.ndarray) -> None:
    """Make an array read-only, and whatever it is a view of."""
    while isinstance(array, np.ndarray):
        array.flags.writeable = False
        array = array.base


def dense_twin(group: Group) -> np.ndarray:
    """The tables that a structured group stands for, (F, 2, ..., 2); for peers and for tests."""
    if group.kind == "table":
        return group.values
    states = np.indices((2,) * group.arity).reshape(group.arity, -1).T
    if group.kind == "or":
        flat = (states[:, :-1].any(axis=1) == states[:, -1]).astype(np.float64)
        tables = np.tile(flat, (len(group.scopes), 1))
    elif group.kind == "parity":
        tables = group.values[:, states.sum(axis=1) % 2]
    else:
        off = np.prod(1.0 - group.values[:, None, :] * states[None, :, :-1], axis=2)
        tables = np.where(states[None, :, -1] == 0, off, 1.0 - off)
    return tables.reshape(len(group.scopes), *(2,) * group.arity)
