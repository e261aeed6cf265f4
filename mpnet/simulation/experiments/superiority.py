"""Letters half seen: in a word, alone, and among letters that make no word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from mpnet.errors import Fault, NumericalError
from mpnet.estimators.base import Options, Problem, Snapshot, ignore
from mpnet.estimators.flat import Flat
from mpnet.graph import FactorGraph, freeze
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.names import Name
from mpnet.nodes.base import NodeFaults
from mpnet.nodes.display import UNSEEN
from mpnet.nodes.lexicon import BLANK, LETTERS, SYMBOLS
from mpnet.nodes.words import Words
from mpnet.record import Findings
from mpnet.simulation.experiments.base import Experiment, Tell

if TYPE_CHECKING:
    from mpnet.simulation.loading import Scenario
    from mpnet.society import Society

CONTEXTS = ("word", "alone", "no word")
WATCHED = 4
"""Letters whose beliefs are followed over the iterations."""


class Superiority(Experiment):
    """The same lines of a letter in three contexts: a word, blanks, and letters at random."""

    words: Name = Field("word", description="The node of type words.")
    seen: list[float] = Field(
        default_factory=lambda: [0.3, 0.45, 0.6],
        min_length=1,
        description="Shares of all lines that are seen, in (0, 1].",
    )
    trials: int = Field(150, ge=2, le=10**5, description="Words shown at each share.")
    watch: int = Field(
        4, ge=1, description="Position of the display whose letter is followed over iterations."
    )

    def measures(self, scenario: Scenario) -> Mapping[str, str]:
        """Beliefs, choices and advantages by context."""
        found = {}
        for context in CONTEXTS:
            found[f"belief, {context}"] = "mean belief in the letter shown"
            found[f"choice, {context}"] = "right choices between it and another that makes a word"
        for context in CONTEXTS[1:]:
            found[f"word over {context}"] = "mean gain of the letter's log-odds, in nats"
        found["words worse than alone"] = "share of trials where the word did not help"
        return found

    def check(self, scenario: Scenario) -> None:
        """Whether there are words, and something to watch."""
        node, faults = scenario.society.nodes.get(self.words), []
        if not isinstance(node, Words):
            faults.append(Fault(("words",), f"{self.words!r} is not a node of type words"))
        else:
            if self.watch > len(node.positions()):
                what = f"there is no position {self.watch}"
                faults.append(Fault(("watch",), what, f"1 to {len(node.positions())}"))
            if not _has_targets(node):
                faults.append(Fault(("words",), "no two words differ in one letter only"))
            if node.display not in scenario.seen:
                faults.append(Fault((), f"there is no evidence on {node.display!r} to watch"))
        for number, share in enumerate(self.seen):
            if not 0.0 < share <= 1.0:
                what = f"must be a share in (0, 1], got {share:g}"
                faults.append(Fault(("seen", number), what))
        if faults:
            raise NodeFaults(faults)

    def run(self, scenario: Scenario, tell: Tell) -> Findings:
        """Show each word's letter in all three contexts with the same of its lines seen."""
        from mpnet.simulation.answering import options_of

        options = replace(options_of(scenario), schedule="flooding", damping=0.0)
        board = Board(scenario.society, self.words, options)
        rng = np.random.default_rng(options.seed)
        beliefs = np.empty((len(self.seen), self.trials, len(CONTEXTS), 2))
        for row, share in enumerate(self.seen):
            for trial in range(self.trials):
                beliefs[row, trial] = _show(board, share, rng)
                tell(row * self.trials + trial + 1, len(self.seen) * self.trials)
        return self._findings(beliefs, self._watched(board, scenario))

    def _watched(self, board: Board, scenario: Scenario) -> dict[str, FloatArray]:
        """Beliefs of one letter over the iterations, as displayed and with blanks around it."""
        shown = np.asarray(scenario.seen[board.node.display].data, dtype=np.int64)
        alone = np.zeros_like(shown)
        alone[self.watch - 1] = shown[self.watch - 1]
        return {
            "watched in word": board.course(shown, self.watch - 1),
            "watched alone": board.course(alone, self.watch - 1),
        }

    def _findings(self, beliefs: FloatArray, watched: Mapping[str, FloatArray]) -> Findings:
        right, other = beliefs[..., 0], beliefs[..., 1]
        # A letter is read before the choice is given; where it is neither, the choice is a guess.
        choice = right + 0.5 * (1.0 - right - other)
        odds = np.log(right) - np.log1p(-right)
        numbers = {}
        for place, context in enumerate(CONTEXTS):
            numbers[f"belief, {context}"] = float(right[..., place].mean())
            numbers[f"choice, {context}"] = float(choice[..., place].mean())
        gains = odds[..., [0]] - odds
        for place, context in enumerate(CONTEXTS[1:], 1):
            numbers[f"word over {context}"] = float(gains[..., place].mean())
        numbers["words worse than alone"] = float((gains[..., 1] <= 0.0).mean())
        last = watched["watched in word"][-1]
        top = np.argsort(-last, kind="stable")[:WATCHED]
        curves = {name: course[:, top] for name, course in watched.items()}
        curves |= {"seen": np.array(self.seen), "belief": right, "choice": choice, "gain": gains}
        labels = {"contexts": CONTEXTS, "letters": tuple(SYMBOLS[t] for t in top)}
        notes = (
            f"{right[..., 0].size} letters half seen: forced choice right in "
            f"{numbers['choice, word']:.1%} (word), {numbers['choice, alone']:.1%} (alone), "
            f"{numbers['choice, no word']:.1%} (no word)",
        )
        return Findings("superiority", numbers, curves, labels, notes)


