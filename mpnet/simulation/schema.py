"""The JSON Schema of the scenario format, with the keys of every node type."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from mpnet.estimators import ESTIMATORS
from mpnet.extensions import extend
from mpnet.nodes.registry import Plugin, named, node_types
from mpnet.scenario.spec import ScenarioSpec
from mpnet.schedules import SCHEDULES
from mpnet.simulation.experiments import EXPERIMENTS, experiment_class


def scenario_schema(plugins: Collection[Plugin] = (), draft: str = "7") -> dict[str, Any]:
    """Build the schema.

    Parameters
    ----------
    plugins : collection of str, path or type
        Node types of other distributions, or of files, to include.
    draft : str
        ``7``, which all editors read, or ``2020-12``.

    Raises
    ------
    PluginError
        If an included type can't be imported.

    """
    schema = ScenarioSpec.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    choices = []
    for name, found in node_types(plugins).items():
        if found.enabled:
            choices.append(_define(definitions, f"node_{name}", name, found.load()))
    schema["properties"]["nodes"]["additionalProperties"] = {"oneOf": choices}
    measurements = [
        _define(definitions, f"experiment_{name}", name, experiment_class(name))
        for name in EXPERIMENTS
    ]
    schema["properties"]["experiment"]["anyOf"] = [*measurements, {"type": "null"}]
    extend("mpnet.estimators", ESTIMATORS, named(plugins))
    extend("mpnet.schedules", SCHEDULES, named(plugins))
    definitions["Inference"]["properties"]["estimator"]["enum"] = list(ESTIMATORS)
    definitions["Inference"]["properties"]["schedule"]["enum"] = list(SCHEDULES)
    schema["title"] = "mpnet scenario"
    if draft == "7":
        schema = _as_draft_7(schema)
        schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    else:
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


def _define(
    definitions: dict[str, Any], key: str, name: str, loaded: type[BaseModel]
) -> dict[str, str]:
    """Enter the keys of one type among the definitions; what refers to them."""
    part = loaded.model_json_schema()
    definitions.update(part.pop("$defs", {}))
    part["properties"] = {"type": {"const": name}, **part.get("properties", {})}
    part["required"] = ["type", *part.get("required", [])]
    part["title"] = name
    part["description"] = (loaded.__doc__ or "").strip().splitlines()[0]
    definitions[key] = part
    return {"$ref": f"#/$defs/{key}"}


def _as_draft_7(value: Any) -> Any:
    """The same schema in the words of draft 7."""
    renamed = {"$defs": "definitions", "prefixItems": "items"}
    if isinstance(value, dict):
        return {renamed.get(key, key): _as_draft_7(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_draft_7(inner) for inner in value]
    if isinstance(value, str):
        return value.replace("#/$defs/", "#/definitions/")
    return value
