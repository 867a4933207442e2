"""What was found out about nodes when a project was loaded: most of them are as they were when it is loaded again.

Nothing is remembered of mistakes, so every load reports all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from tbpy.clickhouse.compiler.catalog import Table, View

V = TypeVar("V")


class _Catalog(Protocol):
    def resolve(self, name: str, database: str | None = None) -> Table | View | None: ...
    def names(self) -> tuple[str, ...]: ...


@dataclass
class Recorder:
    """A catalog that keeps what it was asked and what it answered."""

    inner: _Catalog
    answers: dict[tuple[str, str | None], Table | View | None] = field(default_factory=dict)

    def resolve(self, name: str, database: str | None = None) -> Table | View | None:
        found = self.answers[name, database] = self.inner.resolve(name, database)
        return found

    def names(self) -> tuple[str, ...]:
        return self.inner.names()

    def as_before(self, answers: dict[tuple[str, str | None], Table | View | None]) -> bool:
        """Whether the same questions have the same answers now."""
        return all(self.inner.resolve(*question) == answer for question, answer in answers.items())


@dataclass
class Memory:
    """Kept by who loads one project again and again; what the last load did not use is forgotten."""

    _before: dict[Hashable, Any] = field(default_factory=dict)
    _now: dict[Hashable, Any] = field(default_factory=dict)

    def turn(self) -> None:
        """A load begins."""
        self._before, self._now = self._now, {}

    def recall(self, question: Hashable, find: Callable[[], V]) -> V:
        """The answer that was found before, else what `find` finds; None is not remembered."""
        known: V | None = self._now.get(question) or self._before.get(question)
        found = find() if known is None else known
        if found is not None:
            self._now[question] = found
        return found

    def compiled(self, question: Hashable, catalog: Recorder, compile_: Callable[[], V]) -> V:
        """As `recall`, for what also depends on the answers of a catalog."""
        known = self._now.get(question) or self._before.get(question)
        if known is not None and catalog.as_before(known[0]):
            answers, found = known
        else:
            found = compile_()
            answers = catalog.answers
        self._now[question] = (answers, found)
        result: V = found
        return result
