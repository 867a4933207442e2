"""Rows for the data sources of a project, with the texts and JSON keys that its own queries ask for."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.project import Project
from tests.differential.fuzz.tables import random_value

_LITERAL = re.compile(r"(?:=|!=|<>|\bIN\s*\(|,|\bTHEN|\bLIKE)\s*'([^'\\\n{}%]{1,30})'", re.IGNORECASE)
_JSON_KEY = re.compile(
    r"(?:JSONExtract|simpleJSONExtract|visitParamExtract|JSONHas)(\w*)\(\s*[\w.`\"]+\s*,\s*'([^']+)'"
)
_JSON_PATH = re.compile(r"JSON_VALUE\(\s*[\w.]+\s*,\s*'\$\.(\w+)'")
_DAYS = 30


@dataclass
class RowSource:
    """Draws values; `texts` are those that queries compare with, `keys` those that they take out of JSON."""

    random: random.Random
    now: datetime
    texts: tuple[str, ...]
    keys: dict[str, str] = field(default_factory=dict)

    def value(self, name: str, type_: t.Type) -> Any:
        if t.is_nullable(type_) and self.random.random() < 0.2:
            return None
        inner = t.plain(type_)
        match inner:
            case t.DateTime() | t.DateTime64() | t.Date() | t.Date32():
                return self._moment(inner)
            case t.String():
                return self._text(name)
            case t.Int() if re.search(r"deleted|^is_", name.lower()):
                return self.random.randint(0, 1)
            case t.Int() if inner.bits >= 32 and re.search(r"time|_at$|date|(^|_)ts$", name.lower()):
                return self._ticks(inner)
            case t.Json():
                return json.loads(self._document())
            case t.Array(item):
                return [self.value(name, item) for _ in range(self.random.randint(0, 3))]
            case t.Map(_, item):
                return {key: self.value(key, item) for key in self.random.sample(self._map_keys(), 2)}
            case t.Tuple(items, names):
                parts = [self.value(name, item) for item in items]
                return parts if names is None else dict(zip(names, parts, strict=True))
        found = random_value(self.random, inner)
        return 0.5 if found in ("nan", "inf", "-inf") else found

    def _map_keys(self) -> list[str]:
        return sorted({*self.keys, "a", "b"})

    def _moment(self, type_: t.Type) -> str:
        seconds = self.random.choice((self.random.randint(0, 3600), self.random.randint(0, _DAYS * 86400)))
        moment = self.now - timedelta(seconds=seconds)
        if isinstance(type_, t.Date | t.Date32):
            return f"{moment:%Y-%m-%d}"
        fraction = ""
        if isinstance(type_, t.DateTime64) and type_.precision:
            fraction = f".{self.random.choice((0, 5, 250)):03}".ljust(type_.precision + 1, "0")[: type_.precision + 1]
        return f"{moment:%Y-%m-%d %H:%M:%S}{fraction}"

    def _ticks(self, type_: t.Int) -> int:
        moment = self.now - timedelta(seconds=self.random.randint(0, _DAYS * 86400))
        seconds = int((moment - datetime(1970, 1, 1)).total_seconds())
        return seconds * 1000 if type_.bits >= 64 else min(seconds, int(type_.maximum))

    def _text(self, name: str) -> str:
        lowered = name.lower()
        if re.search(r"payload|json|properties|metadata|attributes|headers|event_data|data$|raw|__value", lowered):
            return self._document()
        if re.search(r"url|href|referrer|link|origin", lowered):
            return self.random.choice(
                ("https://www.example.org/a/b?c=1#d", "http://x.io", "", "https://t.co/p?utm_source=x")
            )
        if re.search(r"date|timestamp|time$|_at$", lowered):
            return self._moment(t.DateTime())
        return self.random.choice((*self.texts, "x", "", "abc", "Ünï", "12"))

    def _document(self) -> str:
        found: dict[str, Any] = {}
        for key, kind in self.keys.items():
            if self.random.random() < 0.85:
                found[key] = self._member(key, kind)
        return json.dumps(found)

    def _member(self, key: str, kind: str) -> Any:
        if kind.startswith(("Int", "UInt", "Float")):
            return self.random.choice((0, 1, 7, 250, 1.5) if kind.startswith("Float") else (0, 1, 7, 250))
        if kind.startswith("Bool"):
            return self.random.random() < 0.5
        if kind.startswith("Array"):
            return [self.random.choice(self.texts or ("x",)) for _ in range(2)]
        return self._text(key) if not re.search(r"json|payload|data$", key.lower()) else {"a": 1}


def row_source(project: Project, now: datetime, seed: int) -> RowSource:
    """Values for the project's data sources; the same seed draws the same ones."""
    text = "\n".join(node.sql.text for pipe in project.pipes.values() for node in pipe.nodes)
    texts = list(dict.fromkeys(_LITERAL.findall(text)))[:25]
    keys = {key: kind for kind, key in _JSON_KEY.findall(text)}
    keys.update({key: "String" for key in _JSON_PATH.findall(text) if key not in keys})
    return RowSource(random.Random(seed), now, tuple(texts), keys)


def rows(source: RowSource, columns: Iterable[tuple[str, t.Type]], count: int) -> list[dict[str, Any]]:
    columns = list(columns)
    return [{name: source.value(name, type_) for name, type_ in columns} for _ in range(count)]
