"""Seeded generators of the problems that the benchmark runs on, and their mpnet graphs."""

from __future__ import annotations

import numpy as np

from benchmarks.exchange import Group, Instance


def grid_scopes(side: int) -> np.ndarray:
    """Pairs of neighbours on a square grid, int32[2 side (side - 1), 2]."""
    index = np.arange(side * side, dtype=np.int32).reshape(side, side)
    across = np.stack([index[:, :-1].ravel(), index[:, 1:].ravel()], axis=1)
    down = np.stack([index[:-1].ravel(), index[1:].ravel()], axis=1)
    return np.concatenate([across, down])


def binary_grid(side: int, coupling: float = 0.3, field: float = 0.3, seed: int = 0) -> Instance:
    """A spin glass: couplings and fields are normal, in nats.

    Parameters
    ----------
    side : int
        Variables along one side.
    coupling, field : float
        Standard deviations of the couplings J (table ``exp(+-J)``) and of the log unary
        potentials.
    seed : int
        Of the generator.

    """
    draw = np.random.default_rng(seed)
    scopes = grid_scopes(side)
    strength = draw.normal(size=len(scopes)) * coupling
    tables = np.exp(np.multiply.outer(strength, [[1.0, -1.0], [-1.0, 1.0]]))
    unary = np.exp(draw.normal(size=2 * side * side) * field)
    return _instance(
        f"binary grid {side}²", np.full(side * side, 2), unary, ("table", scopes, tables)
    )


def potts_grid(side: int, states: int, seed: int = 0) -> Instance:
    """A Potts grid with a table of its own for each pair, which is Potts only nearly.

    Parameters
    ----------
    side, states : int
        Variables along one side; states of each.
    seed : int
        Of the generator.

    """
    draw = np.random.default_rng(seed)
    scopes = grid_scopes(side)
    tables = draw.normal(size=(len(scopes), states, states)) * 0.1
    tables += np.multiply.outer(draw.normal(size=len(scopes)) * 0.5, np.eye(states))
    unary = np.exp(draw.normal(size=side * side * states) * 0.3)
    counts = np.full(side * side, states)
    return _instance(
        f"Potts {side}², {states} states", counts, unary, ("table", scopes, np.exp(tables))
    )


def triples(variables: int, factors: int, states: int = 4, seed: int = 0) -> Instance:
    """Random factors of three variables each, with tables of their own."""
    draw = np.random.default_rng(seed)
    scopes = _distinct(draw, factors, 3, variables)
    tables = np.exp(draw.normal(size=(factors, states, states, states)) * 0.3)
    unary = np.exp(draw.normal(size=variables * states) * 0.3)
    name = f"arity 3, {states} states, {variables:,} × {factors:,}"
    return _instance(name, np.full(variables, states), unary, ("table", scopes, tables))


def ors(factors: int, arity: int = 12, seed: int = 0) -> Instance:
    """Logical ORs over shared rare causes; each has a child of its own, seen through noise."""
    draw = np.random.default_rng(seed)
    causes = 3 * factors
    parents = _distinct(draw, factors, arity - 1, causes)
    scopes = np.concatenate([parents, causes + np.arange(factors)[:, None]], axis=1)
    rare = draw.uniform(0.02, 0.15, size=causes)
    seen = draw.uniform(0.2, 0.8, size=factors)
    on = np.concatenate([rare, seen])
    unary = np.stack([1.0 - on, on], axis=1).ravel()
    counts = np.full(causes + factors, 2)
    return _instance(f"OR, arity {arity}, {factors:,}", counts, unary, ("or", scopes))


def noisy_ors(factors: int, parents: int = 1000, causes: int = 5000, seed: int = 0) -> Instance:
    """Noisy ORs of very many parents; a leak is one more cause that is always on."""
    draw = np.random.default_rng(seed)
    chosen = _distinct(draw, factors, parents, causes)
    scopes = np.concatenate([chosen, causes + np.arange(factors)[:, None]], axis=1)
    strength = draw.uniform(0.05, 0.9, size=(factors, parents))
    rare = draw.uniform(0.0002, 0.002, size=causes)
    seen = draw.uniform(0.05, 0.95, size=factors)
    on = np.concatenate([rare, seen])
    unary = np.stack([1.0 - on, on], axis=1).ravel()
    counts = np.full(causes + factors, 2)
    name = f"noisy OR, {parents:,} parents, {factors:,}"
    return _instance(name, counts, unary, ("noisy_or", scopes, strength))


