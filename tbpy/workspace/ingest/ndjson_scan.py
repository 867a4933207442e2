"""NDJSON as relations: what DuckDB's JSON reader gives for each column, typed or out of whole documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.workspace.ingest.paths import EACH, extract, pointer
from tbpy.workspace.ingest.readings import Reading, fast_json, full_json
from tbpy.workspace.ingest.scan import Scan
from tbpy.workspace.ingest.target import TargetColumn


@dataclass(slots=True)
class _Tree:
    """The part of a document that is read: `leaf` is a DuckDB type, None for an object with `keys`."""

    leaf: str | None = None
    keys: dict[str, _Tree] = field(default_factory=dict)

    def type(self) -> str:
        if self.leaf is not None:
            return self.leaf
        return "STRUCT(" + ", ".join(f"{duckdb_name(key)} {tree.type()}" for key, tree in self.keys.items()) + ")"


def readings(columns: Sequence[TargetColumn], fast: Iterable[int] = ()) -> tuple[Reading, ...]:
    """The readings of the columns: fast ones at the positions in `fast`."""
    chosen = set(fast)
    return tuple(
        (fast_json(column, f"s{i}", f"v{i}") if i in chosen else None) or full_json(column, f"s{i}", f"v{i}")
        for i, column in enumerate(columns)
    )


def fast_positions(columns: Sequence[TargetColumn]) -> frozenset[int]:
    """The columns that have a fast reading; none when documents must be read whole."""
    found = (i for i, column in enumerate(columns) if not column.path.rest and fast_json(column, "s", "v") is not None)
    positions = frozenset(found)
    return positions if _tree(columns, readings(columns, positions)) is not None else frozenset()


def scan_file(path: Path, compression: str, columns: Sequence[TargetColumn], chosen: tuple[Reading, ...]) -> Scan:
    """The rows of a file; a line that is no JSON object is a row in which nothing is good."""
    tree = _tree(columns, chosen)
    if tree is None:
        documents = _reader(path, compression, {"json": "JSON"}, records=False)
        whole = f"(SELECT CASE WHEN json_type(json) = 'OBJECT' THEN json END AS doc FROM {documents})"
        return Scan(f"SELECT {_from_document(columns, chosen)}, doc FROM {whole}", columns, chosen, "doc IS NOT NULL")
    reader = _reader(path, compression, {key: part.type() for key, part in tree.keys.items()}, records=True)
    parts = ", ".join(_reference(c, reading, i) for i, (c, reading) in enumerate(zip(columns, chosen, strict=True)))
    # A row without any value may be a line that is no object: left to the reading of raw lines.
    known = "" if any(not c.may_be_absent for c in columns) else f"NOT ({_all_null(len(columns))})"
    return Scan(f"SELECT {parts} FROM {reader}", columns, chosen, known or "true")


def count_objects(path: Path) -> str:
    """SQL of the number of lines that are JSON objects."""
    documents = _reader(path, "none", {"json": "JSON"}, records=False)
    return f"SELECT count(*) FROM {documents} WHERE json_type(json) = 'OBJECT'"


def scan_lines(table: str, columns: Sequence[TargetColumn]) -> Scan:
    """The rows of raw lines, in a table with a column `line`; with full readings, and the raw text of each column."""
    chosen = readings(columns)
    is_object = "json_valid(line) AND json_type(line) = 'OBJECT'"
    documents = f"(SELECT line, CASE WHEN {is_object} THEN CAST(line AS JSON) END AS doc FROM {table})"
    values, raw = _Extracted("x", columns, chosen), _Extracted("raw", columns)
    parts = ", ".join(f"{values.of(i)} AS s{i}, {raw.of(i)} AS r{i}" for i in range(len(columns)))
    relation = f"SELECT {parts}, line, doc FROM (SELECT line, doc{values.lists}{raw.lists} FROM {documents})"
    return Scan(relation, columns, chosen, "doc IS NOT NULL")


class _Extracted:
    """The values of columns in a document `doc`: each kind at once, for each call reads it anew.

    `name` begins the names of the lists. Without readings the values are bare texts.
    """

    def __init__(self, name: str, columns: Sequence[TargetColumn], chosen: Sequence[Reading] | None = None) -> None:
        self._name = name
        self._steps = [column.path.steps for column in columns]
        self._as_text = [chosen is None or chosen[i].read_as == "VARCHAR" for i in range(len(columns))]
        listed = [i for i, steps in enumerate(self._steps) if EACH not in steps]
        self._texts = [i for i in listed if self._as_text[i]]
        self._jsons = [i for i in listed if not self._as_text[i]]

    @property
    def lists(self) -> str:
        """The select list of the lists, with a comma before each."""
        kinds = (("texts", "json_extract_string", self._texts), ("jsons", "json_extract", self._jsons))
        return "".join(
            f", {function}(doc, [{', '.join(pointer(self._steps[i]) for i in positions)}]) AS {self._name}_{kind}"
            for kind, function, positions in kinds
            if positions
        )

    def of(self, position: int) -> str:
        """SQL of the value of a column, over the lists; NULL where it is `null`."""
        if position in self._texts:
            return f"{self._name}_texts[{self._texts.index(position) + 1}]"
        if position in self._jsons:
            found = f"{self._name}_jsons[{self._jsons.index(position) + 1}]"
            return f"nullif(CAST({found} AS VARCHAR), 'null')"
        return extract("doc", self._steps[position], text=self._as_text[position])


def _from_document(columns: Sequence[TargetColumn], chosen: Sequence[Reading]) -> str:
    return ", ".join(
        f"{extract('doc', column.path.steps, text=reading.read_as == 'VARCHAR')} AS s{i}"
        for i, (column, reading) in enumerate(zip(columns, chosen, strict=True))
    )


def _reference(column: TargetColumn, reading: Reading, position: int) -> str:
    """What the reader gave for a column, as `s<position>`."""
    field_ = ".".join(duckdb_name(key) for key in column.path.keys)
    if column.path.rest:
        field_ = extract(field_, column.path.rest, text=reading.read_as == "VARCHAR")
    elif reading.read_as == "JSON":
        field_ = f"CAST({field_} AS VARCHAR)"
    return f"{field_} AS s{position}"


def _tree(columns: Sequence[TargetColumn], chosen: Sequence[Reading]) -> _Tree | None:
    """What to ask the reader for; None when two columns want different things of one value, or one the whole document.

    Keys that differ in case only cannot stand in one DuckDB structure.
    """
    root = _Tree()
    for column, reading in zip(columns, chosen, strict=True):
        keys = column.path.keys
        wanted = "JSON" if column.path.rest else reading.read_as
        if not keys or not _add(root, keys, wanted):
            return None
    return root


def _add(tree: _Tree, keys: tuple[str, ...], leaf: str) -> bool:
    key, *rest = keys
    found = tree.keys.get(key)
    if found is None:
        if key.lower() in (other.lower() for other in tree.keys):
            return False
        found = tree.keys[key] = _Tree(None if rest else leaf)
    if rest:
        return found.leaf is None and _add(found, tuple(rest), leaf)
    return found.leaf == leaf


def _all_null(count: int) -> str:
    return " AND ".join(f"s{i} IS NULL" for i in range(count))


def _reader(path: Path, compression: str, types: dict[str, str], *, records: bool) -> str:
    columns = ", ".join(f"{duckdb_string(key)}: {duckdb_string(type_)}" for key, type_ in types.items())
    return (
        f"read_json({duckdb_string(str(path))}, format = 'newline_delimited', columns = {{{columns}}}, "
        f"records = '{str(records).lower()}', ignore_errors = true, compression = '{compression}')"
    )
