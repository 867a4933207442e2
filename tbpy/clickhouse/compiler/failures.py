"""The errors of compiling, in ClickHouse's wording and with its codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.edit_distance import nearest
from tbpy.clickhouse.function_names import is_clickhouse_function
from tbpy.clickhouse.quoting import quote_string
from tbpy.errors import QueryError as QueryError
from tbpy.errors import SqlPlace, UnsupportedError

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.context import Context


def place(node: ast.Node | None) -> SqlPlace | None:
    return SqlPlace(node.start, node.end) if node is not None else None


def suggestion(name: str, candidates: Iterable[str]) -> str | None:
    close = nearest(name, candidates)
    return f"Maybe you meant: [{','.join(map(quote_string, close))}]" if close else None


def failure(message: str, code: int, name: str, node: ast.Node | None) -> QueryError:
    """An error with a code of ClickHouse's that has no function of its own here."""
    return QueryError(message, code=code, name=name, place=place(node))


def unknown_identifier(name: str, node: ast.Node, candidates: Iterable[str]) -> QueryError:
    hint = suggestion(name, candidates)
    text = f"Unknown expression identifier `{name}`" + (f". {hint}" if hint else "")
    return QueryError(text, code=47, name="UNKNOWN_IDENTIFIER", place=place(node), hint=hint)


def ambiguous_identifier(name: str, node: ast.Node) -> QueryError:
    return QueryError(f"JOIN ambiguous identifier '{name}'", code=207, name="AMBIGUOUS_IDENTIFIER", place=place(node))


def unknown_table(name: str, node: ast.Node, candidates: Iterable[str]) -> QueryError:
    hint = suggestion(name, candidates)
    text = f"Unknown table expression identifier '{name}'" + (f". {hint}" if hint else "")
    return QueryError(text, code=60, name="UNKNOWN_TABLE", place=place(node), hint=hint)


def unknown_function(name: str, node: ast.Node, candidates: Iterable[str]) -> QueryError:
    """Refused as not supported when ClickHouse has it, unknown as in ClickHouse when it has not."""
    names = set(candidates)
    if is_clickhouse_function(name) and name.lower() not in {each.lower() for each in names}:
        return unsupported(f"Function {name}", node)
    hint = suggestion(name, names)
    text = f"Function with name `{name}` does not exist" + (f". {hint}" if hint else "")
    return QueryError(text, code=46, name="UNKNOWN_FUNCTION", place=place(node), hint=hint)


def unknown_aggregate(name: str, node: ast.Node, candidates: Iterable[str]) -> QueryError:
    """What stands before OVER, or is named as an aggregate in a text, and is none."""
    hint = suggestion(name, candidates)
    text = f"Aggregate function with name '{name}' does not exist" + (f". {hint}" if hint else "")
    return QueryError(text, code=63, name="UNKNOWN_AGGREGATE_FUNCTION", place=place(node), hint=hint)


#: Functions for which ClickHouse has another code when they get too few arguments.
_TOO_FEW = frozenset(
    ("and", "or", "char", "arrayFold", "lagInFrame", "leadInFrame", "JSON_VALUE", "JSON_QUERY", "JSON_EXISTS")
)


def wrong_count(name: str, given: int, wanted: str, node: ast.Node) -> QueryError:
    text = f"Number of arguments for function {name} doesn't match: passed {given}, should be {wanted}"
    if name in _TOO_FEW:
        return QueryError(text, code=35, name="TOO_FEW_ARGUMENTS_FOR_FUNCTION", place=place(node))
    return QueryError(text, code=42, name="NUMBER_OF_ARGUMENTS_DOESNT_MATCH", place=place(node))


#: Functions of two arguments whose types ClickHouse tells together.
_OPERATORS = frozenset(
    (
        *("plus", "minus", "multiply", "divide", "modulo", "moduloOrZero", "positiveModulo", "intDiv", "intDivOrZero"),
        *("gcd", "lcm", "bitAnd", "bitOr", "bitXor", "bitShiftLeft", "bitShiftRight"),
        *("bitRotateLeft", "bitRotateRight"),
    )
)


def wrong_type(name: str, types: Sequence[t.Type], node: ast.Node) -> QueryError:
    """Code 43: the function does not take arguments of these types."""
    if len(types) == 2 and name in _OPERATORS:
        text = f"Illegal types {types[0]} and {types[1]} of arguments of function {name}"
    else:
        listed = ", ".join(map(str, types))
        text = f"Illegal type{'s' if len(types) > 1 else ''} {listed} of argument of function {name}"
    return QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT", place=place(node))


def no_common_type(types: Sequence[t.Type], node: ast.Node | None) -> QueryError:
    text = f"There is no supertype for types {', '.join(map(str, types))}{_divided(types)}"
    return QueryError(text, code=386, name="NO_COMMON_TYPE", place=place(node))


