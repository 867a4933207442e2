"""Values inside values: what a cell looks like in JSON, in CSV, in tab-separated text and as a SQL literal.

Each function compiles a type once into a closure that writes one value. JSON cells leave three things to
`finish_json`, which treats a whole chunk at once: `/`, the line separators of Unicode and the case of hex digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats import stored_json
from tbpy.clickhouse.formats.indent import Indent, lines
from tbpy.clickhouse.formats.scalars import Cell, Kind, scalar, string_text
from tbpy.clickhouse.storage import field_names

NULL_MARK = "ᴺᵁᴸᴸ"
_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\0": "\\0"}
_NEEDS_ESCAPE = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_ESCAPE_TABLE = str.maketrans(_ESCAPES)
_JSON_ESCAPE = re.compile(r"\\(?:u00[01][0-9a-f]|.)")


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """Settings of JSON output. `indent` is where the cell stands when nested values get lines of their own."""

    quote_64bit_integers: bool = False
    quote_denormals: bool = False
    indent: Indent | None = None

    def deeper(self) -> JsonStyle:
        return self if self.indent is None else replace(self, indent=self.indent.deeper())


def unwrapped(type_: t.Type) -> t.Type:
    """The type that decides how a value looks: without Nullable, LowCardinality, SimpleAggregateFunction, geo names."""
    return t.plain(type_)


def or_null(cell: Cell, null: str) -> Cell:
    return lambda value: null if value is None else cell(value)


def pairs(type_: t.Map, value: Any) -> Iterable[tuple[Any, Any]]:
    """Key and value of each entry. DuckDB gives the columns of a map whose keys Python cannot hash."""
    if isinstance(value, dict):
        if isinstance(unwrapped(type_.key), t.Tuple | t.Array | t.Map) and value.keys() == {"key", "value"}:
            return zip(value["key"], value["value"], strict=True)
        return value.items()
    return [tuple(entry.values()) if isinstance(entry, dict) else tuple(entry) for entry in value]


def fields(value: Any) -> Iterable[Any]:
    """The values of a tuple, in order."""
    return value.values() if isinstance(value, dict) else value


# --- JSON -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2048)
def json_cell(type_: t.Type, style: JsonStyle) -> Cell:
    type_ = unwrapped(type_)
    match type_:
        case t.Array(item):
            return _json_array(item, style)
        case t.Tuple():
            return _json_tuple(type_, style)
        case t.Map():
            return _json_map(type_, style)
        case t.Json():
            whole = not type_.is_free
            return lambda value: stored_json.write(value, style.indent, whole=whole)
        case t.Dynamic() | t.Variant():
            return lambda value: stored_json.write(value, style.indent)
        case t.Float():
            return _json_float(type_, style)
        case t.Int(bits, _) if bits >= 64 and style.quote_64bit_integers:
            return lambda value: f'"{value}"'
    found = scalar(type_)
    text = found.text
    if found.kind is Kind.BARE:
        return text
    if found.kind is Kind.PLAIN:
        return lambda value: f'"{text(value)}"'
    if text is string_text:
        return json_string
    return lambda value: encode_basestring(text(value))


def json_string(value: Any) -> str:
    return encode_basestring(value if value.__class__ is str else string_text(value))


def finish_json(text: str) -> bytes:
    """The escapes that only ClickHouse makes; over a whole text, as these characters occur in its strings alone."""
    if "/" in text:
        text = text.replace("/", "\\/")
    if "\\u00" in text:
        text = _JSON_ESCAPE.sub(_upper_hex, text)
    if "\u2028" in text or "\u2029" in text:
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text.encode("utf-8", "replace")


def _upper_hex(match: re.Match[str]) -> str:
    text = match.group()
    return "\\u" + text[2:].upper() if len(text) == 6 else text


def _json_float(type_: t.Type, style: JsonStyle) -> Cell:
    text_of = scalar(type_).text
    special = '"{}"' if style.quote_denormals else "null"

    def cell(value: float) -> str:
        text = text_of(value)
        return text if text[-1] not in "fn" else special.format(text)

    return cell


def is_nested(type_: t.Type) -> bool:
    """Whether values of the type get lines of their own in indented JSON."""
    return isinstance(unwrapped(type_), t.Array | t.Tuple | t.Map | t.Json)


def _json_array(item: t.Type, style: JsonStyle) -> Cell:
    if style.indent is None or not is_nested(item):
        inline = or_null(json_cell(item, style), "null")
        return lambda value: f"[{','.join(map(inline, value))}]"
    cell = or_null(json_cell(item, style.deeper()), "null")
    indent = style.indent
    return lambda value: lines(indent, "[", map(cell, value), "]") if value else "[]"


def _json_tuple(type_: t.Tuple, style: JsonStyle) -> Cell:
    if not type_.items:
        return lambda value: lines(style.indent, "[", [], "]")
    cells = [or_null(json_cell(item, style.deeper()), "null") for item in type_.items]
    brackets = "[]" if type_.names is None else "{}"
    if type_.names is not None:
        colon = ":" if style.indent is None else ": "
        keys = [encode_basestring(name) + colon for name in type_.names]
        cells = [_keyed(key, cell) for key, cell in zip(keys, cells, strict=True)]

    def write(value: Any) -> str:
        texts = [cell(part) for cell, part in zip(cells, fields(value), strict=True)]
        return lines(style.indent, brackets[0], texts, brackets[1])

    return write


def _keyed(key: str, cell: Cell) -> Cell:
    return lambda value: key + cell(value)


def _json_map(type_: t.Map, style: JsonStyle) -> Cell:
    key_text = raw_cell(type_.key)
    cell = or_null(json_cell(type_.value, style.deeper()), "null")
    colon = ":" if style.indent is None else ": "

    def write(value: Any) -> str:
        texts = [encode_basestring(key_text(key)) + colon + cell(item) for key, item in pairs(type_, value)]
        return lines(style.indent, "{", texts, "}") if texts else "{}"

    return write


# --- text -------------------------------------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """With backslashes, as tab-separated values and SQL literals have it."""
    return text.translate(_ESCAPE_TABLE) if _NEEDS_ESCAPE.search(text) else text


def _literal(text: str) -> str:
    return f"'{escaped(text)}'"


def csv_quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@lru_cache(maxsize=2048)
def quoted_cell(type_: t.Type) -> Cell:
    """As a SQL literal; also what stands inside arrays, tuples and maps of every text format."""
    type_ = unwrapped(type_)
    return nested_cell(type_, quoted_cell) or _scalar_cell(type_, plain="'{}'".format, text=_literal)


@lru_cache(maxsize=2048)
def raw_cell(type_: t.Type) -> Cell:
    """As `toString` gives it."""
    type_ = unwrapped(type_)
    return nested_cell(type_, quoted_cell) or _scalar_cell(type_, plain=None, text=None)


@lru_cache(maxsize=2048)
def escaped_cell(type_: t.Type) -> Cell:
    """As a field of tab-separated values."""
    type_ = unwrapped(type_)
    return nested_cell(type_, quoted_cell) or _scalar_cell(type_, plain=None, text=escaped)


@lru_cache(maxsize=2048)
def csv_cell(type_: t.Type) -> Cell:
    """As one field of CSV, or for a tuple as many as it has parts."""
    type_ = unwrapped(type_)
    if isinstance(type_, t.Tuple):
        return _csv_tuple(type_)
    nested = nested_cell(type_, quoted_cell)
    if nested is not None:
        return lambda value: csv_quoted(nested(value))
    return _scalar_cell(type_, plain='"{}"'.format, text=csv_quoted)


def _csv_tuple(type_: t.Tuple) -> Cell:
    if not type_.items:
        return lambda value: ""
    cells = [or_null(csv_cell(item), "\\N") for item in type_.items]
    return lambda value: ",".join(cell(part) for cell, part in zip(cells, fields(value), strict=True))


def _scalar_cell(type_: t.Type, *, plain: Callable[[str], str] | None, text: Callable[[str], str] | None) -> Cell:
    if isinstance(type_, t.Dynamic | t.Variant):
        return _dynamic_cell(text or string_text)
    found = scalar(type_)
    if isinstance(type_, t.Json):
        whole = not type_.is_free
        return _composed(text, lambda value: finish_json(stored_json.write(value, None, whole=whole)).decode())
    quote = {Kind.BARE: None, Kind.PLAIN: plain, Kind.TEXT: text}[found.kind]
    return _composed(quote, found.text)


def _composed(outer: Callable[[str], str] | None, inner: Cell) -> Cell:
    return inner if outer is None else lambda value: outer(inner(value))


def _dynamic_cell(quote: Callable[[str], str]) -> Cell:
    """Each value decides for itself whether it is text."""

    def cell(value: Any) -> str:
        found = stored_json.untagged(stored_json.read(value))
        return quote(found) if isinstance(found, str) else stored_json.write(value, None)

    return cell


def nested_cell(type_: t.Type, inner: Callable[[t.Type], Cell]) -> Cell | None:
    """The text of an array, tuple or map whose parts `inner` writes; None for every other type."""
    match type_:
        case t.Array(item):
            cell = or_null(inner(item), "NULL")
            return lambda value: f"[{','.join(map(cell, value))}]"
        case t.Tuple(()):
            return lambda value: "()"
        case t.Tuple(items, _):
            cells = [or_null(inner(item), "NULL") for item in items]
            return lambda value: f"({','.join(c(v) for c, v in zip(cells, fields(value), strict=True))})"
        case t.Map(key, item):
            key_cell, cell = inner(key), or_null(inner(item), "NULL")
            return lambda value: "{" + ",".join(f"{key_cell(k)}:{cell(v)}" for k, v in pairs(type_, value)) + "}"
    return None


def csv_names(name: str, type_: t.Type) -> list[tuple[str, t.Type]]:
    """The fields that a column has in CSV: a tuple is spread over `name.1`, `name.2`, or its own names."""
    inner = unwrapped(type_)
    if not isinstance(inner, t.Tuple) or not inner.items:
        return [(name, type_)]
    parts = zip(field_names(inner), inner.items, strict=True)
    return [found for part, item in parts for found in csv_names(f"{name}.{part}", item)]
