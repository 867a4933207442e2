"""Plans of endpoints that serve all requests that differ only in values which the plan does not depend on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tbpy.clickhouse.compiler import CompiledQuery
from tbpy.datafiles import Node, Pipe
from tbpy.errors import TbpyError
from tbpy.project import NodeKey
from tbpy.workspace.open_values import Kinds, OpenValues, kinds_of
from tbpy.workspace.plans import Plan
from tbpy.workspace.scopes import Scope

if TYPE_CHECKING:
    from tbpy.workspace.querying import Request


@dataclass(frozen=True)
class Opening:
    """One request to an endpoint, and the plans that it shares with others.

    Which values can be left open is found out at the second request of a shape: most of what is asked once, after a
    build, is not asked again with other values.
    """

    request: Request
    pipe: Pipe
    node: Node

    def find(self, values: OpenValues) -> CompiledQuery | None:
        """The plan of the request, its values put in; None where it must be planned with them."""
        shape = _Opened(self.request, values)
        question = ("shape", self.pipe.name, shape.render(self.pipe, self.node))
        known = self.request.plans.find(question, shape.rendered)
        if known is None:
            self.request.plans.keep(question, Plan({}))
            return None
        if known.open is None:
            known = self._plan(shape) or Plan(shape.texts, open=self._openable(values))
            self.request.plans.keep(question, known)
        return _with_values(known, values) or self._with_fewer(values.only(known.open or {}))

    def _with_fewer(self, values: OpenValues) -> CompiledQuery | None:
        """As `find`, where the shape's plan depends on the other values."""
        if not values.values:
            return None
        opened = _Opened(self.request, values)
        question = ("open", self.pipe.name, opened.render(self.pipe, self.node))
        known = self.request.plans.find(question, opened.rendered)
        if known is None:
            known = self._plan(opened) or Plan(opened.texts)
            self.request.plans.keep(question, known)
        return _with_values(known, values)

    def _openable(self, values: OpenValues) -> Kinds:
        """As many of the values as a plan can leave open together."""
        found: dict[str, str] = {}
        for name in _used(values, self.request.rendered_texts()):
            for kind in kinds_of(values.values[name]):
                more = {**found, name: kind}
                if self._plan(_Opened(self.request, values.only(more))) is not None:
                    found = more
                    break
        return found

    def _plan(self, opened: _Opened) -> Plan | None:
        """A plan with open values; None when it is not the one that these values have by themselves."""
        request, values = self.request, opened.values
        text = opened.render(self.pipe, self.node)
        catalog = Scope(request.project, request.stored, opened.render).catalog(self.pipe, self.node)
        own = request.compile_rendered(self.pipe, self.node)
        try:
            plan = request.compile_text(text, catalog, values.parameters)
        except TbpyError:
            return None
        if values.fill(plan) != own:
            return None
        binds = request.agree(own, values.bind(plan))
        return Plan(opened.texts, plan, values.kinds, binds)


@dataclass
class _Opened:
    """The SQL of nodes with parameters in the places of values. `texts` are those that were asked for."""

    request: Request
    values: OpenValues
    texts: dict[NodeKey, str] = field(default_factory=dict)

    def render(self, pipe: Pipe, node: Node) -> str:
        if not node.sql.is_template:
            return node.sql.text
        key = NodeKey(pipe.name, node.name)
        if key not in self.texts:
            self.texts[key] = self.values.open(self.request.rendered(key))
        return self.texts[key]

    def rendered(self, key: NodeKey) -> str:
        pipe = self.request.project.pipes[key.pipe]
        node = pipe.node(key.node)
        assert node is not None
        return self.render(pipe, node)


def _with_values(plan: Plan, values: OpenValues) -> CompiledQuery | None:
    if plan.compiled is None:
        return None
    return values.bind(plan.compiled) if plan.binds else values.fill(plan.compiled)


def _used(values: OpenValues, texts: Iterable[str]) -> list[str]:
    """The names of the values that stand in any of the texts."""
    texts = tuple(texts)
    return [
        name
        for name, kind in values.kinds.items()
        if any(values.only({name: kind}).open(text) != text for text in texts)
    ]
