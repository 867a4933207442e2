"""ClickHouse types as values: `parse_type` reads the text of one, `str()` spells it as ClickHouse does.

The spelling is what `meta` of an answer shows, so it is exact: `Decimal(18, 4)`, `Enum8('a' = 1)`,
`Map(String, UInt8)`.
Source: ClickHouse's public documentation of data types and the answers recorded from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from tbpy.clickhouse.quoting import quote_identifier_if_needed, quote_string


@dataclass(frozen=True, slots=True)
class Type:
    """Base of all types."""


@dataclass(frozen=True, slots=True)
class Int(Type):
    """`Int8` to `Int256`, `UInt8` to `UInt256`."""

    bits: int
    signed: bool

    def __str__(self) -> str:
        return f"{'' if self.signed else 'U'}Int{self.bits}"

    @property
    def minimum(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        return (1 << (self.bits - 1)) - 1 if self.signed else (1 << self.bits) - 1


@dataclass(frozen=True, slots=True)
class Float(Type):
    bits: int

    def __str__(self) -> str:
        return f"Float{self.bits}"


@dataclass(frozen=True, slots=True)
class Decimal(Type):
    precision: int
    scale: int

    def __str__(self) -> str:
        return f"Decimal({self.precision}, {self.scale})"


@dataclass(frozen=True, slots=True)
class String(Type):
    def __str__(self) -> str:
        return "String"


@dataclass(frozen=True, slots=True)
class FixedString(Type):
    length: int

    def __str__(self) -> str:
        return f"FixedString({self.length})"


@dataclass(frozen=True, slots=True)
class Bool(Type):
    def __str__(self) -> str:
        return "Bool"


@dataclass(frozen=True, slots=True)
class UUID(Type):
    def __str__(self) -> str:
        return "UUID"


@dataclass(frozen=True, slots=True)
class IPv4(Type):
    def __str__(self) -> str:
        return "IPv4"


@dataclass(frozen=True, slots=True)
class IPv6(Type):
    def __str__(self) -> str:
        return "IPv6"


@dataclass(frozen=True, slots=True)
class Date(Type):
    def __str__(self) -> str:
        return "Date"


@dataclass(frozen=True, slots=True)
class Date32(Type):
    def __str__(self) -> str:
        return "Date32"


@dataclass(frozen=True, slots=True)
class DateTime(Type):
    """Seconds since the epoch; `zone` decides only how it is read and printed, None is UTC."""

    zone: str | None = None

    def __str__(self) -> str:
        return "DateTime" if self.zone is None else f"DateTime({quote_string(self.zone)})"


@dataclass(frozen=True, slots=True)
class DateTime64(Type):
    precision: int
    zone: str | None = None

    def __str__(self) -> str:
        zone = "" if self.zone is None else f", {quote_string(self.zone)}"
        return f"DateTime64({self.precision}{zone})"


@dataclass(frozen=True, slots=True)
class Time(Type):
    """A time of day or a duration; `precision` None is `Time`, otherwise `Time64(precision)`."""

    precision: int | None = None

    def __str__(self) -> str:
        return "Time" if self.precision is None else f"Time64({self.precision})"


@dataclass(frozen=True, slots=True)
class Enum(Type):
    """`members` are (name, number), ordered by number as ClickHouse prints them."""

    bits: int
    members: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        body = ", ".join(f"{quote_string(name)} = {number}" for name, number in self.members)
        return f"Enum{self.bits}({body})"


@dataclass(frozen=True, slots=True)
class Array(Type):
    """`nested`: written as `Nested(...)`, which is an array of named tuples under another name."""

    item: Type
    nested: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return str(self.item).replace("Tuple", "Nested", 1) if self.nested else f"Array({self.item})"


@dataclass(frozen=True, slots=True)
class Map(Type):
    key: Type
    value: Type

    def __str__(self) -> str:
        return f"Map({self.key}, {self.value})"


@dataclass(frozen=True, slots=True)
class Tuple(Type):
    items: tuple[Type, ...]
    names: tuple[str, ...] | None = None

    def __str__(self) -> str:
        if self.names is None:
            return f"Tuple({', '.join(map(str, self.items))})"
        pairs = zip(self.names, self.items, strict=True)
        return f"Tuple({', '.join(f'{quote_identifier_if_needed(name)} {item}' for name, item in pairs)})"


@dataclass(frozen=True, slots=True)
class Nullable(Type):
    item: Type

    def __str__(self) -> str:
        return f"Nullable({self.item})"


@dataclass(frozen=True, slots=True)
class LowCardinality(Type):
    item: Type

    def __str__(self) -> str:
        return f"LowCardinality({self.item})"


@dataclass(frozen=True, slots=True)
class Nothing(Type):
    def __str__(self) -> str:
        return "Nothing"


@dataclass(frozen=True, slots=True)
class Interval(Type):
    """`IntervalDay` and so on: a whole number of `unit`s (Nanosecond ... Year)."""

    unit: str

    def __str__(self) -> str:
        return f"Interval{self.unit}"


@dataclass(frozen=True, slots=True)
class Json(Type):
    """The JSON type; `legacy` marks `Object('json')`.

    `paths` have types of their own, and are sorted. `skipped` are prefixes of paths that are not kept, `patterns`
    regular expressions of such paths. The limits change nothing but the names of types here.
    """

    paths: tuple[tuple[str, Type], ...] = ()
    skipped: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    max_dynamic_types: int = 32
    max_dynamic_paths: int = 1024
    legacy: bool = False

    def __str__(self) -> str:
        if self.legacy:
            return "Object('json')"
        limits = (
            ("max_dynamic_types", self.max_dynamic_types, 32),
            ("max_dynamic_paths", self.max_dynamic_paths, 1024),
        )
        arguments = [f"{name}={limit}" for name, limit, default in limits if limit != default]
        arguments += [f"{quote_identifier_if_needed(path)} {type_}" for path, type_ in self.paths]
        arguments += [f"SKIP {quote_identifier_if_needed(path)}" for path in self.skipped]
        arguments += [f"SKIP REGEXP {quote_string(pattern)}" for pattern in self.patterns]
        return f"JSON({', '.join(arguments)})" if arguments else "JSON"

    @property
    def is_free(self) -> bool:
        """Whether every path is kept, as what it is."""
        return not (self.paths or self.skipped or self.patterns)

    @property
    def element(self) -> Json:
        """The type of the objects in an array at a path."""
        return Json(max_dynamic_types=self.max_dynamic_types // 2, max_dynamic_paths=self.max_dynamic_paths // 4)

    @property
    def value(self) -> Dynamic:
        """The type of a path without a type of its own."""
        return Dynamic(self.max_dynamic_types, self.element, plain=True)

    def below(self, path: str) -> Json:
        """The type of the object at a path."""
        inside = tuple((name[len(path) + 1 :], type_) for name, type_ in self.paths if name.startswith(f"{path}."))
        return replace(self, paths=inside)


@dataclass(frozen=True, slots=True)
class Dynamic(Type):
    """A value of any type, stored as JSON; see `documents.TAG`.

    `element` is the type of the objects in an array, `plain` says that no type is written beside the value: both are
    known of the value of a JSON path.
    """

    max_types: int = 32
    element: Json = field(default=Json().element, compare=False)
    plain: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return "Dynamic" if self.max_types == 32 else f"Dynamic(max_types={self.max_types})"


@dataclass(frozen=True, slots=True)
class Variant(Type):
    items: tuple[Type, ...]

    def __str__(self) -> str:
        return f"Variant({', '.join(map(str, self.items))})"


@dataclass(frozen=True, slots=True)
class Geo(Type):
    """`Point`, `Ring`, `LineString`, `Polygon` and their multiples: names for tuples and arrays of Float64."""

    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def structure(self) -> Type:
        depth = {"Point": 0, "Ring": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
        inner: Type = Tuple((FLOAT64, FLOAT64))
        for _ in range(depth[self.name]):
            inner = Array(inner)
        return inner


@dataclass(frozen=True, slots=True)
class AggregateFunction(Type):
    """The state of an aggregate. `parameters` are their texts: `AggregateFunction(quantile(0.5), Float64)`.

    `AggregateFunction(sumState, T)` holds the same states as `AggregateFunction(sum, T)`: it is that type, with
    `of_state` for how it is spelled.
    """

    function: str
    arguments: tuple[Type, ...]
    parameters: tuple[str, ...] = ()
    of_state: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        name = f"{self.function}State" if self.of_state else self.function
        head = f"{name}({', '.join(self.parameters)})" if self.parameters else name
        version = ["1"] if _is_versioned(self.function, self.arguments) else []
        return f"AggregateFunction({', '.join([*version, head, *map(str, self.arguments)])})"


def _is_versioned(function: str, arguments: tuple[Type, ...]) -> bool:
    """Whether ClickHouse writes the version of a state's layout before the name."""
    if function.startswith("quantile"):
        return "Deterministic" in function
    return function.startswith(("sumMap", "minMap", "maxMap")) and not isinstance(arguments[0], Map)


