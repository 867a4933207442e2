"""Distances of strings, as ClickHouse counts them: over bytes, or in `..._utf8` over characters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from ctypes import c_float
from typing import Any

from tbpy.clickhouse.edit_distance import levenshtein
from tbpy.clickhouse.udf import Udf


def levenshtein_utf8(left: str, right: str) -> int:
    """Of characters; beside an empty text ClickHouse answers the bytes of the other."""
    if not left or not right:
        return len((left or right).encode())
    return levenshtein(left, right)


def damerau_levenshtein(left: bytes, right: bytes) -> int:
    """With transpositions of neighbours, none of which is edited again (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        fresh = [i]
        for j, other in enumerate(right, 1):
            best = min(row[j] + 1, fresh[j - 1] + 1, row[j - 1] + (one != other))
            if i > 1 and j > 1 and one == right[j - 2] and left[i - 2] == other:
                best = min(best, before[j - 2] + 1)
            fresh.append(best)
        before, row = row, fresh
    return row[-1]


def jaro_similarity(left: bytes, right: bytes) -> float:
    """Of two strings of which none is empty."""
    reach = max(max(len(left), len(right)) // 2 - 1, 0)
    taken = [False] * len(right)
    matched = []
    for i, one in enumerate(left):
        for j in range(max(i - reach, 0), min(i + reach + 1, len(right))):
            if not taken[j] and right[j] == one:
                taken[j] = True
                matched.append(one)
                break
    if not matched:
        return 0.0
    others = [other for other, mark in zip(right, taken, strict=True) if mark]
    moved = sum(one != other for one, other in zip(matched, others, strict=True)) // 2
    count = len(matched)
    return (count / len(left) + count / len(right) + (count - moved) / count) / 3


def jaro_winkler_similarity(left: bytes, right: bytes) -> float:
    similarity = jaro_similarity(left, right)
    shared = next((i for i, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), 4)
    return similarity + 0.1 * min(shared, 4) * (1 - similarity) if similarity > 0.7 else similarity


def byte_hamming(left: bytes, right: bytes) -> int:
    """Places that differ, and those that only the longer string has."""
    return sum(one != other for one, other in zip(left, right, strict=False)) + abs(len(left) - len(right))


def jaccard(left: Sequence[Any], right: Sequence[Any]) -> float:
    """Shared elements by all elements; 0 of two empty strings."""
    one, other = set(left), set(right)
    return len(one & other) / len(one | other) if one or other else 0.0


def ngram_distance(left: bytes, right: bytes) -> float:
    """The share of 4-grams that one side has more often than the other."""
    return _ngram_distance(left, right, 4)


def ngram_distance_folded(left: bytes, right: bytes) -> float:
    return _ngram_distance(left.lower(), right.lower(), 4)


def ngram_distance_utf8(left: str, right: str) -> float:
    return _ngram_distance(left, right, 3)


def _ngram_distance(left: Sequence[Any], right: Sequence[Any], size: int) -> float:
    one, other = (Counter(text[i : i + size] for i in range(len(text) - size + 1)) for text in (left, right))
    different = ((one - other) + (other - one)).total()
    return c_float(different / max(one.total() + other.total(), 1)).value


def ngram_search(haystack: bytes, needle: bytes) -> float:
    """The share of the needle's 4-grams that the haystack has; 1 when the needle has none."""
    return _ngram_search(haystack, needle, 4)


def ngram_search_folded(haystack: bytes, needle: bytes) -> float:
    return _ngram_search(haystack.lower(), needle.lower(), 4)


def ngram_search_utf8(haystack: str, needle: str) -> float:
    return _ngram_search(haystack, needle, 3)


def _ngram_search(haystack: Sequence[Any], needle: Sequence[Any], size: int) -> float:
    one, other = (Counter(text[i : i + size] for i in range(len(text) - size + 1)) for text in (haystack, needle))
    return c_float(1 - c_float((other - one).total() / max(other.total(), 1)).value).value


def bytes_uniq(data: bytes) -> int:
    return len(set(data))


def bytes_entropy(data: bytes) -> float:
    """Shannon entropy of the bytes, in bits."""
    return sum(-share * math.log2(share) for share in (count / len(data) for count in Counter(data).values()))


_BYTES, _TEXTS = ("BLOB", "BLOB"), ("VARCHAR", "VARCHAR")

FUNCTIONS: dict[str, Udf] = {
    "tb_levenshtein": Udf(levenshtein, _BYTES, "UBIGINT"),
    "tb_levenshtein_utf8": Udf(levenshtein_utf8, _TEXTS, "UBIGINT"),
    "tb_damerau_levenshtein": Udf(damerau_levenshtein, _BYTES, "UBIGINT"),
    "tb_jaro_similarity": Udf(jaro_similarity, _BYTES, "DOUBLE"),
    "tb_jaro_winkler_similarity": Udf(jaro_winkler_similarity, _BYTES, "DOUBLE"),
    "tb_byte_hamming": Udf(byte_hamming, _BYTES, "UBIGINT"),
    "tb_jaccard": Udf(jaccard, _BYTES, "DOUBLE"),
    "tb_jaccard_utf8": Udf(jaccard, _TEXTS, "DOUBLE"),
    "tb_ngram_distance": Udf(ngram_distance, _BYTES, "FLOAT"),
    "tb_ngram_distance_folded": Udf(ngram_distance_folded, _BYTES, "FLOAT"),
    "tb_ngram_distance_utf8": Udf(ngram_distance_utf8, _TEXTS, "FLOAT"),
    "tb_ngram_search": Udf(ngram_search, _BYTES, "FLOAT"),
    "tb_ngram_search_folded": Udf(ngram_search_folded, _BYTES, "FLOAT"),
    "tb_ngram_search_utf8": Udf(ngram_search_utf8, _TEXTS, "FLOAT"),
    "tb_bytes_uniq": Udf(bytes_uniq, ("BLOB",), "USMALLINT"),
    "tb_bytes_entropy": Udf(bytes_entropy, ("BLOB",), "DOUBLE"),
}
