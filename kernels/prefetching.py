"""Asking for memory before it is needed."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from mpnet.kernels.jit import config
from mpnet.kernels.layout import FloatArray


def _do_nothing(array: FloatArray, index: int) -> None:
    """What the hint comes to where nothing is compiled."""


def _typed(context: Any, array: Any, index: Any) -> Any:
    """LLVM's prefetch of one element: for reading, into all caches."""
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    signature = ir.FunctionType(ir.VoidType(), [byte, number, number, number])

    def generate(context: Any, builder: Any, form: Any, arguments: Any) -> Any:
        data = context.make_array(form.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        tools: Any = cgutils
        hint = tools.get_or_insert_function(builder.module, signature, "llvm.prefetch.p0")
        builder.call(hint, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, index), generate


# Bring the cache line of one element (array, index) near: a hint that changes no result.
prefetch: Any = _do_nothing if config.DISABLE_JIT else intrinsic(_typed)
