"""Conversions that a query asks for: CAST, `to<Type>` with its OrNull, OrZero and OrDefault, toString, toTypeName."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import documents, durations, dynamic, nested, numbers, times, variants  # noqa: F401  (importing registers the conversions)
from tbpy.clickhouse.casting.caster import Caster
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.binary import is_binary
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import zone_argument
from tbpy.clickhouse.quoting import quote_identifier_if_needed
from tbpy.clickhouse.storage import default_sql
from tbpy.errors import QueryError

TargetOf = Callable[[Call], tuple[t.Type, int]]  # the type wanted, and how many arguments say so


# --- CAST -------------------------------------------------------------------------------------------------------------


def _named_type(call: Call, position: int = 1) -> t.Type:
    value = call.constant_value(position, "type name")
    if not isinstance(value, str):
        call.wrong_type()
    return t.parse_type(value)


def _with_zone(source: t.Type, target: t.Type) -> t.Type:
    """A time converted to a time without a zone keeps its own."""
    inner, wanted = t.plain(source), t.plain(target)
    zone = inner.zone if isinstance(inner, t.DateTime | t.DateTime64) else None
    if zone is None or not isinstance(wanted, t.DateTime | t.DateTime64) or wanted.zone is not None:
        return target
    result: t.Type = replace(wanted, zone=zone)
    return t.Nullable(result) if t.is_nullable(target) else result


@scalar("CAST", "_CAST", args=2, nulls="keep", low_cardinality=False, insensitive=("CAST",))
def cast(call: Call) -> Typed:
    value = call.original[0]
    target = _with_zone(value.type, _named_type(call))
    return Caster(call.compiler, call.node).cast(value, target)


@scalar("accurateCast", args=2, nulls="keep", low_cardinality=False)
def accurate_cast(call: Call) -> Typed:
    return Caster(call.compiler, call.node, accurate=True).cast(call.original[0], _named_type(call))


@scalar("accurateCastOrNull", args=2, nulls="keep", low_cardinality=False)
def accurate_cast_or_null(call: Call) -> Typed:
    caster = Caster(call.compiler, call.node, lenient=True, accurate=True)
    return caster.cast(call.original[0], t.nullable(_named_type(call)))


@scalar("accurateCastOrDefault", args=(2, 3), nulls="keep")
def accurate_cast_or_default(call: Call) -> Typed:
    target = _named_type(call)
    caster = Caster(call.compiler, call.node, lenient=True, accurate=True)
    result = caster.cast(call.original[0], t.nullable(target))
    default = call.args[2].sql if len(call.args) == 3 else _default(target)
    return _filled(result, default, target)


def _default(type_: t.Type) -> str:
    """The default of a type as a value of its own: a Date32 starts in 1900, though a column of it fills with 1970."""
    return "DATE '1900-01-01'" if type_ == t.DATE32 else default_sql(type_)


def _filled(result: Typed, default: str, target: t.Type) -> Typed:
    if result.known and result.value is not None:
        return result.as_type(target)
    sql = f"coalesce({result.sql}, {default})"
    return Typed(sql, target, constant=result.constant, aggregate=result.aggregate, window=result.window)


# --- to<Type> ---------------------------------------------------------------------------------------------------------


def _family(
    suffix: str,
    target_of: TargetOf,
    *aliases: str,
    zoned: bool = False,
    fixed: int = 0,
    scaled: str = "",
    milliseconds: bool = False,
) -> None:
    """`toX`, `toXOrNull`, `toXOrZero` and `toXOrDefault`. `fixed` arguments after the value say the type; `scaled` is
    the function that toX stands for where its second argument is a number of digits. With `milliseconds`, toXOrNull and
    toXOrZero have three digits unless they are told how many."""
    least = 1 if milliseconds else 1 + fixed
    most = 1 + fixed + (1 if zoned else 0)
    name = f"to{suffix}"

    @scalar(name, *aliases, args=(1 + fixed, 3 if scaled else most), insensitive=aliases)
    def strict(call: Call) -> Typed:
        if scaled and call.name == name and len(call.args) > 1 and t.is_integer(call.args[1].type):
            return _scaled(call, scaled)
        if len(call.args) > most:
            call.wrong_count(f"from {1 + fixed} to {most}")
        target, _ = target_of(call)
        lenient = _is_optional_text(call) and not isinstance(target, t.DateTime64)
        return _converted(call, target, Caster(call.compiler, call.node, lenient=lenient, zone=_zone(call, 1 + fixed)))

    @scalar(f"{name}OrNull", args=(least, most))
    def or_null(call: Call) -> Typed:
        if len(call.args) <= fixed:
            return _of_milliseconds(call)
        target, _ = target_of(call)
        _check_text(call)
        result = _converted(call, target, _lenient(call, 1 + fixed))
        return result.as_type(t.nullable(result.type))

    @scalar(f"{name}OrZero", args=(least, most), strict=False)
    def or_zero(call: Call) -> Typed:
        if len(call.args) <= fixed:
            return _of_milliseconds(call)
        target, _ = target_of(call)
        _check_text(call)
        result = _converted(call, target, _lenient(call, 1 + fixed))
        return _filled(result, _default(target), target)

    @scalar(f"{name}OrDefault", args=(1 + fixed, most + 1), nulls="keep")
    def or_default(call: Call) -> Typed:
        return _or_default(call, target_of, fixed, most)


def _scaled(call: Call, function: str) -> Typed:
    """`toDateTime(x, 3)` is `toDateTime64(x, 3)`; without digits it stays itself."""
    if call.constant_value(1, "scale") == 0:
        return call.compiler.call(call.name, call.args[0], *call.args[2:], node=call.node)
    return call.compiler.call(function, *call.args, node=call.node)


def _of_milliseconds(call: Call) -> Typed:
    return call.compiler.call(call.name, call.args[0], constant(3), node=call.node)


def _is_optional_text(call: Call) -> bool:
    """A Nullable text: what cannot be read becomes NULL."""
    text = isinstance(call.args[0].type, t.String | t.FixedString)
    return text and bool(call.original) and t.is_nullable(call.original[0].type)


def _lenient(call: Call, zone_at: int) -> Caster:
    return Caster(call.compiler, call.node, lenient=True, basic=True, zone=_zone(call, zone_at))


def _zone(call: Call, position: int) -> str | None:
    inner = t.plain(call.args[position].type) if len(call.args) > position else None
    return zone_argument(call, position) if isinstance(inner, t.String) else None


def _check_text(call: Call) -> None:
    if not isinstance(call.args[0].type, t.String | t.FixedString):
        call.wrong_type()


def _converted(call: Call, target: t.Type, caster: Caster) -> Typed:
    value = call.args[0]
    if isinstance(value.type, t.Tuple | t.Array | t.Map) and not isinstance(target, t.String):
        call.wrong_type()
    return caster.plain(value, target)


def _or_default(call: Call, target_of: TargetOf, fixed: int, most: int) -> Typed:
    """The third way out of a failure: a value of the target type, or the type's own default."""
    given = call.args[-1] if len(call.args) > 1 + fixed else None
    if given is not None and isinstance(t.plain(given.type), t.String) and most > 1 + fixed:
        given = None  # a time zone
    target, _ = target_of(call)
    if given is not None and t.not_nullable(given.type) != target:
        text = f"Default value type should be same as cast type. Expected {target}. Actual {given.type}"
        raise QueryError(text, code=36, name="BAD_ARGUMENTS", place=failures.place(call.node))
    value = call.args[0]
    if isinstance(t.plain(value.type), t.Nothing):
        result = Typed("NULL", t.Nullable(target), constant=True)
    else:
        caster = Caster(call.compiler, call.node, lenient=True, accurate=True, zone=_zone(call, 1 + fixed))
        result = caster.plain(value.as_type(t.plain(value.type)), target)
    return _filled(result, given.exact() if given is not None else _default(target), target)


