"""What the kernels need and Python can't say: vector dot products, atomic counters, bit patterns. LLVM, through numba.

Each function here is an *intrinsic*: called from compiled code, it becomes the LLVM instructions that it builds.
Addresses are integers (`array.ctypes.data`). Nothing here checks bounds; `kernels` does the arithmetic of places.

The dot products multiply int8 weights by int16 activations and add in int32, so they are exact, and the same in any
order. Floats are never contracted: a token's result is the same in a tile of one and in one of four. On x86 with AVX2
a pair of products becomes one `pmaddwd`; elsewhere LLVM does the like with what there is.

What numba keeps of `kernels` on disk is made anew when that file changes, not when this one does: touch both.
"""

# mypy: disable-error-code="misc, no-untyped-call, untyped-decorator"
# (numba's decorators have no types, and llvmlite's builder has few)

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

GROUP = 128
"""How many weights of a row share a scale. Rows are padded to a multiple of it."""
BLOCK = 16
"""How many weights are multiplied at once."""
ROWS = 2
"""How many rows are worked out at once, and lie together in memory."""
LINE, AHEAD = 64, 4096
"""Bytes of a cache line, and how far before their use weights are asked for."""

_I8, _I16, _I32, _I64 = ir.IntType(8), ir.IntType(16), ir.IntType(32), ir.IntType(64)
_F32 = ir.FloatType()
_HALF = BLOCK // 2
_SUMS = ir.VectorType(_I32, _HALF)
_FLOATS = ir.VectorType(_F32, _HALF)
_BYTES, _SHORTS = ir.VectorType(_I8, BLOCK), ir.VectorType(_I16, BLOCK)


def _load(builder: Any, address: Any, kind: Any, align: int) -> Any:
    pointer = builder.inttoptr(address, kind.as_pointer())
    return builder.load(pointer, align=align)


def _prefetch(builder: Any, address: Any) -> None:
    """Ask for the cache line at an address; past the end of memory nothing happens."""
    name = "llvm.prefetch.p0"
    pointer = _I8.as_pointer()
    function = builder.module.globals.get(name) or ir.Function(
        builder.module, ir.FunctionType(ir.VoidType(), [pointer, _I32, _I32, _I32]), name
    )
    builder.call(function, [builder.inttoptr(address, pointer), _I32(0), _I32(3), _I32(1)])


def _shuffled(builder: Any, vector: Any, indices: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(_I32, len(indices)), indices)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), mask)


def _pair_sums(builder: Any, left: Any, right: Any) -> Any:
    """Return left[2i] * right[2i] + left[2i+1] * right[2i+1] as int32 (8) of int16 vectors (16)."""
    wide = ir.VectorType(_I32, BLOCK)
    products = builder.mul(builder.sext(left, wide), builder.sext(right, wide))
    even, odd = list(range(0, BLOCK, 2)), list(range(1, BLOCK, 2))
    return builder.add(_shuffled(builder, products, even), _shuffled(builder, products, odd))


def _total(builder: Any, vector: Any, add: Callable[[Any, Any], Any]) -> Any:
    """Return the sum of a vector's elements, halving it again and again."""
    count = vector.type.count
    while count > 1:
        count //= 2
        low, high = list(range(count)), list(range(count, 2 * count))
        vector = add(_shuffled(builder, vector, low), _shuffled(builder, vector, high))
    return builder.extract_element(vector, _I32(0))


def _counted(
    builder: Any, count: Any, begin: list[Any], body: Callable[[Any, list[Any]], list[Any]]
) -> list[Any]:
    """Build a loop: `body(number, values)` gives the next values, `count` times; return the last ones."""
    before = builder.block
    head, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
    is_empty = builder.icmp_signed("<=", count, ir.Constant(_I64, 0))
    builder.cbranch(is_empty, after, head)
    builder.position_at_end(head)
    number = builder.phi(_I64)
    number.add_incoming(ir.Constant(_I64, 0), before)
    values = [builder.phi(value.type) for value in begin]
    for phi, value in zip(values, begin, strict=True):
        phi.add_incoming(value, before)
    results = body(number, values)
    end = builder.block
    following = builder.add(number, ir.Constant(_I64, 1))
    number.add_incoming(following, end)
    for phi, value in zip(values, results, strict=True):
        phi.add_incoming(value, end)
    builder.cbranch(builder.icmp_signed("<", following, count), head, after)
    builder.position_at_end(after)
    lasts = [builder.phi(value.type) for value in begin]
    for last, value, result in zip(lasts, begin, results, strict=True):
        last.add_incoming(value, before)
        last.add_incoming(result, end)
    return lasts


