"""Hash functions, bit for bit.

A value has a hash of its own, several values are combined from left to right; a tuple counts as its elements, an array
as its length and then its elements. What hashes an integer, and how two hashes combine, is each family's own.
Source: recorded answers of ClickHouse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import enum_number
from tbpy.clickhouse.compiler.binary import bytes_of, text_of
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import integer, text
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type, field_names
from tbpy.clickhouse.udf.keccak import HMAC_ALGORITHMS

_OF_NOTHING = 16324913028386710556
_OF_NULL = 14234421406067173489  # inside tuples and arrays; the low half in families of 32 bits
_TWO_64 = 1 << 64


# --- a value as ClickHouse keeps it -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raw:
    """An integer of so many bytes in memory, as SQL that may be negative."""

    sql: str
    size: int


def raw_integer(arg: Typed, type_: t.Type) -> Raw | None:
    """The integer that stands in memory for a value of a fixed width; None for floats and what has no width."""
    sql = arg.sql
    match type_:
        case t.Int(bits) if bits <= 128:
            return Raw(sql, bits // 8)
        case t.Bool():
            return Raw(f"CAST({sql} AS UTINYINT)", 1)
        case t.Date():
            return Raw(f"(({sql}) - DATE '1970-01-01')", 2)
        case t.Date32():
            return Raw(f"(({sql}) - DATE '1970-01-01')", 4)
        case t.DateTime():
            return Raw(f"CAST(epoch({sql}) AS BIGINT)", 4)
        case t.DateTime64(precision):
            unit = "epoch_us" if precision <= 6 else "epoch_ns"
            return Raw(f"({unit}({sql}) // {10 ** ((6 if precision <= 6 else 9) - precision)})", 8)
        case t.Decimal(precision, scale) if precision <= 38:
            size = next(size for digits, size in ((9, 4), (18, 8), (38, 16)) if precision <= digits)
            return Raw(f"CAST(({arg.exact()}) * {10**scale} AS HUGEINT)", size)
        case t.Enum(bits):
            return Raw(enum_number(sql, type_), bits // 8)
        case t.IPv4():
            return Raw(sql, 4)
        case t.UUID():
            return Raw(f"(CAST('0x' || replace(CAST({sql} AS VARCHAR), '-', '') AS UHUGEINT))", 16)
    return None


def _unsigned(raw: Raw) -> str:
    """The integer as UBIGINT, the bits of its own width."""
    if raw.size < 8:
        return f"CAST(CAST({raw.sql} AS BIGINT) & {(1 << raw.size * 8) - 1} AS UBIGINT)"
    return f"CAST((CAST({raw.sql} AS HUGEINT) + {_TWO_64}) % {_TWO_64} AS UBIGINT)"


# --- families ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Family:
    """What hashes bytes, what combines two hashes, and what hashes an integer (None: its bytes are hashed)."""

    of_bytes: str
    combine: str
    gives: t.Type = t.UINT64
    of_integer: str | None = None
    binary: bool = False  # the hash is a BLOB


@dataclass(frozen=True, slots=True)
class Hashing:
    """Hashes the arguments of one call into an expression."""

    call: Call
    family: Family

    def udf(self, name: str) -> str:
        return self.call.context.udf(f"tb_{name}")

    def all(self, args: tuple[Typed, ...]) -> str:
        state: str | None = None
        for arg in args:
            state = self.absorb(state, arg)
        return str(_OF_NOTHING) if state is None else state

    def absorb(self, state: str | None, arg: Typed) -> str | None:
        """The state after one more argument; None is the state before the first."""
        type_ = t.plain(arg.type)
        if isinstance(type_, t.Tuple) and not type_.items:
            return str(_OF_NOTHING) if state is None else state
        if isinstance(type_, t.Tuple):
            for name, item in zip(field_names(type_), type_.items, strict=True):
                state = self.absorb(state, Typed(f"{arg.sql}['{name}']", item))
            return state
        if isinstance(type_, t.Map):
            pair = t.Tuple((type_.key, type_.value), ("key", "value"))
            return self.array(state, f"map_entries({arg.sql})", pair)
        if isinstance(type_, t.Array):
            return self.array(state, arg.exact(), type_.item)
        return self.combined(state, self.single(arg, type_))

    def combined(self, state: str | None, value: str) -> str:
        return value if state is None else f"{self.udf(f'combine_{self.family.combine}')}({state}, {value})"

    def array(self, state: str | None, sql: str, item: t.Type) -> str:
        if self.family.binary:
            self.call.unsupported(f"an argument of type Array({item})")
        wide = self.family.gives == t.UINT32
        length = f"{self.udf('int_hash32' if wide else 'int_hash64')}(CAST(len({sql}) AS UBIGINT))"
        start = self.combined(state, length)
        if isinstance(item, t.Nothing):
            return start
        name = self.call.context.fresh("e")
        inner = self.absorb(None, Typed(name, item))
        return f"{self.udf(f'fold_{self.family.combine}')}({start}, list_transform({sql}, lambda {name}: {inner}))"

    def single(self, arg: Typed, type_: t.Type) -> str:
        """The hash of one value that is no tuple and no array."""
        if t.is_nullable(arg.type):
            null = _OF_NULL & 0xFFFFFFFF if self.family.gives == t.UINT32 else _OF_NULL
            if self.family.binary:
                self.call.unsupported(f"an argument of type {arg.type} inside another")
            if isinstance(type_, t.Nothing):
                return f"CAST({null} AS {duckdb_type(self.family.gives)})"
            return f"coalesce({self.single(replace(arg, type=type_), type_)}, {null})"
        raw = raw_integer(replace(arg, type=type_), type_)
        integers = self.family.of_integer
        if (
            integers is not None
            and raw is not None
            and raw.size <= 8
            and not isinstance(type_, t.Decimal | t.DateTime64)
        ):
            return f"{self.udf(integers)}({_unsigned(raw)})"
        if integers is not None and isinstance(type_, t.Float):
            bits = f"{self.udf(f'float{type_.bits}_bits')}({replace(arg, type=type_).exact()})"
            return f"{self.udf(integers)}({bits})"
        return f"{self.udf(self.family.of_bytes)}({self.in_memory(arg, type_, raw)})"

    def in_memory(self, arg: Typed, type_: t.Type, raw: Raw | None) -> str:
        """A BLOB of the bytes of a value."""
        if isinstance(type_, t.String | t.FixedString):
            return bytes_of(arg)
        if isinstance(type_, t.Float):
            return f"{self.udf(f'float{type_.bits}_bytes')}({replace(arg, type=type_).exact()})"
        if isinstance(type_, t.IPv6):
            return f"unhex(lpad(hex({arg.sql}), 32, '0'))"
        if isinstance(type_, t.UUID):
            return f"{self.udf('uuid_bytes')}({arg.sql})"
        if raw is None:
            self.call.unsupported(f"an argument of type {type_}")
        if isinstance(type_, t.Int) and not type_.signed and type_.bits == 128:
            return f"{self.udf('unsigned_bytes')}({raw.sql}, 16)"
        return f"{self.udf('integer_bytes')}(CAST({raw.sql} AS HUGEINT), {raw.size})"


def _family(name: str, family: Family, *more: str) -> None:
    @scalar(name, *more, args=(0, None))
    def build(call: Call) -> Typed:
        if not call.args:
            return constant(_OF_NOTHING, t.UINT64)
        sql = Hashing(call, family).all(call.args)
        return call.typed(text_of(sql) if family.binary else sql, family.gives)


_BYTES_16 = t.FixedString(16)

for _name, _family_ in {
    "cityHash64": Family("city64", "hash_16", of_integer="int_hash64"),
    "farmHash64": Family("farm64", "hash_16", of_integer="int_hash64"),
    "sipHash64": Family("sip64", "sip64"),
    "metroHash64": Family("metro64", "hash_16", of_integer="int_hash64"),
    "xxh3": Family("xxh3", "hash_16"),
    "xxHash32": Family("xx32", "int32", t.UINT32),
    "xxHash64": Family("xx64", "hash_16"),
    "murmurHash2_32": Family("murmur2_32", "int32", t.UINT32),
    "murmurHash2_64": Family("murmur2_64", "int64"),
    "gccMurmurHash": Family("murmur2_gcc", "int64"),
    "murmurHash3_32": Family("murmur3_32", "int32", t.UINT32),
    "murmurHash3_64": Family("murmur3_64", "int64"),
    "sipHash128": Family("sip128", "sip128", _BYTES_16, binary=True),
    "murmurHash3_128": Family("murmur3_128", "murmur3_128", _BYTES_16, binary=True),
}.items():
    _family(_name, _family_)


def _single(name: str, family: Family) -> None:
    """Of one value: how ClickHouse combines several is not known."""

    @scalar(name)
    def build(call: Call) -> Typed:
        if isinstance(call.args[0].type, t.Array | t.Map | t.Tuple):
            call.unsupported(f"an argument of type {call.args[0].type}")
        return call.typed(Hashing(call, family).single(call.args[0], call.args[0].type), family.gives)


_single("kafkaMurmurHash", Family("murmur2_kafka", "int32", t.UINT32))
_single("farmFingerprint64", Family("fingerprint64", "hash_16", of_integer="int_hash64"))


@scalar("halfMD5", args=(1, None))
def half_md5(call: Call) -> Typed:
    return call.typed(Hashing(call, Family("half_md5", "half_md5")).all(call.args), t.UINT64)


# --- of integers ------------------------------------------------------------------------------------------------------


def _integer_hash(name: str, udf: str, gives: t.Type) -> None:
    @scalar(name)
    def build(call: Call) -> Typed:
        raw = raw_integer(call.args[0], call.args[0].type)
        if raw is None or raw.size > 8 or isinstance(call.args[0].type, t.DateTime64 | t.IPv4 | t.Enum):
            call.wrong_type()
        signed = f"CAST((CAST({raw.sql} AS HUGEINT) + {_TWO_64}) % {_TWO_64} AS UBIGINT)"
        return call.typed(f"{call.context.udf(udf)}({signed})", gives)


_integer_hash("intHash32", "tb_int_hash32", t.UINT32)
_integer_hash("intHash64", "tb_int_hash64", t.UINT64)


def _java_of_bytes(call: Call) -> str:
    arg, type_ = call.args[0], call.args[0].type
    if isinstance(type_, t.Array | t.Tuple | t.Map):
        call.unsupported(f"an argument of type {type_}")
    hashing = Hashing(call, Family("java_hash", "java_hash"))
    return f"{hashing.udf('java_hash')}({hashing.in_memory(arg, type_, raw_integer(arg, type_))})"


@scalar("javaHash")
def java_hash(call: Call) -> Typed:
    """Java's hash: of a 64-bit integer its halves, of a narrower one the number itself, of the rest over the bytes."""
    type_, sql = call.args[0].type, call.sql(0)
    if isinstance(type_, t.Date | t.DateTime | t.Bool) or (isinstance(type_, t.Int) and not type_.signed):
        call.unsupported("unsigned integers")
    if isinstance(type_, t.Int) and type_.bits < 64:
        return call.typed(f"CAST({sql} AS INTEGER)", t.INT32)
    if type_ == t.INT64:
        return call.typed(f"{call.context.udf('tb_java_hash_long')}({sql})", t.INT32)
    return call.typed(_java_of_bytes(call), t.INT32)


