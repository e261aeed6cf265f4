"""What "add" and "multiply" mean to a kernel: semirings, told apart by their types.

A kernel is written once, over ``plus`` and ``times``, and compiled for each semiring that is
used: sums or maxima, of numbers or of their logs, or plain yes and no. In the linear semirings
a message holds probabilities up to a factor and a hard zero is 0; in the log semirings it holds
nats up to a constant and a hard zero is ``-inf``.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numba.extending import overload

from mpnet.kernels.jit import config


class LinearSum(NamedTuple):
    """Sum-product on numbers."""

    zero: float = 0.0
    one: float = 1.0


class LinearMax(NamedTuple):
    """Max-product on numbers."""

    zero: float = 0.0
    one: float = 1.0


class LogSum(NamedTuple):
    """Sum-product on logs."""

    zero: float = -np.inf
    one: float = 0.0


class LogMax(NamedTuple):
    """Max-sum: max-product on logs."""

    zero: float = -np.inf
    one: float = 0.0


class Boolean(NamedTuple):
    """Whether anything is possible at all: any number but 0 is a yes, and nothing underflows."""

    zero: float = 0.0
    one: float = 1.0


Semiring = LinearSum | LinearMax | LogSum | LogMax | Boolean

LINEAR = (LinearSum, LinearMax, Boolean)
LOG = (LogSum, LogMax)


def _add(a: float, b: float) -> float:
    return a + b


def _multiply(a: float, b: float) -> float:
    return a * b


def _larger(a: float, b: float) -> float:
    # A NaN must survive: comparing with it is always false, so it is taken on purpose.
    return a if a > b or a != a else b


def _log_add(a: float, b: float) -> float:
    if a == -np.inf:
        return b
    if b == -np.inf:
        return a
    if a > b:
        return a + np.log1p(np.exp(b - a))
    return b + np.log1p(np.exp(a - b))


def _either(a: float, b: float) -> float:
    return 1.0 if a != 0.0 or b != 0.0 else 0.0


def _both(a: float, b: float) -> float:
    return 1.0 if a != 0.0 and b != 0.0 else 0.0


def _same(value: float) -> float:
    return value


def _log(value: float) -> float:
    return np.log(value) if value != 0.0 else -np.inf


def _exp(value: float) -> float:
    return np.exp(value)


class Operations(NamedTuple):
    """The arithmetic of one semiring, as plain functions of numbers."""

    plus: Callable[[float, float], float]
    times: Callable[[float, float], float]
    to_log: Callable[[float], float]
    from_log: Callable[[float], float]


OPERATIONS: dict[type, Operations] = {
    LinearSum: Operations(_add, _multiply, _log, _exp),
    LinearMax: Operations(_larger, _multiply, _log, _exp),
    LogSum: Operations(_log_add, _add, _same, _same),
    LogMax: Operations(_larger, _add, _same, _same),
    Boolean: Operations(_either, _both, _log, _exp),
}


def plus(semiring: Semiring, a: float, b: float) -> float:
    """Add in the semiring: a sum or the larger one."""
    return OPERATIONS[type(semiring)].plus(a, b)


def times(semiring: Semiring, a: float, b: float) -> float:
    """Multiply in the semiring."""
    return OPERATIONS[type(semiring)].times(a, b)


def to_log(semiring: Semiring, value: float) -> float:
    """The log of what a value stands for, in nats; ``-inf`` for a hard zero."""
    return OPERATIONS[type(semiring)].to_log(value)


def from_log(semiring: Semiring, value: float) -> float:
    """The value that stands for a number whose log is given."""
    return OPERATIONS[type(semiring)].from_log(value)


def is_linear(semiring: Semiring) -> bool:
    """Whether values are numbers and not logs; known when a kernel is compiled."""
    return isinstance(semiring, LINEAR)


def is_linear_sum(semiring: Semiring) -> bool:
    """Whether this is plain arithmetic; known when a kernel is compiled."""
    return isinstance(semiring, LinearSum)


def in_logs(semiring: Semiring) -> Semiring:
    """The semiring that does the same with logs; itself if it does."""
    if isinstance(semiring, LOG):
        return semiring
    return LogSum(-np.inf, 0.0) if isinstance(semiring, LinearSum) else LogMax(-np.inf, 0.0)


def class_of(semiring_type: Any) -> Any:
    """The NamedTuple class behind a Numba type, or None."""
    return getattr(semiring_type, "instance_class", None)


def _overload_two(name: str, function: Callable[..., float]) -> None:
    def choose(semiring: Any, a: Any, b: Any) -> Any:
        chosen = OPERATIONS.get(class_of(semiring))
        if chosen is None:
            return None
        operation = getattr(chosen, name)
        implementation = _COMPILED[operation]
        return lambda semiring, a, b: implementation(a, b)

    overload(function, strict=False)(choose)


def _overload_one(name: str, function: Callable[..., float]) -> None:
    def choose(semiring: Any, value: Any) -> Any:
        chosen = OPERATIONS.get(class_of(semiring))
        if chosen is None:
            return None
        implementation = _COMPILED[getattr(chosen, name)]
        return lambda semiring, value: implementation(value)

    overload(function, strict=False)(choose)


def _overload_test(function: Callable[..., bool], classes: tuple[type, ...]) -> None:
    def choose(semiring: Any) -> Any:
        if class_of(semiring) in classes:
            return lambda semiring: True
        return lambda semiring: False

    overload(function, strict=False)(choose)


def _choose_logs(semiring: Any) -> Any:
    if class_of(semiring) in LOG:
        return lambda semiring: semiring
    if class_of(semiring) is LinearSum:
        return lambda semiring: LogSum(-np.inf, 0.0)
    return lambda semiring: LogMax(-np.inf, 0.0)


_COMPILED: dict[Callable[..., float], Callable[..., float]] = {}

if not config.DISABLE_JIT:
    from numba import njit

    for _function in (_add, _multiply, _larger, _log_add, _either, _both, _same, _log, _exp):
        _COMPILED[_function] = cast(Any, njit)(_function)
    _overload_two("plus", plus)
    _overload_two("times", times)
    _overload_one("to_log", to_log)
    _overload_one("from_log", from_log)
    _overload_test(is_linear, LINEAR)
    _overload_test(is_linear_sum, (LinearSum,))
    overload(in_logs, strict=False)(_choose_logs)
