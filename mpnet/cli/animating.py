"""``mpnet plot RUN society --anim``: the society over the iterations, as a moving picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mpnet.cli.output import print_error, print_result

if TYPE_CHECKING:
    from mpnet.record import Record


def check_animated(figures: Sequence[str]) -> None:
    """Refuse figures that do not move.

    Raises
    ------
    UsageError
        If any figure but the society is named.

    """
    from mpnet.errors import UsageError, shown

    still = [name for name in figures if name != "society"]
    if still:
        raise UsageError(f"--anim: {shown(still[0])!r} does not move; only society does")


def animate(record: Record, folder: Path, kind: str, node: str | None = None) -> None:
    """Write ``folder/plots/society.gif`` or ``.mp4`` and print its path.

    Parameters
    ----------
    record : Record
        The run.
    folder : Path
        A run folder, or the folder that ``--out`` names.
    kind : str
        ``gif`` or ``mp4``.
    node : str, optional
        Of a large society, show the nodes nearest to this one.

    """
    from mpnet.plots.animation import save_animation

    plots = folder / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    path = save_animation(record, plots / "society", kind, node)
    if path is None:
        print_error("note: no iteration to show")
    else:
        print_result(str(path))
