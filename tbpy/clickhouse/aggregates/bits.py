"""Aggregates over the bits of integers."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type


def _bitwise(name: str, alias: str, function: str) -> None:
    @aggregate(name, alias, native_skip=True, insensitive=(alias,))
    def build(call: AggregateCall) -> Typed:
        """Of nothing: all ones for AND, else 0."""
        type_, argument = call.type(), call.sql()
        if isinstance(type_, t.Bool):
            type_, argument = t.UINT8, f"CAST({argument} AS UTINYINT)"
        if not isinstance(type_, t.Int) or type_.bits > 128:
            call.wrong_type()
        empty = (-1 if type_.signed else type_.maximum) if function == "bit_and" else 0
        value = call.apply(function, argument)
        return call.typed(call.or_default(value, type_, f"CAST({empty} AS {duckdb_type(type_)})"), type_)


_bitwise("groupBitAnd", "BIT_AND", "bit_and")
_bitwise("groupBitOr", "BIT_OR", "bit_or")
_bitwise("groupBitXor", "BIT_XOR", "bit_xor")
