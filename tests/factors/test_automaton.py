"""Weighted automata, with one path for each assignment and with several."""

import numpy as np

from mpnet.factors import Automaton
from tests.factors.contract import Example, FactorContract, assert_wide, normal, refused, shares
from tests.graphs import names


def paths(arcs, final, state, word):
    """Sum over all paths that read a word, of the product of weights, path by path."""
    if not word:
        return final.get(state, 0.0)
    return sum(
        weight * paths(arcs, final, after, word[1:])
        for before, letter, after, weight in arcs
        if before == state and letter == word[0]
    )


class AutomatonContract(FactorContract):
    arities = (1, 2, 3, 4)

    def draw(self, rng, arity):
        letters, hidden = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        start = int(rng.integers(hidden))
        arcs = self.arcs(rng, letters, hidden)
        final = {s: float(rng.gamma(1.0) + 0.1) for s in range(hidden) if rng.random() < 0.7}
        return Example(
            (letters,) * arity,
            lambda v: Automaton(v, arcs, final, start),
            lambda *word: paths(arcs, final, start, word),
        )


class TestDeterministicAutomaton(AutomatonContract):
    def arcs(self, rng, letters, hidden):
        return [
            (before, letter, int(rng.integers(hidden)), float(rng.gamma(1.0) + 0.05))
            for before in range(hidden)
            for letter in range(letters)
            if rng.random() < 0.8
        ]


class TestAutomatonWithSeveralPaths(AutomatonContract):
    def arcs(self, rng, letters, hidden):
        return [
            (before, letter, after, float(rng.gamma(1.0) * (rng.random() < 0.9)))
            for before in range(hidden)
            for letter in range(letters)
            for after in range(hidden)
            if rng.random() < 0.7
        ]


def test_words_without_two_ones_in_a_row_have_their_transfer_matrix():
    unaries = shares(9, low=0.2)
    arcs = [(0, 0, 0, 1.0), (0, 1, 1, 1.0), (1, 0, 0, 1.0)]
    v = names(*range(len(unaries)))
    before, log_z = np.array([1.0, 0.0]), 0.0
    for off, on in unaries:
        before = before @ np.array([[off, on], [off, 0.0]])
        log_z += np.log(before.sum())
        before /= before.sum()
    assert_wide(Automaton(v, arcs, {0: 1.0, 1: 1.0}), unaries, {-1: normal(*before)}, log_z)


def test_what_makes_no_sense_is_refused():
    v = ["a", "b"]
    refused(Automaton(v, [(0, 2, 0, 1.0)], {0: 1.0}), r"arcs\[0\] is \(0, 2, 0, 1.0\); .* 0 to 1")
    refused(Automaton(v, [(0, 0, -1, 1.0)], {0: 1.0}), r"arcs\[0\] is \(0, 0, -1, 1.0\); hidden")
    refused(
        Automaton(v, [(0, 0, 0, np.nan)], {0: 1.0}), r"arcs\[0\] has the weight nan; it must be"
    )
    refused(Automaton(v, [(0, 0, 0, -1.0)], {0: 1.0}), r"arcs\[0\] has the weight -1.0; it must be")
    refused(Automaton(v, [(0, 0, 0, 1.0)], {0: np.inf}), r"final\[0\] is inf; .* at least 0")
