"""Values joined to one string: concat and its kin, format; and how wide they print."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import bytes_of, is_binary, text_of
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import (
    failure,
    known_text,
    text,
)
from tbpy.clickhouse.quoting import duckdb_string


def as_text(call: Call, arg: Typed) -> Typed:
    """A value of any type as concat() writes it: as toString does, but a FixedString keeps its zero bytes."""
    inner = t.plain(arg.type)
    if isinstance(inner, t.String | t.FixedString):
        return arg
    return call.compiler.call("toString", arg, node=call.node)


@scalar("concat", "concatAssumeInjective", args=(0, None), insensitive=("concat",))
def concat(call: Call) -> Typed:
    for kind, function in ((t.Array, "arrayConcat"), (t.Map, "mapConcat"), (t.Tuple, "tupleConcat")):
        if call.args and all(isinstance(arg.type, kind) for arg in call.args):
            return call.compiler.call(function, *call.args, node=call.node)
    parts = [as_text(call, arg) for arg in call.args]
    known = [known_text(part) for part in parts]
    if len(parts) > 1 and all(value is not None for value in known):
        return constant("".join(value or "" for value in known), t.STRING)
    if not parts:
        return constant("", t.STRING)
    if len(parts) == 1:
        return call.compiler.call("toString", call.args[0], node=call.node)
    if any(is_binary(part) for part in parts):
        return call.typed(text_of(f"({' || '.join(bytes_of(part) for part in parts)})"), t.STRING)
    return call.typed(f"({' || '.join(part.sql for part in parts)})", t.STRING)


@scalar(
    "concatWithSeparator", "concat_ws", "concatWithSeparatorAssumeInjective", args=(1, None), insensitive=("concat_ws",)
)
def concat_with_separator(call: Call) -> Typed:
    separator = text(call)
    parts = [as_text(call, arg).sql for arg in call.args[1:]]
    if not parts:
        return constant("", t.STRING)
    return call.typed(f"({f' || {separator.sql} || '.join(parts)})", t.STRING)


@scalar("format", args=(2, None))
def format_(call: Call) -> Typed:
    template = known_text(text(call))
    if template is None:
        call.unsupported("a template that is not a constant")
    parts = [
        duckdb_string(piece) if isinstance(piece, str) else as_text(call, call.args[1 + piece]).sql
        for piece in _template_pieces(call, template)
    ]
    return call.typed(f"({' || '.join(parts)})" if parts else "''", t.STRING)


def _template_pieces(call: Call, template: str) -> list[str | int]:
    """Literal texts and argument numbers of a `{}` or `{0}` template."""
    pieces: list[str | int] = []
    literal, index, automatic = "", 0, 0
    manual: bool | None = None
    while index < len(template):
        char = template[index]
        if char in "{}" and template[index + 1 : index + 2] == char:
            literal, index = literal + char, index + 2
        elif char == "}":
            raise failure(call, "Closed curly brace without open one")
        elif char == "{":
            end = template.find("}", index)
            if end < 0:
                raise failure(call, "Last open curly brace is not closed")
            inside = template[index + 1 : end]
            if inside and not inside.isdecimal():
                raise failure(call, "Not a number in curly braces")
            if manual is not None and manual != bool(inside):
                raise failure(call, "Cannot switch from automatic field numbering to manual field specification")
            manual = bool(inside)
            number = int(inside) if inside else automatic
            automatic += 1
            if number >= len(call.args) - 1:
                raise failure(call, f"Too big number for arguments, must be at most {len(call.args) - 2}")
            pieces += [literal, number] if literal else [number]
            literal, index = "", end + 1
        else:
            literal, index = literal + char, index + 1
    return [*pieces, literal] if literal else pieces


@scalar("visibleWidth", nulls="keep", low_cardinality=False)
def visible_width(call: Call) -> Typed:
    """How many columns of a terminal the text of a value takes; NULL takes four."""
    arg = call.args[0]
    if isinstance(t.plain(arg.type), t.Nothing):
        return constant(4, t.UINT64)
    shown = as_text(call, arg.as_type(t.not_nullable(arg.type)))
    width = f"{call.context.udf('tb_visible_width')}({shown.sql})"
    return call.typed(f"coalesce({width}, 4)" if t.is_nullable(arg.type) else width, t.UINT64)
