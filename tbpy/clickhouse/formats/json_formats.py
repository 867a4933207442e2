"""The JSON formats, laid out as ClickHouse lays them out, to the last tab."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from json.encoder import encode_basestring

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats.cells import NULL_MARK, JsonStyle, finish_json, raw_cell
from tbpy.clickhouse.formats.columns import ColumnTexts, by_cell, json_column
from tbpy.clickhouse.formats.indent import Indent
from tbpy.clickhouse.formats.result import Result, ResultColumn, Row, RowTemplate, Writer, chunks, literal
from tbpy.clickhouse.formats.scalars import Cell, float64_text

_MOST_SHAPES = 512


def json(*, compact: bool = False, strings: bool = False) -> Writer:
    """JSON, JSONCompact, JSONStrings, JSONCompactStrings: one object with `meta`, `data` and the rest."""

    def write(result: Result) -> Iterator[bytes]:
        rows = _object_rows(result, level=2, strings=strings) if not compact else _array_rows(result, strings=strings)
        yield finish_json("{\n" + _meta(result.columns) + ',\n\n\t"data":\n\t[\n')
        count = 0
        for chunk in chunks(result.rows):
            yield finish_json((",\n\t\t" if count else "\t\t") + ",\n\t\t".join(rows.texts(chunk)))
            count += len(chunk)
        yield finish_json("\n\t]")
        yield _tail(result, count, compact=compact, strings=strings)

    return write


def json_columns_with_metadata(result: Result) -> Iterator[bytes]:
    rows = list(result.rows)
    lines = _column_lines(result, rows, named=True, level=2) if rows else []
    yield finish_json("{\n" + _meta(result.columns) + ',\n\n\t"data":\n\t{\n' + ",\n".join(lines) + "\n\t}")
    yield _tail(result, len(rows), compact=False, strings=False)


def json_columns(result: Result) -> Iterator[bytes]:
    yield finish_json("{\n" + ",\n".join(_column_lines(result, list(result.rows), named=True, level=1)) + "\n}\n")


def json_compact_columns(result: Result) -> Iterator[bytes]:
    rows = list(result.rows)
    lines = _column_lines(result, rows, named=False, level=1) if rows else []
    yield finish_json("[\n" + ",\n".join(lines) + "\n]\n")


def json_each_row(*, strings: bool = False, pretty: bool = False) -> Writer:
    """An object a line; `pretty` spreads each object over lines."""

    def write(result: Result) -> Iterator[bytes]:
        rows = _object_rows(result, level=0 if pretty else None, strings=strings, unit="    ")
        for chunk in chunks(result.rows):
            yield finish_json("\n".join(rows.texts(chunk)) + "\n")

    return write


def json_object_each_row(result: Result) -> Iterator[bytes]:
    rows = _object_rows(result, level=None, strings=False)
    yield b"{\n"
    count = 0
    for chunk in chunks(result.rows):
        lines = [f'\t"row_{count + index}": {text}' for index, text in enumerate(rows.texts(chunk), start=1)]
        yield finish_json((",\n" if count else "") + ",\n".join(lines))
        count += len(chunk)
    yield b"\n}\n"


def json_compact_each_row(*, strings: bool = False, names: bool = False, types: bool = False) -> Writer:
    """An array a line, perhaps after the names and the types of the columns."""

    def write(result: Result) -> Iterator[bytes]:
        rows = _array_rows(result, strings=strings)
        if names:
            yield finish_json(f"[{', '.join(encode_basestring(column.name) for column in result.columns)}]\n")
        if types:
            yield finish_json(f"[{', '.join(encode_basestring(str(column.type)) for column in result.columns)}]\n")
        for chunk in chunks(result.rows):
            yield finish_json("\n".join(rows.texts(chunk)) + "\n")

    return write


# --- parts ------------------------------------------------------------------------------------------------------------


def _columns(result: Result, *, level: int | None, strings: bool, unit: str = "\t") -> tuple[ColumnTexts, ...]:
    return _writers(tuple(column.type for column in result.columns), level, strings, unit, *_quoted(result))


def _quoted(result: Result) -> tuple[bool, bool]:
    """Whether the settings ask for quotes around 64-bit integers, and around NaN and infinities."""
    return (
        result.setting("output_format_json_quote_64bit_integers"),
        result.setting("output_format_json_quote_denormals"),
    )


# What depends on the columns alone is made once for all answers of an endpoint.
@lru_cache(maxsize=_MOST_SHAPES)
def _writers(
    types: tuple[t.Type, ...], level: int | None, strings: bool, unit: str, integers: bool, denormals: bool
) -> tuple[ColumnTexts, ...]:
    if strings:
        return tuple(by_cell(_string_cell(raw_cell(type_)), f'"{NULL_MARK}"') for type_ in types)
    indent = None if level is None else Indent(level, unit)
    style = JsonStyle(quote_64bit_integers=integers, quote_denormals=denormals, indent=indent)
    return tuple(json_column(type_, style) for type_ in types)


def _string_cell(cell: Cell) -> Cell:
    return lambda value: encode_basestring(cell(value))


def _object_rows(result: Result, *, level: int | None, strings: bool, unit: str = "\t") -> RowTemplate:
    """Rows as objects; `level` is the indent of the object, None for one line."""
    columns = _columns(result, level=None if level is None else level + 1, strings=strings, unit=unit)
    keys = [literal(encode_basestring(column.name)) for column in result.columns]
    template = "{" + ",".join(f"{key}:%s" for key in keys) + "}" if level is None else _object(keys, level, unit)
    return RowTemplate(columns, template)


def _object(keys: Sequence[str], level: int, unit: str) -> str:
    lines = ",\n".join(f"{unit * (level + 1)}{key}: %s" for key in keys)
    return f"{{\n{lines}\n{unit * level}}}"


def _array_rows(result: Result, *, strings: bool) -> RowTemplate:
    columns = _columns(result, level=None, strings=strings)
    return RowTemplate(columns, f"[{', '.join(['%s'] * len(columns))}]")


def _meta(columns: Sequence[ResultColumn]) -> str:
    return _meta_of(tuple((column.name, column.type) for column in columns))


@lru_cache(maxsize=_MOST_SHAPES)
def _meta_of(columns: tuple[tuple[str, t.Type], ...]) -> str:
    items = []
    for name, type_ in columns:
        name, shown = encode_basestring(name), encode_basestring(str(type_))
        items.append(f'\t\t{{\n\t\t\t"name": {name},\n\t\t\t"type": {shown}\n\t\t}}')
    return '\t"meta":\n\t[\n' + ",\n".join(items) + "\n\t]"


def _column_lines(result: Result, rows: Sequence[Row], *, named: bool, level: int) -> list[str]:
    writers = _columns(result, level=None, strings=False)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(writers)
    lines = []
    for column, texts, values in zip(result.columns, writers, columns, strict=True):
        key = f"{encode_basestring(column.name)}: " if named else ""
        lines.append("\t" * level + f"{key}[{', '.join(texts(values))}]")
    return lines


def _tail(result: Result, count: int, *, compact: bool, strings: bool) -> bytes:
    """What follows the data: totals, counts, statistics."""
    sections = [""]
    if result.totals is not None:
        inline = RowTemplate(_columns(result, level=None, strings=strings), "%s")
        sections.append(_totals(result, [next(iter(text)) for text in inline.columns([result.totals])], compact))
    sections.append(f'\t"rows": {count}')
    if result.before_limit is not None:
        sections.append(f'\t"rows_before_limit_at_least": {result.before_limit}')
    if result.statistics is not None:
        sections.append('\t"statistics":\n\t{\n' + ",\n".join(_statistics(result)) + "\n\t}")
    return finish_json(",\n\n".join(sections) + "\n}\n")


def _totals(result: Result, texts: Sequence[str], compact: bool) -> str:
    """The totals row. Its values stand on one line each, however nested they are."""
    if compact:
        return f'\t"totals": [{", ".join(texts)}]'
    names = (encode_basestring(column.name) for column in result.columns)
    lines = ",\n".join(f"\t\t{name}: {text}" for name, text in zip(names, texts, strict=True))
    return f'\t"totals":\n\t{{\n{lines}\n\t}}'


def _statistics(result: Result) -> Iterable[str]:
    assert result.statistics is not None
    found = result.statistics
    yield f'\t\t"elapsed": {float64_text(float(found.elapsed))}'
    yield f'\t\t"rows_read": {found.rows_read}'
    yield f'\t\t"bytes_read": {found.bytes_read}'
