"""Functions of Variant values, and other functions of them: applied to each type that a value may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.conversion import coerce
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.compiler.unions import chosen, member, tag, variant_of
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql
from tbpy.errors import QueryError, UnsupportedError


def _variant(call: Call) -> t.Variant:
    type_ = call.args[0].type
    if not isinstance(type_, t.Variant):
        call.wrong_type()
    return type_


@scalar("variantType", nulls="keep", low_cardinality=False)
def variant_type(call: Call) -> Typed:
    names = [str(item) for item in _variant(call).items]
    members = (("None", -1), *((name, place) for place, name in enumerate(names)))
    return call.typed(f"coalesce({tag(call.sql(0))}, 'None')", t.Enum(8, members))


@scalar("variantElement", args=(2, 3), nulls="keep", low_cardinality=False)
def variant_element(call: Call) -> Typed:
    if isinstance(call.args[0].type, t.Array):
        call.unsupported(f"type {call.args[0].type}")
    type_, name = _variant(call), str(call.constant_value(1, "type name"))
    wanted = next((item for item in type_.items if str(item) == name), None)
    if wanted is None and len(call.args) == 3:
        return call.args[2]
    if wanted is None:
        text = f"{type_} doesn't contain element with type {name}"
        raise QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT")
    value = member(call.args[0], wanted)
    if not t.is_nullable(t.nullable(wanted)):
        return call.typed(f"coalesce({value.sql}, {default_sql(wanted)})", wanted)
    return call.typed(value.sql, t.nullable(wanted))


def has_element(type_: t.Type, name: str) -> bool:
    return isinstance(type_, t.Variant) and name in map(str, type_.items)


def of_each_type(call: Call, position: int, build: Callable[[Call], Typed]) -> Typed:
    """A function of a Variant value. For a type that the function does not take, it fails when such a value is met."""
    value = call.args[position]
    assert isinstance(value.type, t.Variant)
    results: dict[str, Typed] = {}
    errors: dict[str, QueryError] = {}
    for item in value.type.items:
        args = (*call.args[:position], member(value, item), *call.args[position + 1 :])
        try:
            results[str(item)] = build(replace(call, args=args, original=()))
        except UnsupportedError:
            raise
        except QueryError as error:
            errors[str(item)] = error
    if not results:
        raise next(iter(errors.values()))
    type_ = _result_type([result.type for result in results.values()])
    arms = {name: coerce(result, type_).sql for name, result in results.items()}
    failures = {name: f"error({duckdb_string(f'{error.name}: {error.message}')})" for name, error in errors.items()}
    return call.typed(chosen(value.sql, arms | failures), type_, constant=value.constant)


def _result_type(types: list[t.Type]) -> t.Type:
    if len({t.not_nullable(type_) for type_ in types}) == 1:
        return t.nullable(types[0])
    return variant_of(types)
