"""The example plugins, as they are installed and as they lie in their folders."""

import importlib
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1] / "examples"


class Example(NamedTuple):
    """One installable package."""

    folder: Path
    package: str
    version: str
    types: dict
    """Node types by name, as ``module:class``."""

    @property
    def scenarios(self):
        return sorted((self.folder / "scenarios").glob("*.yaml"))

    def load(self):
        """Its node types, imported from the folder: (name, class) each."""
        source = str(self.folder / "src")
        if source not in sys.path:
            sys.path.insert(0, source)
        places = [where.split(":") for where in self.types.values()]
        return [getattr(importlib.import_module(module), name) for module, name in places]


def read(folder):
    """An example from its pyproject.toml."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["mpnet.nodes"]
    return Example(folder, project["name"], project["version"], points)


EXAMPLES = [read(path.parent) for path in sorted(ROOT.glob("*/pyproject.toml"))]
