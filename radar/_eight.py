"""Eight numbers side by side in compiled code, as the processor has them.

numba leaves the small inner loops over topics to be done number by number; these are one instruction each where the
machine has wide registers, and several where it has narrow ones. Sums and products are rounded each on its own, so that
all machines agree to the last bit.
"""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

EIGHT = 8

_VECTOR = ir.VectorType(ir.FloatType(), EIGHT)
_INDEX = ir.IntType(32)


class _EightType(types.Type):
    """What numba calls eight float32 in a register."""

    def __init__(self) -> None:
        super().__init__(name="EightFloat32")


@register_model(_EightType)
class _EightModel(models.PrimitiveModel):  # type: ignore[misc]
    """How they are held."""

    def __init__(self, manager: Any, described: Any) -> None:
        super().__init__(manager, described, _VECTOR)


_eight = _EightType()


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())


@intrinsic  # type: ignore[untyped-decorator]
def taken(typing: Any, array: Any, at: Any) -> Any:
    """array[at : at + 8] of a flat float32 array; nothing checks that it is so long."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        eight = builder.load(_place(context, builder, signature.args[0], *given))
        eight.align = 4
        return eight

    return _eight(array, at), made


@intrinsic  # type: ignore[untyped-decorator]
def put(typing: Any, array: Any, at: Any, eight: Any) -> Any:
    """array[at : at + 8] = eight, of a flat float32 array; nothing checks that it is so long."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        builder.store(given[2], _place(context, builder, signature.args[0], given[0], given[1])).align = 4
        return context.get_dummy_value()

    return types.void(array, at, eight), made


@intrinsic  # type: ignore[untyped-decorator]
def plus(typing: Any, eight: Any, factor: Any, other: Any) -> Any:
    """eight + factor * other, number by number; factor is one float32."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        one, nothing = given[1], ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(nothing, one, ir.Constant(_INDEX, 0))
        all_of_it = ir.Constant(ir.VectorType(_INDEX, EIGHT), [0] * EIGHT)
        return builder.fadd(given[0], builder.fmul(builder.shuffle_vector(first, nothing, all_of_it), given[2]))

    return _eight(eight, factor, other), made
