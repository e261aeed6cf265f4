"""Nodes of a scenario as calls in Python, and a scenario as the program of such calls."""

from __future__ import annotations

import keyword
import pprint
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from mpnet.errors import Fault, ScenarioError, shown
from mpnet.scenario.writing import plain

Keys = Mapping[str, Any]

METHODS = {
    "feature": ("states", "base_rates"),
    "model": ("prior", "predicts", "explains"),
    "composite": ("parts", "prior", "holds_parts", "predicts", "explains"),
    "choice": ("among", "rule", "strength", "otherwise"),
    "sequence": ("phases", "start", "dwell", "skip", "abort", "repeats", "begins"),
}
"""Node types that ``SocietyBuilder`` has a method for, and what each takes by keyword."""

_WIDTH = 96


def given(keys: Keys) -> dict[str, Any]:
    """Those keys that were not left out."""
    return {key: value for key, value in keys.items() if value is not None}


class NodeCalls:
    """One method for each way to write a node; what is left out or None takes its default."""

    _data: dict[str, Any]

    def node(self, name: str, type: str, /, **keys: Any) -> Self:
        """Add a node of any type by that type's keys; see ``mpnet list nodes``.

        Parameters
        ----------
        name, type : str
            The node and its type.
        **keys
            As under the node in YAML.

        Raises
        ------
        ScenarioError
            If there is a node of that name.

        """
        nodes = self._part("nodes")
        if name in nodes:
            what, hint = f"there is a node {shown(str(name))!r} already", "names must differ"
            raise ScenarioError([Fault(("nodes", str(name)), what, hint, True)], self._source)
        written = plain({name: {"type": type, **given(keys)}}, ("nodes",))
        nodes.update(written)
        return self

    def feature(
        self,
        name: str,
        states: Sequence[str] | None = None,
        base_rates: Mapping[str, float] | Sequence[float] | None = None,
    ) -> Self:
        """Add something that can be observed, with named states.

        Parameters
        ----------
        name : str
            The node.
        states : sequence of str, optional
            Names of its states; no and yes where not given.
        base_rates : mapping or sequence of float, optional
            Probabilities of the states when nobody predicts anything; equal where not given.

        """
        return self.node(name, "feature", states=states, base_rates=base_rates)

    def model(
        self,
        name: str,
        prior: float | None = None,
        predicts: Keys | None = None,
        explains: Mapping[str, float] | None = None,
    ) -> Self:
        """Add a generative model, which predicts other nodes while it is active.

        Parameters
        ----------
        name : str
            The node.
        prior : float, optional
            Probability of being active before any evidence.
        predicts : mapping, optional
            By node, what follows, in any of the forms of a scenario.
        explains : mapping of str to float, optional
            By token, the probability of turning it on.

        """
        return self.node(name, "model", prior=prior, predicts=predicts, explains=explains)

    def composite(
        self,
        name: str,
        parts: Sequence[str],
        prior: float | None = None,
        holds_parts: float | None = None,
        predicts: Keys | None = None,
        explains: Mapping[str, float] | None = None,
    ) -> Self:
        """Add a model that is made of others.

        Parameters
        ----------
        name : str
            The node.
        parts : sequence of str
            The models that it predicts to be active.
        prior : float, optional
            As for ``model``.
        holds_parts : float, optional
            Probability that each part is active while the composite is.
        predicts, explains : mapping, optional
            As for ``model``.

        """
        keys = {"prior": prior, "parts": parts, "holds_parts": holds_parts}
        return self.node(name, "composite", **keys, predicts=predicts, explains=explains)

    def choice(
        self,
        name: str,
        among: Sequence[str],
        rule: str | None = None,
        strength: float | None = None,
        otherwise: str | None = None,
    ) -> Self:
        """Add a competition between models.

        Parameters
        ----------
        name : str
            The node.
        among : sequence of str
            The rivals.
        rule : str, optional
            exactly_one, at_most_one, independent, threshold or winner_takes_all.
        strength : float, optional
            For the last two rules, in nats.
        otherwise : str, optional
            A model that is active exactly when no rival is.

        """
        keys = {"among": among, "rule": rule, "strength": strength, "otherwise": otherwise}
        return self.node(name, "choice", **keys)

    def sequence(self, name: str, phases: Sequence[Keys], **keys: Any) -> Self:
        """Add a model of several steps of a stream.

        Parameters
        ----------
        name : str
            The node.
        phases : sequence of mapping
            Each with ``predicts``, and where wanted ``name`` and ``next``.
        **keys
            ``start``, ``dwell``, ``skip``, ``abort``, ``repeats``, ``begins``.

        """
        return self.node(name, "sequence", phases=phases, **keys)

    @property
    def _source(self) -> str:
        return shown(str(self._data.get("name")))

    def _part(self, key: str) -> dict[str, Any]:
        found: dict[str, Any] = self._data.setdefault(key, {})
        return found


