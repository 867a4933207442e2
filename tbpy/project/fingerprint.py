"""What a resource is, as a digest: it changes exactly when the resource has to be built anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from tbpy.datafiles import Connection, Datasource, Pipe, Settings
from tbpy.project.model import Key


def schema_digest(datasource: Datasource) -> str:
    """Columns and engine: what a reader or writer of the data source depends on."""
    engine = datasource.engine
    parts = [column.declaration() for column in datasource.columns]
    parts.append(f"ENGINE {engine.name if engine else None}")
    parts += [f"{item.name}={item.value}" for item in (engine.arguments if engine else ())]
    parts += [f"INDEX {index}" for index in datasource.indexes]
    return _digest(parts)


def definition_digest(content: Datasource | Pipe | Connection) -> str:
    """All that a file says about what is built; descriptions, tokens and tags say nothing about that."""
    match content:
        case Datasource():
            query = content.forward_query.text if content.forward_query else ""
            return _digest([schema_digest(content), query, *_settings(content.settings)])
        case Pipe():
            parts: list[str] = []
            for node in content.nodes:
                parts += [node.name, node.type or "", node.sql.text, *_settings(node.settings)]
            return _digest(parts)
        case Connection():
            return _digest([content.type or "", *_settings(content.settings)])


def fingerprints(
    definitions: Mapping[Key, str], schemas: Mapping[Key, str], needs: Mapping[Key, Iterable[Key]], order: Iterable[Key]
) -> dict[Key, str]:
    """Of each resource: its definition and, of what it needs, schemas of data sources and fingerprints of pipes."""
    found: dict[Key, str] = {}
    for key in order:
        needed = sorted(needs.get(key, ()))
        parts = [definitions[key]]
        parts += [f"{other}={schemas.get(other) or found.get(other, '')}" for other in needed]
        found[key] = _digest(parts)
    return found


def _settings(settings: Settings) -> list[str]:
    return [f"{item.name}={item.value}" for item in settings.items]


def _digest(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.hexdigest()