def _has_targets(node: Words) -> bool:
    """Whether some letter of some word can be replaced by another to make a word."""
    spelling = node.known().spelling
    places = range(spelling.shape[1])
    return any(len(np.unique(np.delete(spelling, p, 1), axis=0)) < len(spelling) for p in places)


def _show(board: Board, share: float, rng: np.random.Generator) -> FloatArray:
    """One word at random: beliefs in the letter and in its rival, by context, shape (3, 2)."""
    number, place = board.targets[rng.integers(len(board.targets))]
    word, lines = board.spelling[number], board.lines
    seen = rng.random((word.size, lines.shape[1])) < share
    letter, rival = word[place], rng.choice(board.rivals(word, place))
    blanks = np.full(word.size, SYMBOLS.index(BLANK))
    found = np.empty((len(CONTEXTS), 2))
    for context, letters in enumerate((word, blanks, board.no_word(word, place, rng))):
        shown = letters.copy()
        shown[place] = letter
        display = np.where(seen, lines[shown].astype(np.int64), UNSEEN)
        belief = board.read(display, place)
        found[context] = belief[letter], belief[rival]
    return found


class Board:
    """The society's graph, on which one display after another is shown.

    Parameters
    ----------
    society : Society
        With a node of words.
    words : str
        Its name.
    options : Options
        Of inference.

    """

    def __init__(self, society: Society, words: str, options: Options) -> None:
        node = society.nodes[words]
        assert isinstance(node, Words)  # noqa: S101 - checked before
        self.node, self.options = node, options
        self.graph = society.assemble({})
        known = node.known()
        self.spelling, self.lines = known.spelling, known.lines
        index, starts = self.graph.index, self.graph.arrays.variable_states
        self.letters = [self.graph.states_of(index[name]) for name in node.positions()]
        self.at = np.array(
            [[starts[index[line]] for line in node.lines_of(name)] for name in node.positions()]
        )
        self.targets = [
            (number, place)
            for number, word in enumerate(self.spelling)
            for place in range(word.size)
            if self.rivals(word, place).size
        ]

    def rivals(self, word: IntArray, place: int) -> IntArray:
        """Other letters that make a word at that place."""
        same = (np.delete(self.spelling, place, 1) == np.delete(word, place)).all(axis=1)
        found: IntArray = self.spelling[same, place]
        others: IntArray = found[found != word[place]]
        return others

    def no_word(self, word: IntArray, place: int, rng: np.random.Generator) -> IntArray:
        """The letter among others that make no word with any letter in its place."""
        while True:
            letters = rng.integers(len(LETTERS), size=word.size)
            letters[place] = word[place]
            same = np.delete(self.spelling, place, 1) == np.delete(letters, place)
            if not same.all(axis=1).any():
                return letters

    def shown(self, display: IntArray) -> FactorGraph:
        """The graph with lines (positions, lines) as evidence: 1, 0 or not seen."""
        unary = self.graph.unary.copy()
        unary[self.at[display == 0] + 1] = -np.inf
        unary[self.at[display == 1]] = -np.inf
        return replace(self.graph, unary=freeze(unary))

    def read(self, display: IntArray, place: int) -> FloatArray:
        """Belief in each symbol at a place, shape (27,)."""
        found = Flat().estimate(Problem(self.shown(display)), self.options, ignore)
        if found.status != "converged":
            raise NumericalError(f"a display was not read: {found.reason}")
        return found.beliefs[self.letters[place]]

    def course(self, display: IntArray, place: int) -> FloatArray:
        """The same over the iterations, the first before any, shape (iterations, 27)."""
        rows: list[FloatArray] = []

        def keep(snapshot: Snapshot) -> None:
            rows.append(snapshot.messages.marginals()[self.letters[place]])

        Flat().estimate(Problem(self.shown(display)), self.options, keep)
        return np.array(rows)
