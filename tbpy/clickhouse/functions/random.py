"""Random numbers and texts."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.chance import once_per_row
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import integer

_NOTE = "other random values of the same distribution"
_RAND32 = "CAST(hash(random()) & 4294967295 AS UINTEGER)"
_NORMAL = "(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))"


def varying(call: Call, sql: str, type_: t.Type) -> Typed:
    """A random value of a call, the same for calls with the same constants."""
    value = call.typed(sql, type_, constant=False)
    if not all(arg.constant for arg in call.args):
        return value
    text = f"{call.name}({', '.join(arg.sql for arg in call.args)})"
    return once_per_row(call.compiler.scope, call.context, text, value)


@scalar("rand", "rand32", args=(0, 1), nulls="keep", insensitive=("rand",), note=_NOTE)
def rand(call: Call) -> Typed:
    return varying(call, _RAND32, t.UINT32)


@scalar("rand64", args=(0, 1), nulls="keep", note=_NOTE)
def rand64(call: Call) -> Typed:
    return varying(call, "hash(random())", t.UINT64)


@scalar("randConstant", args=(0, 1), nulls="keep", note=_NOTE)
def rand_constant(call: Call) -> Typed:
    return varying(call, f"(SELECT {_RAND32})", t.UINT32)


@scalar("randCanonical", args=(0, 1), nulls="keep", note=_NOTE)
def rand_canonical(call: Call) -> Typed:
    return varying(call, "random()", t.FLOAT64)


def _distribution(name: str, sql: str, parameters: int, gives: t.Type = t.FLOAT64) -> None:
    @scalar(name, args=(parameters, parameters + 1), nulls="keep", note=_NOTE)
    def build(call: Call) -> Typed:
        if not all(t.is_number(arg.type) for arg in call.args[:parameters]):
            call.wrong_type()
        values = (f"CAST({arg.sql} AS DOUBLE)" for arg in call.args[:parameters])
        return varying(call, sql.format(*values), gives)


_HEADS = "list_sum(list_transform(range(CAST({0} AS BIGINT)), lambda i: CAST(random() < {1} AS BIGINT)))"
_distribution("randUniform", "({0} + random() * ({1} - {0}))", 2)
_distribution("randNormal", f"({{0}} + {{1}} * {_NORMAL})", 2)
_distribution("randLogNormal", f"exp({{0}} + {{1}} * {_NORMAL})", 2)
_distribution("randExponential", "(-ln(1 - random()) / {0})", 1)
_distribution("randBernoulli", "CAST(random() < {0} AS UTINYINT)", 1, t.UINT8)
_distribution("randBinomial", f"CAST(coalesce({_HEADS}, 0) AS UBIGINT)", 2, t.UINT64)


def _text(call: Call, letter: str) -> Typed:
    name = call.context.fresh("i")
    letters = f"list_transform(range({integer(call, 0)}), lambda {name}: {letter})"
    return varying(call, f"array_to_string({letters}, '')", t.STRING)


@scalar("randomPrintableASCII", args=(1, 2), nulls="keep", note=_NOTE)
def random_printable_ascii(call: Call) -> Typed:
    return _text(call, "chr(32 + CAST(floor(random() * 95) AS INTEGER))")


@scalar("randomStringUTF8", nulls="keep", note=_NOTE)
def random_string_utf8(call: Call) -> Typed:
    """Of letters below the surrogates, where all code points are characters."""
    return _text(call, "chr(1 + CAST(floor(random() * 55295) AS INTEGER))")
