"""What a server says of itself and of how a query runs: its name and version, row numbers, blocks, throwIf."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed, condition_of
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string

#: The release of ClickHouse whose answers tbpy gives.
CLICKHOUSE_VERSION = "26.9.2.1"


_ONE_BLOCK = "all rows are one block"


def _said(value: str, *names: str, insensitive: tuple[str, ...] = ()) -> None:
    @scalar(*names, args=0, insensitive=insensitive, note=f"always '{value}'")
    def build(call: Call) -> Typed:
        return constant(value)


_said("localhost", "hostName", "hostname", "FQDN", "fullHostName", insensitive=("FQDN",))
_said("default", "currentDatabase", "DATABASE", "SCHEMA", insensitive=("DATABASE", "SCHEMA"))
_said("default", "currentUser", "user", "current_user", insensitive=("user", "current_user"))


@scalar("version", args=0, insensitive=True)
def version(call: Call) -> Typed:
    return constant(CLICKHOUSE_VERSION)


@scalar("throwIf", args=(1, 3), strict=False)
def throw_if(call: Call) -> Typed:
    """0, or the query fails with the message where the value is not zero."""
    value = call.args[0]
    if not t.is_number(value.type):
        call.wrong_type()
    text = "Value passed to 'throwIf' function is non-zero"
    if len(call.args) > 1:
        text = str(call.constant_value(1, "message"))
    failure = f"error({duckdb_string(f'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO: {text}')})"
    sql = f"CAST((CASE WHEN {condition_of(value)} THEN {failure} ELSE 0 END) AS UTINYINT)"
    return call.typed(sql, t.UINT8, constant=False)


@scalar("sleep")
def sleep(call: Call) -> Typed:
    if call.constant_value(0, "time"):
        call.unsupported("a time above zero")
    return constant(0)


@scalar("blockNumber", args=0, note=_ONE_BLOCK)
def block_number(call: Call) -> Typed:
    return Typed("CAST(0 AS UBIGINT)", t.UINT64)


@scalar("rowNumberInAllBlocks", "rowNumberInBlock", args=0, note=_ONE_BLOCK)
def row_number(call: Call) -> Typed:
    """From 0, in the order that rows come."""
    return Typed("CAST(row_number() OVER () - 1 AS UBIGINT)", t.UINT64, window=True)
