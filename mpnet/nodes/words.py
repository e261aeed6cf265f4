"""Words over letters over lines: which word a display shows, if it shows one."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import Node, Rule, Surroundings, fault
from mpnet.nodes.conditional import conditional
from mpnet.nodes.lexicon import (
    BLANK,
    LETTERS,
    SYMBOLS,
    Lexicon,
    has_interactive_activation,
    interactive_activation,
    lexicon_of,
)

NO_WORD = "no word"


class Words(Node):
    """The word that a display shows; brings the display, its letters and their lines."""

    kind: ClassVar[str] = "choice"
    in_question: ClassVar[bool] = True

    words: list[str] = Field(
        min_length=2, description="Words of one length, in lower case; all as frequent."
    )
    lexicon: Literal["interactive_activation"] | None = Field(
        None, description="Words and letters of the data folder, used instead where it is there."
    )
    word: float = Field(0.5, gt=0.0, lt=1.0, description="Probability that it is a word at all.")
    slip: float = Field(
        0.01, gt=0.0, lt=1.0, description="Probability of any other letter in place of a word's."
    )
    blank: float = Field(
        0.5, gt=0.0, lt=1.0, description="Probability that a position is blank where it is no word."
    )
    noise: float = Field(0.02, gt=0.0, lt=0.5, description="Probability that a line is wrong.")
    display: Name = Field("display", description="Name of the display, brought along.")

    @field_validator("words")
    @classmethod
    def _of_one_length(cls, words: list[str]) -> list[str]:
        for number, word in enumerate(words):
            if not word or not set(word) <= set(LETTERS):
                raise ValueError(f"{word!r} is no word; words are made of the letters a to z")
            if len(word) != len(words[0]):
                raise ValueError(f"{word!r} is not as long as {words[0]!r}")
            if word in words[:number]:
                raise ValueError(f"{word!r} is there twice; words must differ")
        return words

    def known(self) -> Lexicon:
        """The words: those of the data folder if they are asked for and there."""
        if self.lexicon is not None and has_interactive_activation():
            return interactive_activation()
        return lexicon_of(self.words)

    def positions(self) -> list[str]:
        """Names of the letters, in order."""
        return [f"letter {number + 1}" for number in range(len(self.known().words[0]))]

    def lines_of(self, position: str) -> list[str]:
        """Names of the lines at a position."""
        return [f"{position}, line {n + 1}" for n in range(self.known().lines.shape[1])]

    def domain(self) -> tuple[str, ...]:
        """The words, then no word."""
        return (*self.known().words, NO_WORD)

    def rates(self, around: Surroundings) -> FloatArray:
        """Words by their level; no word with what is left."""
        return self.prior()

    def prior(self) -> FloatArray:
        """Probabilities of the words and of no word, shape (words + 1,)."""
        levels = self.known().levels
        shares = np.exp(levels - levels.max())
        return np.append(self.word * shares / shares.sum(), 1.0 - self.word)

    def letters(self, place: int) -> FloatArray:
        """Probability of each symbol at a position given the word, shape (words + 1, 27)."""
        spelling = self.known().spelling[:, place]
        rows = np.full((len(spelling) + 1, len(SYMBOLS)), self.slip / (len(SYMBOLS) - 1))
        rows[np.arange(len(spelling)), spelling] = 1.0 - self.slip
        rows[-1] = (1.0 - self.blank) / len(LETTERS)
        rows[-1, -1] = self.blank
        return rows

    def drawn(self) -> FloatArray:
        """Probability of each line given the symbol, shape (27, lines)."""
        return np.where(self.known().lines, 1.0 - self.noise, self.noise)

    def brings(self, name: str) -> dict[str, dict[str, Any]]:
        """The display, a letter for each position, and its lines."""
        nodes: dict[str, dict[str, Any]] = {self.display: self._display()}
        for place, position in enumerate(self.positions()):
            rates = self.prior() @ self.letters(place)
            base = dict(zip(SYMBOLS, map(float, rates / rates.sum()), strict=True))
            nodes[position] = {"type": "feature", "states": list(SYMBOLS), "base_rates": base}
            for number, line in enumerate(self.lines_of(position)):
                nodes[line] = {
                    "type": "line",
                    "sees": self.display,
                    "place": place,
                    "number": number,
                    "rate": float(rates @ self.drawn()[:, number]),
                }
        return nodes

    def _display(self) -> dict[str, Any]:
        known = self.known()
        return {"type": "display", "places": len(known.words[0]), "font": known.font}

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """Words predict letters, letters predict lines."""
        found = []
        for place, position in enumerate(self.positions()):
            base = around.base_rates_of(position)
            if len(base) != len(SYMBOLS) or not (base > 0.0).all():
                what = f"it needs a node {position!r} with all letters and {BLANK!r} as states"
                raise fault((), what)
            found.append(conditional(name, position, self.letters(place), base))
            for line, p in zip(self.lines_of(position), self.drawn().T, strict=True):
                rows = np.column_stack([1.0 - p, p])
                found.append(conditional(position, line, rows, around.base_rates_of(line)))
        return found
