"""The JSON Schema of the scenario format, with the keys of every node type."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mpnet.estimators import ESTIMATORS
from mpnet.nodes.registry import node_types
from mpnet.scenario.spec import ScenarioSpec
from mpnet.schedules import SCHEDULES


def scenario_schema(plugins: Collection[str] = (), draft: str = "7") -> dict[str, Any]:
    """Build the schema.

    Parameters
    ----------
    plugins : collection of str
        Node types of other distributions to include.
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
        if not found.enabled:
            continue
        loaded = found.load()
        node = loaded.model_json_schema()
        definitions.update(node.pop("$defs", {}))
        node["properties"] = {"type": {"const": name}, **node.get("properties", {})}
        node["required"] = ["type", *node.get("required", [])]
        node["title"] = name
        node["description"] = (loaded.__doc__ or "").strip().splitlines()[0]
        definitions[f"node_{name}"] = node
        choices.append({"$ref": f"#/$defs/node_{name}"})
    schema["properties"]["nodes"]["additionalProperties"] = {"oneOf": choices}
    definitions["Inference"]["properties"]["estimator"]["enum"] = list(ESTIMATORS)
    definitions["Inference"]["properties"]["schedule"]["enum"] = list(SCHEDULES)
    schema["title"] = "mpnet scenario"
    if draft == "7":
        schema = _as_draft_7(schema)
        schema["$schema"] = "http://json-schema.org/draft-07/schema#"
    else:
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return schema


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
