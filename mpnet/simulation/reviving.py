"""From a run folder back to the scenario that was run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mpnet.errors import DataError, OutputError, ScenarioError
from mpnet.nodes.registry import Plugin
from mpnet.record import Record
from mpnet.scenario.document import read_document
from mpnet.simulation.loading import Scenario, check_scenario

TEXTS = ("scenario.yaml", "resolved.yaml")
"""Where a run folder keeps its scenario: as written, and with every setting filled in."""


def revive(folder: Path, record: Record, plugins: Collection[Plugin] = ()) -> Scenario:
    """Read the scenario of a run folder again.

    The scenario as it was written is taken where it is what was run; where settings were changed
    on the command line, the resolved one.

    Parameters
    ----------
    folder : Path
        The run folder.
    record : Record
        What it holds.
    plugins : collection of str, path or type
        As for ``check_scenario``.

    Raises
    ------
    OutputError
        If the folder has no scenario, or another one than was run.
    DataError
        If it needs data that are not there.

    """
    wanted = record.environment.get("scenario_sha256")
    for name in TEXTS:
        path = folder / name
        try:
            document = read_document(str(path), path.read_bytes())
            scenario = check_scenario(document, plugins)
        except DataError:
            raise
        except (ScenarioError, FileNotFoundError):
            continue
        except OSError as error:
            raise OutputError(f"{path} can't be read ({error.strerror})") from error
        if scenario.sha256() == wanted:
            return scenario
    raise OutputError(
        f"{folder}: neither {TEXTS[0]} nor {TEXTS[1]} is the scenario that was run; they were changed "
        "since, or mpnet was; run it again"
    )
