"""Node types from one Python function: what a model predicts, or how likely an assignment is.

In both, arguments before the star are other nodes, which a scenario names under the argument's
name; arguments after it are keys with values.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar, get_type_hints, overload

import numpy as np
from pydantic import Field, create_model

from mpnet.names import Name
from mpnet.nodes.base import (
    Node,
    NodeFaults,
    Prediction,
    Reference,
    Rule,
    Surroundings,
    fault,
)
from mpnet.nodes.calling import WrongAnswerError
from mpnet.nodes.model import read_prediction
from mpnet.nodes.tabulating import tabulate


class _Written(Node):
    """Base of types that are made of a function."""

    function: ClassVar[Callable[..., Any]]
    needed: ClassVar[tuple[str, ...]] = ()
    """Keys that name one node each."""
    several: ClassVar[str] = ""
    """The key that names a list of nodes; empty if there is none."""
    extras: ClassVar[tuple[str, ...]] = ()
    """Keys with values that are handed to the function."""

    def places(self) -> list[tuple[str, tuple[str | int, ...]]]:
        """Nodes that are named, and where."""
        found: list[tuple[str, tuple[str | int, ...]]] = [
            (getattr(self, key), (key,)) for key in self.needed
        ]
        listed = getattr(self, self.several) if self.several else []
        return found + [(name, (self.several, i)) for i, name in enumerate(listed)]

    def values(self) -> dict[str, Any]:
        """Values of the keys that are handed to the function."""
        return {key: getattr(self, key) for key in self.extras}

    def references(self) -> list[Reference]:
        """All nodes that are named."""
        return [Reference(name, path) for name, path in self.places()]


class FunctionModel(_Written):
    """A model whose predictions a function says."""

    prior: float = Field(
        0.05, gt=0.0, lt=1.0, description="Probability of being active before any evidence."
    )

    def rates(self, around: Surroundings) -> Any:
        """Inactive and active, by the prior."""
        return [1.0 - self.prior, self.prior]

    def predictions(self, around: Surroundings) -> list[Prediction]:
        """What the function returns: predictions by node, written as under ``predicts``."""
        places = dict(reversed(self.places()))
        said = type(self).function(*(name for name, _ in self.places()), **self.values())
        if not isinstance(said, Mapping):
            raise WrongAnswerError(f"with {said!r}; it must be a dict of predictions by node")
        found, faults = [], []
        for target, written in said.items():
            path = places.get(target, ())
            try:
                found.append(read_prediction(target, written, path, around))
            except NodeFaults as error:
                faults += [replace(f, path=path) for f in error.faults]
        if faults:
            raise NodeFaults(faults)
        return found


class FunctionFactor(_Written):
    """A law between other nodes whose weights a function says; it has no variable of its own."""

    kind: ClassVar[str] = "choice"
    log: ClassVar[bool] = False

    def domain(self) -> tuple[str, ...]:
        """None: it only rules."""
        return ()

    def rules(self, name: str, around: Surroundings) -> list[Rule]:
        """One table, of all assignments."""
        scope = tuple(other for other, _ in self.places())
        for number, (other, path) in enumerate(self.places()):
            if other in scope[:number]:
                raise fault(path, f"{other!r} is there twice; the nodes must differ")
        values = self.values()
        function = type(self).function
        table = tabulate(lambda *states: function(*states, **values), scope, around, self.log)
        return [Rule(name, scope, table, hard=bool(np.isneginf(table).any()), by=name)]


@overload
def model(function: Callable[..., Any], /) -> type[FunctionModel]: ...
@overload
def model(
    *, prior: float = 0.05, type_name: str = ""
) -> Callable[[Callable[..., Any]], type[FunctionModel]]: ...
def model(
    function: Callable[..., Any] | None = None, /, *, prior: float = 0.05, type_name: str = ""
) -> Any:
    """Make a node type of a function that says what a model predicts while it is active.

    The function takes names of nodes, and keys after the star, and returns predictions by node,
    written as under ``predicts`` of a model. The type has the key ``prior`` besides. *Evolving.*

    Parameters
    ----------
    function : callable
        Its first line of documentation is what ``mpnet list nodes`` shows.
    prior : float
        Default of the key ``prior``: probability of being active before any evidence.
    type_name : str
        What scenarios call the type; the function's name if left out.

    Examples
    --------
    >>> @model
    ... def dusk(sky, sound, *, how_dark: float = 0.9):
    ...     "The sky goes dark, and it is quiet."
    ...     return {sky: {"dark": how_dark}, sound: "quiet"}
    >>> dusk(sky="west", sound="street").places()
    [('west', ('sky',)), ('street', ('sound',))]

    """

    def make(written: Callable[..., Any]) -> type[FunctionModel]:
        said = Field(
            prior,
            gt=0.0,
            lt=1.0,
            description="Probability of being active before any evidence.",
            validate_default=True,
        )
        kind = _type_of(written, FunctionModel, {"prior": (float, said)}, type_name)
        return kind

    return make if function is None else make(function)


@overload
def factor(function: Callable[..., float], /) -> type[FunctionFactor]: ...
@overload
def factor(
    *, log: bool = False, type_name: str = ""
) -> Callable[[Callable[..., float]], type[FunctionFactor]]: ...
def factor(
    function: Callable[..., float] | None = None, /, *, log: bool = False, type_name: str = ""
) -> Any:
    """Make a node type of a function that says how likely each assignment of some nodes is.

    The function takes one state per node, as text, and keys after the star, and returns a weight:
    1 says nothing, 0 makes it impossible, 3 makes it three times as likely. *Evolving.*

    Parameters
    ----------
    function : callable
        Its first line of documentation is what ``mpnet list nodes`` shows.
    log : bool
        Whether it returns logs of weights, in nats.
    type_name : str
        What scenarios call the type; the function's name if left out.

    Examples
    --------
    >>> @factor
    ... def alike(one, other, *, times: float = 3.0):
    ...     "Two nodes like to be in the same state."
    ...     return times if one == other else 1.0
    >>> alike(one="a", other="b").places()
    [('a', ('one',)), ('b', ('other',))]

    """

    def make(written: Callable[..., float]) -> type[FunctionFactor]:
        kind = _type_of(written, FunctionFactor, {}, type_name)
        kind.log = log
        return kind

    return make if function is None else make(function)


K = TypeVar("K", bound=_Written)


def _type_of(
    function: Callable[..., Any], base: type[K], fields: dict[str, Any], type_name: str
) -> type[K]:
    """The node type whose keys are the arguments of a function."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"{function.__qualname__}: {error}") from None
    needed, several, extras = [], "", []
    for name, argument in inspect.signature(function).parameters.items():
        _refuse_taken(function, base, name)
        if argument.kind in (argument.POSITIONAL_ONLY, argument.POSITIONAL_OR_KEYWORD):
            needed.append(name)
            fields[name] = (Name, Field(description="A node."))
        elif argument.kind is argument.VAR_POSITIONAL:
            several = name
            fields[name] = (list[Name], Field(min_length=1, description="Nodes."))
        else:
            extras.append(name)
            fields[name] = _key(function, name, argument, hints)
    if not needed and not several:
        raise TypeError(f"{function.__qualname__} takes no node; write one before the star")
    made: type[K] = create_model(
        function.__name__, __base__=base, __module__=function.__module__, **fields
    )
    made.__qualname__ = function.__qualname__
    made.__doc__ = inspect.getdoc(function) or f"{function.__name__}, which says no more of itself."
    made.function, made.type_name = staticmethod(function), type_name
    made.needed, made.several, made.extras = tuple(needed), several, tuple(extras)
    return made


def _key(
    function: Callable[..., Any], name: str, argument: inspect.Parameter, hints: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Type and default of a key with a value."""
    if argument.kind is argument.VAR_KEYWORD:
        raise TypeError(f"{function.__qualname__}: write the keys of '**{name}' out")
    if name not in hints:
        raise TypeError(
            f"{function.__qualname__}: the key {name!r} needs a type, such as {name}: float = 0.5"
        )
    return hints[name], ... if argument.default is argument.empty else argument.default


def _refuse_taken(function: Callable[..., Any], base: type[Node], name: str) -> None:
    if name == "type" or hasattr(base, name) or name in base.model_fields or name[:1] == "_":
        raise TypeError(
            f"{function.__qualname__}: an argument can't be called {name!r}, which every node has; "
            "call it otherwise"
        )
