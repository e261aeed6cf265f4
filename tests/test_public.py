"""What the library promises: each public object says how stable it is, and what it takes."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import mpnet

MODULES = (
    "mpnet",
    "mpnet.errors",
    "mpnet.factors",
    "mpnet.frames",
    "mpnet.interchange",
    "mpnet.plots",
)
FOR_AUTHORS = ("mpnet.plugin", "mpnet.testing", "mpnet.families")
"""Modules for authors of plugins, whose one word holds for all that they offer."""
WORD = re.compile(r"\*(Stable|Evolving|Internal)\.\*")
SECTION = re.compile(r"^(Parameters|Attributes)\n-+\n(.*?)(?=\n\n\w[\w ]*\n-+\n|\Z)", re.M | re.S)
ENTRY = re.compile(r"^(\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: :.*)?$", re.M)


def public(modules=MODULES):
    """Public classes and functions that mpnet itself wrote, by full name."""
    found = {}
    for module in map(importlib.import_module, modules):
        names = getattr(module, "__all__", None) or [
            n
            for n, o in vars(module).items()
            if inspect.isclass(o) and o.__module__ == module.__name__
        ]
        for name in names:
            thing = getattr(module, name)
            own = getattr(thing, "__module__", "").startswith("mpnet")
            if own and (inspect.isclass(thing) or inspect.isfunction(thing)):
                found[f"{thing.__module__}.{thing.__qualname__}"] = thing
    return found


def functions():
    """Public functions, and public methods of public classes that mpnet itself writes."""
    for name, thing in public(MODULES + FOR_AUTHORS).items():
        if inspect.isfunction(thing):
            yield name, thing
            continue
        for method, raw in inspect.getmembers(thing):
            own = getattr(raw, "__module__", "") or ""
            if method.startswith(("_", "test_")) or not own.startswith("mpnet."):
                continue
            if inspect.isfunction(raw) or inspect.ismethod(raw):
                yield f"{name}.{method}", raw


def documented(thing):
    """Names under Parameters, in order; None where there is no such section."""
    text = inspect.getdoc(thing) or ""
    sections = dict(SECTION.findall(text))
    if "Parameters" not in sections:
        return None
    entries = ENTRY.findall(sections["Parameters"])
    return [name for entry in entries for name in entry.split(", ")]


def taken(thing):
    """Names in the signature, with their stars."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(thing).parameters.values()
    return [stars.get(p.kind, "") + p.name for p in parameters if p.name not in ("self", "cls")]


@pytest.mark.parametrize("name", list(public()))
def test_every_public_object_says_how_stable_it_is(name):
    text = inspect.getdoc(public()[name]) or ""
    assert len(WORD.findall(text)) == 1, f"{name}: write *Stable.*, *Evolving.* or *Internal.*"


@pytest.mark.parametrize("name", FOR_AUTHORS)
def test_every_module_for_authors_says_how_stable_all_of_it_is(name):
    assert len(WORD.findall(importlib.import_module(name).__doc__)) == 1


@pytest.mark.parametrize("name", [n for n, _ in functions()])
def test_functions_document_the_parameters_that_they_take(name):
    thing = dict(functions())[name]
    text = inspect.getdoc(thing)
    assert text, f"{name} has no docstring"
    listed = documented(thing)
    if listed is not None:
        assert listed == taken(thing), name


@pytest.mark.parametrize("name", [n for n, t in public().items() if inspect.isclass(t)])
def test_classes_document_only_what_they_hold(name):
    thing = public()[name]
    listed = documented(thing)
    if "Parameters" in vars(thing).get("__doc__", "") and listed:
        assert set(listed) <= set(taken(thing)), name


def test_a_docstring_that_drifts_is_caught():
    def drifting(path, overwrite=False):
        """Write.

        Parameters
        ----------
        path : str
            Where.
        override : bool
            Whether.

        Returns
        -------
        int

        """

    assert documented(drifting) == ["path", "override"]
    assert taken(drifting) == ["path", "overwrite"]


def test_all_names_are_sorted_and_there():
    assert list(mpnet.__all__) == sorted(mpnet.__all__)
    assert set(mpnet.__all__) == set(mpnet._HOMES)
    for name in mpnet.__all__:
        assert getattr(mpnet, name) is not None
    with pytest.raises(AttributeError, match="module 'mpnet' has no attribute 'societies'"):
        mpnet.societies  # noqa: B018


def test_the_package_says_that_it_is_typed():
    assert (Path(mpnet.__file__).parent / "py.typed").is_file()
