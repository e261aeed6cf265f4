"""Pages of the reference that are written from the code: the scenario format and the lists."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sphinx.application import Sphinx

from mpnet.estimators import ESTIMATORS
from mpnet.nodes.registry import node_types
from mpnet.plots import FIGURES
from mpnet.scenario import spec
from mpnet.schedules import SCHEDULES
from mpnet.simulation.experiments import EXPERIMENTS, experiment_class

PARTS = {
    "inference": spec.Inference,
    "timeline": spec.Entry,
    "lifecycle": spec.Lifecycle,
    "batch": spec.Batch,
    "trace": spec.Tracing,
    "expect": spec.Expectation,
}


def cell(text: str) -> str:
    """Text that can stand in a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def type_of(schema: dict[str, Any]) -> str:
    """The type of a key, in words."""
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        inner = [type_of(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(inner))
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}" if schema.get("items") else "list"
    if schema.get("type") == "object":
        return "mapping"
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    return str(schema.get("type", "anything"))


def keys_of(model: type[BaseModel]) -> Iterator[str]:
    """A table of the keys of a part or node type."""
    properties = model.model_json_schema().get("properties", {})
    if not properties:
        yield "It has no keys of its own."
        return
    yield "| key | type | if left out | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, field in model.model_fields.items():
        key = field.alias or name
        schema = properties.get(key, {})
        default = "needed" if field.is_required() else cell(shown_default(schema, field))
        yield f"| `{key}` | {cell(type_of(schema))} | {default} | {cell(field.description or '')} |"


def shown_default(schema: dict[str, Any], field: Any) -> str:
    """What a key is where it is not written."""
    value = schema.get("default", field.default if field.default_factory is None else None)
    if value is None or value in ([], {}, ""):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def words(loaded: type) -> str:
    """The docstring of a type as Markdown."""
    return inspect.cleandoc(loaded.__doc__ or "").replace("``", "`")


def scenario_page() -> Iterator[str]:
    """The scenario format."""
    yield "# The scenario format\n"
    yield "Written from the schema that checks scenarios (`mpnet schema`).\n"
    yield "## At the top\n"
    yield from keys_of(spec.ScenarioSpec)
    for name, part in PARTS.items():
        yield f"\n## `{name}`\n"
        yield words(part) + "\n"
        yield from keys_of(part)
    yield "\n## Node types\n"
    for name, found in node_types().items():
        if found.built_in:
            yield f"\n### `type: {name}`\n"
            yield words(found.load()) + "\n"
            yield from keys_of(found.load())
    yield "\n## Experiments\n"
    for name in EXPERIMENTS:
        loaded = experiment_class(name)
        yield f"\n### `type: {name}`\n"
        yield words(loaded) + "\n"
        yield from keys_of(loaded)


def lists_page() -> Iterator[str]:
    """Estimators, schedules and figures."""
    from mpnet.estimators import make_estimator
    from mpnet.schedules import make_schedule

    yield "# Estimators, schedules, figures\n"
    yield "## Estimators\n\n| name | answers by |\n| --- | --- |"
    for name in ESTIMATORS:
        yield f"| `{name}` | {cell(words(type(make_estimator(name))).splitlines()[0])} |"
    yield "\n## Schedules\n\n| name | messages move |\n| --- | --- |"
    for name in SCHEDULES:
        yield f"| `{name}` | {cell(words(type(make_schedule(name))).splitlines()[0])} |"
    yield "\n## Figures\n\n| name | shows |\n| --- | --- |"
    for name, shows in FIGURES.items():
        yield f"| `{name}` | {cell(shows)} |"


def write(app: Sphinx) -> None:
    """Write the pages where their text has changed."""
    folder = Path(app.srcdir) / "reference"
    for name, lines in (("scenario", scenario_page()), ("lists", lists_page())):
        path = folder / f"{name}.md"
        text = "\n".join(lines) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Enter the pages before Sphinx looks for its sources."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
