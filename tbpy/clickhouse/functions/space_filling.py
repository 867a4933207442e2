"""Morton and Hilbert codes: points of whole numbers as one number, near where the points are near."""

from __future__ import annotations

from collections.abc import Sequence

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import failure


def _split(call: Call, least: int, most: int) -> tuple[tuple[int, ...] | None, tuple[Typed, ...]]:
    """The tuple of stretches or shifts before the numbers, if there is one, and the numbers."""
    first = call.args[0]
    if not isinstance(first.type, t.Tuple):
        return None, call.args
    values = call.constant_value(0, "tuple")
    if not all(isinstance(value, int) and least <= value <= most for value in values):
        text = f"Illegal argument {first.type} of function {call.name}, should be a number in range {least}-{most}"
        raise failure(call, text, 69, "ARGUMENT_OUT_OF_BOUND")
    return tuple(values), call.args[1:]


def _numbers(call: Call, numbers: Sequence[Typed], most: int, wanted: int | None = None) -> list[str]:
    if wanted is not None and len(numbers) != wanted:
        text = f"Illegal argument {call.args[0].type} for function {call.name}, tuple size should be equal to number of"
        raise failure(call, f"{text} UInt arguments", 69, "ARGUMENT_OUT_OF_BOUND")
    if len(numbers) > most:
        text = f"Illegal number of UInt arguments of function {call.name}: should be not more than {most} dimensions"
        raise failure(call, text, 34, "TOO_MANY_ARGUMENTS_FOR_FUNCTION")
    if not all(isinstance(arg.type, t.Int) and not arg.type.signed and arg.type.bits <= 64 for arg in numbers):
        call.wrong_type()
    return [f"CAST({arg.sql} AS UBIGINT)" for arg in numbers]


def _dimensions(call: Call, most: int, least: int, highest: int, plain: int) -> tuple[int, ...]:
    """What a decoder's first argument says: how many numbers there are, or how each is stretched or shifted."""
    if isinstance(call.args[0].type, t.Tuple):
        found, _ = _split(call, least, highest)
        return found or ()
    count = call.constant_value(0, "number of dimensions")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= most:
        text = f"Illegal first argument for function {call.name}, should be a number in range 1-{most}"
        raise failure(call, f"{text} or a Tuple of such size", 69, "ARGUMENT_OUT_OF_BOUND")
    return (plain,) * count


def _point(call: Call, values: str, count: int) -> Typed:
    """The tuple of the numbers of a list."""
    name = call.context.fresh("p")
    record = ", ".join(f"'{place}': {name}[{place}]" for place in range(1, count + 1))
    return call.typed(f"list_transform([{values}], lambda {name}: {{{record}}})[1]", t.Tuple((t.UINT64,) * count))


@scalar("mortonEncode", args=(1, 9), nulls="keep", low_cardinality=False)
def morton_encode(call: Call) -> Typed:
    stretches, numbers = _split(call, 1, 8)
    values = _numbers(call, numbers, 8, None if stretches is None else len(stretches))
    spread = list(stretches or (1,) * len(values))
    return call.typed(f"{call.context.udf('tb_morton_encode')}([{', '.join(values)}], {spread})", t.UINT64)


@scalar("mortonDecode", args=2, nulls="keep", low_cardinality=False)
def morton_decode(call: Call) -> Typed:
    stretches = _dimensions(call, 8, 1, 8, 1)
    [code] = _numbers(call, call.args[1:], 1)
    return _point(call, f"{call.context.udf('tb_morton_decode')}({code}, {list(stretches)})", len(stretches))


@scalar("hilbertEncode", args=(1, 3), nulls="keep", low_cardinality=False)
def hilbert_encode(call: Call) -> Typed:
    shifts, numbers = _split(call, 0, 32)
    values = _numbers(call, numbers, 2, None if shifts is None else len(shifts))
    moved = [_shifted(value, shift) for value, shift in zip(values, shifts or (0, 0), strict=False)]
    if len(moved) == 1:
        return call.typed(moved[0], t.UINT64)
    return call.typed(f"{call.context.udf('tb_hilbert_encode')}({', '.join(moved)})", t.UINT64)


def _shifted(value: str, shift: int) -> str:
    """Shifted left within 64 bits."""
    kept = (1 << 64 - shift) - 1
    return f"CAST(CAST({value} & {kept} AS UHUGEINT) * {1 << shift} AS UBIGINT)" if shift else value


@scalar("hilbertDecode", args=2, nulls="keep", low_cardinality=False)
def hilbert_decode(call: Call) -> Typed:
    shifts = _dimensions(call, 2, 0, 32, 0)
    [code] = _numbers(call, call.args[1:], 1)
    point = f"[{code}]" if len(shifts) == 1 else f"{call.context.udf('tb_hilbert_decode')}({code})"
    name, place = call.context.fresh("v"), call.context.fresh("i")
    back = f"list_transform({point}, lambda {name}, {place}: {name} >> {list(shifts)}[{place}])"
    return _point(call, back if any(shifts) else point, len(shifts))
