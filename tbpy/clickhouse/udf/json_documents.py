"""JSON documents as ClickHouse's JSON type keeps them.

A document is the values at its paths: keys with dots in them are paths, what has no value is no path, and a path may
have a type of its own, or be skipped. The text of a document has its keys in ClickHouse's order, so equal documents are
equal texts.
Source: the answers of ClickHouse 26.9.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from struct import pack
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats.json_readers import default, reader
from tbpy.clickhouse.udf import Udf
from tbpy.clickhouse.udf.json_types import Pairs, add_path, dumped, leaves, loads, nested, typed

Read = Callable[[Any], Any]


class _Document:
    """Reads documents of one JSON type."""

    def __init__(self, type_: t.Json) -> None:
        self.readers = {path: reader(item, inner=read_inner) for path, item in type_.paths}
        self.defaults = {path: default(item) for path, item in type_.paths}
        self.skipped = type_.skipped
        self.patterns = [re.compile(pattern) for pattern in type_.patterns]

    def read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Pairs):
            raise ValueError(f"Cannot read JSON object from JSON element: {dumped(value)}")
        found: dict[str, Any] = {}
        self._walk(value, "", found)
        return nested({**self.defaults, **found})

    def _walk(self, pairs: Pairs, prefix: str, found: dict[str, Any]) -> None:
        for key, item in pairs:
            path = prefix + key
            if path in self.readers:
                add_path(found, path, self._typed(path, item))
            elif self._is_skipped(path):
                continue
            elif isinstance(item, Pairs):
                self._walk(item, f"{path}.", found)
            elif item is not None and not any(pattern.search(path) for pattern in self.patterns):
                add_path(found, path, typed(item)[1])

    def _is_skipped(self, path: str) -> bool:
        return any(path == prefix or path.startswith(f"{prefix}.") for prefix in self.skipped)

    def _typed(self, path: str, item: Any) -> Any:
        try:
            return self.readers[path](item)
        except ValueError as error:
            raise ValueError(f"{error} (while reading path {path})") from None


@lru_cache(maxsize=512)
def _document(type_: str) -> _Document:
    found = t.parse_type(type_)
    assert isinstance(found, t.Json)
    return _Document(found)


def read_inner(type_: t.Json, value: Any) -> dict[str, Any]:
    """A document inside another, at a path with such a type."""
    return _document(str(type_)).read(value)


def stored(text: str, type_: str) -> str:
    """The text of a document of a JSON type; raises ValueError with ClickHouse's words for what is none."""
    try:
        value = loads(text)
    except ValueError:
        raise ValueError(f"INCORRECT_DATA: Cannot parse JSON object here: {text}") from None
    try:
        return dumped(_document(type_).read(value))
    except ValueError as error:
        raise ValueError(f"INCORRECT_DATA: Cannot insert data into JSON column: {error}") from None


def stored_or_null(text: str | None, type_: str) -> str | None:
    """The same, None for what is no document."""
    try:
        return None if text is None else stored(text, type_)
    except ValueError:
        return None


def paths(text: str, type_: str, whole: bool) -> list[str]:
    """The paths of a stored document that have no type of their own, or with `whole` all."""
    return sorted(_path_types(text, type_, whole))


def path_types(text: str, type_: str, whole: bool) -> list[str]:
    """The types of `paths`, in the same order."""
    found = _path_types(text, type_, whole)
    return [found[path] for path in sorted(found)]


def distinct_paths(texts: list[str], type_: str) -> list[dict[str, Any]]:
    """The paths of all documents, those of the type among them, each with the types of its values; both sorted."""
    document = t.parse_type(type_)
    assert isinstance(document, t.Json)
    found = {path: {str(item)} for path, item in document.paths} if texts else {}
    for text in texts:
        for path, kind in _path_types(text, type_, True).items():
            found.setdefault(path, set()).add(kind)
    return [{"path": path, "types": sorted(found[path])} for path in sorted(found)]


def _path_types(text: str, type_: str, whole: bool) -> dict[str, str]:
    document = t.parse_type(type_)
    assert isinstance(document, t.Json)
    own = {path: str(item) for path, item in document.paths}
    inside = tuple(f"{path}." for path in own)
    found = {
        path: typed(value)[0].replace(str(t.Json().element), str(document.element))
        for path, value in leaves(loads(text), "")
        if path not in own and not path.startswith(inside)
    }
    return found | own if whole else found


def key(text: str, type_: str) -> str:
    """A text that is the same for equal documents, and less for lesser ones: by path, by type, by value."""
    document = t.parse_type(type_)
    assert isinstance(document, t.Json)
    own = {path for path, _ in document.paths}
    found = dict(leaves(loads(text), ""))
    return "".join(_path_key(path, found.get(path), path in own) for path in sorted(own | found.keys()))


def _path_key(path: str, value: Any, own: bool) -> str:
    kind, stored = ("", value) if own else typed(value)
    return f"\x01{path}\x00{kind}\x00{_value_key(stored)}"


def _value_key(value: Any) -> str:
    """Numbers as digits that sort as they do, lists element by element; what is shorter comes first."""
    if value is None:
        return "\x7f"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return f"1{value:080d}" if value >= 0 else f"0{10**80 + value:080d}"
    if isinstance(value, float):
        bits = int.from_bytes(pack(">d", value))
        return f"{bits ^ (1 << 63) if value >= 0 else bits ^ ((1 << 64) - 1):016x}"
    if isinstance(value, list):
        return "".join(f"\x02{_value_key(item)}" for item in value) + "\x00"
    if isinstance(value, dict):
        value = tuple(value.items())
    if isinstance(value, tuple):
        members = dict(leaves(Pairs(value), ""))
        return "".join(_path_key(path, members[path], False) for path in sorted(members)) + "\x00"
    return f"{value}\x00"


_V = "VARCHAR"

FUNCTIONS = {
    "tb_json_key": Udf(key, (_V, _V), _V),
    "tb_json_stored": Udf(stored, (_V, _V), _V),
    "tb_json_paths": Udf(paths, (_V, _V, "BOOLEAN"), "VARCHAR[]"),
    "tb_json_path_types": Udf(path_types, (_V, _V, "BOOLEAN"), "VARCHAR[]"),
    "tb_json_distinct_paths": Udf(
        distinct_paths, ("VARCHAR[]", _V), "STRUCT(path VARCHAR, types VARCHAR[])[]", null_handling="special"
    ),
    "tb_json_stored_or_null": Udf(stored_or_null, (_V, _V), _V, null_handling="special"),
}