@scalar("hiveHash")
def hive_hash(call: Call) -> Typed:
    return call.typed(f"({_java_of_bytes(call)} & 2147483647)", t.INT32)


@scalar("jumpConsistentHash", args=2)
def jump_consistent_hash(call: Call) -> Typed:
    if not t.is_integer(call.args[0].type):
        call.wrong_type()
    raw = raw_integer(call.args[0], call.args[0].type)
    assert raw is not None
    key = f"CAST((CAST({raw.sql} AS HUGEINT) + {_TWO_64}) % {_TWO_64} AS UBIGINT)"
    return call.typed(f"{call.context.udf('tb_jump_hash')}({key}, {integer(call, 1)})", t.INT32)


# --- of texts ---------------------------------------------------------------------------------------------------------


def _of_text(name: str, sql: Callable[[Call, str], str], gives: t.Type, *, insensitive: bool = False) -> None:
    @scalar(name, insensitive=insensitive)
    def build(call: Call) -> Typed:
        arg = call.args[0]
        if isinstance(arg.type, t.IPv6):
            call.unsupported("IPv6")
        return call.typed(sql(call, bytes_of(text(call))), gives)


def _by_udf(udf: str) -> Callable[[Call, str], str]:
    return lambda call, blob: f"{call.context.udf(udf)}({blob})"


