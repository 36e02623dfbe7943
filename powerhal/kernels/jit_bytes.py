"""Bytes of a text many at a time: eight as a number, the separators among sixty-four as bits.

Made of LLVM's own vector operations, which it turns into what the processor has. Nothing checks bounds: callers
keep `PADDING` bytes behind the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BLOCK = 64
COMMA, NEWLINE = 44, 10
WORD, BYTE = ir.IntType(64), ir.IntType(8)


def _compiled(function: Callable[..., Any]) -> Any:
    """Usable in compiled functions; in them it takes the arguments after the first."""
    return intrinsic(function)


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.gep(data, [arguments[1]])


@_compiled
def word_at(typing: Any, data: Any, at: Any) -> Any:
    """Eight bytes of data uint8 (n,) from `at` on as one uint64, the first one lowest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.bitcast(_pointer(context, builder, signature, arguments), WORD.as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(data, types.intp), generate


@_compiled
def separators(typing: Any, data: Any, at: Any) -> Any:
    """Which of 64 bytes are commas or newlines, and which are newlines: two uint64, bit k for byte `at + k`."""
    many = ir.VectorType(BYTE, BLOCK)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.bitcast(_pointer(context, builder, signature, arguments), many.as_pointer())
        block = builder.load(pointer, align=1)
        found = [
            builder.bitcast(builder.icmp_unsigned("==", block, ir.Constant(many, [BYTE(mark)] * BLOCK)), WORD)
            for mark in (COMMA, NEWLINE)
        ]
        return context.make_tuple(builder, signature.return_type, [builder.or_(*found), found[1]])

    pair: Any = types.UniTuple
    return pair(types.uint64, 2)(data, types.intp), generate


@_compiled
def ones(typing: Any, bits: Any) -> Any:
    """How many bits of a uint64 are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@_compiled
def lowest(typing: Any, bits: Any) -> Any:
    """The number of the lowest bit set in a uint64, 64 for none."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@_compiled
def prefetch(typing: Any, data: Any, at: Any) -> Any:
    """Ask the processor for the memory of `data[at]`, which will soon be read."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.bitcast(_pointer(context, builder, signature, arguments), BYTE.as_pointer())
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        insert: Any = cgutils.get_or_insert_function
        function = insert(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.none(data, types.intp), generate
