"""The one decorator of all kernels: Numba's njit, cached in mpnet's own folder."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np

from mpnet.kernels import cache, foreign, sharing

Kernel = TypeVar("Kernel", bound=Callable[..., object])

config: Any = numba.config
"""Numba sets its attributes at run time, so types know nothing of them."""

FOLDER = cache.prepare()
"""Where compiled kernels are kept, fixed when the first kernel module is imported."""


def kernel(function: Kernel) -> Kernel:
    """Compile ``function`` on its first call and keep the result on disk.

    Numba reads its cache folder while it decorates, so it is set for that moment only: other
    users of numba in the same process keep theirs. Kernels of plugins have a folder of their own,
    named after the texts of their file and of all that it imports of its package; what they call
    in other packages is not looked at.
    Functions that are in no file (typed, or in a notebook) are compiled anew in each process.
    """
    return _compile(function)


def inlined(function: Kernel) -> Kernel:
    """As ``kernel``, for helpers in inner loops: copied into each caller.

    A call that passes arrays counts references, which costs more than a small message does.
    """
    return _compile(function, inline="always")


def reordering_kernel(function: Kernel) -> Kernel:
    """As ``kernel``, but sums may be added up in any order, so that they use all lanes.

    The order is fixed when the kernel is compiled: results still repeat bit for bit. NaN and
    infinity keep their meaning.
    """
    return _compile(function, fastmath={"reassoc", "contract", "nsz"})


def _compile(function: Kernel, **how: Any) -> Kernel:
    if config.DISABLE_JIT:
        # Compiled code says nothing about NaN and overflow; neither does this.
        return np.errstate(over="ignore", invalid="ignore")(function)
    folder, keep = FOLDER, True
    if not foreign.is_own(function.__module__):
        file = cast(Any, function).__code__.co_filename
        folder, keep = foreign.place(file, FOLDER), Path(file).is_file()
    before = config.CACHE_DIR
    config.CACHE_DIR = os.fspath(folder)
    try:
        compiled = numba.njit(cache=keep, nogil=True, **how)(function)
    finally:
        config.CACHE_DIR = before
    sharing.share(compiled, folder)
    return cast(Kernel, compiled)


def is_compiled() -> bool:
    """Whether the kernels need no compilation: all are cached, or compilation is off."""
    return bool(config.DISABLE_JIT) or cache.is_sealed(FOLDER)
