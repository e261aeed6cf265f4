"""How the project is put together: links, packages, imports, and what sources must not hold."""

import ast
import configparser
import doctest
import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import mpnet
from mpnet.nodes.base import Node

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path for room in ("mpnet", "kernels", "plots", "scenarios") for path in (ROOT / room).rglob("*.py")
)  # fmt: skip
LINKS = ["kernels", "plots", "scenarios"]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(mpnet.__path__, "mpnet.")
    if module.name != "mpnet.__main__"
)


REORDERING = {"reassoc", "contract", "nsz"}
"""The parts of fastmath that leave NaN and infinity their meaning."""


def config():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


@pytest.mark.parametrize("name", LINKS)
def test_links_lead_to_the_folders_at_the_top(name):
    link = ROOT / "mpnet" / name
    assert link.is_symlink()
    assert str(link.readlink()) == f"../{name}"
    assert link.resolve() == (ROOT / name).resolve()
    assert f"mpnet.{name} = {name}" in config()["options"]["package_dir"].splitlines()


def test_listed_packages_are_the_folders_with_code():
    listed = config()["options"]["packages"].split()
    found = {
        ".".join(("mpnet", *path.parent.relative_to(ROOT / "mpnet").parts))
        for path in (ROOT / "mpnet").rglob("__init__.py")
    }
    found |= {f"mpnet.{name}" for name in LINKS if (ROOT / name / "__init__.py").exists()}
    assert set(listed) == found
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", ["kernels", "plots"])
def test_rooms_refuse_to_be_imported_under_another_name(name):
    done = subprocess.run(
        [sys.executable, "-c", f"import {name}"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    told = done.stderr.splitlines()[-1].replace("'", "")
    assert told == f"ImportError: import this package as mpnet.{name}, not as {name}"


def test_every_module_imports():
    for name in MODULES:
        importlib.import_module(name)


def test_every_entry_point_loads():
    points = [p for p in entry_points(group="mpnet.nodes") if p.dist and p.dist.name == "mpnet"]
    written = config()["options.entry_points"]["mpnet.nodes"].strip().splitlines()
    assert {p.name for p in points} == {line.partition("=")[0].strip() for line in written}
    for point in points:
        assert issubclass(point.load(), Node)
    (script,) = (p for p in entry_points(group="console_scripts") if p.name == "mpnet")
    assert callable(script.load())


def test_every_public_name_is_there():
    for name in mpnet.__all__:
        assert getattr(mpnet, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'mpnet' has no attribute 'nothing'"):
        _ = mpnet.nothing


def test_imports_go_one_way():
    tool = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which(
        "lint-imports"
    )
    if tool is None:
        pytest.skip("import-linter is not installed")
    done = subprocess.run(
        [tool, "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            yield name, {keyword.arg: keyword.value for keyword in node.keywords}, node


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sources_hold_nothing_dangerous(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {name.partition(".")[0] for name in imported(tree)}
    if path.parent.name == "testing":  # contracts test that things pickle; nothing else does
        modules -= {"pickle"}
    assert not modules & {"pickle", "joblib", "shelve", "marshal", "dill", "cloudpickle", ""}
    for name, keywords, node in calls(tree):
        if isinstance(node.func, ast.Name):
            assert name not in {"eval", "exec", "__import__", "compile"}
        assert name not in {"full_load", "unsafe_load"}
        assert ast.unparse(node.func) not in {"os.system", "os.popen"}
        if "fastmath" in keywords:
            assert set(ast.literal_eval(keywords["fastmath"])) <= REORDERING
        if name == "load" and ast.unparse(node.func) in {"np.load", "numpy.load"}:
            assert ast.unparse(keywords["allow_pickle"]) == "False"
        if name == "dumps" and "cli" not in path.parts and path.name == "runs.py":
            assert "allow_nan" in keywords or "sort_keys" in keywords


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sources_use_absolute_names_of_their_package(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not {"kernels", "plots", "scenarios", "tests"} & {
        name.partition(".")[0] for name in imported(tree)
    }


# Docstrings

SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-+$|\Z)", re.M | re.S)


def documented():
    """Public functions, methods and classes of mpnet that have a Parameters section."""
    for name in MODULES:
        module = importlib.import_module(name)
        for thing in vars(module).values():
            if getattr(thing, "__module__", None) != name or not callable(thing):
                continue
            # What a decorator made of a function may tell its signature no more.
            members = [thing]
            if inspect.isclass(thing):
                members += [m for m in vars(thing).values() if inspect.isfunction(m)]
            for member in members:
                doc = inspect.cleandoc(member.__doc__ or "")
                if SECTION.search(doc) and not getattr(member, "__name__", "_").startswith("_"):
                    yield pytest.param(member, doc, id=f"{name}.{member.__qualname__}")


@pytest.mark.parametrize(("member", "doc"), list(documented()))
def test_documented_parameters_are_the_real_ones(member, doc):
    section = SECTION.search(doc).group(1)
    heads = re.findall(r"^([*\w][^\n:]*?)(?: *:[^\n]*)?$", section, re.M)
    written = [name.strip() for head in heads for name in head.split(",")]
    function = inspect.unwrap(getattr(member, "py_func", member))
    if inspect.isclass(function):
        real = set(getattr(function, "__annotations__", {})) | set(
            inspect.signature(function).parameters
        )
    else:
        real = set(inspect.signature(function).parameters)
    assert {name.lstrip("*") for name in written} <= real
    if not inspect.isclass(function):
        assert real - {"self", "cls"} == {name.lstrip("*") for name in written}


@pytest.mark.parametrize("name", MODULES)
def test_every_public_thing_says_what_it_is(name):
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip()
    for key, thing in vars(module).items():
        if key.startswith("_") or getattr(thing, "__module__", None) != name:
            continue
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert (thing.__doc__ or "").strip(), f"{name}.{key}"


@pytest.mark.parametrize("name", ["mpnet.builder", "mpnet.api", "mpnet.nodes.functions", "mpnet.scenario.document",
                                  "mpnet.scenario.events"])  # fmt: skip
def test_examples_in_docstrings_are_true(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
