"""Bytes and texts in other spellings: hex, bin, char, base32/58/64, XML, HTML, printf."""

from __future__ import annotations

import re

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import wide
from tbpy.clickhouse.compiler.binary import bytes_of, text_of
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_text, failure, text
from tbpy.clickhouse.quoting import duckdb_string

# --- hex and bin ------------------------------------------------------------------------------------------------------


def hex_sql(call: Call) -> str:
    """Hex digits of a value: of integers without leading zero bytes, of floats and decimals in the order of memory."""
    arg = call.args[0]
    match arg.type:
        case t.String() | t.FixedString():
            return f"hex({bytes_of(arg)})"
        case t.Int(bits, signed) if bits <= 64 or (not signed and bits == 128):
            return _integer_hex(arg.sql, bits, signed)
        case t.Bool():
            return _integer_hex(f"CAST({arg.sql} AS UTINYINT)", 8, False)
        case t.Date():
            return _integer_hex(f"(({arg.sql}) - DATE '1970-01-01')", 16, False)
        case t.DateTime():
            return _integer_hex(f"CAST(epoch({arg.sql}) AS BIGINT)", 32, False)
        case t.Float(bits):
            return f"hex({call.context.udf(f'tb_float{bits}_bytes')}({arg.exact()}))"
        case t.Decimal(precision, scale) if precision <= 38:
            size = next(size for digits, size in ((9, 4), (18, 8), (38, 16)) if precision <= digits)
            number = f"CAST(({arg.exact()}) * {10**scale} AS HUGEINT)"
            return f"hex({call.context.udf('tb_integer_bytes')}({number}, {size}))"
        case t.UUID():
            return f"upper(replace(CAST({arg.sql} AS VARCHAR), '-', ''))"
        case t.IPv4():
            return _integer_hex(arg.sql, 32, False)
        case t.IPv6():
            return f"lpad(hex({arg.sql}), 32, '0')"
        case t.Int(bits):
            return f"{call.context.udf('tb_wide_hex')}({wide.number_text(arg.exact(), arg.type)}, {bits}, false)"
        case t.Decimal():
            return f"{call.context.udf('tb_wide_hex')}({wide.number_text(arg.exact(), arg.type)}, 256, true)"
    call.wrong_type()


def _integer_hex(sql: str, bits: int, signed: bool) -> str:
    number = f"CAST({sql} AS {'UHUGEINT' if bits > 64 else 'BIGINT' if signed else 'UBIGINT'})"
    digits = f"hex({number})"
    whole = f"(CASE WHEN length({digits}) % 2 = 1 THEN '0' || {digits} ELSE {digits} END)"
    if not signed:
        return whole
    return f"(CASE WHEN {sql} < 0 THEN right({digits}, {bits // 4}) ELSE {whole} END)"


@scalar("hex", insensitive=True)
def hex_(call: Call) -> Typed:
    return call.typed(hex_sql(call), t.STRING)


@scalar("bin", insensitive=True)
def bin_(call: Call) -> Typed:
    return call.typed(f"{call.context.udf('tb_hex_to_bin')}({hex_sql(call)})", t.STRING)


@scalar("unhex", insensitive=True)
def unhex(call: Call) -> Typed:
    return call.typed(text_of(f"unhex({text(call).sql})"), t.STRING)


@scalar("unbin", insensitive=True)
def unbin(call: Call) -> Typed:
    return call.typed(text_of(f"{call.context.udf('tb_unbin')}({text(call).sql})"), t.STRING)


@scalar("char", args=(1, None), insensitive=True)
def char(call: Call) -> Typed:
    """One byte for each number, its lowest eight bits."""
    if not all(isinstance(arg.type, t.Int | t.Float) for arg in call.args):
        call.wrong_type()
    if all(isinstance(arg.value, int) and 0 <= arg.value < 128 for arg in call.args):
        return constant("".join(chr(arg.value) for arg in call.args), t.STRING)
    digits = [f"right('0' || hex(CAST(trunc({arg.sql}) AS BIGINT) & 255), 2)" for arg in call.args]
    return call.typed(text_of(f"unhex({' || '.join(digits)})"), t.STRING)


# --- base64, base58, base32 -------------------------------------------------------------------------------------------


@scalar("base64Encode", "TO_BASE64", insensitive=("TO_BASE64",))
def base64_encode(call: Call) -> Typed:
    return call.typed(f"base64({bytes_of(text(call))})", t.STRING)


@scalar("base64URLEncode")
def base64_url_encode(call: Call) -> Typed:
    return call.typed(f"rtrim(translate(base64({bytes_of(text(call))}), '+/', '-_'), '=')", t.STRING)


def _decoder(sql: str, *, url: bool) -> str:
    if not url:
        return f"from_base64({sql})"
    padded = f"{sql} || repeat('=', (4 - strlen({sql}) % 4) % 4)"
    return f"from_base64(translate({padded}, '-_', '+/'))"


def _base64_decode(*names: str, url: bool = False) -> None:
    @scalar(*names, insensitive=("FROM_BASE64",))
    def strict(call: Call) -> Typed:
        return call.typed(text_of(_decoder(text(call).sql, url=url)), t.STRING)

    attempt = f"try{names[0][0].upper()}{names[0][1:]}"

    @scalar(attempt, strict=False)
    def lenient(call: Call) -> Typed:
        clean = f"regexp_replace({text(call).sql}, '\\s', '', 'g')"
        return call.typed(text_of(f"coalesce(try({_decoder(clean, url=url)}), CAST('' AS BLOB))"), t.STRING)