def make_tile(tokens: int) -> Any:
    """Return the intrinsic `tile(weights, scales, activations, factors, out, groups, token_size, out_size)`.

    It works out `ROWS` x `tokens` dot products: out[t][r] = factors[t] * sum over groups of scales[g][r] * (weights of
    row r in g . activations of token t in g). Weights lie as [g][r][GROUP], scales as [g][r]. Sizes are in elements
    from one token to the next.
    """
    arguments = 8

    def tile(context: Any, *given: Any) -> Any:
        def build(_context: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
            weights, scales, activations, factors, out, groups, token_size, out_size = values

            def number(value: int) -> Any:
                return ir.Constant(_I64, value)

            def at(base: Any, index: Any, width: int) -> Any:
                return builder.add(base, builder.mul(index, number(width)))

            token_at = [at(activations, builder.mul(number(t), token_size), 2) for t in range(tokens)]

            def group(which: Any, totals: list[Any]) -> list[Any]:
                sums = [ir.Constant(_SUMS, [0] * _HALF)] * (ROWS * tokens)
                weights_here = at(weights, which, ROWS * GROUP)
                for line in range(0, ROWS * GROUP, LINE):
                    _prefetch(builder, builder.add(weights_here, number(AHEAD + line)))
                for block in range(0, GROUP, BLOCK):
                    seen = [
                        _load(builder, builder.add(at(base, which, 2 * GROUP), number(2 * block)), _SHORTS, 2)
                        for base in token_at
                    ]
                    for r in range(ROWS):
                        narrow = _load(
                            builder, builder.add(weights_here, number(r * GROUP + block)), _BYTES, 1
                        )
                        wide = builder.sext(narrow, _SHORTS)
                        for t in range(tokens):
                            pairs = _pair_sums(builder, wide, seen[t])
                            sums[r * tokens + t] = builder.add(sums[r * tokens + t], pairs)
                made = []
                for r in range(ROWS):
                    place = builder.add(at(scales, which, 4 * ROWS), number(4 * r))
                    one = builder.insert_element(
                        ir.Constant(_FLOATS, ir.Undefined), _load(builder, place, _F32, 4), _I32(0)
                    )
                    same = _shuffled(builder, one, [0] * _HALF)
                    for t in range(tokens):
                        floats = builder.sitofp(sums[r * tokens + t], _FLOATS)
                        scaled = builder.fmul(floats, same)
                        made.append(builder.fadd(totals[r * tokens + t], scaled))
                return made

            zeros = [ir.Constant(_FLOATS, [0.0] * _HALF)] * (ROWS * tokens)
            totals = _counted(builder, groups, zeros, group)
            for t in range(tokens):
                factor = _load(builder, at(factors, number(t), 4), _F32, 4)
                for r in range(ROWS):
                    total = builder.fmul(_total(builder, totals[r * tokens + t], builder.fadd), factor)
                    place = builder.add(at(out, builder.mul(number(t), out_size), 4), number(4 * r))
                    builder.store(total, builder.inttoptr(place, _F32.as_pointer()), align=4)
            return _context.get_dummy_value()

        return types.void(*given), build

    return intrinsic(_with_arguments(tile, arguments))


def make_dot() -> Any:
    """Return the intrinsic `dot(left, right, blocks)`: the int32 dot product of int16 vectors of `blocks` x 16."""

    def dot(context: Any, *given: Any) -> Any:
        def build(_context: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
            left, right, blocks = values

            def block(which: Any, sums: list[Any]) -> list[Any]:
                place = builder.mul(which, ir.Constant(_I64, 2 * BLOCK))
                pair = [_load(builder, builder.add(base, place), _SHORTS, 2) for base in (left, right)]
                return [builder.add(sums[0], _pair_sums(builder, *pair))]

            sums = _counted(builder, blocks, [ir.Constant(_SUMS, [0] * _HALF)], block)
            return _total(builder, sums[0], builder.add)

        return types.int32(*given), build

    return intrinsic(_with_arguments(dot, 3))


def _with_arguments(function: Any, count: int) -> Any:
    """Return a function of `count` named arguments: numba reads the signature of an intrinsic."""
    names = ", ".join(f"a{number}" for number in range(count))
    scope: dict[str, Any] = {"function": function}
    exec(f"def named(context, {names}): return function(context, {names})", scope)  # noqa: S102 - our own text
    return scope["named"]


@intrinsic
def fetch_add(context: Any, address: Any, amount: Any) -> Any:
    """Add `amount` to the int64 at `address` in one piece; return what was there before."""

    def build(_context: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
        pointer = builder.inttoptr(values[0], _I64.as_pointer())
        return builder.atomic_rmw("add", pointer, values[1], "acq_rel")

    return types.int64(types.int64, types.int64), build


@intrinsic
def fetch(context: Any, address: Any) -> Any:
    """Return the int64 at `address`, and see all that was written before it was."""

    def build(_context: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
        pointer = builder.inttoptr(values[0], _I64.as_pointer())
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(types.int64), build


@intrinsic
def call(context: Any, address: Any) -> Any:
    """Call the C function without arguments at `address`."""

    def build(_context: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
        kind = ir.FunctionType(_I32, [])
        return builder.call(builder.inttoptr(values[0], kind.as_pointer()), [])

    return types.int32(types.int64), build


@intrinsic
def float_of_bits(context: Any, bits: Any) -> Any:
    """Return the float32 whose bit pattern is this int32."""

    def build(_context: Any, builder: Any, _signature: Any, values: list[Any]) -> Any:
        return builder.bitcast(values[0], _F32)

    return types.float32(types.int32), build
