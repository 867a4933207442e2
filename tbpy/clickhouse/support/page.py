"""The page itself, in Markdown."""

from __future__ import annotations

import importlib
import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tbpy.clickhouse.aggregates.combinators import COMBINATORS
from tbpy.clickhouse.aggregates.registry import AGGREGATES
from tbpy.clickhouse.compiler.expressions import SPECIAL
from tbpy.clickhouse.compiler.rows import load
from tbpy.clickhouse.compiler.sources import TABLE_FUNCTIONS
from tbpy.clickhouse.formats import FORMATS
from tbpy.clickhouse.functions.control import CLICKHOUSE_VERSION
from tbpy.clickhouse.functions.registry import SCALARS
from tbpy.clickhouse.storage import duckdb_type
from tbpy.clickhouse.support.refused import refused_groups
from tbpy.clickhouse.support.statements import ANSWERED, APPROXIMATE, REFUSED, Statement
from tbpy.clickhouse.types import parse_type

_WIDTH = 120

#: (a type as an example, what is to be said of its family)
_TYPES = (
    ("Bool", ""),
    ("UInt8", "Int8 to Int128 and UInt8 to UInt128 likewise"),
    ("Int256", "and UInt256: all digits"),
    ("Float64", "and Float32"),
    ("Decimal(18, 4)", "up to 38 digits"),
    ("Decimal(76, 4)", "over 38 digits: all digits"),
    ("String", ""),
    ("FixedString(16)", ""),
    ("Date", "and Date32"),
    ("DateTime('Europe/Madrid')", "in UTC; the zone belongs to the type"),
    ("DateTime64(3)", "up to 6 digits"),
    ("DateTime64(9)", "7 digits and more"),
    ("Time", "and Time64"),
    ("Enum8('a' = 1)", "and Enum16; the name is stored"),
    ("UUID", ""),
    ("IPv4", ""),
    ("IPv6", ""),
    ("Array(String)", ""),
    ("Map(String, UInt8)", ""),
    ("Tuple(a UInt8, b String)", "fields without names are numbered"),
    ("Nullable(UInt8)", "as the type inside"),
    ("LowCardinality(String)", "as the type inside"),
    ("JSON", "and Dynamic: a document for each value"),
    ("Variant(String, UInt64)", "a UNION of its types; what branches have where they share no type"),
    ("Point", "and Ring, LineString, Polygon, MultiLineString, MultiPolygon"),
    ("SimpleAggregateFunction(sum, UInt64)", "as the type inside"),
    ("AggregateFunction(sum, UInt64)", "each function has a storage of its own"),
)


@dataclass(slots=True)
class _Family:
    """Functions of one module of the catalogue, and what is approximate about some."""

    title: str
    exact: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def support_page() -> str:
    """The text of docs/clickhouse-support.md."""
    load()
    blocks = [*_introduction(), *_statements(), *_types(), *_functions(), *_formats(), *_refused()]
    return "\n\n".join(blocks) + "\n"


def _introduction() -> Iterator[str]:
    yield "<!-- Written by `python -m tbpy.clickhouse.support`; a change here is lost. -->"
    yield "# ClickHouse's SQL in tbpy"
    release = ".".join(CLICKHOUSE_VERSION.split(".")[:2])
    yield _paragraph(
        f"tbpy compiles the SQL of ClickHouse {release} to DuckDB's. What it answers, it answers as ClickHouse does: "
        "the same names of columns, types and values. What it cannot answer so, it refuses by name, with its place in "
        "the file. Three words are used below:"
    )
    yield "\n".join(
        (
            "- *exact*: as ClickHouse answers. Rare arguments (a type, a format that is no constant) may be refused.",
            "- *approximate*: the answer may differ, in the way that is told.",
            "- *refused*: not supported yet.",
        )
    )
    yield _paragraph(
        f"The catalogue has {len(SCALARS) + len(SPECIAL)} functions, {len(AGGREGATES)} aggregate and window functions "
        f"and {len(COMBINATORS)} combinators, aliases counted. Names that ClickHouse reads in any case are read so."
    )


def _paragraph(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _code(names: Iterable[str]) -> str:
    return _paragraph(", ".join(f"`{name}`" for name in names))


def _ordered(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (name.lower(), name))


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    every = [head, ("---",) * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in every)


# --- statements, types, formats ---


def _statements() -> Iterator[str]:
    yield "## Statements"
    yield _table(("exact", "example"), map(_statement, ANSWERED))
    yield _table(("approximate", "example"), map(_statement, APPROXIMATE))
    yield _table(("refused", "example"), map(_statement, REFUSED))


def _statement(statement: Statement) -> tuple[str, str]:
    return statement.what, f"`{statement.example}`"


def _types() -> Iterator[str]:
    yield "## Types"
    yield _table(
        ("ClickHouse", "in DuckDB", ""),
        ((f"`{text}`", f"`{duckdb_type(parse_type(text))}`", note) for text, note in _TYPES),
    )


def _formats() -> Iterator[str]:
    yield "## Formats"
    yield _code(FORMATS)
    yield "`TSV` is `TabSeparated` in every name."


# --- functions ---


def _functions() -> Iterator[str]:
    yield "## Functions"
    scalars: dict[str, tuple[str, str]] = {name: (row.build.__module__, row.note) for name, row in SCALARS.items()}
    scalars |= {name: (form.__module__, "") for name, form in SPECIAL.items()}
    yield from _families(scalars)
    yield "## Aggregate and window functions"
    yield from _families({name: (row.build.__module__, row.note) for name, row in AGGREGATES.items()})
    yield "### Combinators"
    yield "They follow the name of any aggregate function, one after another:"
    yield _code(f"-{suffix}" for suffix in sorted(COMBINATORS))
    yield "## Table functions"
    yield _code(_ordered(TABLE_FUNCTIONS))
    yield "Those that reach out (`url`, `s3`, `file`, `remote` ...) are refused as restricted, as on Tinybird."


def _families(found: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    families: dict[str, _Family] = {}
    for name in _ordered(found):
        module, note = found[name]
        if module not in families:
            families[module] = _Family(_title(module))
        (families[module].notes[note] if note else families[module].exact).append(name)
    for family in sorted(families.values(), key=lambda family: family.title.lower()):
        yield f"### {family.title}"
        if family.exact:
            yield _code(family.exact)
        for note, names in family.notes.items():
            yield _paragraph(f"Approximate ({note}): " + ", ".join(f"`{name}`" for name in names))


def _title(module: str) -> str:
    """The first sentence of the module's docstring."""
    documentation = importlib.import_module(module).__doc__ or module
    return " ".join(documentation.split("\n\n")[0].split()).split(". ")[0].rstrip(".")


def _refused() -> Iterator[str]:
    yield "## Refused functions"
    yield "ClickHouse has these, and tbpy refuses them by name. `*` stands for the rest of a name."
    answered = {name.lower() for name in (*SCALARS, *SPECIAL, *AGGREGATES)}
    for title, names in refused_groups(answered):
        yield _paragraph(f"**{title}**: " + ", ".join(f"`{name}`" for name in names))