def _always(type_: t.Type) -> TargetOf:
    return lambda call: (type_, 0)


for _bits in (8, 16, 32, 64, 128, 256):
    for _signed in (True, False):
        _family(str(t.Int(_bits, _signed)), _always(t.Int(_bits, _signed)))
for _float in (t.FLOAT32, t.FLOAT64):
    _family(str(_float), _always(_float))
_family("Date", _always(t.DATE), "DATE", zoned=True)
_family("Date32", _always(t.DATE32), zoned=True)
_family("UUID", _always(t.UUID_))


def _datetime(call: Call) -> tuple[t.Type, int]:
    return t.DateTime(_zone(call, 1) or _own_zone(call)), 1


def _own_zone(call: Call) -> str | None:
    inner = t.plain(call.args[0].type)
    return inner.zone if isinstance(inner, t.DateTime | t.DateTime64) else None


def _datetime64(call: Call) -> tuple[t.Type, int]:
    precision = call.constant_value(1, "precision")
    if not isinstance(precision, int) or not 0 <= precision <= 9:
        text = f"Scale {precision} is too large for DateTime64. Maximum is up to nanoseconds (9)"
        raise failures.failure(text, 69, "ARGUMENT_OUT_OF_BOUND", call.node)
    return t.DateTime64(precision, _zone(call, 2) or _own_zone(call)), 2


