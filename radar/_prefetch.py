"""Memory asked for ahead of its use, in compiled code.

Tables that are larger than the processor's caches are looked up at places that a hash gives: one by one each look-up
waits for the memory, asked for beforehand they come side by side.
"""

from typing import Any

import numpy as np


def prefetch(array: Any, at: int | np.int64) -> None:
    """Ask for the line that holds array[at], of a flat array; nothing checks that there is one. For `radar._jit`."""


def introduce() -> None:
    """Tell numba how it is done."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic, overload

    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)

    @intrinsic  # type: ignore[untyped-decorator]
    def asked(typing: Any, array: Any, at: Any) -> Any:
        def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, given[0]).data
            place = builder.bitcast(builder.gep(data, [given[1]]), byte)
            kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
            ask = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
            builder.call(ask, [place, number(0), number(3), number(1)])  # to read, to keep, data
            return context.get_dummy_value()

        return types.void(array, at), made

    @overload(prefetch, strict=False)  # type: ignore[untyped-decorator]
    def _(array: Any, at: Any) -> Any:
        return lambda array, at: asked(array, at)
