"""The text of a ClickHouse type to a value of `tbpy.clickhouse.types`, with ClickHouse's aliases and error wording.

Names of types are exact (`String`, not `string`); the names that other databases use are not (`int`, `VARCHAR(20)`).
Source: ClickHouse's public documentation of data types, and the answers and errors recorded from ClickHouse 26.9.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo

from tbpy.clickhouse import types as t
from tbpy.clickhouse.names import literal_name
from tbpy.clickhouse.quoting import quote_identifier_if_needed, quote_string
from tbpy.clickhouse.type_syntax import Argument, Assigned, Constant, NamedType, Skipped, TypeSyntax, read_syntax
from tbpy.errors import QueryError

Arguments = tuple[Argument, ...]

_ARITY, _ILLEGAL, _UNEXPECTED, _BAD = (
    (42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH"),
    (43, "ILLEGAL_TYPE_OF_ARGUMENT"),
    (223, "UNEXPECTED_AST_STRUCTURE"),
    (36, "BAD_ARGUMENTS"),
)
_RANGE, _EMPTY, _SYNTAX = (69, "ARGUMENT_OUT_OF_BOUND"), (92, "EMPTY_DATA_PASSED"), (62, "SYNTAX_ERROR")
_NO_ARGUMENTS, _UNKNOWN, _DUPLICATE = (
    (378, "DATA_TYPE_CANNOT_HAVE_ARGUMENTS"),
    (50, "UNKNOWN_TYPE"),
    (15, "DUPLICATE_COLUMN"),
)


def read_type(text: str) -> t.Type:
    """The type that `text` spells. Raises `QueryError` with ClickHouse's code and wording."""
    return _build(read_syntax(text))


def _error(kind: tuple[int, str], message: str) -> QueryError:
    return QueryError(message, code=kind[0], name=kind[1])


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
            raise _error(_NO_ARGUMENTS, f"Data type {name} cannot have arguments")
        return simple
    number = _NUMBERS.get(_ALIASES.get(name.lower(), ""))
    if number is None:
        raise _unknown(name)
    return number


def _unknown(name: str) -> QueryError:
    near = _similar(name)
    meant = f". Maybe you meant: [{','.join(map(quote_string, near))}]" if near else ""
    return _error(_UNKNOWN, f"Unknown data type family: {name}{meant}")


