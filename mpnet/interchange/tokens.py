"""Text of numbers, taken apart all at once: what each token is worth and where it stands."""

from __future__ import annotations

import re
import warnings

import numpy as np
from numpy.typing import NDArray

from mpnet.errors import shown
from mpnet.interchange.files import ModelFileError, fault
from mpnet.kernels.layout import FloatArray

OTHER, SPACE, DIGIT, MARK = 0, 1, 2, 3
"""Kinds of characters; marks are what a number holds besides digits."""

NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
"""What counts as a number: no names of infinities, no underscores, ASCII digits only."""

_COMMENT = re.compile(rb"#[^\r\n]*")
_C_LINE = re.compile(rb"(?m)^[ \t\r]*c(?=[ \t\r\n]|\Z)[^\r\n]*")


def _kinds() -> NDArray[np.uint8]:
    kinds = np.zeros(256, dtype=np.uint8)
    for kind, characters in ((SPACE, b" \t\r\n\v\f"), (DIGIT, b"0123456789"), (MARK, b"+-.eE")):
        kinds[list(characters)] = kind
    return kinds


_KIND = _kinds()


class Tokens:
    """The tokens of a text: ``words`` words first, then numbers.

    Nothing is refused here: a token that is no number is worth NaN, and so are all after the
    first such, so that a reader who goes through them in order meets it in a place with a name.

    Parameters
    ----------
    data : bytes
        The text; ``#`` and, where ``c_lines``, lines that start with ``c`` are comments.
    source : str
        File name for messages.
    words : int
        How many tokens at the start are not numbers.
    c_lines : bool
        Whether lines may be comments in the manner of DIMACS.

    Attributes
    ----------
    numbers : float64[N]
        What each token is worth; NaN for words and from the first bad token on.
    whole : float64[N]
        The same where a token has digits only; NaN elsewhere.
    bad : int
        The first token that should be a finite number and is not, or N.

    """

    def __init__(self, data: bytes, source: str, words: int = 0, c_lines: bool = False) -> None:
        self.data, self.source, self.words = data, source, words
        text = _COMMENT.sub(_blank, data) if b"#" in data else data
        if c_lines and b"c" in data:
            text = _C_LINE.sub(_blank, text)
        self._text = text
        self._kind = _KIND[np.frombuffer(text, dtype=np.uint8)]
        filled = np.zeros(len(text) + 2, dtype=bool)
        np.not_equal(self._kind, SPACE, out=filled[1:-1])
        edges = np.flatnonzero(filled[1:] != filled[:-1])
        self.starts, self.ends = edges[::2], edges[1::2]
        self.numbers, self.bad = self._numbers()
        self.whole = np.where(self._of(MARK) > 0, np.nan, self.numbers)

    def __len__(self) -> int:
        """How many tokens there are."""
        return self.starts.size

    def text(self, token: int) -> str:
        """A token as it is written."""
        where = slice(int(self.starts[token]), int(self.ends[token]))
        return self._text[where].decode("utf-8", "replace")

    def fault(self, token: int, what: str, hint: str = "") -> ModelFileError:
        """An error at a token, or at the end of the file."""
        offset = int(self.starts[token]) if token < len(self) else len(self._text.rstrip())
        return fault(self.source, what, hint, self.data, offset)

    def problem(self, token: int) -> str:
        """What is wrong with a token that is no finite number."""
        text = self.text(token)
        if NUMBER.fullmatch(text.encode()):
            if float(text) == 0.0:
                return f"is {_show(text)}, which is too small for a double and would become 0"
            return f"is {_show(text)}, which is too large for a double"
        if re.fullmatch(r"[+-]?\d+,\d+", text):
            return f"is {_show(text)}; the decimal sign is a point, and spaces separate numbers"
        return f"is {_show(text)}, which is not a finite number"

    def _of(self, kind: int) -> NDArray[np.int64]:
        """How many characters of a kind each token has."""
        where = np.flatnonzero(self._kind == kind)
        tokens = np.searchsorted(self.starts, where, side="right") - 1
        return np.bincount(tokens[tokens >= 0], minlength=self.starts.size)

    def _numbers(self) -> tuple[FloatArray, int]:
        count = self.starts.size
        numbers = np.full(count, np.nan)
        if count <= self.words:
            return numbers, count
        first = int(self.starts[self.words])
        odd = np.flatnonzero(self._kind[first:] == OTHER)
        bad = self._token_at(first + int(odd[0])) if odd.size else count
        found = self._converted(self.words, bad)
        if found is None:
            bad = self._first_malformed(bad)
            found = self._converted(self.words, bad)
        if found is None:  # numpy's idea of a number is narrower than ours: trust nothing
            return numbers, self.words
        numbers[self.words : bad] = found
        if np.isinf(found).any():
            bad = self.words + int(np.argmax(np.isinf(found)))
        bad = self._first_vanished(numbers, bad)
        numbers[bad:] = np.nan
        return numbers, bad

    def _token_at(self, offset: int) -> int:
        return int(np.searchsorted(self.starts, offset, side="right")) - 1

    def _converted(self, first: int, last: int) -> FloatArray | None:
        """Tokens as numbers, or None if some token is not exactly one."""
        if first == last:
            return np.empty(0)
        text = self._text[int(self.starts[first]) : int(self.ends[last - 1])]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = np.fromstring(text, sep=" ")
        except (ValueError, DeprecationWarning):
            return None
        # A number never spans a space, so equally many numbers and tokens are one to one.
        return found if found.size == last - first else None

    def _first_malformed(self, last: int) -> int:
        for token in range(self.words, last):
            if not NUMBER.fullmatch(self._text, int(self.starts[token]), int(self.ends[token])):
                return token
        return last

    def _first_vanished(self, numbers: FloatArray, bad: int) -> int:
        """The first token that is above 0 as it is written, but not as a double."""
        zeros = np.flatnonzero(numbers[:bad] == 0.0)
        for token in zeros[(self.ends - self.starts)[zeros] > 4]:
            text = self._text[int(self.starts[token]) : int(self.ends[token])]
            if text.lower().partition(b"e")[0].strip(b"+-.0"):
                return int(token)
        return bad


def _blank(match: re.Match[bytes]) -> bytes:
    return b" " * len(match.group())


def _show(text: str) -> str:
    return repr(shown(text, 40))
