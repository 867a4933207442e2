"""Checks of one data source beyond its grammar: types, columns, engine, keys."""

from __future__ import annotations

import re

from tbpy.clickhouse.parser import parse_expression, parse_statement
from tbpy.clickhouse.types import Type, parse_type
from tbpy.datafiles import Column, Datasource, Engine, Kind, Setting
from tbpy.errors import QueryError, Span
from tbpy.project.references import identifiers
from tbpy.project.report import Report, did_you_mean
from tbpy.project.statements import swallowed_instruction, syntax_message

_ENGINES = frozenset(
    {
        "MergeTree",
        "ReplacingMergeTree",
        "SummingMergeTree",
        "AggregatingMergeTree",
        "CollapsingMergeTree",
        "VersionedCollapsingMergeTree",
        "CoalescingMergeTree",
        "Null",
        "Join",
    }
)
_REQUIRED = {
    "CollapsingMergeTree": ("sign",),
    "VersionedCollapsingMergeTree": ("sign", "version"),
}
# The joins that ENGINE Join can be made for, by strictness. Source: ClickHouse's documentation of the Join engine.
_JOINS = {
    "ANY": ("LEFT", "INNER", "RIGHT"),
    "ALL": ("LEFT", "INNER", "RIGHT", "FULL"),
    "SEMI": ("LEFT", "RIGHT"),
    "ANTI": ("LEFT", "RIGHT"),
}
_CLASSIC_JOIN = ("join_strictness", "join_type", "key_columns")
_NOT_FOR_COLUMNS = re.compile(r"\b(?:Time64|BFloat16)\b")
_COMMON_TYPES = {
    name.lower(): name
    for name in (
        "String",
        "Int32",
        "Int64",
        "UInt8",
        "UInt32",
        "UInt64",
        "Float32",
        "Float64",
        "Date",
        "DateTime",
        "UUID",
    )
}
_KEYS = ("sorting_key", "partition_key", "primary_key", "sampling_key", "ttl")
_COLUMN_NAMES = ("ver", "is_deleted", "sign", "version", "columns")


def engine_name(engine: Engine | None) -> str:
    """The engine's bare name, MergeTree when the file names none."""
    name = (engine.name if engine else None) or "MergeTree"
    return name.split("(", 1)[0].strip()


def join_arguments(engine: Engine) -> tuple[str, ...]:
    """Strictness, kind and keys of ENGINE Join, as many as there are: from the brackets after its name, or from
    Classic's instructions."""
    _, bracket, rest = (engine.name or "").partition("(")
    texts = [rest.strip().removesuffix(")")] if bracket else list(map(engine.get, _CLASSIC_JOIN))
    return tuple(part.strip() for text in texts if text for part in text.split(","))


def check_types(report: Report, datasource: Datasource) -> dict[str, Type]:
    """The type of each column that has one; the others are in the report."""
    types: dict[str, Type] = {}
    for column in datasource.columns:
        if not column.type:
            continue
        try:
            types[column.name] = _column_type(column.declared_type)
        except QueryError as error:
            _report_type(report, datasource, column, error)
    return types


def _column_type(text: str) -> Type:
    """The type of a column; Tinybird refuses some that ClickHouse knows."""
    refused = _NOT_FOR_COLUMNS.search(text)
    if refused:
        raise QueryError(f"Unknown data type family: {refused[0]}", code=50, name="UNKNOWN_TYPE")
    return parse_type(text)


def _report_type(report: Report, datasource: Datasource, column: Column, error: QueryError) -> None:
    text = column.type_text
    span = text.span(0, len(text.text)) if text else column.span
    hint = swallowed_instruction(text, Kind.DATASOURCE) if text else None
    if hint is None and (known := _COMMON_TYPES.get(column.type.lower())):
        hint = f"Type names tell capitals from small letters: {known}."
    report.error("type", f"Error parsing type: {syntax_message(error)}", datasource.file, span, hint=hint or error.hint)


def check_datasource(report: Report, datasource: Datasource) -> None:
    """Duplicate columns, expressions that do not parse, the engine's name and arguments, keys with unknown columns."""
    _check_duplicates(report, datasource)
    _check_expressions(report, datasource)
    engine = datasource.engine
    if engine is None:
        return
    _check_engine(report, datasource, engine)
    for argument in engine.arguments:
        if argument.name in _KEYS:
            _check_key(report, datasource, argument)
        elif argument.name in _COLUMN_NAMES:
            _check_names(report, datasource, argument)