@dataclass(frozen=True, slots=True)
class SimpleAggregateFunction(Type):
    function: str
    item: Type
    parameters: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{self.function}({', '.join(self.parameters)})" if self.parameters else self.function
        return f"SimpleAggregateFunction({head}, {self.item})"


INT8, INT16, INT32, INT64, INT128, INT256 = (Int(bits, True) for bits in (8, 16, 32, 64, 128, 256))
UINT8, UINT16, UINT32, UINT64, UINT128, UINT256 = (Int(bits, False) for bits in (8, 16, 32, 64, 128, 256))
FLOAT32, FLOAT64 = Float(32), Float(64)
STRING, BOOL, UUID_, IPV4, IPV6 = String(), Bool(), UUID(), IPv4(), IPv6()
DATE, DATE32, DATETIME, NOTHING = Date(), Date32(), DateTime(), Nothing()


def nullable(type_: Type) -> Type:
    """`Nullable(type_)`, where it may be: LowCardinality takes it inside, Array and Map stay as they are."""
    if isinstance(type_, Nullable | Array | Map | Dynamic | Variant | AggregateFunction | Geo):
        return type_
    if isinstance(type_, LowCardinality):
        return LowCardinality(nullable(type_.item))
    if isinstance(type_, SimpleAggregateFunction):
        return nullable(type_.item)
    return Nullable(type_)


