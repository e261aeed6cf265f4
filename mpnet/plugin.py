"""All that a plugin's author needs, in one place.

The shortest plugin is a function under ``model`` (what it predicts while active) or ``factor``
(how likely each assignment of some nodes is). A class that inherits ``Node`` can do all that the
built-in types do. Factors with compiled kernels of their own: see ``mpnet.families``. *Evolving.*
"""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from mpnet.content import Content, Kind
from mpnet.errors import Fault, PluginError
from mpnet.kernels.layout import FloatArray
from mpnet.names import Name
from mpnet.nodes.base import (
    ACTIVATION,
    Explanation,
    Node,
    NodeFaults,
    Observation,
    Prediction,
    Reference,
    Rule,
    Surroundings,
    fault,
    moved,
    read_distribution,
    read_evidence,
)
from mpnet.nodes.conditional import conditional
from mpnet.nodes.functions import factor, model
from mpnet.nodes.model import Model, read_prediction
from mpnet.nodes.registry import API
from mpnet.nodes.tabulating import tabulate

__all__ = [
    "ACTIVATION",
    "API",
    "Content",
    "Explanation",
    "Fault",
    "Field",
    "FloatArray",
    "Kind",
    "Model",
    "Name",
    "Node",
    "NodeFaults",
    "Observation",
    "PluginError",
    "Prediction",
    "Reference",
    "Rule",
    "Surroundings",
    "conditional",
    "factor",
    "fault",
    "field_validator",
    "model",
    "model_validator",
    "moved",
    "read_distribution",
    "read_evidence",
    "read_prediction",
    "tabulate",
]
