"""ClickHouse's functions that the catalogue lacks, in groups, each shown as names and patterns of names."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from tbpy.clickhouse.function_names import listed_names

#: What a group is called, and the patterns of its names; a name belongs to the first group that has it.
_GROUPS: tuple[tuple[str, str], ...] = (
    ("Dictionaries", "dict* region*"),
    ("Language models", "ai*"),
    ("Prometheus time series", "timeseries* *prometheushistogram"),
    ("Geometry", "polygon* *wkb* *wkt* st_* mvt* svg area* perimeter* geometry* flipcoordinates geohashesinbox"),
    ("Grids of the globe", "h3* *toh3 *mgrs* *utm*"),
    ("Encryption and keyed hashes", "encrypt decrypt trydecrypt aes_* hmac siphash128*"),
    ("Similarity by hashes", "ngramminhash* ngramsimhash* ngramsearch* wordshingle* sparsegrams*"),
    ("Search in text indexes", "has*token* hasphrase matchphrase highlight tokensforlikepattern"),
    ("Vectors and learning", "*transposed* *int8tobfloat16 *bfloat16toint8 naivebayes* stochastic* evalmlmethod"),
    ("Numeric indexed vectors", "*numericindexedvector*"),
    ("JSON by keys of any case", "json*caseinsensitive"),
    ("Paths of JSON columns, Dynamic and Variant", "json*paths* jsonallvalues distinct* *dynamic* variant*"),
    ("Windows of a stream", "tumble* hop*"),
    ("Time and intervals as values", "totime* *interval *tupleofintervals"),
    ("Random numbers and distortion", "rand* fuzz* generate*"),
    (
        "Texts of queries",
        "formatquery* normalize*query* obfuscatequery* highlightquery *query tokenizequery parsequery*",
    ),
    ("Finance", "financial*"),
    ("Colours", "color*"),
    ("Kusto", "kql*"),
    ("Iceberg", "iceberg*"),
    (
        "Blocks and parts of a table",
        "*block* running* neighbor *part* *partition* *ignoreset indexhint lowcardinality*",
    ),
    (
        "The server and its session",
        "*profiles *roles *user *userbyid *user_byid current* *query_id *queryid *uptime getos*",
    ),
    (
        "The server and its session",
        "connection* filesystem* address* demangle transaction* shard* server* initial* tcpport",
    ),
)


def refused_groups(answered: set[str]) -> Iterator[tuple[str, list[str]]]:
    """(title, names and patterns) of what ClickHouse has and `answered` (names in lower case) lacks.

    A pattern shows where all of its names are lacking.
    """
    names = {name.lower(): name for name in sorted(listed_names(), reverse=True)}
    left = {lower: name for lower, name in names.items() if lower not in answered and not lower.startswith("__")}
    shown: dict[str, list[str]] = {}
    for title, patterns in _GROUPS:
        for pattern in patterns.split():
            found = [lower for lower in left if fnmatchcase(lower, pattern)]
            whole = len(found) > 2 and not any(fnmatchcase(name, pattern) for name in answered)
            named = [left.pop(lower) for lower in found]
            shown.setdefault(title, []).extend([_spelled(pattern, named)] if whole else named)
    shown["Others"] = list(left.values())
    return ((title, sorted(items, key=str.lower)) for title, items in shown.items() if items)


def _spelled(pattern: str, names: list[str]) -> str:
    """The pattern in the letters of the first of the names that it stands for."""
    name, place, spelled = names[0], 0, []
    for part in pattern.split("*"):
        place = name.lower().index(part, place)
        spelled.append(name[place : place + len(part)])
    return "*".join(spelled)
