"""The text of a ClickHouse type to a value of `tbpy.clickhouse.types`, with ClickHouse's aliases and error wording.

Names of types are exact (`String`, not `string`); the names that other databases use are not (`int`, `VARCHAR(20)`).
Source: ClickHouse's public documentation of data types, and the answers and errors recorded from ClickHouse 26.9.
"""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregate_names import canonical_aggregate
from tbpy.clickhouse.edit_distance import nearest
from tbpy.clickhouse.names import literal_name
from tbpy.clickhouse.quoting import quote_string
from tbpy.clickhouse.type_scalars import (
    ARITY,
    BAD,
    DUPLICATE,
    EMPTY,
    ILLEGAL,
    NO_ARGUMENTS,
    SYNTAX,
    UNEXPECTED,
    UNKNOWN,
    Arguments,
    datetime,
    datetime64,
    decimal,
    dynamic,
    enum,
    fixed_string,
    legacy_object,
    sized_decimal,
    time64,
    type_error,
    whole,
)
from tbpy.clickhouse.type_syntax import Assigned, Constant, NamedType, Skipped, TypeSyntax, read_syntax
from tbpy.errors import QueryError


def read_type(text: str) -> t.Type:
    """The type that `text` spells. Raises `QueryError` with ClickHouse's code and wording."""
    return _build(read_syntax(text))


def _build(syntax: TypeSyntax) -> t.Type:
    name = syntax.name
    if name in _NUMBERS:
        return _NUMBERS[name]
    builder = _BUILDERS.get(name) or _BUILDERS.get(_ALIASES.get(name.lower(), ""))
    if builder is not None:
        return builder(syntax.arguments or ())
    simple = _SIMPLE.get(name) or _SIMPLE.get(_ALIASES.get(name.lower(), ""))
    if simple is not None:
        if syntax.arguments:
            raise type_error(NO_ARGUMENTS, f"Data type {name} cannot have arguments")
        return simple
    number = _NUMBERS.get(_ALIASES.get(name.lower(), ""))
    if number is None:
        raise _unknown(name)
    return number


def _unknown(name: str) -> QueryError:
    near = nearest(name, (*_NUMBERS, *_SIMPLE, *_BUILDERS))
    meant = f". Maybe you meant: [{','.join(map(quote_string, near))}]" if near else ""
    return type_error(UNKNOWN, f"Unknown data type family: {name}{meant}")


# --- one builder a family ---------------------------------------------------------------------------------------------


def _only_type(arguments: Arguments, message: str) -> t.Type:
    if len(arguments) != 1 or not isinstance(arguments[0], TypeSyntax):
        raise type_error(ARITY, message)
    return _build(arguments[0])


def _array(arguments: Arguments) -> t.Type:
    return t.Array(_only_type(arguments, "Array data type family must have exactly one argument - type of elements"))


def _nullable(arguments: Arguments) -> t.Type:
    item = _only_type(arguments, "Nullable data type family must have exactly one argument - nested type")
    if isinstance(item, t.SimpleAggregateFunction):
        return t.SimpleAggregateFunction(item.function, t.nullable(item.item), item.parameters)
    refused = t.Array | t.Map | t.Nullable | t.LowCardinality | t.Variant | t.Dynamic | t.AggregateFunction | t.Geo
    if isinstance(item, refused):
        raise type_error(ILLEGAL, f"Nested type {item} cannot be inside Nullable type")
    return t.Nullable(item)


def _low_cardinality(arguments: Arguments) -> t.Type:
    item = _only_type(arguments, "LowCardinality data type family must have single argument - type of elements")
    inner = item.item if isinstance(item, t.Nullable) else item
    allowed = (
        t.Int | t.Float | t.String | t.FixedString | t.Date | t.Date32 | t.DateTime | t.UUID | t.IPv4 | t.IPv6 | t.Bool
    )
    if not isinstance(inner, allowed):
        message = f"DataTypeLowCardinality is supported only for numbers, strings, Date or DateTime, but got {item}"
        raise type_error(ILLEGAL, message)
    return t.LowCardinality(item)


def _map(arguments: Arguments) -> t.Type:
    items = _types(arguments)
    if items is None or len(items) != 2:
        raise type_error(ARITY, "Map data type family must have two arguments: key and value types")
    key, value = items
    if t.is_nullable(key):
        raise type_error(BAD, f"Map cannot have a key of type {key}")
    return t.Map(key, value)


def _types(arguments: Arguments) -> tuple[t.Type, ...] | None:
    found = [_build(argument) for argument in arguments if isinstance(argument, TypeSyntax)]
    return tuple(found) if len(found) == len(arguments) else None


def _tuple(arguments: Arguments) -> t.Type:
    items = _types(arguments)
    if items is not None:
        return t.Tuple(items)
    named = [argument for argument in arguments if isinstance(argument, NamedType)]
    if len(named) != len(arguments):
        raise type_error(BAD, "Names are specified not for all elements of Tuple type")
    names = tuple(argument.name for argument in named)
    for place, name in enumerate(names):
        if name in names[:place]:
            raise type_error(DUPLICATE, f"Names of tuple elements must be unique. Duplicate name: {name}")
    return t.Tuple(tuple(_build(argument.type) for argument in named), names)


