"""The library in a few functions, for scripts and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from inspect import signature
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mpnet.errors import UsageError, shown
from mpnet.names import suggestion
from mpnet.nodes.registry import Plugin
from mpnet.record import Record
from mpnet.scenario.document import Document, set_value
from mpnet.scenario.library import open_scenario
from mpnet.scenario.spec import ScenarioSpec
from mpnet.simulation.loading import Scenario, check_scenario
from mpnet.simulation.running import run_scenario

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mpnet.comparing import Comparison, Errors, Side
    from mpnet.explanation import Explanation
    from mpnet.plots.picture import Picture

RUNS = "runs"
"""Folder of all runs, where no other is named."""


@dataclass(frozen=True, repr=False)
class Run(Record):
    """A finished run: its record, and what can be done with it.

    Made by ``mpnet.run`` and ``mpnet.open_run``. *Evolving.*

    Parameters
    ----------
    checked : Scenario or None
        The scenario that ran; None where the run was read from a folder.
    folder : Path or None
        The folder that it was read from.

    """

    checked: Scenario | None = None
    folder: Path | None = None

    @classmethod
    def of(cls, record: Record, checked: Scenario | None = None, folder: Path | None = None) -> Run:
        """A run from its record; nothing is copied."""
        return cls(**_parts(record), checked=checked, folder=folder)

    @property
    def record(self) -> Record:
        """The plain data."""
        return Record(**_parts(self))

    def to_json(self) -> dict[str, Any]:
        """All but the arrays, as JSON data."""
        return self.record.to_json()

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the figures that have something to show for this run."""
        from mpnet.plots import default_figures

        return default_figures(self)

    def plot(self, name: str | None = None, **options: Any) -> Picture:
        """Draw a figure; it shows itself in a notebook.

        Parameters
        ----------
        name : str, optional
            One of ``figures``; the first of them if left out.
        **options
            What ``mpnet.plots.draw`` takes beside the name and the record.

        Raises
        ------
        UsageError
            If there is no such figure or option, or nothing to show.

        """
        from mpnet.plots import draw
        from mpnet.plots.picture import Picture
        from mpnet.plots.wording import alt_text, headline

        known = self.figures
        if name is None and not known:
            raise UsageError("this run has nothing that a figure could show")
        _check_options(draw, options)
        figure = draw(name or known[0], self, **options)
        if figure is None:
            raise UsageError(f"nothing to draw for {name} (figures: {', '.join(known)})")
        title = headline(self, str(figure.get_label()) or "figure")
        return Picture(figure, title, alt_text(self))

    def save(self, folder: str | PathLike[str] | None = None) -> Path:
        """Write a run folder, as ``mpnet run`` does, and return its path.

        Parameters
        ----------
        folder : str or path, optional
            The folder to make; a new one under ``runs`` if left out.

        Raises
        ------
        UsageError
            If the run was read from a folder, where it is already.
        OutputError
            If the folder is not empty or can't be written.

        """
        from mpnet.runs import write_run

        if self.checked is None:
            where = f": it is in {self.folder}" if self.folder else ""
            raise UsageError(f"only a run that was made here can be saved{where}")
        out = None if folder is None else Path(folder)
        return write_run(self.record, self.checked, out, Path(RUNS))

    def compare(self, other: Run, tolerance: float | None = None) -> Comparison:
        """Say what differs from this run to another.

        Parameters
        ----------
        other : Run
            The other run.
        tolerance : float, optional
            Total variation, and nats of log Z, up to which answers are the same.

        """
        from mpnet.comparing import TOLERANCE, compare

        one, two = _sides((self, other))
        return compare(one, two, TOLERANCE if tolerance is None else tolerance)

    def plot_beside(self, *others: Run) -> Picture:
        """Draw the beliefs that differ most between this run and others."""
        from mpnet.comparing import compare
        from mpnet.plots.compare import alt_text, draw
        from mpnet.plots.picture import Picture

        sides = _sides((self, *others))
        found = [compare(sides[0], side) for side in sides[1:]]
        figure = draw(sides, found)
        return Picture(figure, str(figure.get_label()), alt_text(found))

    def errors(self, base: Run | None = None) -> Errors:
        """How far the answers are from those of another run, or from the exact ones.

        Parameters
        ----------
        base : Run, optional
            The other run; this run's own exact answer if left out.

        Raises
        ------
        UsageError
            If this run has no exact answer.

        """
        from mpnet.comparing import errors_from, errors_from_exact

        if base is None:
            return errors_from_exact(_sides((self,))[0])
        known, run = _sides((base, self))
        return errors_from(run, known)

    def explain(
        self, node: str, state: str | None = None, why_not: str | None = None
    ) -> Explanation:
        """Say why a node is believed: its log-odds as a sum of shares.

        Parameters
        ----------
        node : str
            Any node with a variable.
        state : str, optional
            The state to explain; active, or the most believed one, if left out.
        why_not : str, optional
            The state that it is held against; the strongest rival if left out.

        Raises
        ------
        UsageError
            If there is no such node or state, or nothing is known of the scenario.

        """
        from mpnet.simulation.explaining import Wanted, explain
        from mpnet.simulation.reviving import revive
        from mpnet.simulation.scene import scene_of

        scenario = self.checked
        if scenario is None:
            if self.folder is None:
                raise UsageError("a run without its scenario can't be explained")
            scenario = revive(self.folder, self.record)
        return explain(scene_of(scenario, self.record), Wanted(node, state, why_not))

    def to_pandas(self, table: str = "beliefs") -> pd.DataFrame:
        """One of the tables of ``mpnet.frames``.

        Parameters
        ----------
        table : str
            ``beliefs``, ``estimates``, ``trace``, ``iterations``, ``messages`` or ``events``.

        Raises
        ------
        UsageError
            If there is no such table.

        """
        from mpnet import frames

        if table not in frames.TABLES:
            near = suggestion(shown(str(table)), frames.TABLES, "tables")
            raise UsageError(f"there is no table {shown(str(table))!r}; {near}")
        found: pd.DataFrame = getattr(frames, table)(self.record)
        return found

    def to_xarray(self) -> xr.Dataset:
        """The run as a data set with beliefs along iteration, node and state."""
        from mpnet import frames

        return frames.to_xarray(self.record)

    def resolved(self) -> dict[str, Any]:
        """The scenario that ran, as plain data with every default filled in."""
        from mpnet.runs import read_resolved

        if self.checked is not None:
            return self.checked.resolved()
        return {} if self.folder is None else read_resolved(self.folder)


