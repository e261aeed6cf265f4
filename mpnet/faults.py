"""From a validator's complaints to faults in the words of a scenario's author."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from mpnet.errors import Fault, shown
from mpnet.names import suggestion

Path = tuple[str | int, ...]

_ADDED = re.compile(r"\[key\]|str|float|int|(dict|list)\[.*\]|function-.*")

_WANTED = {
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
    "list_type": "a list",
    "finite_number": "a finite number",
}


def faults_of(error: ValidationError, prefix: Path, model: type[BaseModel]) -> list[Fault]:
    """One fault per complaint; ``prefix`` is where the model's keys are in the document."""
    faults = []
    for complaint in error.errors(include_url=False):
        location = tuple(complaint["loc"])
        on_key = complaint["type"] == "extra_forbidden" or location[-1:] == ("[key]",)
        path = (*prefix, *_document_path(location))
        what, hint = _say(dict(complaint), model)
        if complaint["type"] == "missing":
            path = path[:-1]
        faults.append(Fault(path, what, hint, on_key))
    return _without_echoes(faults)


def _document_path(location: Path) -> Path:
    """Drop what pydantic adds for unions and keys, which is not in the document."""
    return tuple(s for s in location if not _ADDED.fullmatch(str(s)) or isinstance(s, int))


def _say(complaint: dict[str, Any], model: type[BaseModel]) -> tuple[str, str]:
    kind, got = complaint["type"], complaint.get("input")
    context = complaint.get("ctx", {})
    last = complaint["loc"][-1] if complaint["loc"] else ""
    if kind == "extra_forbidden":
        return f"unknown key {shown(str(last))!r}", _nearest(str(last), complaint["loc"], model)
    if kind == "missing":
        return f"the key {last!r} is missing", ""
    if kind == "value_error":
        return str(context.get("error", complaint["msg"])), ""
    if kind in _WANTED:
        hint = "quote it" if kind == "string_type" and isinstance(got, int | float) else ""
        return f"must be {_WANTED[kind]}, got {_show(got)}", hint
    if kind == "literal_error":
        return f"must be {context['expected']}, got {_show(got)}", ""
    bounds = {"greater_than": "above", "less_than": "below"}
    bounds |= {"greater_than_equal": "at least", "less_than_equal": "at most"}
    if kind in bounds:
        limit = next(iter(context.values()))
        return f"must be {bounds[kind]} {limit:g}, got {_show(got)}", ""
    if kind in ("too_short", "string_too_short"):
        return f"needs at least {context['min_length']} entries, got {_show(got)}", ""
    return f"{complaint['msg'][:1].lower()}{complaint['msg'][1:]}, got {_show(got)}", ""


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(shown(value)) if isinstance(value, str) else shown(repr(value))


def _nearest(key: str, location: Path, model: type[BaseModel]) -> str:
    owner: Any = model
    for step in location[:-1]:
        owner = _inside(owner, step)
    known = list(getattr(owner, "model_fields", {}))
    return suggestion(key, known, "keys") if known else ""


def _inside(owner: Any, step: str | int) -> Any:
    """The model that a path step leads to, through lists and optional fields."""
    if not (isinstance(owner, type) and issubclass(owner, BaseModel)):
        return owner
    if step not in owner.model_fields:
        return owner
    found = [owner.model_fields[str(step)].annotation]
    while found:
        annotation = found.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
        found += get_args(annotation)
    return None


def _without_echoes(faults: list[Fault]) -> list[Fault]:
    """A union complains once per member; keep one fault per place and text, the deepest."""
    unique: dict[tuple[Path, str], Fault] = {}
    above = {fault.path[:n] for fault in faults for n in range(len(fault.path))}
    for fault in faults:
        if fault.path not in above or not fault.what.startswith("must be"):
            unique.setdefault((fault.path, fault.what), fault)
    return list(unique.values())