def _similar(name: str) -> list[str]:
    """The two names nearest to `name`, by letters that differ: at most a third of them."""
    known = dict.fromkeys((*_NUMBERS, *_SIMPLE, *_BUILDERS))
    distances = {other: _distance(name.lower(), other.lower()) for other in known}
    near = [other for other in known if distances[other] <= (len(name) + 2) // 3]
    return sorted(near, key=lambda other: distances[other])[:2]


def _distance(left: str, right: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


# --- one builder a family ---------------------------------------------------------------------------------------------


def _only_type(arguments: Arguments, message: str) -> t.Type:
    if len(arguments) != 1 or not isinstance(arguments[0], TypeSyntax):
        raise _error(_ARITY, message)
    return _build(arguments[0])


def _array(arguments: Arguments) -> t.Type:
    return t.Array(_only_type(arguments, "Array data type family must have exactly one argument - type of elements"))


def _nullable(arguments: Arguments) -> t.Type:
    item = _only_type(arguments, "Nullable data type family must have exactly one argument - nested type")
    if isinstance(item, t.SimpleAggregateFunction):
        return t.SimpleAggregateFunction(item.function, t.nullable(item.item), item.parameters)
    refused = t.Array | t.Map | t.Nullable | t.LowCardinality | t.Variant | t.Dynamic | t.AggregateFunction | t.Geo
    if isinstance(item, refused):
        raise _error(_ILLEGAL, f"Nested type {item} cannot be inside Nullable type")
    return t.Nullable(item)


def _low_cardinality(arguments: Arguments) -> t.Type:
    item = _only_type(arguments, "LowCardinality data type family must have single argument - type of elements")
    inner = item.item if isinstance(item, t.Nullable) else item
    allowed = (
        t.Int | t.Float | t.String | t.FixedString | t.Date | t.Date32 | t.DateTime | t.UUID | t.IPv4 | t.IPv6 | t.Bool
    )
    if not isinstance(inner, allowed):
        message = f"DataTypeLowCardinality is supported only for numbers, strings, Date or DateTime, but got {item}"
        raise _error(_ILLEGAL, message)
    return t.LowCardinality(item)


def _map(arguments: Arguments) -> t.Type:
    items = _types(arguments)
    if items is None or len(items) != 2:
        raise _error(_ARITY, "Map data type family must have two arguments: key and value types")
    key, value = items
    if t.is_nullable(key):
        raise _error(_BAD, f"Map cannot have a key of type {key}")
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
        raise _error(_BAD, "Names are specified not for all elements of Tuple type")
    names = tuple(argument.name for argument in named)
    for place, name in enumerate(names):
        if name in names[:place]:
            raise _error(_DUPLICATE, f"Names of tuple elements must be unique. Duplicate name: {name}")
    return t.Tuple(tuple(_build(argument.type) for argument in named), names)


def _nested(arguments: Arguments) -> t.Type:
    if not arguments:
        raise _error(_EMPTY, "Nested cannot be empty")
    if not all(isinstance(argument, NamedType) for argument in arguments):
        raise _error(_SYNTAX, "Syntax error: every element of Nested needs a name and a data type")
    return t.Array(_tuple(arguments))


def _variant(arguments: Arguments) -> t.Type:
    if not arguments:
        raise _error(_BAD, "Variant type should have at least one nested type")
    items = _types(arguments) or ()
    if len(items) != len(arguments):
        raise _error(_BAD, "Variant data type arguments must be types")
    if any(t.is_nullable(item) for item in items):
        raise _error(_BAD, "Nullable/LowCardinality(Nullable) types are not allowed inside Variant type")
    return t.Variant(tuple(sorted(dict.fromkeys(items), key=str)))


def _fixed_string(arguments: Arguments) -> t.Type:
    if len(arguments) != 1:
        raise _error(_ARITY, "FixedString data type family must have exactly one argument - size in bytes")
    size = _whole(arguments[0])
    if size is None or size <= 0:
        message = "FixedString data type family must have a number (positive integer) as its argument"
        raise _error(_UNEXPECTED, message)
    return t.FixedString(size)


def _whole(argument: Argument) -> int | None:
    value = argument.value if isinstance(argument, Constant) else None
    return value if isinstance(value, int) else None


def _decimal(arguments: Arguments) -> t.Type:
    if len(arguments) > 2:
        message = "Decimal data type family must have precision and optional scale arguments"
        raise _error(_ARITY, message)
    numbers = [_whole(argument) for argument in arguments]
    if None in numbers:
        raise _error(_ILLEGAL, "Decimal argument precision or scale is invalid")
    precision, scale = ([number for number in numbers if number is not None] + [None, None])[:2]
    return _checked_decimal(10 if precision is None else precision, scale or 0)


def _checked_decimal(precision: int, scale: int) -> t.Decimal:
    if not 1 <= precision <= 76:
        raise _error(_RANGE, f"Wrong precision: it must be between 1 and 76, got {precision}")
    if not 0 <= scale <= precision:
        raise _error(_RANGE, "Negative scales and scales larger than precision are not supported")
    return t.Decimal(precision, scale)


def _sized_decimal(precision: int) -> Callable[[Arguments], t.Type]:
    def build(arguments: Arguments) -> t.Type:
        scale = _whole(arguments[0]) if len(arguments) == 1 else None
        if scale is None:
            family = "Decimal32 | Decimal64 | Decimal128 | Decimal256"
            raise _error(_ARITY, f"{family} data type family must have exactly one arguments: scale")
        return _checked_decimal(precision, scale)

    return build


def _enum(bits: int | None) -> Callable[[Arguments], t.Type]:
    def build(arguments: Arguments) -> t.Type:
        if not arguments:
            raise _error(_EMPTY, "Enum data type cannot be empty")
        members = _numbered(arguments)
        numbers = [number for _, number in members]
        width = bits or (8 if all(-128 <= number <= 127 for number in numbers) else 16)
        _check_members(members, width)
        return t.Enum(width, tuple(sorted(members, key=lambda member: member[1])))

    return build


def _numbered(arguments: Arguments) -> list[tuple[str, int]]:
    """Names with numbers: given for each, or counted up from the first one's (1 when it has none)."""
    first, rest = arguments[0], arguments[1:]
    start = first.value if isinstance(first, Assigned) else 1
    if all(isinstance(argument, Assigned) for argument in arguments):
        return [(argument.name, argument.value) for argument in arguments if isinstance(argument, Assigned)]
    names = [first.name if isinstance(first, Assigned) else _text(first), *map(_text, rest)]
    if None in names:
        message = (
            "All elements of Enum data type must be of form: 'name' = number or 'name', where name is string literal "
            "and number is an integer"
        )
        raise _error(_UNEXPECTED, message)
    return [(str(name), start + place) for place, name in enumerate(names)]


def _text(argument: Argument) -> str | None:
    value = argument.value if isinstance(argument, Constant) else None
    return value if isinstance(value, str) else None


def _check_members(members: list[tuple[str, int]], bits: int) -> None:
    by_name: dict[str, int] = {}
    by_number: dict[int, str] = {}
    limit = 1 << (bits - 1)
    for name, number in members:
        if not -limit <= number < limit:
            raise _error(_RANGE, f"Value {number} for element '{name}' exceeds range of Enum{bits}")
        if name in by_name:
            raise _error(_SYNTAX, f"Duplicate names in enum: '{name}' = {number} and {by_name[name]}")
        if number in by_number:
            raise _error(_SYNTAX, f"Duplicate values in enum: '{name}' = {number} and '{by_number[number]}'")
        by_name[name], by_number[number] = number, name


def _datetime(arguments: Arguments) -> t.Type:
    if arguments and _whole(arguments[0]) is not None:
        return _datetime64(arguments)
    if len(arguments) > 1:
        raise _error(_ARITY, "DateTime data type can optionally have only one argument - time zone name")
    return t.DateTime(_zone(arguments[0], "DateTime") if arguments else None)


def _datetime64(arguments: Arguments) -> t.Type:
    if len(arguments) > 2:
        message = "DateTime64 data type can optionally have two argument - scale and time zone name"
        raise _error(_ARITY, message)
    precision = 3
    if arguments:
        found = _whole(arguments[0])
        if found is None:
            message = "Parameter #0 'scale' for DateTime64 has wrong type: String, expected UInt64 literal"
            raise _error(_ILLEGAL, message)
        precision = found
    if not 0 <= precision <= 9:
        message = f"Scale {precision} is too large for DateTime64. Maximum is up to nanoseconds (9)"
        raise _error(_RANGE, message)
    return t.DateTime64(precision, _zone(arguments[1], "DateTime64") if len(arguments) > 1 else None)


def _zone(argument: Argument, family: str) -> str:
    zone = _text(argument)
    if zone is None:
        raise _error(_ILLEGAL, f"Parameter 'timezone' for {family} has wrong type, expected String literal")
    if not _zone_exists(zone):
        raise _error(_BAD, f"Cannot load time zone {zone}")
    return zone


@lru_cache(maxsize=512)
def _zone_exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _time64(arguments: Arguments) -> t.Type:
    precision = _whole(arguments[0]) if arguments else 3
    if precision is None or not 0 <= precision <= 9:
        raise _error(_RANGE, f"Scale {precision} is too large for Time64. Maximum is up to nanoseconds (9)")
    return t.Time(precision)


def _json(arguments: Arguments) -> t.Type:
    """The arguments in ClickHouse's order: limits, typed paths by name, skipped paths."""
    limits = [f"{one.name}={one.value}" for one in arguments if isinstance(one, Assigned)]
    named = sorted((one for one in arguments if isinstance(one, NamedType)), key=lambda one: one.name)
    paths = [f"{quote_identifier_if_needed(one.name)} {_build(one.type)}" for one in named]
    skipped = [
        f"SKIP {f'REGEXP {quote_string(one.path)}' if one.is_pattern else quote_identifier_if_needed(one.path)}"
        for one in arguments
        if isinstance(one, Skipped)
    ]
    found = [*limits, *paths, *skipped]
    if len(found) != len(arguments):
        raise _error(_UNEXPECTED, "Unexpected argument of JSON data type")
    return t.Json(", ".join(found))


def _object(arguments: Arguments) -> t.Type:
    if len(arguments) != 1 or (_text(arguments[0]) or "").lower() != "json":
        raise _error(_ARITY, "Object data type family must have one constant string parameter: 'json'")
    return t.Json(legacy=True)


def _dynamic(arguments: Arguments) -> t.Type:
    if not arguments:
        return t.Dynamic()
    limit = arguments[0]
    if len(arguments) != 1 or not isinstance(limit, Assigned) or limit.name != "max_types":
        message = "Dynamic data type argument should be in a form 'max_types=N'"
        raise _error(_UNEXPECTED, message)
    return t.Dynamic(f"max_types={limit.value}")


# --- aggregate functions ----------------------------------------------------------------------------------------------

_SIMPLE_AGGREGATES = (
    "any", "any_respect_nulls", "anyLast", "anyLast_respect_nulls", "min", "max", "sum", "sumWithOverflow",
    "groupBitAnd", "groupBitOr", "groupBitXor", "sumMap", "minMap", "maxMap", "groupArrayArray",
    "groupArrayLastArray", "groupUniqArrayArray", "groupUniqArrayArrayMap", "sumMappedArrays", "minMappedArrays",
    "maxMappedArrays",
)  # fmt: skip


def _aggregate_function(arguments: Arguments) -> t.Type:
    if arguments and _whole(arguments[0]) is not None:  # the version of the state
        arguments = arguments[1:]
    if not arguments or not isinstance(arguments[0], TypeSyntax):
        message = (
            "Data type AggregateFunction requires parameters: version(optionally), name of aggregate function and list "
            "of data types for arguments"
        )
        raise _error(_ARITY, message)
    items = _types(arguments[1:])
    if items is None:
        raise _error(_BAD, "Arguments of AggregateFunction must be data types")
    return t.AggregateFunction(arguments[0].name, items, _parameters(arguments[0]))


def _simple_aggregate_function(arguments: Arguments) -> t.Type:
    if not arguments or not isinstance(arguments[0], TypeSyntax):
        message = (
            "Data type SimpleAggregateFunction requires parameters: name of aggregate function and list of data types "
            "for arguments"
        )
        raise _error(_ARITY, message)
    function = arguments[0].name
    items = _types(arguments[1:])
    if function not in _SIMPLE_AGGREGATES:
        message = f"Unsupported aggregate function {function}, supported functions are {','.join(_SIMPLE_AGGREGATES)}"
        raise _error(_BAD, message)
    if not items:
        raise _error(_ARITY, f"Aggregate function {function} requires single argument")
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
        raise _error(_BAD, message)


def _parameters(syntax: TypeSyntax) -> tuple[str, ...]:
    found = [argument for argument in syntax.arguments or () if isinstance(argument, Constant)]
    if len(found) != len(syntax.arguments or ()):
        raise _error(_BAD, f"Parameters of aggregate function {syntax.name} must be literals")
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
    "FixedString": _fixed_string,
    "Decimal": _decimal,
    "Decimal32": _sized_decimal(9),
    "Decimal64": _sized_decimal(18),
    "Decimal128": _sized_decimal(38),
    "Decimal256": _sized_decimal(76),
    "Enum": _enum(None),
    "Enum8": _enum(8),
    "Enum16": _enum(16),
    "DateTime": _datetime,
    "DateTime32": _datetime,
    "DateTime64": _datetime64,
    "Time64": _time64,
    "JSON": _json,
    "Object": _object,
    "Dynamic": _dynamic,
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
