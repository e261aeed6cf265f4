"""The library in two functions, for scripts and notebooks."""

from __future__ import annotations

from collections.abc import Collection
from os import PathLike, fspath
from typing import Any

from mpnet.nodes.registry import Plugin
from mpnet.record import Record
from mpnet.scenario.document import set_value
from mpnet.scenario.library import open_scenario
from mpnet.scenario.spec import ScenarioSpec
from mpnet.simulation.loading import Scenario, check_scenario
from mpnet.simulation.running import run_scenario


def load(
    scenario: str | PathLike[str], *, plugins: Collection[Plugin] = (), **settings: Any
) -> Scenario:
    """Read and check a scenario.

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
    document = open_scenario(fspath(scenario))
    for key, value in settings.items():
        whole = key in ScenarioSpec.model_fields
        document = set_value(document, (key,) if whole else ("inference", key), value)
    return check_scenario(document, plugins)


def run(
    scenario: str | PathLike[str] | Scenario, *, plugins: Collection[Plugin] = (), **settings: Any
) -> Record:
    """Run a scenario and return the record; arguments as for ``load``."""
    if isinstance(scenario, Scenario):
        return run_scenario(scenario)
    return run_scenario(load(scenario, plugins=plugins, **settings))
