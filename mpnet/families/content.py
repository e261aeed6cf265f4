"""What a family of a plugin holds, where its tables are small enough to be written out."""

from __future__ import annotations

from mpnet.content import Parts
from mpnet.factors.base import Chained
from mpnet.kernels.layout import FloatArray


class OwnContent(Chained):
    """A content whose tables are small enough to be written out where its kernels don't serve.

    An heir is a frozen dataclass (``eq=False``) whose arrays have one row per factor. It says its
    ``kind`` (the name of its family), ``shape``, ``table(number)`` and ``arrays(first, linear,
    dtype)``; exact and region answers use its tables. Replace ``parts`` where a factor is a product
    of smaller tables, ``is_linear`` where potentials are not all moderate numbers, and ``tempered``
    where a power of a factor is a factor of the same family. *Evolving.*
    """

    @property
    def count(self) -> int:
        """How many factors there are: the rows of its arrays."""
        return len(next(iter(self._rows().values())))

    def table(self, number: int) -> FloatArray:
        """Log potentials of one factor as a table, one axis per variable, in nats."""
        raise NotImplementedError

    def parts(self, number: int) -> Parts:
        """The factor's own table."""
        self.need_small()
        return Parts((), ((tuple(range(len(self.shape))), self.table(number)),))
