"""The one decorator of all kernels: Numba's njit, cached in mpnet's own folder."""

import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

from mpnet.kernels import cache

Kernel = TypeVar("Kernel", bound=Callable[..., object])

config: Any = numba.config
"""Numba sets its attributes at run time, so types know nothing of them."""

FOLDER = cache.prepare()
"""Where compiled kernels are kept, fixed when the first kernel module is imported."""


def kernel(function: Kernel) -> Kernel:
    """Compile ``function`` on its first call and keep the result on disk.

    Numba reads its cache folder while it decorates, so it is set for that moment only: other
    users of numba in the same process keep theirs.
    """
    if config.DISABLE_JIT:
        return function
    before = config.CACHE_DIR
    config.CACHE_DIR = os.fspath(FOLDER)
    try:
        return cast(Kernel, numba.njit(cache=True)(function))
    finally:
        config.CACHE_DIR = before


def is_compiled() -> bool:
    """Whether the kernels need no compilation: all are cached, or compilation is off."""
    return bool(config.DISABLE_JIT) or cache.is_sealed(FOLDER)
