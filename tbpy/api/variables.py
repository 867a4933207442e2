"""Variables, which `tb` calls secrets: set over the API, kept in a file of their own that only its owner may read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from tbpy.errors import ConflictError, NotFoundError


@dataclass(frozen=True, slots=True)
class Variable:
    """`created` and `updated` are ISO 8601 in UTC. The value is never shown."""

    name: str
    value: str
    created: str
    updated: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": "secret",
            "created_at": self.created,
            "updated_at": self.updated,
            "edited_by": "",
        }


class VariableStore:
    """`path` None keeps them in memory."""

    def __init__(self, path: Path | None, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._lock = Lock()
        self._variables = {item.name: item for item in _read(path)}

    def all(self) -> tuple[Variable, ...]:
        return tuple(self._variables.values())

    def values(self) -> dict[str, str]:
        return {name: variable.value for name, variable in self._variables.items()}

    def get(self, name: str) -> Variable:
        """Raises `NotFoundError`."""
        if name not in self._variables:
            raise NotFoundError("Not found")
        return self._variables[name]

    def create(self, name: str, value: str) -> Variable:
        """Raises `ConflictError` when there is one of that name."""
        with self._lock:
            if name in self._variables:
                raise ConflictError(f"Variable {name} already exists")
            now = self._now()
            return self._put(Variable(name, value, now, now))

    def change(self, name: str, value: str) -> Variable:
        """Raises `NotFoundError`."""
        with self._lock:
            return self._put(replace(self._known(name), value=value, updated=self._now()))

    def delete(self, name: str) -> None:
        """Raises `NotFoundError`."""
        with self._lock:
            del self._variables[self._known(name).name]
            self._write()

    def _known(self, name: str) -> Variable:
        if name not in self._variables:
            raise NotFoundError("Variable not found")
        return self._variables[name]

    def _put(self, variable: Variable) -> Variable:
        self._variables[variable.name] = variable
        self._write()
        return variable

    def _now(self) -> str:
        return f"{self._clock():%Y-%m-%dT%H:%M:%S.%f}"

    def _write(self) -> None:
        if self._path is None:
            return
        temporary = self._path.with_suffix(".tmp")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump([asdict(variable) for variable in self._variables.values()], file)
        temporary.replace(self._path)


def _read(path: Path | None) -> list[Variable]:
    if path is None or not path.exists():
        return []
    try:
        return [Variable(**item) for item in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise ConflictError(f"{path} is damaged: {error}", hint="remove it and set the variables again") from error
