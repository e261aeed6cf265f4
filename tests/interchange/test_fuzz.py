"""Files that were damaged at random: a graph or one error of ours, in time."""

import time

import numpy as np
import pytest

from mpnet.interchange.bif import read_bif
from mpnet.interchange.evidence import read_evidence
from mpnet.interchange.files import ModelFileError
from mpnet.interchange.libdai import read_fg
from mpnet.interchange.uai import read_uai
from tests.interchange import test_bif, test_libdai
from tests.interchange.texts import PAIR

BAYES = "BAYES 2\n2 2\n2\n1 0\n2 0 1\n2\n.4 .6\n4\n.1 .9 .2 .8\n"
PIECES = [
    *(b"", b" ", b"\n", b"0", b"1", b"7", b"-1", b"-", b".", b"e", b"1e9", b"1e999", b"nan"),
    *(b"inf", b"#", b"c ", b"99999999999999999999", b"\0", b"\xff", b"\xef\xbb\xbf", b"{", b"}"),
    *(b"_", b",", b"<", b"\r", b"variable", b"2", b"3"),
]


def damaged(data, rng):
    """One to four cuts, doublings, swaps or insertions."""
    for _ in range(rng.integers(1, 5)):
        first, last = sorted(rng.integers(0, len(data) + 1, size=2).tolist())
        kind = rng.integers(5)
        if kind == 0:
            data = data[:first] + data[min(last, first + 8) :]
        elif kind == 1:
            data = data[:last]
        elif kind == 2:
            data = data[:last] + data[first:last] + data[last:]
        else:
            piece = PIECES[rng.integers(len(PIECES))]
            data = data[:first] + piece + data[first + int(kind == 3) :]
    return data


def readers():
    cards = np.array([2, 3, 2])
    return {
        "uai": (read_uai, PAIR, 300),
        "bayes": (read_uai, BAYES, 300),
        "fg": (read_fg, test_libdai.PAIR, 300),
        "evidence": (lambda d, s: read_evidence(d, s, cards), "2 0 1\n1 2\n", 300),
        "bif": (read_bif, test_bif.RAIN, 25),
    }


@pytest.mark.parametrize("name", readers())
def test_damaged_files_are_read_or_refused_in_words(name):
    read, text, cases = readers()[name]
    read(text.encode(), "m")  # compiles regular expressions, imports pgmpy
    rng = np.random.default_rng(20)
    refused = 0
    for _ in range(cases):
        data = damaged(text.encode(), rng)
        started = time.process_time()
        try:
            read(data, "m")
        except ModelFileError as error:
            refused += 1
            said = str(error)
            assert said.startswith("m:"), data
            assert len(said) < 2000, data
            assert all(c.isprintable() or c == "\n" for c in said), data
        assert time.process_time() - started < 60.0, data
    assert refused > cases // 2