_family("DateTime", _datetime, "toDateTime32", zoned=True, scaled="toDateTime64")
_family("DateTime64", _datetime64, zoned=True, fixed=1, milliseconds=True)


def _time64(call: Call) -> tuple[t.Type, int]:
    precision = call.constant_value(1, "precision")
    if not isinstance(precision, int) or not 0 <= precision <= 9:
        raise failures.bad_arguments(f"Scale {precision} is out of bounds", call.node)
    return t.Time(precision), 1


_family("Time", _always(t.Time()))
_family("Time64", _time64, fixed=1, milliseconds=True)


def _decimal(precision: int) -> TargetOf:
    def target_of(call: Call) -> tuple[t.Type, int]:
        scale = call.constant_value(1, "scale")
        if not isinstance(scale, int) or not 0 <= scale <= precision:
            text = f"Scale {scale} is out of bounds (max scale: {precision})"
            raise QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=failures.place(call.node))
        return t.Decimal(precision, scale), 1

    return target_of


for _name, _precision in (("Decimal32", 9), ("Decimal64", 18), ("Decimal128", 38), ("Decimal256", 76)):
    _family(_name, _decimal(_precision), fixed=1)


@scalar("toBool", nulls="keep")
def to_bool(call: Call) -> Typed:
    value = call.args[0]
    return Caster(call.compiler, call.node).cast(value, t.Nullable(t.BOOL) if t.is_nullable(value.type) else t.BOOL)


_LONGEST_FIXED = 0xFFFFFF


@scalar("toFixedString", args=2)
def to_fixed_string(call: Call) -> Typed:
    length = call.constant_value(1, "length")
    if not isinstance(length, int) or length <= 0:
        raise failures.failure("FixedString size must be positive", 69, "ARGUMENT_OUT_OF_BOUND", call.node)
    if length > _LONGEST_FIXED:
        raise failures.failure("FixedString size is too large", 69, "ARGUMENT_OUT_OF_BOUND", call.node)
    return Caster(call.compiler, call.node).plain(call.args[0], t.FixedString(length))


@scalar("toString", args=(1, 2))
def to_string(call: Call) -> Typed:
    return Caster(call.compiler, call.node, zone=_zone(call, 1)).plain(call.args[0], t.STRING)


for _unit in (
    "Nanosecond", "Microsecond", "Millisecond", "Second", "Minute", "Hour", "Day", "Week", "Month", "Quarter", "Year",
):  # fmt: skip

    @scalar(f"toInterval{_unit}")
    def to_interval(call: Call, unit: str = _unit) -> Typed:
        if isinstance(t.plain(call.args[0].type), t.Decimal):
            call.wrong_type()
        return Caster(call.compiler, call.node).plain(call.args[0], t.Interval(unit))


@scalar("toInterval", args=2)
def to_interval_of(call: Call) -> Typed:
    unit = str(call.constant_value(1, "unit")).lower().removesuffix("s").capitalize()
    return call.compiler.call(f"toInterval{unit}", call.args[0], node=call.node)


# --- types and wrappers -----------------------------------------------------------------------------------------------


@scalar("toTypeName", nulls="keep", low_cardinality=False)
def to_type_name(call: Call) -> Typed:
    """Known when compiled, but it stays under the aggregation that its argument asks for."""
    name = constant(_spread(call.original[0].type))
    return replace(name, aggregate=call.original[0].aggregate)


