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
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from mpnet.cli.output import print_error
from mpnet.record import Record


@dataclass(frozen=True)
class Manner:
    """How figures are drawn: file formats, theme, and what of a run is chosen, if anything."""

    formats: tuple[str, ...] = ("png", "svg")
    theme: str = "light"
    node: str | None = None
    at: int | None = None

    @classmethod
    def of(
        cls, formats: str, theme: str = "light", node: str | None = None, at: int | None = None
    ) -> Manner:
        """Read what was typed; a format or theme that does not exist is a UsageError.

        Parameters
        ----------
        formats : str
            Names of formats, separated by commas.
        theme, node, at
            As ``mpnet.plots.draw`` takes them.

        """
        from mpnet.errors import UsageError, shown
        from mpnet.plots import FORMATS, THEMES

        wanted = tuple(dict.fromkeys(part.strip() for part in formats.split(",") if part.strip()))
        unknown = [part for part in wanted if part not in FORMATS]
        if unknown or not wanted:
            what = f"unknown format {shown(unknown[0])!r}" if unknown else "no format"
            raise UsageError(
                f"--format {shown(formats)}: {what}; write some of {','.join(FORMATS)}"
            )
        if theme not in THEMES:
            raise UsageError(f"--theme {shown(theme)}: write {' or '.join(THEMES)}")
        return cls(wanted, theme, node, at)

    @property
    def chosen(self) -> dict[str, str | int]:
        """What was chosen of the run."""
        pairs = {"node": self.node, "at": self.at}
        return {key: value for key, value in pairs.items() if value is not None}

    def file_stem(self, figure: str) -> str:
        """Name of a figure's files, without their ending."""
        from mpnet.names import file_name

        parts = [figure]
        parts += [file_name(self.node)] if self.node is not None else []
        parts += [f"at-{self.at}"] if self.at is not None else []
        return "-".join(parts)


class Draughtsman:
    """A second process that waits to draw; leaving the context ends it."""

    def __init__(self, wanted: bool, manner: Manner | None = None) -> None:
        self._manner = manner or Manner()
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
        paths = draw_figures(record, folder, [n for n in names if n not in theirs], self._manner)
        if theirs and not self._has_finished():
            paths += draw_figures(record, folder, theirs, self._manner)
        drawn = {path.stem for path in paths}
        present = {path.stem for path in (folder / "plots").glob(f"*.{self._manner.formats[0]}")}
        return [name for name in names if name in drawn or (name in theirs and name in present)]

    def _hand_over(self, folder: Path, names: Sequence[str]) -> None:
        if self._process is None or self._process.stdin is None or not names:
            return
        try:
            order = {"folder": os.fspath(folder.resolve()), "names": names}
            json.dump({**order, "manner": asdict(self._manner)}, self._process.stdin)
            self._process.stdin.close()
        except OSError:
            return

    def _has_finished(self) -> bool:
        return self._process is not None and self._process.wait() == 0


def draw_figures(
    record: Record, folder: Path, wanted: Sequence[str], manner: Manner | None = None
) -> list[Path]:
    """Draw figures of a record into ``folder/plots`` and return the paths of their files.

    Parameters
    ----------
    record : Record
        What happened.
    folder : Path
        A run folder.
    wanted : sequence of str
        Names of figures.
    manner : Manner, optional
        How; light, as PNG and SVG, if left out.

    """
    from mpnet.plots import draw, save

    manner = manner or Manner()
    paths = []
    for name in wanted:
        figure = draw(name, record, manner.theme, manner.node, manner.at)
        if figure is None:
            print_error(f"note: nothing to draw for {name}")
            continue
        plots = folder / "plots"
        plots.mkdir(exist_ok=True)
        paths += save(figure, plots / manner.file_stem(name), record, manner.formats)
    return paths


def _wait_and_draw() -> None:
    """Load what takes long, then do what standard input says."""
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_svg  # noqa: F401 - loaded ahead of its use

    from mpnet.runs import read_run

    task = sys.stdin.read()
    if task:
        order = json.loads(task)
        folder = Path(order["folder"])
        manner = Manner(**{**order["manner"], "formats": tuple(order["manner"]["formats"])})
        draw_figures(read_run(folder), folder, order["names"], manner)


if __name__ == "__main__":
    _wait_and_draw()
