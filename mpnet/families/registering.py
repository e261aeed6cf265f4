"""Enters the kernels of a plugin's factor family, after a look at what they take."""

from __future__ import annotations

import inspect
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mpnet.errors import PluginError, shown
from mpnet.kernels import foreign
from mpnet.kernels.cache import KernelCacheWarning
from mpnet.kernels.dispatch import SENDERS
from mpnet.kernels.families import FAMILIES, FamilyKernels
from mpnet.kernels.jit import FOLDER, config

QUESTIONS = {
    "send": (
        "semiring",
        "graph",
        "family",
        "first",
        "last",
        "to_factor",
        "old",
        "out",
        "damping",
        "edge_residual",
    ),
    "log_partition": ("semiring", "graph", "family", "first", "last", "to_factor"),
    "log_potential": ("semiring", "graph", "family", "first", "last", "assignment"),
}
"""What each kernel of a family takes."""


def register_family(name: str, kernels: FamilyKernels) -> None:
    """Make kernels serve contents whose ``kind`` is ``name``, as long as the process lives.

    Call it in the module that defines them. Once more for the same module, such as after a
    reload, they are replaced.

    Parameters
    ----------
    name : str
        What contents call it.
    kernels : FamilyKernels
        The NamedTuple of arrays, whose first field is ``first``, and the three kernels.

    Raises
    ------
    PluginError
        If the name or the arrays are another family's, the arrays are no such NamedTuple, or a
        kernel is not compiled by ``kernel`` or takes something else.

    """
    who = f"factor family {shown(name)!r}"
    _check_arrays(kernels.arrays, who)
    for question, wanted in QUESTIONS.items():
        _check_kernel(question, getattr(kernels, question), wanted, who)
    _refuse_taken(name, kernels, who)
    foreign.PLACES[kernels.arrays] = _place(kernels, who)
    SENDERS[kernels.arrays] = kernels.send
    FAMILIES[name] = kernels


def origin_of(name: str) -> str:
    """Where a family's kernels are written, such as ``mpnet_steps/kernels.py``; empty for mpnet's."""
    kernels = FAMILIES[name]
    if foreign.is_own(kernels.arrays.__module__):
        return ""
    return _file_of(kernels.send)


def _refuse_taken(name: str, kernels: FamilyKernels, who: str) -> None:
    for other, known in FAMILIES.items():
        same = _source(known.arrays) == _source(kernels.arrays)
        if (other == name) != same:
            raise PluginError(
                f"{who} of {_told(kernels)} can't be registered: {shown(other)!r} is already that "
                f"of {_told(known)}; choose another {'class of arrays' if same else 'name'}"
            )


def _source(found: Any) -> tuple[str, str]:
    """The same for a class that was defined once more by the same file."""
    module = getattr(found, "__module__", "")
    file = getattr(sys.modules.get(module), "__file__", None)
    return file or module, getattr(found, "__qualname__", repr(found))


def _identity(found: Any) -> str:
    return f"{found.__module__}.{found.__qualname__}"


def _told(kernels: FamilyKernels) -> str:
    return f"{_identity(kernels.arrays)} ({_file_of(kernels.send)})"


def _check_arrays(arrays: Any, who: str) -> None:
    fields = getattr(arrays, "_fields", ())
    if not (isinstance(arrays, type) and issubclass(arrays, tuple) and fields):
        raise PluginError(f"{who}: arrays is {shown(repr(arrays))}; it must be a NamedTuple class")
    if fields[0] != "first":
        raise PluginError(
            f"{who}: the first field of {_identity(arrays)} is {fields[0]!r}; it must be 'first', "
            "the number of the family's first factor"
        )


def _check_kernel(question: str, found: Any, wanted: tuple[str, ...], who: str) -> None:
    if not callable(found):
        raise PluginError(f"{who}: {question} is {shown(repr(found))}; it must be a kernel")
    compiled = hasattr(found, "py_func")
    if not (compiled or config.DISABLE_JIT):
        raise PluginError(
            f"{who}: {question} ({line_of(found)}) is a plain function, which the schedules that "
            "are compiled can't call; write @mpnet.families.kernel above it"
        )
    taken = tuple(inspect.signature(getattr(found, "py_func", found)).parameters)
    if taken != wanted:
        raise PluginError(
            f"{who}: {question} ({line_of(found)}) takes ({', '.join(taken)}); it must take "
            f"({', '.join(wanted)})"
        )


def _place(kernels: FamilyKernels, who: str) -> Path | None:
    """Where mpnet's own kernels are kept that were compiled for these arrays."""
    file = _code(kernels.send).co_filename
    if config.DISABLE_JIT:
        return None
    if foreign.is_importable(kernels.arrays) and Path(file).is_file():
        return foreign.place(file, FOLDER)
    warnings.warn(
        f"{who}: kernels compile again in each process, for {_identity(kernels.arrays)} can't be "
        "imported by another one; define it at the top level of a module",
        KernelCacheWarning,
        stacklevel=3,
    )
    return None


def _code(found: Any) -> Any:
    return inspect.unwrap(getattr(found, "py_func", found)).__code__


def line_of(found: Callable[..., Any]) -> str:
    """File and line where a kernel is written."""
    return f"{_file_of(found)}:{_code(found).co_firstlineno}"


def _file_of(found: Any) -> str:
    """A file as a person would write it: from here, or from where packages are installed."""
    file = str(_code(found).co_filename)
    for root in (*sorted(sys.path, key=len, reverse=True), os.getcwd()):
        if root and file.startswith(root.rstrip(os.sep) + os.sep):
            return file.removeprefix(root.rstrip(os.sep) + os.sep)
    return file
