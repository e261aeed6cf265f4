"""Societies of generative models that agree by loopy belief propagation.

>>> import mpnet
>>> record = mpnet.run("purple_jar")  # doctest: +SKIP
>>> record.status, record.beliefs["purple_jar"]["active"]  # doctest: +SKIP

Importing this package is cheap; what computes is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpnet.api import Run, load, open_run, run
    from mpnet.authoring import SocietyBuilder
    from mpnet.batch import infer_batch
    from mpnet.builder import GraphBuilder
    from mpnet.errors import MpnetError, NotConvergedWarning
    from mpnet.graph import FactorGraph
    from mpnet.inference import infer
    from mpnet.interchange import read_model, write_model
    from mpnet.interchange.networkx_graphs import from_networkx, to_networkx
    from mpnet.interchange.pgmpy_models import from_pgmpy, to_pgmpy
    from mpnet.learning import SocietyClassifier
    from mpnet.loopy import LoopyBP
    from mpnet.record import Record
    from mpnet.simulation.loading import Scenario
    from mpnet.society import Society

__all__ = [
    "FactorGraph",
    "GraphBuilder",
    "LoopyBP",
    "MpnetError",
    "NotConvergedWarning",
    "Record",
    "Run",
    "Scenario",
    "Society",
    "SocietyBuilder",
    "SocietyClassifier",
    "from_networkx",
    "from_pgmpy",
    "infer",
    "infer_batch",
    "load",
    "open_run",
    "read_model",
    "run",
    "to_networkx",
    "to_pgmpy",
    "write_model",
]

_HOMES = {
    "FactorGraph": "mpnet.graph",
    "GraphBuilder": "mpnet.builder",
    "LoopyBP": "mpnet.loopy",
    "MpnetError": "mpnet.errors",
    "NotConvergedWarning": "mpnet.errors",
    "Record": "mpnet.record",
    "Run": "mpnet.api",
    "Scenario": "mpnet.simulation.loading",
    "Society": "mpnet.society",
    "SocietyBuilder": "mpnet.authoring",
    "SocietyClassifier": "mpnet.learning",
    "from_networkx": "mpnet.interchange.networkx_graphs",
    "from_pgmpy": "mpnet.interchange.pgmpy_models",
    "infer": "mpnet.inference",
    "infer_batch": "mpnet.batch",
    "load": "mpnet.api",
    "open_run": "mpnet.api",
    "read_model": "mpnet.interchange",
    "run": "mpnet.api",
    "to_networkx": "mpnet.interchange.networkx_graphs",
    "to_pgmpy": "mpnet.interchange.pgmpy_models",
    "write_model": "mpnet.interchange",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mpnet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
