"""Words and the lines that their letters are drawn with.

Sources: McClelland and Rumelhart, An interactive activation model of context effects in letter
perception, Psychological Review 88 (1981), for the words and letters of the data folder.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mpnet.datafolder import data_file, data_folder
from mpnet.errors import DataError
from mpnet.kernels.layout import FloatArray

LETTERS = tuple(ascii_lowercase)
BLANK = "blank"
SYMBOLS = (*LETTERS, BLANK)
"""What may stand at a position of a display."""

Lines = NDArray[np.bool_]

SEGMENTS = ["a", "b", "c", "d", "e", "f", "g1", "g2", "h", "i", "j", "k", "l", "m"]
"""Lines of a display of fourteen segments: the frame clockwise, the middle, then the star inside."""

DRAWN = {
    **{"a": "a b c e f g1 g2", "b": "a b c d g2 i l", "c": "a d e f", "d": "a b c d i l"},
    **{"e": "a d e f g1 g2", "f": "a e f g1 g2", "g": "a c d e f g2", "h": "b c e f g1 g2"},
    **{"i": "a d i l", "j": "b c d e", "k": "e f g1 j k", "l": "d e f", "m": "b c e f h j"},
    **{"n": "b c e f h k", "o": "a b c d e f", "p": "a b e f g1 g2", "q": "a b c d e f k"},
    **{"r": "a b e f g1 g2 k", "s": "a c d f g1 g2", "t": "a i l", "u": "b c d e f"},
    **{"v": "e f j m", "w": "b c e f k m", "x": "h j k m", "y": "h j l", "z": "a d j m"},
}
"""The segments of each letter."""

Font = Literal["segments", "interactive_activation"]


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Words of one length, how easily they come to mind, and how letters are drawn.

    Parameters
    ----------
    words : tuple of str
        In lower case.
    levels : float64[words]
        Log weights, in nats; higher for what is frequent.
    lines : bool[27, lines]
        Which lines each of ``SYMBOLS`` has; the last, the blank, has none.
    font : str
        Name of the lines.
    source : str
        Where they come from, in words.

    """

    words: tuple[str, ...]
    levels: FloatArray
    lines: Lines
    font: Font
    source: str

    @property
    def spelling(self) -> NDArray[np.int64]:
        """Number of the symbol at each position, shape (words, positions)."""
        return np.array([[LETTERS.index(c) for c in word] for word in self.words])


def lexicon_of(words: Sequence[str]) -> Lexicon:
    """Words given one by one, all as easy, on fourteen segments."""
    return _given(tuple(words))


@cache
def _given(words: tuple[str, ...]) -> Lexicon:
    text = f"{len(words)} words of the scenario, on fourteen segments"
    return Lexicon(words, np.zeros(len(words)), lines_of("segments"), "segments", text)


@cache
def _segments() -> Lines:
    lines = np.array([[s in DRAWN[letter].split() for s in SEGMENTS] for letter in LETTERS])
    return _with_blank(lines)


WHAT = "words and letters of the interactive activation model, McClelland and Rumelhart 1981"
WORDS_FILE = "interactive_activation/words.csv"
LETTERS_FILE = "interactive_activation/letter_features.csv"


def has_interactive_activation() -> bool:
    """Whether the data folder, if there is one, holds the words and the letters."""
    folder = data_folder()
    return folder is not None and all((folder / f).is_file() for f in (WORDS_FILE, LETTERS_FILE))


def interactive_activation() -> Lexicon:
    """The 1,179 four-letter words of McClelland and Rumelhart, from the data folder.

    Raises
    ------
    DataError
        If files are missing or not what they should be.

    """
    return _read_words(data_file(WORDS_FILE, WHAT))


def lines_of(font: Font) -> Lines:
    """Which lines each of ``SYMBOLS`` has, bool[27, lines].

    Parameters
    ----------
    font : str
        ``segments``, or ``interactive_activation`` from the data folder.

    Raises
    ------
    DataError
        If the file is missing or not what it should be.

    """
    if font == "segments":
        return _segments()
    return _read_letters(data_file(LETTERS_FILE, WHAT))


@cache
def _read_words(path: Path) -> Lexicon:
    table = _rows(path)
    try:
        levels = np.array([float(row[1]) for row in table])
    except (ValueError, IndexError) as error:
        raise DataError(f"{path} holds a level that is no number ({error})") from None
    # A spreadsheet turned one word of the file into TRUE.
    names = tuple(row[0].lower() for row in table)
    if len({len(name) for name in names}) != 1 or not set("".join(names)) <= set(LETTERS):
        raise DataError(f"{path} must hold words of one length, in lower case")
    text = f"{len(names)} words of McClelland and Rumelhart"
    font: Font = "interactive_activation"
    return Lexicon(names, levels, lines_of(font), font, text)


@cache
def _read_letters(path: Path) -> Lines:
    table = _rows(path)
    if tuple(row[0] for row in table) != LETTERS:
        raise DataError(f"{path} must hold the lines of the letters a to z, in that order")
    cells = {cell for row in table for cell in row[1:]}
    if not cells <= {"0", "1"} or len({len(row) for row in table}) != 1:
        raise DataError(f"{path} must hold as many lines for each letter, each 0 or 1")
    return _with_blank(np.array([[cell == "1" for cell in row[1:]] for row in table]))


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.reader(file) if row][1:]


def _with_blank(lines: Lines) -> Lines:
    return np.concatenate([lines, np.zeros((1, lines.shape[1]), dtype=np.bool_)])
