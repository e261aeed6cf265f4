"""Where beliefs are read off a join tree: the smallest table that holds the variables."""

from __future__ import annotations

import numpy as np

from mpnet.kernels.layout import IntArray
from mpnet.regions.plans import Read
from mpnet.regions.reduction import Scope
from mpnet.regions.trees import JoinTree, Ranked


def variable_reads(model: Ranked, tree: JoinTree) -> list[Read]:
    """One read for each rank, in their order."""
    tables = [
        (model.size(scope), number, above)
        for above, scopes in ((False, tree.scopes), (True, tree.separators))
        for number, scope in enumerate(scopes)
    ]
    found: list[Read | None] = [None] * model.counts.size
    for _, number, above in sorted(tables):
        for rank in tree.separators[number] if above else tree.scopes[number]:
            if found[rank] is None:
                found[rank] = Read((rank,), number, above)
    return [read for read in found if read is not None]


def owners(model: Ranked, tree: JoinTree) -> IntArray:
    """The cluster from which each rank goes no further up, shape (R,)."""
    owner = np.full(model.counts.size, -1)
    for number, scope in enumerate(tree.scopes):
        own = [rank for rank in scope if rank not in set(tree.separators[number])]
        owner[own] = number
    return owner


def scope_read(
    model: Ranked,
    tree: JoinTree,
    children: list[list[int]],
    owner: IntArray,
    scope: Scope,
) -> Read | None:
    """A read for several ranks (ascending) together, or None if no cluster has them all."""
    wanted = set(scope)
    here = int(owner[scope[0]])
    if not wanted <= set(tree.scopes[here]):
        return None
    best = model.size(tree.scopes[here]), here, False
    while True:
        below = [d for d in children[here] if wanted <= set(tree.separators[d])]
        for child in below:
            best = min(
                best,
                (model.size(tree.separators[child]), child, True),
                (model.size(tree.scopes[child]), child, False),
            )
        if not below:
            return Read(scope, best[1], best[2])
        here = min(below, key=lambda d: model.size(tree.scopes[d]))
