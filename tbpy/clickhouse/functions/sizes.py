"""Functions that take strings, arrays and maps alike: length, empty, notEmpty, reverse."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import by_bytes, bytes_of, is_binary, text_of
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.parts import parts
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.documents import PRINTED, printed_sql
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.storage import default_sql


@scalar("length", "OCTET_LENGTH", insensitive=True)
def length(call: Call) -> Typed:
    match call.args[0].type:
        case t.Array():
            sql = f"len({call.sql(0)})"
        case t.Map():
            sql = f"cardinality({call.sql(0)})"
        case t.String():
            sql = f"octet_length({bytes_of(call.args[0])})" if is_binary(call.args[0]) else f"strlen({call.sql(0)})"
        case t.FixedString(size):
            return call.typed(str(size), t.UINT64)
        case t.Dynamic():
            value = call.sql(0)
            text = f"strlen(json_extract_string({value}, '$'))"
            wrong = "error('ILLEGAL_TYPE_OF_ARGUMENT: Illegal type of argument of function length')"
            arms = f"WHEN 'ARRAY' THEN json_array_length({value}) WHEN 'VARCHAR' THEN {text}"
            sql = f"(CASE json_type({value}) {arms} ELSE (CASE WHEN {value} IS NOT NULL THEN {wrong} END) END)"
            return call.typed(f"CAST({sql} AS UBIGINT)", t.Nullable(t.UINT64))
        case _:
            call.wrong_type()
    return call.typed(f"CAST({sql} AS UBIGINT)", t.UINT64)


def _emptiness(name: str, operator: str) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        sql = call.sql(0)
        match call.args[0].type:
            case t.Array():
                return call.condition(f"(len({sql}) {operator} 0)")
            case t.Map():
                return call.condition(f"(cardinality({sql}) {operator} 0)")
            case t.String() | t.UUID() | t.IPv4() | t.IPv6():
                return call.condition(f"({sql} {operator} {default_sql(call.args[0].type)})")
            case t.Json() as document:
                printed = printed_sql(sql, document, call.context.udf(PRINTED))
                return call.condition(f"({printed} {operator} '{{}}')")
            case t.FixedString():
                return call.condition(f"(rtrim({sql}, chr(0)) {operator} '')")
        call.wrong_type()


_emptiness("empty", "=")
_emptiness("notEmpty", "<>")


@scalar("reverse", insensitive=True)
def reverse(call: Call) -> Typed:
    type_ = call.args[0].type
    if isinstance(type_, t.Array):
        return call.typed(f"list_reverse({call.sql(0)})", type_)
    if isinstance(type_, t.String | t.FixedString):
        arg = call.args[0]
        bytes_ = text_of(f"{call.context.udf('tb_reverse_bytes')}({bytes_of(arg)})")
        return call.typed(by_bytes(arg, f"reverse({arg.sql})", bytes_), type_)
    if isinstance(type_, t.Tuple):
        names = None if type_.names is None else type_.names[::-1]
        items = parts(call.args[0])[::-1]
        return call.typed(tuple_sql([item.exact() for item in items], names), t.Tuple(type_.items[::-1], names))
    call.wrong_type()
