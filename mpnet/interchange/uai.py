"""The UAI model format: read strictly and fast, and written."""

from __future__ import annotations

import math
from typing import NoReturn

import numpy as np

from mpnet.errors import shown, size
from mpnet.graph import FactorGraph
from mpnet.interchange.building import ARITY_LIMIT, Listed, build
from mpnet.interchange.faults import check_network, check_potentials
from mpnet.interchange.files import as_text
from mpnet.interchange.linear import linear_factors
from mpnet.interchange.tokens import Tokens
from mpnet.kernels.layout import IntArray
from mpnet.names import suggestion

KINDS = ("MARKOV", "BAYES")
STATES_LIMIT = 2**24
"""Most states of all variables together that a small file may claim."""


def read_uai(data: bytes, source: str) -> tuple[FactorGraph, IntArray]:
    """Read a model in the UAI format.

    The first word says MARKOV or BAYES; then come the number of variables, their cardinalities,
    the number of factors, a scope per factor (its arity, then variables) and a table per factor
    (its number of entries, then values; the last variable of the scope varies fastest). White
    space and line ends don't matter; ``#`` starts a comment, and so does ``c`` at the start of a
    line. In a BAYES file the last variable of each scope is the child.

    Parameters
    ----------
    data : bytes
        The file.
    source : str
        Its name, for messages.

    Returns
    -------
    FactorGraph
        Variables are called ``x0``, ``x1``, ... and their states ``0``, ``1``, ....
    int64[factors]
        For each factor of the graph, its number in the file.

    Raises
    ------
    ModelFileError
        At the first fault, with its line and column, before anything large is allocated.

    """
    reader = _Reader(Tokens(as_text(data, source), source, words=1, c_lines=True))
    return build(reader.listed())


