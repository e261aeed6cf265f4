"""The table of factor families."""

import numpy as np

from mpnet.kernels.families import FAMILIES
from tests.graphs import random_loopy


def test_every_family_of_a_graph_is_entered():
    for seed in range(10):
        assert {family.kind for family in random_loopy(seed).build().families} <= set(FAMILIES)


def test_every_family_answers_all_three_questions():
    graph = random_loopy(3).build()
    family = graph.families[0]
    messages = np.zeros(int(graph.arrays.edge_states[-1]))
    here = (graph.arrays, family.arrays, family.first, family.last)
    assignment = np.zeros(len(graph.variables), dtype=np.int64)
    for kernels in FAMILIES.values():
        assert kernels.send(*here, messages, messages.copy()) == -1
        assert np.isfinite(kernels.log_partition(*here, messages))
        assert kernels.log_potential(*here, assignment) <= 10.0