_base64_decode("base64Decode", "FROM_BASE64")
_base64_decode("base64URLDecode", url=True)


def _base(number: int) -> None:
    @scalar(f"base{number}Encode")
    def encode(call: Call) -> Typed:
        return call.typed(f"{call.context.udf(f'tb_base{number}_encode')}({bytes_of(text(call))})", t.STRING)

    @scalar(f"base{number}Decode")
    def decode(call: Call) -> Typed:
        return call.typed(text_of(f"{call.context.udf(f'tb_base{number}_decode')}({text(call).sql})"), t.STRING)

    @scalar(f"tryBase{number}Decode", strict=False)
    def try_decode(call: Call) -> Typed:
        attempt = f"try({call.context.udf(f'tb_base{number}_decode')}({text(call).sql}))"
        return call.typed(text_of(f"coalesce({attempt}, CAST('' AS BLOB))"), t.STRING)


_base(58)
_base(32)


# --- markup and Unicode -----------------------------------------------------------------------------------------------


def _simple(name: str, udf: str) -> None:
    @scalar(name, insensitive=name == "soundex")
    def build(call: Call) -> Typed:
        return call.typed(f"{call.context.udf(udf)}({text(call, fixed=False).sql})", t.STRING)


for _name, _udf in (
    ("encodeXMLComponent", "tb_encode_xml"),
    ("decodeXMLComponent", "tb_decode_xml"),
    ("decodeHTMLComponent", "tb_decode_html"),
    ("normalizeUTF8NFC", "tb_normalize_nfc"),
    ("normalizeUTF8NFD", "tb_normalize_nfd"),
    ("normalizeUTF8NFKC", "tb_normalize_nfkc"),
    ("normalizeUTF8NFKD", "tb_normalize_nfkd"),
    ("normalizeUTF8NFKCCasefold", "tb_normalize_nfkc_casefold"),
    ("caseFoldUTF8", "tb_case_fold"),
    ("removeDiacriticsUTF8", "tb_remove_diacritics"),
    ("removeAccentsUTF8", "tb_remove_diacritics"),
    ("soundex", "tb_soundex"),
):
    _simple(_name, _udf)


@scalar("basename")
def basename(call: Call) -> Typed:
    return call.typed(f"regexp_extract({text(call, fixed=False).sql}, '[^/\\\\]*$')", t.STRING)


# --- printf and bar ---------------------------------------------------------------------------------------------------

_HALF = 1 << 63
_DIRECTIVE = re.compile(r"%(?:%|[-+ #0]*(?:\d+)?(?:\.\d+)?(.))", re.DOTALL)


@scalar("printf", args=(1, None))
def printf(call: Call) -> Typed:
    template = constant_text(call, 0, "template")
    directives = [match for match in _DIRECTIVE.finditer(template) if match[1]]
    letters = [match[1] for match in directives]
    if len(letters) != len(call.args) - 1:
        message = (
            f"Number of arguments for function printf doesn't match: passed {len(call.args)}, but format is {template}"
        )
        raise failure(call, message, 42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH")
    values = [_printed(call, match[0], arg) for match, arg in zip(directives, call.args[1:], strict=True)]
    return call.typed(f"printf({', '.join([duckdb_string(template), *values])})", t.STRING)


def _printed(call: Call, directive: str, arg: Typed) -> str:
    """An argument as its directive wants it: integers count 64 bits, padded texts have no characters of two columns."""
    letter = directive[-1]
    match arg.type:
        case t.String() | t.FixedString() if letter == "s" and directive != "%s" and arg.value is UNKNOWN:
            wide = f"regexp_matches({arg.sql}, '[\\x{{1100}}-\\x{{10FFFF}}]')"
            refusal = "error('Function printf that pads wide characters is not supported by tbpy yet')"
            return f"(CASE WHEN {wide} THEN {refusal} ELSE {arg.sql} END)"
        case t.String() | t.FixedString() if letter == "s":
            return arg.sql
        case t.Int(64, False) if letter in "diuxXo":
            return f"CAST((CAST({arg.sql} AS HUGEINT) + {_HALF}) % {2 * _HALF} - {_HALF} AS BIGINT)"
        case t.Int(bits) if letter in "diuxXo" and bits <= 64:
            return f"CAST({arg.sql} AS BIGINT)"
        case t.Int() if letter == "c":
            return f"CAST({arg.sql} AS INTEGER)"
        case t.Float() if letter in "fFeEgGaA":
            return f"CAST({arg.sql} AS DOUBLE)"
        case t.Int() | t.Float() | t.String() | t.FixedString():
            raise failure(call, f"Bad format %{letter} in function printf with {arg.type} as input argument")
    call.wrong_type()


@scalar("bar", args=(3, 4))
def bar(call: Call) -> Typed:
    if not all(t.is_number(arg.type) for arg in call.args):
        call.wrong_type()
    width = call.sql(3) if len(call.args) == 4 else "80"
    values = ", ".join(f"CAST({sql} AS DOUBLE)" for sql in (call.sql(0), call.sql(1), call.sql(2), width))
    return call.typed(f"{call.context.udf('tb_bar')}({values})", t.STRING)