class _Reader:
    """Goes through the tokens of a UAI file once, from the first to the last."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.at = 1

    def listed(self) -> Listed:
        """All factors, checked."""
        kind = self._kind()
        cardinalities = self._cardinalities()
        scopes, starts = self._scopes(cardinalities.size)
        listed = Listed(cardinalities, scopes, starts, self.tokens.numbers, np.empty(0, np.int64))
        places = self._tables(listed)
        listed = Listed(cardinalities, scopes, starts, self.tokens.numbers, places)
        check_potentials(listed, self.tokens)
        if kind == "BAYES":
            listed = check_network(listed, self.tokens)
        return listed

    def _kind(self) -> str:
        if not len(self.tokens):
            raise self.tokens.fault(0, "the file is empty", "expected MARKOV or BAYES")
        kind = self.tokens.text(0)
        if kind not in KINDS:
            near = suggestion(shown(kind.upper(), 40), KINDS, "network types")
            raise self.tokens.fault(0, f"unknown network type {shown(kind, 40)!r}", near)
        return kind

    def _count(self, what: str, least: int = 0) -> int:
        """The whole number that stands here."""
        at = self.at
        if at >= len(self.tokens):
            raise self.tokens.fault(at, f"expected {what}, but the file ends")
        value = float(self.tokens.whole[at])
        if not value >= least:
            raise self.tokens.fault(at, f"{what} is {self._text(at)}", f"expected {_whole(least)}")
        self.at += 1
        return int(value)

    def _text(self, token: int) -> str:
        return repr(shown(self.tokens.text(token), 40))

    def _left(self) -> int:
        return len(self.tokens) - self.at

    def _cardinalities(self) -> IntArray:
        claimed = self._count("number of variables")
        if claimed > self._left():
            if claimed > 100 + 2 * self._left():
                raise self.tokens.fault(
                    self.at - 1,
                    f"claims {size(claimed)} variables, but only {self._left()} tokens follow",
                )
            raise self.tokens.fault(
                len(self.tokens), f"expected {claimed} cardinalities, got {self._left()}"
            )
        found = self.tokens.whole[self.at : self.at + claimed]
        if not (found >= 1).all():
            variable = int(np.argmin(found >= 1))
            at = self.at + variable
            raise self.tokens.fault(
                at,
                f"variable {variable} has the cardinality {self._text(at)}",
                f"expected {_whole(1)}",
            )
        if found.sum() > max(STATES_LIMIT, len(self.tokens)):
            variable = int(np.argmax(found))
            at = self.at + variable
            raise self.tokens.fault(
                at,
                f"variable {variable} has the cardinality {self._text(at)}: with it, the variables "
                f"have {size(int(found.sum()))} states; a file of this size may claim "
                f"{max(STATES_LIMIT, len(self.tokens))}",
            )
        self.at += claimed
        return found.astype(np.int64)

    def _scopes(self, variables: int) -> tuple[IntArray, IntArray]:
        """Scopes of all factors in a row, and where each starts."""
        claimed = self._count("number of factors")
        if claimed > self._left():
            raise self.tokens.fault(
                self.at - 1,
                f"claims {size(claimed)} factors, but only {self._left()} tokens follow",
            )
        heads = np.empty(claimed + 1, dtype=np.int64)
        at, end, whole = self.at, len(self.tokens), self.tokens.whole
        most = min(ARITY_LIMIT, variables)
        for factor in range(claimed):
            heads[factor] = at
            arity = whole.item(at) if at < end else -1.0
            if not 0.0 <= arity <= most or at + arity >= end:
                self._refuse_scope(factor, heads, variables)
            at += 1 + int(arity)
        heads[claimed] = at
        arities = np.diff(heads) - 1
        starts = np.concatenate([[0], np.cumsum(arities)])
        # The scopes without their arities: all tokens from here to there but the heads.
        inside = np.ones(at - self.at, dtype=bool)
        inside[heads[:-1] - self.at] = False
        scopes = whole[self.at : at][inside]
        if not ((scopes >= 0) & (scopes < variables)).all():
            self._refuse_scope(claimed, heads, variables)
        self.at = at
        return scopes.astype(np.int64), starts

    def _refuse_scope(self, factors: int, heads: IntArray, variables: int) -> NoReturn:
        """Say what is wrong with the first scope that is; all heads up to ``factors`` are known."""
        tokens, end = self.tokens, len(self.tokens)
        for factor in range(factors + 1):
            at = int(heads[factor])
            if at >= end:
                raise tokens.fault(end, f"expected the scope of factor {factor}, but the file ends")
            arity = float(tokens.whole[at])
            if not arity >= 0:
                raise tokens.fault(
                    at, f"factor {factor} has the arity {self._text(at)}", f"expected {_whole(0)}"
                )
            if arity > variables:
                raise tokens.fault(
                    at,
                    f"factor {factor} has the arity {self._text(at)}, but there are "
                    f"{variables} variables",
                )
            if arity > ARITY_LIMIT:
                raise tokens.fault(
                    at,
                    f"factor {factor} has the arity {self._text(at)}; at most {ARITY_LIMIT} is possible",
                )
            for place in range(at + 1, min(end, at + 1 + int(arity))):
                if not 0 <= tokens.whole[place] < variables:
                    raise tokens.fault(
                        place,
                        f"factor {factor} names variable {shown(tokens.text(place), 40)}",
                        f"variables are 0 to {variables - 1}",
                    )
            if at + arity >= end:
                raise tokens.fault(
                    end, f"factor {factor}: expected {int(arity)} variables, got {end - at - 1}"
                )
        raise AssertionError("called only where some scope is wrong")

    def _tables(self, listed: Listed) -> IntArray:
        """Where the values of each table start; each count and the file's length fit."""
        tokens, end, sizes = self.tokens, len(self.tokens), listed.sizes()
        # A table that is larger than the file ends the search; how much larger is no matter.
        steps = 1 + np.minimum(sizes, end).astype(np.int64)
        heads = self.at + np.concatenate([[0], np.cumsum(steps)])
        counts = tokens.whole[np.minimum(heads[:-1], end - 1)]
        wrong = (heads[:-1] >= end) | (counts != sizes) | (heads[:-1] + sizes >= end)
        factor = int(np.argmax(wrong)) if wrong.any() else sizes.size
        last = int(heads[factor]) if wrong.any() else end
        if tokens.bad < min(last, int(heads[-1])) or (
            wrong.any() and last < tokens.bad < end and counts[factor] == sizes[factor]
        ):
            self._refuse_value(heads)
        if wrong.any():
            self._refuse_table(listed, factor, last)
        if heads[-1] < end:
            at, extra = int(heads[-1]), end - int(heads[-1])
            raise tokens.fault(
                at,
                f"{extra} trailing token{'s' if extra > 1 else ''} after the last table, "
                f"the first is {self._text(at)}",
            )
        return heads[:-1] + 1

    def _refuse_value(self, heads: IntArray) -> NoReturn:
        bad = self.tokens.bad
        factor = int(np.searchsorted(heads, bad, side="right")) - 1
        what = f"factor {factor}, value {bad - int(heads[factor]) - 1} {self.tokens.problem(bad)}"
        raise self.tokens.fault(bad, what, "potentials are finite numbers >= 0")

    def _refuse_table(self, listed: Listed, factor: int, at: int) -> NoReturn:
        tokens, end = self.tokens, len(self.tokens)
        scope = listed.scopes[listed.starts[factor] : listed.starts[factor + 1]]
        states = listed.cardinalities[scope].tolist()
        shape = " x ".join(map(str, states)) or "no variables"
        wanted = size(math.prod(states))
        if at >= end:
            raise tokens.fault(
                end, f"expected the table of factor {factor} ({wanted} values), but the file ends"
            )
        if tokens.whole[at] != math.prod(states):
            raise tokens.fault(
                at,
                f"factor {factor} has the count {self._text(at)}",
                f"expected {wanted} ({shape})",
            )
        raise tokens.fault(
            end,
            f"factor {factor}: expected {wanted} values, got {end - at - 1} before the file ends",
        )


def _whole(least: int) -> str:
    return f"a whole number >= {least}"


def write_uai(graph: FactorGraph) -> bytes:
    """A graph as a MARKOV file; names of variables and states are lost, for the format has none.

    Raises
    ------
    GraphError
        If the potentials of a factor span more than a double does; names the factor.

    """
    factors = linear_factors(graph)
    lines = ["MARKOV", str(len(graph.variables)), " ".join(map(str, graph.cardinalities.tolist()))]
    lines.append(str(len(factors)))
    lines += [" ".join(map(str, (len(scope), *scope))) for scope, _ in factors]
    for _, table in factors:
        lines += ["", str(table.size), " ".join(map(repr, table.reshape(-1).tolist()))]
    return ("\n".join(lines) + "\n").encode()
