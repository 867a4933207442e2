"""Compiled queries kept for the next request: what can be done once is done once.

A query's plan depends on its text and on the rendered SQL of every node that it reaches; values of parameters matter
only through those. A plan is found again by rendering those nodes with the new request's parameters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from tbpy.clickhouse.compiler import CompiledQuery
from tbpy.project import NodeKey

_QUESTIONS = 1024
_ALTERNATIVES = 16


@dataclass(frozen=True)
class Plan:
    """A compiled query, and the rendered SQL of the template nodes that it was compiled from.

    `compiled` None says that there is none for this SQL: it must be asked in another way. `open` are the parameters
    whose values can be left open, with the types of their texts, None where that is not known; `binds` says that the
    engine takes those that are texts as values of parameters of its own.
    """

    rendered: Mapping[NodeKey, str]
    compiled: CompiledQuery | None = None
    open: Mapping[str, str] | None = None
    binds: bool = False


@dataclass
class Plans:
    """Plans of one state of a project and its storage; the least recently used are forgotten. Threads may share it."""

    _kept: OrderedDict[Hashable, tuple[Plan, ...]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def find(self, question: Hashable, render: Callable[[NodeKey], str]) -> Plan | None:
        """The plan of a question whose nodes render as they did when it was compiled."""
        with self._lock:
            plans = self._kept.get(question, ())
            if plans:
                self._kept.move_to_end(question)
        for plan in plans:
            if all(render(key) == text for key, text in plan.rendered.items()):
                return plan
        return None

    def keep(self, question: Hashable, plan: Plan) -> None:
        with self._lock:
            plans = (plan, *self._kept.get(question, ()))
            self._kept[question] = plans[:_ALTERNATIVES]
            if len(self._kept) > _QUESTIONS:
                self._kept.popitem(last=False)