def _nested(arguments: Arguments) -> t.Type:
    if not arguments:
        raise type_error(EMPTY, "Nested cannot be empty")
    if not all(isinstance(argument, NamedType) for argument in arguments):
        raise type_error(SYNTAX, "Syntax error: every element of Nested needs a name and a data type")
    return t.Array(_tuple(arguments), nested=True)


def _variant(arguments: Arguments) -> t.Type:
    if not arguments:
        raise type_error(BAD, "Variant type should have at least one nested type")
    items = _types(arguments) or ()
    if len(items) != len(arguments):
        raise type_error(BAD, "Variant data type arguments must be types")
    if any(t.is_nullable(item) for item in items):
        raise type_error(BAD, "Nullable/LowCardinality(Nullable) types are not allowed inside Variant type")
    return t.Variant(tuple(sorted(dict.fromkeys(items), key=str)))


def _json(arguments: Arguments) -> t.Type:
    limits: dict[str, int] = {}
    paths: dict[str, t.Type] = {}
    skipped: set[str] = set()
    patterns: set[str] = set()
    for argument in arguments:
        match argument:
            case Assigned(name, value) if name in _JSON_LIMITS:
                limits[name] = _json_limit(name, value)
            case NamedType(path, syntax):
                if path in paths:
                    raise type_error(BAD, f"Found duplicated path with type: {path}")
                paths[path] = _build(syntax)
            case Skipped(path, is_pattern):
                (patterns if is_pattern else skipped).add(path)
            case _:
                raise type_error(UNEXPECTED, "Unexpected argument of JSON data type")
    _check_typed_paths(paths, skipped)
    return t.Json(tuple(sorted(paths.items())), tuple(sorted(skipped)), tuple(sorted(patterns)), *_limits(limits))


_JSON_LIMITS = {"max_dynamic_types": 254, "max_dynamic_paths": 10000}


def _limits(given: dict[str, int]) -> tuple[int, int]:
    usual = t.Json()
    types, paths = usual.max_dynamic_types, usual.max_dynamic_paths
    return given.get("max_dynamic_types", types), given.get("max_dynamic_paths", paths)


def _json_limit(name: str, value: int) -> int:
    most = _JSON_LIMITS[name]
    if not 0 <= value <= most:
        text = f"'{name}' parameter for JSON type should be a positive integer between 0 and {most}. Got {value}"
        raise type_error(UNEXPECTED, text)
    return value


def _check_typed_paths(paths: dict[str, t.Type], skipped: set[str]) -> None:
    for path, type_ in paths.items():
        prefix = next((prefix for prefix in sorted(skipped) if path.startswith(prefix)), None)
        if prefix is not None:
            text = (
                f"Path '{path}' is specified with the data type ('{type_}') and matches the SKIP path prefix '{prefix}'"
            )
            raise type_error(BAD, text)


# --- aggregate functions ----------------------------------------------------------------------------------------------

_SIMPLE_AGGREGATES = (
    "any", "any_respect_nulls", "anyLast", "anyLast_respect_nulls", "min", "max", "sum", "sumWithOverflow",
    "groupBitAnd", "groupBitOr", "groupBitXor", "sumMap", "minMap", "maxMap", "groupArrayArray",
    "groupArrayLastArray", "groupUniqArrayArray", "groupUniqArrayArrayMap", "sumMappedArrays", "minMappedArrays",
    "maxMappedArrays",
)  # fmt: skip


def _aggregate_function(arguments: Arguments) -> t.Type:
    if arguments and whole(arguments[0]) is not None:  # the version of the state
        arguments = arguments[1:]
    if not arguments or not isinstance(arguments[0], TypeSyntax):
        message = (
            "Data type AggregateFunction requires parameters: version(optionally), name of aggregate function and list "
            "of data types for arguments"
        )
        raise type_error(ARITY, message)
    items = _types(arguments[1:])
    if items is None:
        raise type_error(BAD, "Arguments of AggregateFunction must be data types")
    name = canonical_aggregate(arguments[0].name)
    function = name if name.endswith("SimpleState") else name.removesuffix("State")
    return t.AggregateFunction(function, items, _parameters(arguments[0]), of_state=function != name)


def _simple_aggregate_function(arguments: Arguments) -> t.Type:
    if not arguments or not isinstance(arguments[0], TypeSyntax):
        message = (
            "Data type SimpleAggregateFunction requires parameters: name of aggregate function and list of data types "
            "for arguments"
        )
        raise type_error(ARITY, message)
    function = arguments[0].name
    items = _types(arguments[1:])
    if function not in _SIMPLE_AGGREGATES:
        message = f"Unsupported aggregate function {function}, supported functions are {','.join(_SIMPLE_AGGREGATES)}"
        raise type_error(BAD, message)
    if not items:
        raise type_error(ARITY, f"Aggregate function {function} requires single argument")
    _check_stored_sum(function, items[0])
    return t.SimpleAggregateFunction(function, items[0], _parameters(arguments[0]))


