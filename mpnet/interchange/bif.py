"""Bayesian networks in BIF, read by pgmpy: names of variables and states are kept in order.

pgmpy takes duplicates, missing rows and wrong counts without a word, so blocks are looked
through before it sees them, and the numbers it found are checked after.
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mpnet.errors import shown, size
from mpnet.graph import FactorGraph
from mpnet.interchange.building import ARITY_LIMIT, Listed, build
from mpnet.interchange.faults import check_network, check_potentials
from mpnet.interchange.files import ModelFileError, as_text, fault
from mpnet.kernels.layout import IntArray
from mpnet.names import checked_name, suggestion

ENTRIES = 2**26
"""Table entries of one CPT, at most."""

SIZE = 2**26
"""Largest file that pgmpy is given, in bytes: it needs minutes for more."""

# No pattern may look at a piece of text more than a few times: files may mean harm.
_COMMENT = re.compile(r'"[^"\n]*"|/\*.*?(?:\*/|\Z)|//[^\n]*', re.DOTALL)
_BRACE = re.compile(r"[{}]")
_WORD = re.compile(r"^[ \t]*(variable|probability)\b", re.MULTILINE)
_TYPE = re.compile(r"type\s+\w+\s*\[\s*(\d+)\s*\]\s*\{([^{}]*)\}")
_ROW = re.compile(r"^\s*\(", re.MULTILINE)


def read_bif(data: bytes, source: str) -> tuple[FactorGraph, IntArray]:
    """Read a Bayesian network; one factor per variable, parents first and the child last.

    Returns
    -------
    FactorGraph
        With the names of variables and states that the file gives, in its order.
    int64[factors]
        For each factor of the graph, the variable whose CPT it is.

    Raises
    ------
    ModelFileError
        If it is no network, or pgmpy can't read it; names the variable and its line.

    """
    network = _Network(_decoded(as_text(data, source), source), source)
    network.scan()
    return network.graph()


def _decoded(data: bytes, source: str) -> str:
    if len(data) > SIZE:
        raise fault(source, f"a BIF file of more than {SIZE >> 20} MiB is not read")
    try:
        text = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise fault(source, "this is not UTF-8 text", "", data, error.start) from None
    return _COMMENT.sub(_blank_comment, text)


def _blank_comment(match: re.Match[str]) -> str:
    text = match.group()
    return text if text[0] == '"' else re.sub(r"[^\n]", " ", text)


class _Head(NamedTuple):
    """How a block begins: its kind, the text before its brace, and where both stand."""

    kind: str
    text: str
    at: int
    inside: int


@dataclass
class _Network:
    """The blocks of a file, and where each stands."""

    text: str
    source: str
    states: dict[str, tuple[str, ...]] = field(default_factory=dict)
    parents: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def scan(self) -> None:
        """Find all blocks, and refuse what pgmpy would pass over."""
        if not re.search(r"\b(network|variable)\b", self.text):
            raise self._fault("holds no network in BIF", "expected 'network NAME { ... }'", 0)
        heads = self._heads()
        if not heads:
            raise self._fault("holds no variable", "expected 'variable NAME { ... }'", 0)
        ends = [head.at for head in heads[1:]] + [len(self.text)]
        later = []
        for head, end in zip(heads, ends, strict=True):
            body = self.text[head.inside : end]
            if "}" not in body:
                raise self._fault(f"this {head.kind} has no '}}' at its end", "", head.at)
            if head.kind == "variable":
                self._variable(head, body)
            else:
                later.append((head, body))
        for head, body in later:
            self._probability(head, body)
        for name in self.states:
            if name not in self.parents:
                raise self._fault(f"variable {shown(name)!r} has no CPT", "", self.places[name])

    def _heads(self) -> list[_Head]:
        """What stands before each opening brace, where it is a variable or a probability."""
        found, start = [], 0
        for brace in _BRACE.finditer(self.text):
            before = self.text[start : brace.start()]
            word = _WORD.search(before)
            if word and brace.group() == "{":
                found.append(
                    _Head(word[1], before[word.end() :], start + word.start(1), brace.end())
                )
            start = brace.end()
        return found

    def _fault(self, what: str, hint: str, offset: int) -> ModelFileError:
        data = self.text.encode()
        return fault(self.source, what, hint, data, len(self.text[:offset].encode()))

    def _variable(self, head: _Head, body: str) -> None:
        at, name = head.at, _plain(head.text)
        if name in self.states:
            raise self._fault(f"variable {shown(name)!r} is there already", "", at)
        found = _TYPE.search(body)
        if found is None:
            raise self._fault(
                f"variable {shown(name)!r} has no type",
                "expected 'type discrete [ N ] { ... };'",
                at,
            )
        inside = found[2].replace('"', " ")
        listed = inside.split(",") if "," in inside else inside.split()
        states = tuple(state.strip() for state in listed if state.strip())
        if len(found[1]) > 9 or int(found[1]) != len(states):
            raise self._fault(
                f"variable {shown(name)!r} says it has {shown(found[1])} states, and lists {len(states)}",
                "",
                head.inside + found.start(),
            )
        if len(set(states)) != len(states) or not states:
            raise self._fault(f"variable {shown(name)!r} needs states that differ", "", at)
        try:
            for text in (name, *states):
                checked_name(text.replace("/", "_").replace("\\", "_"))
        except ValueError as error:
            raise self._fault(str(error), "", at) from None
        self.states[name], self.places[name] = states, at

    def _probability(self, head: _Head, body: str) -> None:
        at = head.at
        inside = head.text.strip()
        if not (inside.startswith("(") and inside.endswith(")")):
            raise self._fault("expected 'probability ( CHILD | PARENTS )'", "", at)
        child, _, rest = inside[1:-1].partition("|")
        words = [child, *rest.split(",")] if rest else child.replace(",", " ").split()
        names = [self._known(_plain(word), at) for word in words if _plain(word)]
        if not names:
            raise self._fault("this probability names no variable", "", at)
        name, parents = names[0], names[1:]
        if name in self.parents:
            raise self._fault(f"variable {shown(name)!r} has two CPTs", "", at)
        if len(set(names)) != len(names) or len(names) > ARITY_LIMIT:
            raise self._fault(
                f"the CPT of {shown(name)!r} needs at most {ARITY_LIMIT} variables that differ",
                "",
                at,
            )
        rows = math.prod(len(self.states[parent]) for parent in parents)
        if rows * len(self.states[name]) > ENTRIES:
            entries = size(rows * len(self.states[name]))
            raise self._fault(f"the CPT of {shown(name)!r} would have {entries} entries", "", at)
        if re.search(r"\bdefault\b", body):
            raise self._fault(
                f"the CPT of {shown(name)!r} has a default row", "write out all rows", at
            )
        count = len(_ROW.findall(body))
        if not re.search(r"\btable\b", body) and count != rows:
            raise self._fault(
                f"the CPT of {shown(name)!r} has {count} rows; expected {rows}, one for each "
                "combination of states of its parents",
                "",
                at,
            )
        self.parents[name] = parents
        self.places[name] = at

    def _known(self, name: str, at: int) -> str:
        if name in self.states:
            return name
        folded = {known.lower(): known for known in self.states}
        if name.lower() in folded:
            return folded[name.lower()]
        near = suggestion(shown(name), self.states, "variables")
        raise self._fault(f"there is no variable {shown(name)!r}", near, at)

    def _read(self) -> dict[str, Any]:
        """What pgmpy makes of the CPTs, by variable: float64[states, parents' states]."""
        # pgmpy ends a block at a brace that is followed by a line end.
        text = self.text[: self.text.rindex("}") + 1] + "\n"
        text = re.sub(r"\}[ \t]*(?=[^\s;])", "}\n", text)
        text = re.sub(r"\}[ \t]+\n", "}\n", text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pgmpy.readwrite import BIFReader

            try:
                found: dict[str, Any] = BIFReader(string=text).variable_cpds
            except Exception as error:  # pgmpy raises whatever its parts raise
                said = shown(f"{type(error).__name__}: {error}", 200)
                raise self._fault(f"pgmpy can't read this as BIF ({said})", "", 0) from None
        return found

    def graph(self) -> tuple[FactorGraph, IntArray]:
        """The network as a factor graph."""
        read, names = self._read(), list(self.states)
        index = {name: number for number, name in enumerate(names)}
        tables, scopes = [], []
        for name in names:
            shape = (len(self.states[name]), *(len(self.states[p]) for p in self.parents[name]))
            table = np.asarray(read.get(name, ()), dtype=np.float64)
            if table.size != math.prod(shape):
                raise self._fault(
                    f"the CPT of {shown(name)!r} has {table.size} numbers; expected {math.prod(shape)}",
                    "",
                    self.places[name],
                )
            if not np.isfinite(table).all():
                raise self._fault(
                    f"the CPT of {shown(name)!r} holds what is no finite number",
                    "",
                    self.places[name],
                )
            tables.append(np.moveaxis(table.reshape(shape), 0, -1).reshape(-1))
            scopes.append([index[p] for p in self.parents[name]] + [index[name]])
        starts = np.cumsum([0, *(table.size for table in tables)])
        listed = Listed(
            cardinalities=np.array(
                [len(states) for states in self.states.values()], dtype=np.int64
            ),
            scopes=np.array([v for scope in scopes for v in scope], dtype=np.int64),
            starts=np.cumsum([0, *map(len, scopes)]),
            values=np.concatenate(tables) if tables else np.empty(0),
            places=starts[:-1],
        )
        where = _Places(self, names, starts)
        check_potentials(listed, where)
        listed = check_network(listed, where)
        return build(listed, names, list(self.states.values()))


@dataclass
class _Places:
    """Says which CPT a value belongs to."""

    network: _Network
    names: list[str]
    starts: IntArray

    def fault(self, token: int, what: str, hint: str = "") -> ModelFileError:
        number = int(np.searchsorted(self.starts, token, side="right")) - 1
        if not 0 <= number < len(self.names):
            return self.network._fault(what, hint, 0)
        name = self.names[number]
        said = f"the CPT of {shown(name)!r}: {what}"
        hint = "" if "MARKOV" in hint else hint
        return self.network._fault(said, hint, self.network.places[name])

    def text(self, token: int) -> str:
        return "below 0"


def _plain(text: str) -> str:
    return text.replace('"', " ").strip()