def to_python(data: Mapping[str, Any]) -> str:
    """Write the program that builds a scenario.

    Parameters
    ----------
    data : mapping
        Plain data, as in a document.

    Examples
    --------
    >>> print(to_python({"name": "dog", "evidence": {"legs": "four"}}), end="")
    import mpnet
    <BLANKLINE>
    society = mpnet.SocietyBuilder('dog')
    society.observe({'legs': 'four'})

    """
    return "\n".join(["import mpnet", "", *_calls(data)]) + "\n"


def _calls(data: Mapping[str, Any]) -> Iterator[str]:
    named = {k: data[k] for k in ("description",) if k in data}
    yield "society = mpnet." + _call("SocietyBuilder", [data.get("name")], named)
    for name, keys in data.get("nodes", {}).items():
        yield "society." + _node(name, dict(keys))
    for key, method in (("evidence", "observe"), ("stream", "stream")):
        if data.get(key):
            yield "society." + _call(method, [data[key]], {})
    for entry in data.get("timeline", []):
        happens = {k: v for k, v in entry.items() if k != "at"}
        yield "society." + _call("at", [entry.get("at", "settled")], happens)
    for key in ("lifecycle", "inference", "trace", "batch"):
        if data.get(key) is not None:
            yield "society." + _call(key, [], data[key])
    if data.get("experiment") is not None:
        keys = dict(data["experiment"])
        yield "society." + _call("experiment", [keys.pop("type", None)], keys)
    if data.get("plots") is not None:
        yield "society." + _call("plots", data["plots"], {})
    for claim in data.get("expect", []):
        yield "society." + _call("expect", [], claim)


def _node(name: str, keys: dict[str, Any]) -> str:
    kind = keys.pop("type", None)
    if kind in METHODS and set(keys) <= set(METHODS[kind]):
        return _call(kind, [name], keys)
    return _call("node", [name, kind], keys)


def _call(method: str, values: list[Any], keys: Mapping[str, Any]) -> str:
    """One call on one line, or with an argument a line where that is too long."""
    odd = {k: v for k, v in keys.items() if not k.isidentifier() or keyword.iskeyword(k)}
    arguments = [("", v) for v in values]
    arguments += [(f"{k}=", v) for k, v in keys.items() if k not in odd]
    arguments += [("**", odd)] if odd else []
    line = f"{method}({', '.join(head + repr(v) for head, v in arguments)})"
    if len(line) <= _WIDTH:
        return line
    below = [textwrap.indent(head + _pretty(v, len(head)), "    ") for head, v in arguments]
    return "\n".join([f"{method}(", *(text + "," for text in below), ")"])


def _pretty(value: Any, indent: int) -> str:
    """The value as an expression, whose further lines are indented like its first."""
    if isinstance(value, str):
        return repr(value)
    found = pprint.pformat(value, width=_WIDTH - indent, sort_dicts=False, compact=True)
    return found.replace("\n", "\n" + " " * indent)