def _check_duplicates(report: Report, datasource: Datasource) -> None:
    seen: dict[str, Column] = {}
    for column in datasource.columns:
        first = seen.setdefault(column.name, column)
        if first is not column:
            hint = f"The first is on line {first.span.line}."
            message = f"Duplicate column name '{column.name}'"
            report.error("duplicate-column", message, datasource.file, column.span, hint=hint)


def _check_expressions(report: Report, datasource: Datasource) -> None:
    for column in datasource.columns:
        try:
            parse_expression(column.default or "1")
        except QueryError as error:
            message = f"DEFAULT of column '{column.name}': {syntax_message(error)}"
            report.error("sql-syntax", message, datasource.file, column.span)
    query = datasource.forward_query
    try:
        parse_statement(query.text if query else "SELECT 1")
    except QueryError as error:
        span = query.span(error.place.start, error.place.end) if query and error.place else None
        report.error("sql-syntax", f"FORWARD_QUERY: {syntax_message(error)}", datasource.file, span)


def _check_engine(report: Report, datasource: Datasource, engine: Engine) -> None:
    name = engine_name(engine)
    span = engine.text.span(0, len(engine.text.text)) if engine.text else Span.at(1, 1)
    if name not in _ENGINES:
        folded = {known.lower(): known for known in _ENGINES}
        hint = did_you_mean(folded.get(name.strip("“”‘’").lower(), name), _ENGINES)
        report.error("unknown-engine", f"Unknown ENGINE {name}", datasource.file, span, hint=hint)
        return
    for option in _REQUIRED.get(name, ()):
        if engine.get(option) is None:
            message = f"ENGINE {name} needs ENGINE_{option.upper()}"
            hint = f"Add: ENGINE_{option.upper()} <column>"
            report.error("missing-parameter", message, datasource.file, span, hint=hint)
    if name == "Join":
        _check_join(report, datasource, engine, span)
    elif (engine.name or "").partition("(")[2].strip(" )"):
        message = f"What stands in brackets after ENGINE {name} is not read"
        hint = "Write it as ENGINE_VER, ENGINE_SIGN, ENGINE_COLUMNS, ..."
        report.warning("engine-arguments", message, datasource.file, span, hint=hint)


def _check_join(report: Report, datasource: Datasource, engine: Engine, span: Span) -> None:
    strictness, kind, *keys = (*join_arguments(engine), "", "")
    kinds = _JOINS.get(strictness.upper(), ())
    if not any(keys):
        message = "ENGINE Join needs the strictness and the type of the joins it is for, and its key columns"
        report.error(
            "missing-parameter", message, datasource.file, span, hint='Write: ENGINE "Join(ANY, LEFT, <column>)"'
        )
    elif kind.upper() not in kinds:
        message = f"There is no {strictness} {kind} JOIN"
        one_of = f"After {strictness}: {', '.join(kinds)}" if kinds else f"The strictness is one of {', '.join(_JOINS)}"
        report.error("invalid-value", message, datasource.file, span, hint=one_of)
    for key in filter(None, keys):
        if not _has_column(datasource, key.strip("`")):
            hint = did_you_mean(key.strip("`"), [column.name for column in datasource.columns])
            report.error("unknown-column", f"Unknown column '{key}' in ENGINE Join", datasource.file, span, hint=hint)


def _check_key(report: Report, datasource: Datasource, key: Setting) -> None:
    opening = "tuple("
    try:
        expression = parse_expression(f"{opening}{key.value}\n)")
    except QueryError as error:
        if key.name != "ttl":
            message = f"ENGINE_{key.name.upper()}: {syntax_message(error)}"
            report.error("key-syntax", message, datasource.file, key.span)
        return
    for identifier in identifiers(expression):
        if _has_column(datasource, identifier.name) or _has_column(datasource, identifier.parts[0]):
            continue
        start = identifier.start - len(opening)
        span = key.text.span(start, start + identifier.end - identifier.start)
        _unknown_column(report, datasource, key, identifier.name, span)


def _check_names(report: Report, datasource: Datasource, argument: Setting) -> None:
    offset = 0
    for part in argument.value.split(","):
        name = part.strip().strip("`()")
        if name and not _has_column(datasource, name):
            start = offset + part.index(name)
            _unknown_column(report, datasource, argument, name, argument.text.span(start, start + len(name)))
        offset += len(part) + 1


def _has_column(datasource: Datasource, name: str) -> bool:
    return datasource.column(name) is not None


def _unknown_column(report: Report, datasource: Datasource, option: Setting, name: str, span: Span) -> None:
    message = f"Unknown column '{name}' in ENGINE_{option.name.upper()}"
    hint = did_you_mean(name, [column.name for column in datasource.columns])
    report.error("unknown-column", message, datasource.file, span, hint=hint)
