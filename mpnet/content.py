"""What the factors of one family hold: what a graph asks of dense tables and of every other kind."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from numpy.typing import DTypeLike

from mpnet.kernels.layout import FloatArray, IntArray


class Parts(NamedTuple):
    """One factor as a product of small tables, with hidden variables summed out.

    Parameters
    ----------
    hidden : tuple of int
        Number of states of each hidden variable.
    tables : tuple of (tuple of int, float64 array)
        Scopes and log potentials (nats), one axis per variable. Variables of the factor are
        counted from 0 in the order of its scope, hidden ones after them.

    """

    hidden: tuple[int, ...]
    tables: tuple[tuple[tuple[int, ...], FloatArray], ...]


class Content(Protocol):
    """What the factors of one family hold, by their place in the family.

    *Evolving.*
    """

    @property
    def kind(self) -> str:
        """The kernels that serve it, a key of ``mpnet.kernels.families.FAMILIES``."""
        ...

    @property
    def reach(self) -> int:
        """How many incoming entries one term of a message multiplies without a look at the range."""
        ...

    @property
    def alike(self) -> Hashable:
        """What contents of factors of one shape must have in common to be joined."""
        ...

    def table(self, number: int) -> FloatArray:
        """Log potentials of one factor as a table, in nats.

        Raises
        ------
        TooLargeError
            If the table would not fit; says how large.

        """
        ...

    def parts(self, number: int) -> Parts:
        """One factor as a product of small tables; the factor's own table where that is small."""
        ...

    def is_linear(self) -> bool:
        """Whether the potentials fit linear space."""
        ...

    def tempered(self, powers: FloatArray) -> Content:
        """The same factors with their potentials raised to powers > 0, one per factor."""
        ...

    def maximised(self) -> Content:
        """The same factors for kernels that maximise; itself unless the kernels sum inside a factor."""
        ...

    def taken(self, numbers: IntArray) -> Content:
        """Some of the factors, by their places in the family."""
        ...

    def joined(self, others: Sequence[Any]) -> Content:
        """These factors, and then those of other contents that are alike and of the same shape."""
        ...

    def arrays(self, first: int, linear: bool, dtype: DTypeLike) -> tuple[Any, float]:
        """What the kernels read, and the log (nats) of what all factors were divided by."""
        ...


Label = Callable[[int], str]
"""What to call a factor in an error, by its place in the family."""

Maker = Callable[[IntArray, Label], Content]
"""Makes a content from the cardinalities of all variables of its factors, int64[F, arity]."""


class Kind(Protocol):
    """One factor as a user writes it down, by the names of its variables.

    *Evolving.*
    """

    @property
    def name(self) -> str:
        """For messages and figures; made up from the scope where empty."""
        ...

    @property
    def scope(self) -> tuple[str, ...]:
        """Names of its variables."""
        ...

    @property
    def hidden(self) -> Mapping[str, int]:
        """Variables that come with the factor: number of states by name."""
        ...

    @property
    def expanded(self) -> Sequence[Kind]:
        """The factors that stand for this one: in general itself."""
        ...

    def content(self, counts: IntArray, label: Label) -> Content:
        """What a family of this one factor holds, given int64[1, arity] cardinalities.

        Raises
        ------
        GraphError
            If cardinalities or parameters do not fit; names the factor and the index.

        """
        ...
