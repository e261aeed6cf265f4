"""Beginnings for authors: a plugin that works at once, and a scenario with comments."""

from __future__ import annotations

import json
import keyword
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from mpnet.errors import OutputError, UsageError, shown
from mpnet.names import checked_name
from mpnet.nodes.registry import Plugin, node_types
from mpnet.simulation.schema import scenario_schema

SCHEMA = Path(".mpnet") / "schema.json"

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")
_MOST = 50

_PLUGIN = {
    "pyproject.toml": "plugin_pyproject.toml.txt",
    "README.md": "plugin_readme.md.txt",
    "src/mpnet_{{module}}/__init__.py": "plugin_init.py.txt",
    "tests/test_{{module}}.py": "plugin_test.py.txt",
    "scenarios/{{module}}_demo.yaml": "plugin_demo.yaml.txt",
}


def new_plugin(name: str, parent: Path) -> list[Path]:
    """Write a package with one node type, its tests and a scenario.

    Parameters
    ----------
    name : str
        Small letters, digits and single ``_`` or ``-``; the type is called so, with ``_``.
    parent : Path
        The folder in which ``mpnet-NAME`` is made.

    Returns
    -------
    list of Path
        The files, the first one's folder being the package's.

    Raises
    ------
    UsageError
        If the name can't be that of a module, or a node type is called so already.
    OutputError
        If the folder is there, or can't be written.

    """
    module = _module_name(name)
    package = "mpnet-" + module.replace("_", "-")
    words = {
        "module": module,
        "package": package,
        "class": "".join(part.capitalize() for part in module.split("_")),
        "version": _version(),
    }
    texts = {_filled(path, words): _filled(_text(file), words) for path, file in _PLUGIN.items()}
    return _write_folder(parent / package, texts)


def _module_name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > _MOST:
        raise UsageError(
            f"'{shown(name)}' can't be the name of a plugin; write small letters, digits and single "
            f"'_' or '-', a letter first, at most {_MOST}, such as red_ball"
        )
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or keyword.issoftkeyword(module):
        raise UsageError(f"{name!r} is a word of Python's own; call the plugin otherwise")
    if module in ("all", "off"):
        raise UsageError(f"{name!r} has a meaning after --plugin; call the plugin otherwise")
    found = node_types().get(module)
    if found is not None:
        raise UsageError(
            f"there is a node type {module!r} already, of {found.origin}; call it otherwise"
        )
    return module


def new_scenario(name: str, parent: Path, plugins: Collection[Plugin] = ()) -> list[Path]:
    """Write a scenario with comments that runs, and the schema that editors check it by.

    Parameters
    ----------
    name : str
        Of the scenario; the file is ``NAME.yaml``.
    parent : Path
        The folder of the file; the schema is in ``.mpnet`` beside it.
    plugins : collection of str, path or type
        What the schema has besides the built-in types.

    Raises
    ------
    UsageError
        If it can't be a name.
    OutputError
        If the file is there, or can't be written.

    """
    stem = name.removesuffix(".yaml")
    try:
        stem = checked_name(stem)
    except ValueError as error:
        raise UsageError(str(error)) from None
    if stem.startswith((".", "-", "@")):
        raise UsageError(f"a file can't well be called '{shown(stem)}'; begin with a letter")
    words = {
        "name": stem,
        "quoted": json.dumps(stem, ensure_ascii=False),
        "file": f"{stem}.yaml",
        "schema": SCHEMA.as_posix(),
    }
    schema = json.dumps(scenario_schema(plugins), indent=1) + "\n"
    target = parent / f"{stem}.yaml"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as stream:
            stream.write(_filled(_text("scenario.yaml.txt"), words))
        (parent / SCHEMA).parent.mkdir(exist_ok=True)
        (parent / SCHEMA).write_text(schema, encoding="utf-8")
    except FileExistsError as error:
        raise OutputError(f"{error.filename} is there already; nothing was written") from None
    except OSError as error:
        raise OutputError(f"{error.filename} can't be written ({error.strerror})") from None
    return [target, parent / SCHEMA]


def _version() -> str:
    try:
        return version("mpnet")
    except PackageNotFoundError:
        return "0.1"


def _text(file: str) -> str:
    return files("mpnet.starters").joinpath("files", file).read_text(encoding="utf-8")


def _filled(text: str, words: Mapping[str, str]) -> str:
    for key, word in words.items():
        text = text.replace("{{" + key + "}}", word)
    return text


def _write_folder(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write files into a folder that is not there yet: all of them, or nothing."""
    if folder.exists() or folder.is_symlink():
        raise OutputError(f"{folder} is there already; nothing was written")
    unfinished = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        unfinished.chmod(0o777 & ~_umask())
        for path, text in texts.items():
            (unfinished / path).parent.mkdir(parents=True, exist_ok=True)
            (unfinished / path).write_text(text, encoding="utf-8")
        os.rename(unfinished, folder)
    except OSError as error:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)
        where = error.filename or folder
        raise OutputError(f"{where} can't be written ({error.strerror})") from None
    return [folder / path for path in texts]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
