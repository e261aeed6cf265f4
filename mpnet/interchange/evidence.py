"""Evidence: files in both UAI dialects, and observations by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mpnet.dense import frozen
from mpnet.errors import GraphError, UsageError, shown
from mpnet.graph import FactorGraph
from mpnet.interchange.files import ModelFileError, as_text
from mpnet.interchange.tokens import Tokens
from mpnet.kernels.layout import FloatArray, IntArray
from mpnet.names import suggestion
from mpnet.variables import Variable

DIALECTS = ("auto", "2014", "2010")
"""``2014``: the number of pairs, then pairs. ``2010``: the number of samples, then each so."""


@dataclass(frozen=True)
class Evidence:
    """Observed states by variable, as indices.

    Parameters
    ----------
    states : mapping of int to int
        In the order in which they were given.
    note : str
        What a user should know about how a file was read; may be empty.

    """

    states: Mapping[int, int]
    note: str = ""


class _Sample(NamedTuple):
    """Tokens of one sample: its count, and where it ends."""

    first: int
    pairs: int

    @property
    def last(self) -> int:
        return self.first + 1 + 2 * self.pairs


def read_evidence(
    data: bytes,
    source: str,
    cardinalities: IntArray,
    *,
    dialect: str = "auto",
    sample: int | None = None,
) -> Evidence:
    """Read a UAI evidence file.

    Parameters
    ----------
    data : bytes
        The file.
    source : str
        Its name, for messages.
    cardinalities : int64[V]
        Number of states of each variable of the model.
    dialect : str
        ``2014`` (``k v x v x ...``), ``2010`` (the number of samples first) or ``auto``: 2014
        where that fits; 2010 only where there is one sample and the other reading is ruled
        out by the model.
    sample : int, optional
        Which sample of a 2010 file, counted from 1; needed where it holds several.

    Raises
    ------
    ModelFileError
        At the first fault; where both dialects are possible, it names both readings.
    UsageError
        If the dialect is unknown or there is no such sample.

    """
    if dialect not in DIALECTS:
        raise UsageError(f"there is no evidence format {dialect!r}; known: {', '.join(DIALECTS)}")
    reader = _Reader(Tokens(as_text(data, source), source), cardinalities)
    if not len(reader.tokens):
        raise reader.tokens.fault(
            0,
            "expected the number of observed variables, but the file is empty",
            "write 0 for none",
        )
    if dialect == "auto" and sample is not None:
        dialect = "2010"
    if dialect == "2010":
        return reader.sample_of_several(sample)
    if sample not in (None, 1):
        raise UsageError(f"a file in the 2014 form holds one sample; there is no sample {sample}")
    return reader.pairs() if dialect == "2014" else reader.either()


class _Reader:
    """Reads pairs of variables and states."""

    def __init__(self, tokens: Tokens, cardinalities: IntArray) -> None:
        self.tokens, self.cardinalities = tokens, cardinalities

    def pairs(self) -> Evidence:
        """The whole file as one set of pairs."""
        sample = self._sample(0)
        self._refuse_rest(sample.last)
        return Evidence(self._states(sample))

    def sample_of_several(self, wanted: int | None) -> Evidence:
        """One sample of a file in the 2010 form."""
        samples = self._samples()
        if not samples and wanted is None:
            return Evidence({})
        if wanted is None and len(samples) > 1:
            raise self.tokens.fault(
                0, f"holds {len(samples)} samples", f"choose one with --sample 1 to {len(samples)}"
            )
        number = 1 if wanted is None else wanted
        if not 1 <= number <= len(samples):
            raise UsageError(
                f"{self.tokens.source} holds {len(samples)} samples; there is no sample {number}"
            )
        return Evidence(self._states(samples[number - 1]))

    def either(self) -> Evidence:
        """The 2014 form where it fits, the 2010 form where nothing else is possible."""
        try:
            first = self._sample(0)
        except ModelFileError:
            first = None
        if first is not None and first.last == len(self.tokens):
            return Evidence(self._states(first))
        try:
            samples = self._samples()
        except ModelFileError:
            return self.pairs()
        if len(samples) == 1 and first is not None and not self._possible(first):
            variable, state = (self.tokens.text(i) for i in (1, 2))
            return Evidence(
                self._states(samples[0]),
                "evidence read in the 2010 form, one sample: in the 2014 form it would begin with "
                f"variable {variable} in state {state}, which is not in the model",
            )
        raise self._ambiguous(first, samples)

    def _ambiguous(self, first: _Sample | None, samples: Sequence[_Sample]) -> ModelFileError:
        if first is None:
            pairs = int(self.tokens.whole[0])
            reading = f"expected {pairs} pairs, got {(len(self.tokens) - 1) / 2:g}"
        else:
            extra = len(self.tokens) - first.last
            reading = f"{_count(first.pairs, 'pair')} ({self._told(first)}) and {_count(extra, 'trailing token')}"
        several = "" if len(samples) == 1 else " and --sample N"
        inside = "; ".join(self._told(sample) for sample in samples[:3])
        return self.tokens.fault(
            0,
            f"ambiguous: in the 2014 form {reading}; in the 2010 form "
            f"{_count(len(samples), 'sample')} ({inside}{'; ...' if len(samples) > 3 else ''})",
            f"if the 2010 form is meant, say --evidence-format 2010{several}",
        )

    def _told(self, sample: _Sample) -> str:
        texts = [shown(self.tokens.text(i), 12) for i in range(sample.first + 1, sample.last)]
        said = [f"x{v} = {s}" for v, s in zip(texts[:6:2], texts[1:6:2])]
        return ", ".join(said) + (", ..." if sample.pairs > 3 else "") if said else "nothing"

    def _samples(self) -> list[_Sample]:
        count = self._whole(0, "number of samples")
        samples, at = [], 1
        for _ in range(count):  # each takes a token at least, so a wrong count ends soon
            samples.append(self._sample(at))
            at = samples[-1].last
        self._refuse_rest(at)
        return samples

    def _sample(self, at: int) -> _Sample:
        sample = _Sample(at, self._whole(at, "number of observed variables"))
        if sample.last > len(self.tokens):
            got = (len(self.tokens) - at - 1) / 2
            raise self.tokens.fault(
                len(self.tokens),
                f"expected {_count(sample.pairs, 'pair')}, got {got:g}",
                "each pair is a variable and its state",
            )
        return sample

    def _refuse_rest(self, at: int) -> None:
        if at < len(self.tokens):
            extra = _count(len(self.tokens) - at, "trailing token")
            text = shown(self.tokens.text(at), 40)
            raise self.tokens.fault(at, f"{extra} after the evidence, the first is {text!r}")

    def _whole(self, at: int, what: str) -> int:
        if at >= len(self.tokens):
            raise self.tokens.fault(at, f"expected the {what}, but the file ends")
        if np.isnan(self.tokens.whole[at]):
            text = shown(self.tokens.text(at), 40)
            raise self.tokens.fault(at, f"the {what} is {text!r}", "expected a whole number >= 0")
        return int(self.tokens.whole[at])

    def _possible(self, sample: _Sample) -> bool:
        try:
            self._states(sample)
        except ModelFileError:
            return False
        return True

    def _states(self, sample: _Sample) -> dict[int, int]:
        found: dict[int, int] = {}
        for at in range(sample.first + 1, sample.last, 2):
            variable = self._whole(at, f"variable of pair {(at - sample.first) // 2}")
            if variable >= self.cardinalities.size:
                raise self.tokens.fault(
                    at,
                    f"observes variable {variable}",
                    f"variables are 0 to {self.cardinalities.size - 1}",
                )
            if variable in found:
                raise self.tokens.fault(at, f"observes variable {variable} twice")
            state = self._whole(at + 1, f"state of variable {variable}")
            states = int(self.cardinalities[variable])
            if state >= states:
                raise self.tokens.fault(
                    at + 1,
                    f"observes variable {variable} in state {state} of {states}",
                    f"its states are 0 to {states - 1}",
                )
            found[variable] = state
        return found


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def observe(graph: FactorGraph, observations: Mapping[str | int, str | int]) -> dict[int, int]:
    """Turn names (or indices) of variables and states into indices.

    Raises
    ------
    GraphError
        If a variable or a state is unknown, or a variable is observed in two states.

    """
    found: dict[int, int] = {}
    for variable, state in observations.items():
        index = find_variable(graph, variable)
        value = _state(graph, index, state)
        if found.setdefault(index, value) != value:
            name = graph.variables[index].name
            raise GraphError(f"variable {shown(name)!r} is observed in two states")
    return found


def find_variable(graph: FactorGraph, wanted: str | int) -> int:
    """The index of a variable by its name, or by its index.

    Raises
    ------
    GraphError
        If there is none; suggests the nearest name.

    """
    count = len(graph.variables)
    if type(wanted) is int and 0 <= wanted < count:
        return wanted
    text = str(wanted)
    if isinstance(wanted, str):
        digits = text.removeprefix("x")
        if (
            text != digits
            and _is_index(digits, count)
            and graph.variables[int(digits)].name == text
        ):
            return int(digits)  # the usual name; no need to list a million others
        if (known := graph.index.get(wanted)) is not None:
            return known
    if _is_index(text, count):
        return int(text)
    near = suggestion(shown(text), graph.index, "variables")
    raise GraphError(f"there is no variable {shown(text)!r}; {near}")


def _state(graph: FactorGraph, variable: int, wanted: str | int) -> int:
    if type(wanted) is int and 0 <= wanted < graph.cardinalities[variable]:
        return wanted  # no need to name the states
    about: Variable = graph.variables[variable]
    text = str(wanted)
    if isinstance(wanted, str) and wanted in about.states:
        return about.states.index(wanted)
    if _is_index(text, len(about.states)):
        return int(text)
    near = suggestion(shown(text), about.states, "states")
    raise GraphError(f"variable {shown(about.name)!r} has no state {shown(text)!r}; {near}")


def _is_index(text: str, count: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16 and int(text) < count


def clamp(graph: FactorGraph, states: Mapping[int, int]) -> FloatArray:
    """Unary potentials (nats) with all but the observed states made impossible; read-only."""
    unary = graph.unary.copy()
    for variable, state in states.items():
        where = graph.states_of(variable)
        kept = unary[where.start + state]
        unary[where] = -np.inf
        unary[where.start + state] = kept
    result: FloatArray = frozen(unary)
    return result