def _check_stored_sum(function: str, stored: t.Type) -> None:
    """`sum` widens, so that it can only be stored in the widest type of its kind."""
    inner = t.plain(stored)
    if function != "sum":
        return
    wide: t.Type | None = None
    if isinstance(inner, t.Int) and inner.bits < 64:
        wide = t.INT64 if inner.signed else t.UINT64
    elif isinstance(inner, t.Float) and inner.bits < 64:
        wide = t.FLOAT64
    if wide is not None:
        returned = t.nullable(wide) if t.is_nullable(stored) else wide
        message = (
            f"Incompatible data types between aggregate function 'sum' which returns {returned} "
            f"and column storage type {stored}"
        )
        raise type_error(BAD, message)


def _parameters(syntax: TypeSyntax) -> tuple[str, ...]:
    found = [argument for argument in syntax.arguments or () if isinstance(argument, Constant)]
    if len(found) != len(syntax.arguments or ()):
        raise type_error(BAD, f"Parameters of aggregate function {syntax.name} must be literals")
    return tuple(literal_name(argument.value) for argument in found)


# --- names ------------------------------------------------------------------------------------------------------------

# Numbers and strings take arguments, and ignore them: VARCHAR(20), bigint(20).
_NUMBERS: dict[str, t.Type] = {
    **{str(t.Int(bits, signed)): t.Int(bits, signed) for signed in (False, True) for bits in (8, 16, 32, 64, 128, 256)},
    "Float32": t.FLOAT32,
    "Float64": t.FLOAT64,
    "String": t.STRING,
}
_UNITS = (
    "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year",
)  # fmt: skip
_SIMPLE: dict[str, t.Type] = {
    "Bool": t.BOOL,
    "UUID": t.UUID_,
    "IPv4": t.IPV4,
    "IPv6": t.IPV6,
    "Date": t.DATE,
    "Date32": t.DATE32,
    "Time": t.Time(),
    "Nothing": t.NOTHING,
    **{f"Interval{unit}": t.Interval(unit) for unit in _UNITS},
    **{name: t.Geo(name) for name in ("Point", "Ring", "LineString", "MultiLineString", "Polygon", "MultiPolygon")},
}
_BUILDERS: dict[str, Callable[[Arguments], t.Type]] = {
    "Array": _array,
    "Nullable": _nullable,
    "LowCardinality": _low_cardinality,
    "Map": _map,
    "Tuple": _tuple,
    "Nested": _nested,
    "Variant": _variant,
    "FixedString": fixed_string,
    "Decimal": decimal,
    "Decimal32": sized_decimal(9),
    "Decimal64": sized_decimal(18),
    "Decimal128": sized_decimal(38),
    "Decimal256": sized_decimal(76),
    "Enum": enum(None),
    "Enum8": enum(8),
    "Enum16": enum(16),
    "DateTime": datetime,
    "DateTime32": datetime,
    "DateTime64": datetime64,
    "Time64": time64,
    "JSON": _json,
    "Object": legacy_object,
    "Dynamic": dynamic,
    "AggregateFunction": _aggregate_function,
    "SimpleAggregateFunction": _simple_aggregate_function,
}
_ALIASES_BY_NAME = {
    "Int8": "tinyint,int1,byte,tinyint signed,int1 signed",
    "Int16": "smallint,smallint signed",
    "Int32": "int,integer,mediumint,int signed,integer signed,mediumint signed",
    "Int64": "bigint,signed,bigint signed",
    "UInt8": "tinyint unsigned,int1 unsigned",
    "UInt16": "smallint unsigned,year",
    "UInt32": "int unsigned,integer unsigned,mediumint unsigned",
    "UInt64": "bigint unsigned,unsigned,bit,set",
    "Float32": "float,real,single",
    "Float64": "double,double precision",
    "Decimal": "decimal,dec,numeric,fixed",
    "String": (
        "text,tinytext,mediumtext,longtext,blob,tinyblob,mediumblob,longblob,char,varchar,nchar,nvarchar,varchar2,"
        "character,clob,bytea,varbinary,char large object,char varying,character large object,character varying,"
        "national char,national character,national char varying,national character varying,nchar varying,"
        "national character large object,nchar large object,binary large object,binary varying"
    ),
    "FixedString": "binary",
    "DateTime": "datetime,timestamp,datetime32",
    "Bool": "bool,boolean",
    "IPv4": "inet4",
    "IPv6": "inet6",
    **{
        name: name.lower()
        for name in ("Date", "Date32", "DateTime64", "Time", "Time64", "JSON", "Enum", "Enum8", "Enum16")
    },
    **{f"Decimal{bits}": f"decimal{bits}" for bits in (32, 64, 128, 256)},
}
_ALIASES = {alias: name for name, aliases in _ALIASES_BY_NAME.items() for alias in aliases.split(",")}