def with_hidden_causes(instance: Instance) -> Instance:
    """The same noisy ORs for a peer that has only OR: one hidden cause per parent."""
    counts, unary, groups = instance.cardinalities, instance.unary, []
    for group in instance.groups:
        count, parents = group.values.shape
        hidden = len(counts) + np.arange(count * parents).reshape(count, parents)
        strength = group.values.ravel()
        tables = np.zeros((strength.size, 2, 2))
        tables[:, 0, 0] = 1.0
        tables[:, 1] = np.stack([1.0 - strength, strength], axis=1)
        pairs = np.stack([group.scopes[:, :-1].ravel(), hidden.ravel()], axis=1)
        groups.append(Group("table", pairs, tables))
        groups.append(Group("or", np.concatenate([hidden, group.scopes[:, -1:]], axis=1)))
        counts = np.concatenate([counts, np.full(hidden.size, 2)])
        unary = np.concatenate([unary, np.ones(2 * hidden.size)])
    return Instance(f"{instance.name}, as ORs of hidden causes", counts, unary, tuple(groups))


def parity_checks(variables: int, arity: int = 6, degree: int = 3, seed: int = 0) -> Instance:
    """A regular low-density parity-check code with a random syndrome, above what it can decode.

    Each variable is in about ``degree`` checks; what is asked for is the error pattern of a
    channel whose flip probabilities differ from bit to bit.
    """
    draw = np.random.default_rng(seed)
    checks = variables * degree // arity
    scopes = _regular(draw, checks, arity, degree, variables)
    syndrome = draw.integers(2, size=checks)
    weights = np.stack([1.0 - syndrome, syndrome], axis=1).astype(np.float64)
    flip = draw.uniform(0.1, 0.4, size=variables)
    unary = np.stack([1.0 - flip, flip], axis=1).ravel()
    name = f"parity, arity {arity}, {variables:,} variables"
    return _instance(name, np.full(variables, 2), unary, ("parity", scopes, weights))


def evidence_sets(instance: Instance, count: int, seen: int, seed: int = 0) -> list[dict[int, int]]:
    """Sets of observed states by variable, ``seen`` variables in each."""
    draw = np.random.default_rng(seed)
    variables = len(instance.cardinalities)
    sets = []
    for _ in range(count):
        chosen = draw.choice(variables, size=seen, replace=False)
        states = draw.integers(instance.cardinalities[chosen])
        sets.append(dict(zip(map(int, chosen), map(int, states), strict=True)))
    return sets


def random_pairs(variables: int, factors: int, seed: int = 0) -> Instance:
    """A random sparse graph of binary pairs, without any locality in memory."""
    draw = np.random.default_rng(seed)
    scopes = _distinct(draw, factors, 2, variables)
    strength = draw.normal(size=factors) * 0.3
    tables = np.exp(np.multiply.outer(strength, [[1.0, -1.0], [-1.0, 1.0]]))
    unary = np.exp(draw.normal(size=2 * variables) * 0.3)
    name = f"random pairs, {variables:,} × {factors:,}"
    return _instance(name, np.full(variables, 2), unary, ("table", scopes, tables))


def to_graph(instance: Instance):
    """The instance as ``mpnet.graph.FactorGraph``, structured kinds as what they are."""
    from mpnet.factors import NoisyOr, Or, Parity
    from mpnet.graph import FactorGraph

    makers = {
        "table": lambda group: group.values,
        "or": lambda group: Or.batch(),
        "parity": lambda group: Parity.batch(group.values),
        "noisy_or": lambda group: NoisyOr.batch(group.values),
    }
    groups = [(group.scopes, makers[group.kind](group)) for group in instance.groups]
    return FactorGraph.from_arrays(instance.cardinalities, groups, unary=instance.unary)


def _instance(name: str, counts: np.ndarray, unary: np.ndarray, *groups: tuple) -> Instance:
    return Instance(name, counts, unary, tuple(Group(*group) for group in groups))


def _distinct(draw: np.random.Generator, rows: int, columns: int, limit: int) -> np.ndarray:
    """Rows of distinct indices below ``limit``."""
    found = draw.integers(limit, size=(rows, columns))
    while (bad := (np.diff(np.sort(found, axis=1), axis=1) == 0).any(axis=1)).any():
        if columns**2 > limit:
            found[bad] = [draw.choice(limit, columns, replace=False) for _ in range(bad.sum())]
        else:
            found[bad] = draw.integers(limit, size=(bad.sum(), columns))
    return found


def _regular(
    draw: np.random.Generator, rows: int, columns: int, degree: int, limit: int
) -> np.ndarray:
    """Rows of distinct indices in which every index comes up ``degree`` times."""
    slots = np.repeat(np.arange(limit), degree)[: rows * columns]
    draw.shuffle(slots)
    found = slots.reshape(rows, columns)
    while (bad := (np.diff(np.sort(found, axis=1), axis=1) == 0).any(axis=1)).any():
        for row in np.flatnonzero(bad):
            other, ours, theirs = (
                draw.integers(rows),
                draw.integers(columns),
                draw.integers(columns),
            )
            found[row, ours], found[other, theirs] = found[other, theirs], found[row, ours]
    return found
