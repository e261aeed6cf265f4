"""Societies written in code: the same document as in YAML, with the same checks and messages."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Self

from mpnet.api import Run, run
from mpnet.coding import Keys, NodeCalls, given, to_python
from mpnet.errors import shown
from mpnet.interchange.files import write_whole
from mpnet.scenario.document import Document
from mpnet.scenario.library import open_scenario
from mpnet.scenario.spec import FORMAT, ScenarioSpec
from mpnet.scenario.writing import plain, to_yaml
from mpnet.simulation.loading import Scenario, check_scenario


class SocietyBuilder(NodeCalls):
    """Collects nodes, evidence and all else of a scenario, and checks it as a file is checked.

    Each method adds one thing and returns the builder; what is left out or None takes its
    default. A fault is told with its place in the scenario, such as ``nodes.cat.prior``, and
    all faults at once. *Evolving.*

    Parameters
    ----------
    name : str
        Name of the scenario and of its run folders.
    description : str
        What it shows.

    Examples
    --------
    >>> society = SocietyBuilder("pets")
    >>> society.feature("sound", ["bark", "meow", "silence"], {"silence": 0.8})
    SocietyBuilder('pets': 1 node, 0 observed)
    >>> society.model("dog", prior=0.1, predicts={"sound": {"bark": 0.6}}).observe(sound="bark")
    SocietyBuilder('pets': 2 nodes, 1 observed)
    >>> print(society.to_yaml(), end="")
    mpnet: 1
    name: pets
    nodes:
      sound: {type: feature, states: [bark, meow, silence], base_rates: {silence: 0.8}}
      dog: {type: model, prior: 0.1, predicts: {sound: {bark: 0.6}}}
    evidence: {sound: bark}

    """

    def __init__(self, name: str = "society", description: str | None = None) -> None:
        self._data: dict[str, Any] = {"mpnet": FORMAT, "name": plain(name, ("name",))}
        if description is not None:
            self._data["description"] = plain(description, ("description",))

    @classmethod
    def of(cls, scenario: str | PathLike[str] | Scenario) -> Self:
        """A builder that holds what a scenario says, to go on from there.

        Parameters
        ----------
        scenario : str, path or Scenario
            A file, the name of a shipped scenario, or one that was loaded.

        """
        found = cls()
        document = (
            scenario.document if isinstance(scenario, Scenario) else open_scenario(fspath(scenario))
        )
        found._data = plain(document.data)
        return found

    # What is seen, and what happens.

    def observe(self, evidence: Keys | None = None, /, **states: Any) -> Self:
        """Add evidence; what was said of a node before is replaced.

        Parameters
        ----------
        evidence : mapping, optional
            By node, a state or likelihoods by state: ``{"legs": "four"}``.
        **states
            The same, for names that Python allows.

        """
        self._part("evidence").update(plain({**(evidence or {}), **states}, ("evidence",)))
        return self

    def stream(self, steps: Mapping[str, Sequence[Any]] | None = None, /, **more: Any) -> Self:
        """Add evidence step by step, by feature; None where nothing was observed.

        Parameters
        ----------
        steps : mapping of str to sequence, optional
            ``{"light": ["on", None, "off"]}``.
        **more
            The same, for names that Python allows.

        """
        self._part("stream").update(plain({**(steps or {}), **more}, ("stream",)))
        return self

    def at(self, moment: int | str = "settled", /, **happens: Any) -> Self:
        """Add a moment to the timeline.

        Parameters
        ----------
        moment : int or "settled"
            An iteration, or once messages have settled.
        **happens
            ``label``, ``evidence``, ``withdraw``, ``do``, ``undo``, ``add``, ``remove``.

        """
        return self._listed("timeline", {"at": moment, **given(happens)})

    def expect(self, **claim: Any) -> Self:
        """Add one thing that must come out.

        Parameters
        ----------
        **claim
            ``status``; or ``node`` (and ``state``) with ``above``, ``below`` or ``near``; or
            ``winner``; or ``events``: the keys of an expectation in YAML.

        """
        return self._listed("expect", given(claim))

    # How it is run.

    def inference(self, **settings: Any) -> Self:
        """Set how beliefs are computed.

        Parameters
        ----------
        **settings
            ``estimator``, ``schedule``, ``damping``, ``tolerance``, ``ask``, ....

        """
        return self._settings("inference", settings)

    def lifecycle(self, **settings: Any) -> Self:
        """Let models sleep, wake, go and compose while it runs.

        Parameters
        ----------
        **settings
            ``asleep``, ``wake_above``, ``sleep_below``, ``fight_below``, ``compose_above``.

        """
        return self._settings("lifecycle", settings)

    def trace(self, **settings: Any) -> Self:
        """Set what is kept of the iterations.

        Parameters
        ----------
        **settings
            ``every``, ``nodes``, ``precision``, ``budget``.

        """
        return self._settings("trace", settings)

    def batch(self, node: str, cases: str | Sequence[Keys], answer: str) -> Self:
        """Run many evidence sets instead of one.

        Parameters
        ----------
        node : str
            The node whose evidence varies.
        cases : str or sequence of mapping
            A named set of that node, or ``{"evidence": ..., "truth": ...}`` each.
        answer : str
            The node whose most believed state is the answer.

        """
        return self._settings("batch", {"node": node, "cases": cases, "answer": answer})

    def experiment(self, type: str, /, **keys: Any) -> Self:
        """Measure something beyond one run; see ``mpnet list experiments``.

        Parameters
        ----------
        type : str
            Type of the experiment.
        **keys
            That type's keys.

        """
        return self._settings("experiment", {"type": type, **keys})

    def plots(self, *figures: str) -> Self:
        """Name the figures to draw, if not all that apply.

        Parameters
        ----------
        *figures
            As in ``mpnet list figures``.

        """
        self._data["plots"] = plain(list(figures), ("plots",))
        return self

    # What comes of it.

    @property
    def data(self) -> dict[str, Any]:
        """What was collected, as plain data in the order of the format; a copy."""
        order = [key for key in ScenarioSpec.model_fields if key in self._data]
        rest = [key for key in self._data if key not in order]
        return copy.deepcopy({key: self._data[key] for key in (*order, *rest)})

    def build(self, plugins: Collection[str] = ()) -> Scenario:
        """Check every word, and return the scenario; the builder can go on being used.

        Parameters
        ----------
        plugins : collection of str
            Node types of other distributions that may load.

        Raises
        ------
        ScenarioError
            With every fault and its place.

        """
        data = self.data
        return check_scenario(Document(data, self._source, to_yaml(data)), plugins)

    def run(self, *, plugins: Collection[str] = (), **settings: Any) -> Run:
        """Run what was collected, as ``mpnet.run`` runs a file.

        Parameters
        ----------
        plugins : collection of str
            Node types of other distributions that may load.
        **settings
            As for ``mpnet.load``, for this run only.

        """
        return run(self.build(plugins), plugins=plugins, **settings)

    def to_yaml(self) -> str:
        """The scenario as the text of a file; ``mpnet.load`` reads the same scenario."""
        return to_yaml(self.data)

    def to_python(self) -> str:
        """The scenario as a program that builds it: its last value is called ``society``."""
        return to_python(self.data)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write the scenario as a YAML file, whole or not at all.

        Parameters
        ----------
        path : str or path
            The file.
        overwrite : bool
            Whether one that is there is replaced.

        Raises
        ------
        OutputError
            If the file is there already, or can't be written.

        """
        write_whole(Path(path), self.to_yaml().encode(), overwrite)

    def __repr__(self) -> str:
        """One line: the name, how many nodes, how much is observed."""
        nodes = len(self._data.get("nodes", {}))
        seen = len(self._data.get("evidence", {})) + len(self._data.get("stream", {}))
        name = shown(str(self._data.get("name")))
        return f"SocietyBuilder({name!r}: {nodes} node{'' if nodes == 1 else 's'}, {seen} observed)"

    def _settings(self, key: str, settings: Keys) -> Self:
        self._part(key).update(plain(given(settings), (key,)))
        return self

    def _listed(self, key: str, item: Keys) -> Self:
        items: list[Any] = self._data.setdefault(key, [])
        items.append(plain(item, (key, len(items))))
        return self