#: Families of types that have no common type with others, as ClickHouse names them.
_FAMILIES: tuple[tuple[str, tuple[type[t.Type], ...]], ...] = (
    ("String/FixedString/Enum", (t.String, t.FixedString, t.Enum)),
    ("Array", (t.Array,)),
    ("Tuple", (t.Tuple,)),
    ("Map", (t.Map,)),
    ("Date/Date32/DateTime/DateTime64", (t.Date, t.Date32, t.DateTime, t.DateTime64)),
)


def _divided(types: Sequence[t.Type]) -> str:
    """Why there is no common type: some of the types are of a family that the others are not of."""
    plain = [t.plain(type_) for type_ in types if not isinstance(t.plain(type_), t.Nothing)]
    for name, kinds in _FAMILIES:
        members = [isinstance(type_, kinds) for type_ in plain]
        if any(members) and not all(members):
            return f" because some of them are {name} and some of them are not"
    return ""


def bad_arguments(message: str, node: ast.Node | None) -> QueryError:
    return QueryError(message, code=36, name="BAD_ARGUMENTS", place=place(node))


def unsupported(what: str, node: ast.Node | None) -> UnsupportedError:
    """Something that ClickHouse answers and tbpy does not, named so that the user can avoid it."""
    return UnsupportedError(f"{what} is not supported by tbpy yet", place=place(node))


def bad_filter(message: str, node: ast.Node) -> QueryError:
    return QueryError(message, code=59, name="ILLEGAL_TYPE_OF_COLUMN_FOR_FILTER", place=place(node))


def check_varying(context: Context, type_: t.Type, clause: str, node: ast.Node | None) -> None:
    """Raise ILLEGAL_COLUMN (44) for a key of ORDER BY or GROUP BY whose values may be of different types.

    ClickHouse has a setting for it, which Tinybird's servers have on: projects group by paths of JSON. So it is on,
    unless a query takes it off.
    """
    if not t.varies(type_):
        return
    simple = isinstance(type_, t.Variant) and not any(map(t.varies, type_.items))
    if clause == "ORDER BY" and simple and context.enabled("allow_suspicious_types_in_order_by", default=True):
        return
    if context.enabled(f"allow_suspicious_types_in_{clause.lower().replace(' ', '_')}", default=True):
        if isinstance(type_, t.Dynamic):
            return
        raise unsupported(f"{clause} {type_}", node)
    text = (
        f"Data types Variant/Dynamic are not allowed in {clause} keys, because it can lead to unexpected results. "
        "Consider using a subcolumn with a specific data type instead (for example 'column.Int64' or "
        "'json.some.path.:Int64' if its a JSON path subcolumn) or casting this column to a specific data type"
    )
    raise QueryError(text, code=44, name="ILLEGAL_COLUMN", place=place(node))


def nested_aggregate(name: str, node: ast.Node) -> QueryError:
    """`name` is that of the inner one, as a column would be called."""
    text = f"Aggregate function {name} is found inside another aggregate function in query"
    return QueryError(text, code=184, name="ILLEGAL_AGGREGATION", place=place(node))


def nested_window(node: ast.Node, *, inside_window: bool) -> QueryError:
    where = "another window function" if inside_window else "an aggregate function"
    return QueryError(
        f"Window function is found inside {where} in query", code=184, name="ILLEGAL_AGGREGATION", place=place(node)
    )


def misplaced_aggregate(name: str | None, node: ast.Node, clause: str = "WHERE") -> QueryError:
    """`name` is that of an aggregate as a column would be called, None for a window function."""
    if name is None:
        text = f"Window function is found in {clause} in query"
    else:
        text = f"Aggregate function {name} is found in {clause} in query"
    if name is not None and clause == "WHERE":
        text += (
            ". Aggregate functions are not allowed in WHERE and PREWHERE, because they are computed after filtering; "
            "use HAVING to filter by the result of an aggregation"
        )
    return QueryError(text, code=184, name="ILLEGAL_AGGREGATION", place=place(node))


def missing_parameter(name: str, node: ast.Node) -> QueryError:
    return QueryError(f"Substitution `{name}` is not set", code=456, name="UNKNOWN_QUERY_PARAMETER", place=place(node))


def not_an_aggregate(name: str, node: ast.Node | None) -> QueryError:
    text = f"Column '{name}' is not under aggregate function and not in GROUP BY keys"
    return QueryError(text, code=215, name="NOT_AN_AGGREGATE", place=place(node))


def syntax_error(message: str, node: ast.Node | None) -> QueryError:
    return QueryError(message, code=62, name="SYNTAX_ERROR", place=place(node))


def column_counts(message: str, node: ast.Node | None) -> QueryError:
    return QueryError(message, code=258, name="UNION_ALL_RESULT_STRUCTURES_MISMATCH", place=place(node))