def _parts(record: Record) -> dict[str, Any]:
    return {part.name: getattr(record, part.name) for part in fields(Record)}


def _check_options(function: Callable[..., object], given: Mapping[str, Any]) -> None:
    """Refuse options that a function does not take, in words."""
    taken = list(signature(function).parameters.values())
    names = [p.name for p in taken if p.name not in ("name", "record") and p.kind != p.VAR_KEYWORD]
    if any(p.kind == p.VAR_KEYWORD for p in taken):
        return
    for option in given:
        if option not in names:
            hint = f"options: {', '.join(names)}" if names else "figures take no options"
            raise UsageError(f"unknown option {shown(option)!r} of a figure ({hint})")


def _sides(runs: Sequence[Run]) -> list[Side]:
    """Runs to compare, each under a label of its own."""
    from mpnet.comparing import Side

    labels = _labels(runs)
    return [Side(label, run, run.resolved()) for label, run in zip(labels, runs, strict=True)]


def _labels(runs: Sequence[Run]) -> list[str]:
    """Names of scenarios; where they are the same, with the method if that tells them apart."""
    names = [run.scenario for run in runs]
    if len(set(names)) == len(names):
        return names
    for method in ("estimator", "schedule", "damping"):
        values = [getattr(run, method) for run in runs]
        if len(set(values)) == len(values):
            word = "damping " if method == "damping" else ""
            said = [f"{value:g}" if word else str(value) for value in values]
            return [f"{n}, {word}{value}" for n, value in zip(names, said, strict=True)]
    return [n if names.count(n) == 1 else f"{n} {i}" for i, n in enumerate(names, start=1)]


def load(
    scenario: str | PathLike[str], *, plugins: Collection[Plugin] = (), **settings: Any
) -> Scenario:
    """Read and check a scenario.

    *Stable.*

    Parameters
    ----------
    scenario : str or path
        A file, or the name of a shipped scenario.
    plugins : collection of str, path or type
        Node types of other distributions that may load, Python files that define node types,
        and node types themselves.
    **settings
        Values under ``inference`` (``damping=0.5``), or whole parts (``evidence={...}``).

    Raises
    ------
    ScenarioError
        With every fault and its place.

    Examples
    --------
    >>> load("purple_jar").in_question[-2:]
    ('purple_jar', 'stationary_dancing')

    """
    return check_scenario(_with(open_scenario(fspath(scenario)), settings), plugins)


def _with(document: Document, settings: Mapping[str, Any]) -> Document:
    """A document with some of its values changed."""
    for key, value in settings.items():
        whole = key in ScenarioSpec.model_fields
        document = set_value(document, (key,) if whole else ("inference", key), value)
    return document


def run(
    scenario: str | PathLike[str] | Scenario, *, plugins: Collection[Plugin] = (), **settings: Any
) -> Run:
    """Run a scenario.

    *Stable.*

    Parameters
    ----------
    scenario : str, path or Scenario
        A file, the name of a shipped scenario, or one that was loaded.
    plugins : collection of str
        Node types of other distributions that may load.
    **settings
        As for ``load``; they change a loaded scenario too.

    Raises
    ------
    ScenarioError
        With every fault and its place.

    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario, plugins=plugins, **settings)
    elif settings:
        changed = _with(scenario.document, settings)
        scenario = check_scenario(changed, plugins or scenario.plugins)
    return Run.of(run_scenario(scenario), scenario)


def open_run(run: str | PathLike[str] = "latest", root: str | PathLike[str] = RUNS) -> Run:
    """Read a run back.

    *Evolving.*

    Parameters
    ----------
    run : str or path
        A run folder, a scenario that ran, ``latest``, or ``NAME~1`` for the run before.
    root : str or path
        Folder of all runs.

    Raises
    ------
    UsageError
        If there is no such run.
    OutputError
        If it is damaged.

    """
    from mpnet.runs import find_run, read_run

    folder = find_run(fspath(run), Path(root))
    return Run.of(read_run(folder), folder=folder)