def _by_udf_binary(udf: str) -> Callable[[Call, str], str]:
    return lambda call, blob: text_of(f"{call.context.udf(udf)}({blob})")


def _by_duckdb(function: str) -> Callable[[Call, str], str]:
    return lambda call, blob: text_of(f"unhex({function}({blob}))")


def _java_utf16(call: Call, blob: str) -> str:
    return f"{call.context.udf('tb_java_hash_utf16')}({blob})"


_of_text("keccak256", _by_udf_binary("tb_keccak256"), t.FixedString(32))
_of_text("javaHashUTF16LE", _java_utf16, t.INT32)
_of_text("MD5", _by_duckdb("md5"), t.FixedString(16))
_of_text("SHA1", _by_duckdb("sha1"), t.FixedString(20))
_of_text("SHA256", _by_duckdb("sha256"), t.FixedString(32))
_of_text("SHA224", _by_udf_binary("tb_sha224"), t.FixedString(28))
_of_text("SHA384", _by_udf_binary("tb_sha384"), t.FixedString(48))
_of_text("SHA512", _by_udf_binary("tb_sha512"), t.FixedString(64))
_of_text("SHA512_256", _by_udf_binary("tb_sha512_256"), t.FixedString(32))
_of_text("CRC32", _by_udf("tb_crc32"), t.UINT32, insensitive=True)
_of_text("CRC32IEEE", _by_udf("tb_crc32_ieee"), t.UINT32, insensitive=True)
_of_text("CRC64", _by_udf("tb_crc64"), t.UINT64, insensitive=True)


