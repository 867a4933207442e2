"""How alike two strings are: edit distances, Jaro, Jaccard, n-grams, and statistics of bytes."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.binary import bytes_of
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import text


def _measure(*names: str, udf: str, gives: t.Type, fixed: bool = False) -> None:
    """A function of the bytes of two strings."""

    @scalar(*names, args=2)
    def build(call: Call) -> Typed:
        left, right = text(call, 0, fixed=fixed), text(call, 1, fixed=fixed)
        return call.typed(f"{call.context.udf(udf)}({bytes_of(left)}, {bytes_of(right)})", gives)


_measure("damerauLevenshteinDistance", udf="tb_damerau_levenshtein", gives=t.UINT64)
_measure("byteHammingDistance", "mismatches", udf="tb_byte_hamming", gives=t.UINT64)
_measure("stringJaccardIndex", udf="tb_jaccard", gives=t.FLOAT64)
_measure("ngramDistance", udf="tb_ngram_distance", gives=t.FLOAT32)
_measure("ngramSearch", udf="tb_ngram_search", gives=t.FLOAT32)
_measure("ngramSearchCaseInsensitive", udf="tb_ngram_search_folded", gives=t.FLOAT32)
_measure("ngramDistanceCaseInsensitive", udf="tb_ngram_distance_folded", gives=t.FLOAT32)


@scalar("editDistance", "levenshteinDistance", args=2)
def edit_distance(call: Call) -> Typed:
    left, right = text(call, 0, fixed=False), text(call, 1, fixed=False)
    ascii_ = " AND ".join(f"strlen({arg.sql}) = length({arg.sql})" for arg in (left, right))
    slow = f"{call.context.udf('tb_levenshtein')}({bytes_of(left)}, {bytes_of(right)})"
    sql = f"CASE WHEN {ascii_} THEN levenshtein({left.sql}, {right.sql}) ELSE {slow} END"
    return call.typed(f"CAST({sql} AS UBIGINT)", t.UINT64)


def _characters(*names: str, udf: str, gives: t.Type) -> None:
    @scalar(*names, args=2)
    def build(call: Call) -> Typed:
        left, right = text(call, 0, fixed=False), text(call, 1, fixed=False)
        return call.typed(f"{call.context.udf(udf)}({left.sql}, {right.sql})", gives)


_characters("editDistanceUTF8", "levenshteinDistanceUTF8", udf="tb_levenshtein_utf8", gives=t.UINT64)
_characters("stringJaccardIndexUTF8", udf="tb_jaccard_utf8", gives=t.FLOAT64)
_characters("ngramSearchUTF8", udf="tb_ngram_search_utf8", gives=t.FLOAT32)
_characters("ngramDistanceUTF8", udf="tb_ngram_distance_utf8", gives=t.FLOAT32)


def _jaro(name: str, function: str) -> None:
    @scalar(name, args=2)
    def build(call: Call) -> Typed:
        """Of an empty string ClickHouse answers the length of the other."""
        arguments = text(call, 0, fixed=False), text(call, 1, fixed=False)
        left, right = (arg.sql for arg in arguments)
        blobs = ", ".join(bytes_of(arg) for arg in arguments)
        other = " OR ".join(f"strlen({sql}) <> length({sql})" for sql in (left, right))
        bytewise = f"WHEN {other} THEN {call.context.udf(f'tb_{function}')}({blobs})"
        empty = f"WHEN {left} = '' OR {right} = '' THEN CAST(strlen({left}) + strlen({right}) AS DOUBLE)"
        return call.typed(f"(CASE {empty} {bytewise} ELSE {function}({left}, {right}) END)", t.FLOAT64)


_jaro("jaroSimilarity", "jaro_similarity")
_jaro("jaroWinklerSimilarity", "jaro_winkler_similarity")


@scalar("stringBytesUniq")
def string_bytes_uniq(call: Call) -> Typed:
    return call.typed(f"{call.context.udf('tb_bytes_uniq')}({bytes_of(text(call, fixed=False))})", t.UINT16)


@scalar("stringBytesEntropy")
def string_bytes_entropy(call: Call) -> Typed:
    return call.typed(f"{call.context.udf('tb_bytes_entropy')}({bytes_of(text(call, fixed=False))})", t.FLOAT64)