def _spread(type_: t.Type, depth: int = 1) -> str:
    """A type's name with a line for each element of a named tuple."""
    match type_:
        case t.Tuple(items, names) if names is not None:
            lines = (
                f"{quote_identifier_if_needed(n)} {_spread(i, depth + 1)}" for n, i in zip(names, items, strict=True)
            )
            start = "\n" + "    " * depth
            return f"Tuple({start}{f',{start}'.join(lines)})"
        case t.Tuple(items):
            return f"Tuple({', '.join(_spread(item, depth) for item in items)})"
        case t.Array(item) if not type_.nested:
            return f"Array({_spread(item, depth)})"
        case t.Variant(items):
            return f"Variant({', '.join(_spread(item, depth) for item in items)})"
        case t.Map(key, value):
            return f"Map({_spread(key, depth)}, {_spread(value, depth)})"
    return str(type_)


@scalar("toColumnTypeName", nulls="keep", low_cardinality=False)
def to_column_type_name(call: Call) -> Typed:
    if not call.original[0].constant:
        call.unsupported("a column")
    return constant(f"Const({call.original[0].type})")


@scalar("toNullable", nulls="keep", low_cardinality=False)
def to_nullable(call: Call) -> Typed:
    value = call.original[0]
    if isinstance(value.type, t.Array | t.Map | t.AggregateFunction):
        text = f"Nested type {value.type} cannot be inside Nullable type"
        raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node)
    return value.as_type(t.nullable(value.type))


@scalar("assumeNotNull", nulls="keep", low_cardinality=False)
def assume_not_null(call: Call) -> Typed:
    """What a NULL becomes is not defined by ClickHouse's documentation; its columns hold the type's default there."""
    value = call.original[0]
    if not t.is_nullable(value.type):
        return value
    if isinstance(t.plain(value.type), t.Nothing):
        raise QueryError(
            "Cannot create non-empty column with type Nothing",
            code=44,
            name="ILLEGAL_COLUMN",
            place=failures.place(call.node),
        )
    target = t.not_nullable(value.type)
    if value.known and value.value is not None:
        return value.as_type(target)
    sql = f"coalesce({value.sql}, {_default(target)})"
    return replace(value, sql=sql, type=target, condition=None, value=UNKNOWN)


@scalar("toLowCardinality", nulls="keep", low_cardinality=False)
def to_low_cardinality(call: Call) -> Typed:
    value = call.original[0]
    if isinstance(value.type, t.LowCardinality):
        return value
    if not isinstance(t.not_nullable(value.type), _ENCODED):
        text = f"DataTypeLowCardinality is supported only for numbers, strings, Date or DateTime, but got {value.type}"
        raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", call.node)
    return value.as_type(t.LowCardinality(value.type))


#: What LowCardinality may hold
_ENCODED = (
    t.Int, t.Float, t.Bool, t.String, t.FixedString, t.Date, t.Date32, t.DateTime, t.UUID, t.IPv4, t.IPv6, t.Interval,
    t.Time,
)  # fmt: skip


@scalar("materialize", nulls="keep", low_cardinality=False)
def materialize(call: Call) -> Typed:
    value = call.original[0]
    sql = value.sql if is_binary(value) else value.exact()
    return Typed(sql, value.type, condition=value.condition, aggregate=value.aggregate, window=value.window)


@scalar("identity", nulls="keep", low_cardinality=False)
def identity(call: Call) -> Typed:
    return call.original[0]


@scalar("ignore", args=(0, None), nulls="keep", low_cardinality=False)
def ignore(call: Call) -> Typed:
    return call.typed("0", t.UINT8, constant=True, value=0)


@scalar("isConstant", nulls="keep", low_cardinality=False)
def is_constant(call: Call) -> Typed:
    return constant(int(call.original[0].constant))


@scalar("defaultValueOfArgumentType", nulls="keep", low_cardinality=False)
def default_of_argument(call: Call) -> Typed:
    type_ = call.original[0].type
    return Typed(_default(type_), type_)


@scalar("defaultValueOfTypeName", nulls="keep", low_cardinality=False)
def default_of_type_name(call: Call) -> Typed:
    type_ = _named_type(call, 0)
    return Typed(_default(type_), type_)
