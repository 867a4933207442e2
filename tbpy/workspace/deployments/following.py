"""Rows that came into the live tables, taken over by the deployments that have others: their tables, and what their
nodes materialize into these, are as if they had got the rows themselves.

Deployments may share tables with each other that are not live. So they are looked at together, by table: each has one
owner, the newest deployment that has it, whose nodes fill it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tbpy.clickhouse.compiler import CompiledQuery
from tbpy.engines import Session
from tbpy.errors import TbpyError
from tbpy.workspace.catalogue import Catalogue, StoredMaterialization
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.deployments.journal import LANDED, followed, journal, length
from tbpy.workspace.deployments.records import Deployment
from tbpy.workspace.deployments.staging import import_id
from tbpy.workspace.flowing import empty_nulls, flow, insert, last_row, over_block, reached
from tbpy.workspace.ingest.quarantine import Import
from tbpy.workspace.migration import carry, conversion
from tbpy.workspace.replacing import refill_targets, remove_rows

Condition = Callable[[Deployment], CompiledQuery | None]


class LeftBehindError(Exception):
    """Some deployments cannot follow; what was done for the others meanwhile must be taken back."""

    def __init__(self, deployments: Sequence[Deployment], error: TbpyError) -> None:
        self.deployments, self.error = deployments, error
        super().__init__(error.message)


@dataclass(frozen=True, slots=True)
class _Own:
    """A table that is not live."""

    name: str
    stored: StoredDatasource
    owner: Deployment


class Followers:
    """Deployments that have followed the live one up to the same row. Names in `_nodes` and `_stored` are of tables."""

    def __init__(self, group: Sequence[Deployment], live: Catalogue, moment: datetime) -> None:
        self._group, self._live, self._moment = group, live, moment
        places = {found.physical for found in live.datasources.values()}
        self._own: dict[str, _Own] = {}
        self._stored = {found.physical: _by_table(found) for found in live.datasources.values()}
        for one in sorted(group, key=lambda found: found.id):
            for name, found in one.stored.datasources.items():
                if found.physical not in places:
                    self._own[found.physical] = _Own(name, found, one)
                    self._stored[found.physical] = _by_table(found)
        self._nodes = tuple(node for one in group for node in self._nodes_of(one))

    @property
    def numbers(self) -> list[int]:
        return [one.id for one in self._group]

    @property
    def functions(self) -> tuple[str, ...]:
        """The Python functions that following calls."""
        return tuple(sorted({name for one in self._group for name in one.stored.functions}))

    def catch_up(self, session: Session, read: Mapping[str, int]) -> dict[str, int]:
        """Takes over what journals have above the rows `read`; answers what is read then. Raises `LeftBehindError`."""
        now = dict(read)
        for name in sorted({name for one in self._group for name in followed(one, self._live)}):
            start, end = now.get(name, 0), length(session, self._live.datasources[name])
            if end > start:
                self._take_over(session, name, start, end)
            now[name] = end
        return now

    def take_out(self, session: Session, name: str, condition: Condition) -> None:
        """Removes rows as they were removed from a live table: all, or those that the condition numbers."""
        for own in self._named(name):
            with _Writing(self, own):
                compiled = condition(own.owner)
                session.register(compiled.functions if compiled else ())
                remove_rows(session, own.stored, compiled, self._moment)

    def refill(self, session: Session, name: str) -> None:
        """Makes anew what nodes make of a data source whose rows were replaced, and of what flows out of it."""
        names = reached(self._live.materializations, name)
        changed = [own.stored.physical for other in names for own in self._named(other)]
        changed += [self._live.datasources[other].physical for other in names]
        refill_targets(session, self._nodes, self._stored, changed, self._moment)

    def _nodes_of(self, one: Deployment) -> list[StoredMaterialization]:
        stored = one.stored.datasources
        return [
            replace(node, source=stored[node.source].physical, target=stored[node.target].physical)
            for node in one.stored.materializations
            if (own := self._own.get(stored[node.target].physical)) is not None and own.owner is one
        ]

    def _named(self, name: str) -> list[_Own]:
        return [own for own in self._own.values() if own.name == name]

    def _take_over(self, session: Session, name: str, start: int, end: int) -> None:
        source = journal(self._live.datasources[name])
        for own in self._named(name):
            # What nodes make of the rows that they read is not taken over as well.
            landed = f" AND {LANDED}" if any(node.target == own.stored.physical for node in self._nodes) else ""
            rows = f"(SELECT * FROM {source} WHERE rowid >= {start} AND rowid < {end}{landed})"
            with _Writing(self, own):
                self._land(session, own, rows)
        for node in self._nodes:
            if node.source == self._live.datasources[name].physical:
                with _Writing(self, self._own[node.target]):
                    self._run(session, node, source, start, end)

    def _land(self, session: Session, own: _Own, rows: str) -> None:
        new, old = own.stored, self._live.datasources[own.name]
        how = own.owner.conversions.get(own.name) or conversion(old, new, self._moment)
        session.register(new.functions)
        before = last_row(session, new)
        import_ = Import(import_id(own.owner.id), self._moment)
        if carry(session, new, how, rows, import_, self._moment)[0]:
            flow(session, self._nodes, self._stored, new.physical, before, self._moment)
        empty_nulls(session, self._stored, (new.physical,))

    def _run(self, session: Session, node: StoredMaterialization, source: str, start: int, end: int) -> None:
        """Runs a node that reads a live table over rows of its journal, and what reads on from there."""
        block = over_block(node, self._stored[node.source], source, end)
        target = self._stored[node.target]
        before = last_row(session, target)
        if insert(session, block, target, start - 1, self._moment):
            flow(session, self._nodes, self._stored, target.physical, before, self._moment)

    def having(self, own: _Own) -> tuple[Deployment, ...]:
        """All deployments that have a table."""
        found = (one for one in self._group if own.stored.physical in _places(one))
        return tuple(found)


class _Writing:
    """What fails inside leaves behind who has the table."""

    def __init__(self, followers: Followers, own: _Own) -> None:
        self._followers, self._own = followers, own

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        if isinstance(error, TbpyError):
            raise LeftBehindError(self._followers.having(self._own), error) from error


def _by_table(found: StoredDatasource) -> StoredDatasource:
    return replace(found, name=found.physical)


def _places(deployment: Deployment) -> set[str]:
    return {found.physical for found in deployment.stored.datasources.values()}
