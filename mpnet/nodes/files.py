"""Node types from a Python file that a person names: its code runs, so no scenario can name one."""

from __future__ import annotations

import hashlib
import re
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from os import PathLike, fspath
from pathlib import Path
from types import ModuleType

from mpnet.errors import PluginError, shown
from mpnet.nodes.base import Node

_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def is_file(plugin: object) -> bool:
    """Whether a plugin is meant as a file: a path, or a text that ends with ``.py``."""
    return isinstance(plugin, PathLike) or (isinstance(plugin, str) and plugin.endswith(".py"))


def type_name(found: type[Node]) -> str:
    """What scenarios call a type that no entry point names: ``type_name``, or the class in small letters."""
    return found.type_name or _EDGE.sub("_", found.__name__).lower()


def types_in(file: str | PathLike[str]) -> dict[str, type[Node]]:
    """Run a Python file and return the node types that it defines, by name.

    Classes whose names begin with ``_``, and those that were only imported, are left out. A file
    runs once, until it changes.

    Raises
    ------
    PluginError
        If there is no such file, it fails, or defines no node type, or two of one name.

    """
    path = Path(fspath(file))
    module = _module_of(path)
    found: dict[str, type[Node]] = {}
    for thing in vars(module).values():
        if not (isinstance(thing, type) and issubclass(thing, Node)):
            continue
        if thing.__module__ != module.__name__ or thing.__name__.startswith("_"):
            continue
        name = type_name(thing)
        if found.setdefault(name, thing) is not thing:
            raise PluginError(
                f"{path}: both {found[name].__qualname__} and {thing.__qualname__} are called "
                f"{name!r}; give one of them another type_name"
            )
    if not found:
        raise PluginError(
            f"{path} defines no node type; write a class that inherits mpnet.plugin.Node, or a "
            "function under mpnet.plugin.model or mpnet.plugin.factor"
        )
    return found


def _module_of(path: Path) -> ModuleType:
    """The module that the file is; it enters ``sys.modules`` under a name that its text decides."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise PluginError(f"the plugin {path} can't be read ({error.strerror})") from None
    digest = hashlib.sha256(str(path.resolve()).encode() + b"\0" + text).hexdigest()[:16]
    stem = re.sub(r"\W", "_", path.parent.name if path.name == "__init__.py" else path.stem)
    name = f"mpnet_file_{stem}_{digest}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, path.resolve())
        if spec is None:
            raise PluginError(f"the plugin {path} is no Python file")
        _run(spec, path)
    return sys.modules[name]


def _run(spec: ModuleSpec, path: Path) -> None:
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        assert spec.loader is not None  # noqa: S101 - for the type checker
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        line = _line(error, path)
        what = f"{type(error).__name__}: {shown(str(error), 500)}"
        raise PluginError(f"the plugin {path}{line} failed ({what})") from error


def _line(error: BaseException, path: Path) -> str:
    """``:line`` of the innermost place in the file; nothing where it is not there."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f":{error.lineno}"
    found, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path.resolve()):
            found = f":{trace.tb_lineno}"
        trace = trace.tb_next
    return found
