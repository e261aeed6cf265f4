"""What happened per iteration: arrays that grow by one row a sweep, and the events between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
AnyFloats = NDArray[np.float64] | NDArray[np.float32]
IntArray = NDArray[np.int64]

MESSAGE_EDGES = 40
"""Edges whose residual is kept in a trace, at most: the slowest."""


@dataclass(frozen=True)
class Event:
    """Something that happened between two iterations.

    Parameters
    ----------
    iteration : int
        The event comes after this iteration; 0 is before the first.
    kind : str
        ``clamp``, ``overtake``, ``converged``, ``inconsistent``, ...; in a society that changes
        ``evidence``, ``awaken``, ``fight``, ``retire``, ``walk``, ....
    node : str
        The node concerned; may be empty.
    text : str
        The event in a few words.
    cause : str
        What brought it about; may be empty.
    effect : float or None
        In nats: by how much log Z rose because of evidence, an intervention or somebody who came
        or left; the gain that a model woke for; minus what is lost with one that goes; C of two
        that fight. None where that has no meaning.

    """

    iteration: int
    kind: str
    node: str
    text: str
    cause: str = ""
    effect: float | None = None


@dataclass(frozen=True)
class Trace:
    """One run, iteration by iteration.

    ``T`` rows (row 0 is the start, before any message), ``B`` states of all nodes in a
    row, ``M`` messages shown. Not every iteration need have a row: a trace has a budget.

    Parameters
    ----------
    iterations : int64[T]
        Iteration of each row, rising from 0; the last iteration always has a row.
    nodes : tuple of str
        Names of the nodes that were followed, of those that own a variable.
    states : tuple of tuple of str
        Names of each node's states.
    beliefs : float64[T, B] or float32[T, B]
        Probabilities; node ``i`` owns the columns ``offsets[i]:offsets[i + 1]``.
    residual : float64[T]
        Largest change that an undamped update would make to any log message, in nats; row 0 is
        NaN; ``inf`` where a message lost or gained support.
    log_z : float64[T]
        Bethe log partition sum of the messages at each iteration, in nats.
    damping : float64[T]
        Damping in force.
    seconds : float64[T]
        Wall time since the start of the inference, in seconds.
    estimator : tuple of str
        Per row, the estimator that the beliefs come from: ``flat``, then ``clamped``.
    messages : tuple of str
        Labels of the factor-to-variable messages shown, slowest first.
    message_residual : float64[T, M] or float32[T, M]
        Residual of each of them, in nats; NaN where it was not sent.

    """

    iterations: IntArray
    nodes: tuple[str, ...]
    states: tuple[tuple[str, ...], ...]
    beliefs: AnyFloats
    residual: FloatArray
    log_z: FloatArray
    damping: FloatArray
    seconds: FloatArray
    estimator: tuple[str, ...]
    messages: tuple[str, ...]
    message_residual: AnyFloats

    @property
    def every(self) -> int:
        """Largest distance between two rows, in iterations; 1 where every iteration has one."""
        return int(np.diff(self.iterations).max(initial=1))

    @property
    def last(self) -> int:
        """The last iteration; 0 where there is none."""
        return int(self.iterations[-1]) if self.iterations.size else 0

    def at_rest(self, tolerance: float) -> bool:
        """Whether the last row is within a tolerance, in nats, or has no residual.

        The trace of a mixture is that of its first start, which may swing while others settle.
        """
        return not (self.residual.size and self.residual[-1] > tolerance)

    def row_of(self, iteration: int) -> int:
        """The first row at or after an iteration; the last row where there is none."""
        row = int(np.searchsorted(self.iterations, iteration))
        return max(0, min(row, self.iterations.size - 1))

    @property
    def offsets(self) -> IntArray:
        """First column of each node, shape (nodes + 1,)."""
        return np.concatenate([[0], np.cumsum([len(s) for s in self.states], dtype=np.int64)])

    def belief(self, node: str, state: str) -> FloatArray:
        """Belief in one state over the iterations, a probability, shape (T,)."""
        index = self.nodes.index(node)
        column = int(self.offsets[index]) + self.states[index].index(state)
        return self.beliefs[:, column].astype(np.float64)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays under fixed names, for ``numpy.savez``; names of nodes are values."""
        return {
            "iterations": self.iterations,
            "nodes": text_array(self.nodes),
            "states": text_array([s for states in self.states for s in states]),
            "state_counts": np.array([len(s) for s in self.states], dtype=np.int64),
            "beliefs": self.beliefs,
            "residual": self.residual,
            "log_z": self.log_z,
            "damping": self.damping,
            "seconds": self.seconds,
            "estimator": text_array(self.estimator),
            "messages": text_array(self.messages),
            "message_residual": self.message_residual,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Trace:
        """Rebuild what ``to_arrays`` wrote; a missing name is a ``KeyError``."""
        flat = [str(s) for s in arrays["states"]]
        ends = np.cumsum(arrays["state_counts"].astype(np.int64))
        states = tuple(
            tuple(flat[end - count : end])
            for end, count in zip(ends, arrays["state_counts"].astype(np.int64), strict=True)
        )
        floats = {
            name: np.asarray(arrays[name], dtype=np.float64)
            for name in ("residual", "log_z", "damping", "seconds")
        }
        return cls(
            iterations=np.asarray(arrays["iterations"], dtype=np.int64),
            beliefs=_floats(arrays["beliefs"]),
            message_residual=_floats(arrays["message_residual"]),
            nodes=tuple(str(n) for n in arrays["nodes"]),
            states=states,
            estimator=tuple(str(e) for e in arrays["estimator"]),
            messages=tuple(str(m) for m in arrays["messages"]),
            **floats,
        )


def _floats(array: NDArray[np.generic]) -> AnyFloats:
    """Numbers in the precision that they were kept in."""
    if array.dtype == np.float32:
        return np.asarray(array, dtype=np.float32)
    return np.asarray(array, dtype=np.float64)


def text_array(texts: Sequence[str]) -> NDArray[np.str_]:
    """Text as a fixed-width array, which needs no pickle; empty lists stay text."""
    return np.array(list(texts), dtype=np.str_) if texts else np.empty(0, dtype="U1")