#: What ClickHouse's library has beside, and Python's may lack
_OTHER_ALGORITHMS = {
    "md4", "md5-sha1", "mdc2", "ripemd", "ripemd160", "rmd160", "sha512-224", "sha512-256", "sm3", "whirlpool",
    "blake2b512", "blake2s256",
}  # fmt: skip


@scalar("HMAC", args=3, insensitive=True)
def hmac_(call: Call) -> Typed:
    """`HMAC(algorithm, message, key)`, as bytes."""
    algorithm = str(call.constant_value(0, "algorithm")).lower()
    if algorithm in _OTHER_ALGORITHMS:
        call.unsupported(f"algorithm '{algorithm}'")
    if algorithm not in HMAC_ALGORITHMS:
        raise bad_arguments(f"Invalid hash algorithm: '{algorithm}'", call.node)
    message, key = (bytes_of(text(call, position)) for position in (1, 2))
    return call.typed(text_of(f"{call.context.udf('tb_hmac')}({duckdb_string(algorithm)}, {message}, {key})"), t.STRING)


@scalar("sipHash64Keyed", args=2)
def sip_hash64_keyed(call: Call) -> Typed:
    key = call.args[0].type
    if not isinstance(key, t.Tuple) or len(key.items) != 2 or any(item != t.UINT64 for item in key.items):
        call.wrong_type()
    halves = ", ".join(f"{call.sql(0)}['{name}']" for name in field_names(key))
    return call.typed(f"{call.context.udf('tb_sip64_keyed')}({bytes_of(text(call, 1))}, {halves})", t.UINT64)


@scalar("URLHash", args=(1, 2))
def url_hash(call: Call) -> Typed:
    """Of a URL without one `/`, `?` or `#` at its end, or of a level of its hierarchy."""
    url = text(call, fixed=False).sql
    if len(call.args) == 1:
        return call.typed(f"{call.context.udf('tb_url_hash')}(encode({url}))", t.UINT64)
    number = integer(call, 1)
    place = f"(CASE WHEN {number} < 0 THEN NULL ELSE {number} + 1 END)"
    level = f"{call.context.udf('tb_url_hierarchy')}({url})[{place}]"
    return call.typed(f"{call.context.udf('tb_url_hash')}(encode(coalesce({level}, left({url}, 0))))", t.UINT64)