def plain(type_: Type) -> Type:
    """The type inside LowCardinality, SimpleAggregateFunction and Nullable: what a function computes with."""
    while isinstance(type_, LowCardinality | Nullable | SimpleAggregateFunction):
        type_ = type_.item
    return type_.structure if isinstance(type_, Geo) else type_


def is_nullable(type_: Type) -> bool:
    """Whether a value of the type may be NULL."""
    if isinstance(type_, LowCardinality | SimpleAggregateFunction):
        return is_nullable(type_.item)
    return isinstance(type_, Nullable | Dynamic | Variant)


def not_nullable(type_: Type) -> Type:
    """The type without Nullable, keeping LowCardinality."""
    if isinstance(type_, LowCardinality):
        return LowCardinality(not_nullable(type_.item))
    return type_.item if isinstance(type_, Nullable) else type_


def without_low_cardinality(type_: Type) -> Type:
    """The type without LowCardinality, keeping Nullable."""
    return type_.item if isinstance(type_, LowCardinality) else type_


def full(type_: Type) -> Type:
    """The type without LowCardinality anywhere in it, as most functions see their arguments."""
    match type_:
        case LowCardinality(item):
            return full(item)
        case Array(item):
            return Array(full(item))
        case Map(key, value):
            return Map(full(key), full(value))
        case Tuple(items, names):
            return Tuple(tuple(map(full, items)), names)
    return type_


def is_number(type_: Type) -> bool:
    return isinstance(plain(type_), Int | Float | Decimal | Bool)


def is_integer(type_: Type) -> bool:
    return isinstance(plain(type_), Int | Bool)


def is_text(type_: Type) -> bool:
    return isinstance(plain(type_), String | FixedString)


def is_document(type_: Type) -> bool:
    """Whether JSON paths lead below values of the type, or below each of an array of them."""
    inner = plain(type_)
    while isinstance(inner, Array):
        inner = plain(inner.item)
    return isinstance(inner, Json | Dynamic)


def varies(type_: Type) -> bool:
    """Whether values of the type, or some inside them, may be of different types."""
    match plain(type_):
        case Dynamic() | Variant():
            return True
        case Array(item):
            return varies(item)
        case Map(key, value):
            return varies(key) or varies(value)
        case Tuple(items):
            return any(map(varies, items))
    return False


def is_temporal(type_: Type) -> bool:
    return isinstance(plain(type_), Date | Date32 | DateTime | DateTime64)


@lru_cache(maxsize=4096)
def parse_type(text: str) -> Type:
    """The type that a text spells. Raises `QueryError` with ClickHouse's wording for what is no type."""
    from tbpy.clickhouse.type_parser import read_type

    return read_type(text)
