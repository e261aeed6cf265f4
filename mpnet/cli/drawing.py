"""Draws the figures of a run, on two cores where there are two.

Loading matplotlib and drawing take longer than most runs. A second process gets ready while the
run is computed, then draws every other figure from the run folder; it never touches anything
else, and whatever it fails to draw is drawn here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from mpnet.cli.output import print_error
from mpnet.record import Record

FORMATS = ("png", "svg")


class Draughtsman:
    """A second process that waits to draw; leaving the context ends it."""

    def __init__(self, wanted: bool) -> None:
        self._process: subprocess.Popen[str] | None = None
        if wanted and (os.cpu_count() or 1) > 1 and sys.executable:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "mpnet.cli.drawing"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            except OSError:
                self._process = None

    def __enter__(self) -> Draughtsman:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def draw(self, record: Record, folder: Path, wanted: Sequence[str] | None) -> list[str]:
        """Draw into ``folder/plots`` and return the names of what was drawn, in order."""
        from mpnet.plots import default_figures

        names = list(wanted or default_figures(record))
        theirs = names[0::2] if self._process is not None and len(names) > 1 else []
        self._hand_over(folder, theirs)
        drawn = draw_figures(record, folder, [n for n in names if n not in theirs])
        if theirs and not self._has_finished():
            drawn += draw_figures(record, folder, theirs)
        present = {path.stem for path in (folder / "plots").glob("*.png")}
        return [name for name in names if name in drawn or (name in theirs and name in present)]

    def _hand_over(self, folder: Path, names: Sequence[str]) -> None:
        if self._process is None or self._process.stdin is None or not names:
            return
        try:
            json.dump({"folder": os.fspath(folder.resolve()), "names": names}, self._process.stdin)
            self._process.stdin.close()
        except OSError:
            return

    def _has_finished(self) -> bool:
        return self._process is not None and self._process.wait() == 0


def draw_figures(
    record: Record, folder: Path, wanted: Sequence[str], formats: Sequence[str] = FORMATS
) -> list[str]:
    """Draw figures of a record into ``folder/plots`` and return the names of those drawn.

    Parameters
    ----------
    record : Record
        What happened.
    folder : Path
        A run folder.
    wanted : sequence of str
        Names of figures.
    formats : sequence of str
        ``png``, ``svg``.

    """
    from mpnet.plots import draw, save

    drawn = []
    for name in wanted:
        figure = draw(name, record)
        if figure is None:
            print_error(f"note: nothing to draw for {name}")
            continue
        plots = folder / "plots"
        plots.mkdir(exist_ok=True)
        save(figure, plots / name, record, formats)
        drawn.append(name)
    return drawn


def _wait_and_draw() -> None:
    """Load what takes long, then do what standard input says."""
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_svg  # noqa: F401 - loaded ahead of its use

    from mpnet.runs import read_run

    task = sys.stdin.read()
    if task:
        order = json.loads(task)
        folder = Path(order["folder"])
        draw_figures(read_run(folder), folder, order["names"])


if __name__ == "__main__":
    _wait_and_draw()
