"""Which targets a build fills anew, and how the large ones are filled beside what is live.

A large target is filled in a table of its own while rows come in: from what its sources have at one moment, the cut.
What comes into the sources after it is noted in journals (see `deployments.journal`), from which the table catches up.
The build then puts the table in the place of the target, in the transaction that makes everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.engines import Session
from tbpy.project import Key, Plan, Project, plan
from tbpy.workspace.catalogue import Catalogue, StoredMaterialization
from tbpy.workspace.defining import define
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.deployments.journal import journal, length, make_journals
from tbpy.workspace.fixtures import find_fixtures
from tbpy.workspace.flowing import fill, flow, insert, last_row, over_block, targets_in_order
from tbpy.workspace.ingest.insertion import Progress
from tbpy.workspace.materializing import compile_all, fills_as_before, read_by
from tbpy.workspace.sorting import rewrite_sorted

# A target whose sources have fewer rows is filled in a moment, and whoever appends waits for that.
LARGE = 100_000
# No data source has this sign in its name.
_SUFFIX = "@populating"

Feeding = Sequence[StoredMaterialization]


def places_of(before: Catalogue, defined: Mapping[str, StoredDatasource]) -> dict[str, StoredDatasource]:
    """What is defined, where its tables are: those that a deployment made stay where they are."""
    places = {name: found.physical for name, found in before.datasources.items() if "@" in found.physical}
    return {name: replace(found, physical=places.get(name, found.physical)) for name, found in defined.items()}


def refills(
    project: Project,
    before: Catalogue,
    stored: Mapping[str, StoredDatasource],
    materializations: Feeding,
    touched: set[str],
    can_be_read: Callable[[StoredDatasource], bool],
) -> Iterator[tuple[str, Feeding]]:
    """The targets to fill anew, each after what it reads, with the nodes that fill it.

    They are those whose nodes are new or changed, or read anything `touched`: data sources with other rows than before,
    to which each target is added that was answered.
    """
    old = set(before.materializations)
    for name in targets_in_order(materializations, read_by(project, materializations)):
        feeding = [item for item in materializations if item.target == name]
        kept = all(fills_as_before(project, item, old) for item in feeding)
        if kept and touched.isdisjoint(item.source for item in feeding):
            continue
        if (project.all_datasources[name].backfill or "").lower() == "skip":
            continue
        if not all(can_be_read(stored[item.source]) for item in feeding):
            continue  # what went through ENGINE Null can not be had again
        yield name, feeding
        touched.add(name)


@dataclass
class Population:
    """Targets that are filled beside the live ones, by their names and in order, with the nodes that fill each.

    `read` is how far the journal of each source is read, `rows` how many rows of each table are stored in order.
    """

    before: Catalogue
    stored: Mapping[str, StoredDatasource]
    fills: Mapping[str, Feeding]
    read: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = {
            name: replace(self.stored[name], physical=f"{self.stored[name].physical}{_SUFFIX}") for name in self.fills
        }
        nodes = [node for feeding in self.fills.values() for node in feeding]
        self._nodes = tuple(self._beside(node) for node in nodes)
        self._all = {**self.before.datasources, **self.tables}
        self.sources = frozenset(node.source for node in nodes if node.source not in self.tables)

    @property
    def functions(self) -> tuple[str, ...]:
        """The Python functions that filling calls."""
        names = {name for node in self._nodes for name in node.functions}
        for found in self.tables.values():
            names.update((*found.functions, *found.merge_functions))
        return tuple(sorted(names))

    def begin(self, session: Session) -> None:
        """From now on what comes in has to be noted in the journals of `sources`. Nobody else writes meanwhile."""
        make_journals(session, self.before, self.sources)
        self.read = {name: length(session, self.before.datasources[name]) for name in self.sources}

    def fill(self, session: Session, moment: datetime, progress: Progress) -> None:
        """Makes the tables of what the sources have; `progress` is told the done part, 0 to 1."""
        for found in self.tables.values():
            session.execute(found.table_ddl)
        for done, node in enumerate(self._nodes):
            before = done / len(self._nodes)
            with session.watched(lambda part, before=before: progress(before + part / len(self._nodes))):  # type: ignore[misc]
                fill(session, node, self._all, moment)
        # After all are filled, for a node sees the rows that were made, not what merges leave of them.
        self.rows = {name: rewrite_sorted(session, found, merged=True) for name, found in self.tables.items()}

    def catch_up(self, session: Session, moment: datetime) -> int:
        """Takes over what journals have beyond `read`; answers how many rows of the sources that were."""
        taken = 0
        for name in sorted(self.sources):
            source = self.before.datasources[name]
            start, end = self.read[name], length(session, source)
            for node in (node for node in self._nodes if node.source == name and end > start):
                target = self.tables[node.target]
                last = last_row(session, target)
                if insert(session, over_block(node, source, journal(source), end), target, start - 1, moment):
                    flow(session, self._nodes, self._all, target.name, last, moment)
            self.read[name] = end
            taken += end - start
        return taken

    def put_in_place(self, session: Session, name: str) -> int:
        """Makes the table that of the target; answers how many of its rows are stored in order."""
        session.execute(f"DROP TABLE {self.stored[name].table}")
        session.execute(f"ALTER TABLE {self.tables[name].table} RENAME TO {self.stored[name].table}")
        return self.rows[name]

    def drop(self, session: Session) -> None:
        for found in self.tables.values():
            session.execute(f"DROP TABLE IF EXISTS {found.table}")

    def _beside(self, node: StoredMaterialization) -> StoredMaterialization:
        beside = self.tables.get(node.source)
        return node if beside is None else over_block(node, self.stored[node.source], beside.table)


def plan_population(session: Session, project: Project, before: Catalogue) -> Population | None:
    """What a build of `project` should fill beside what is live; None when it has nothing large to fill.

    Only what reads data sources that the build leaves as they are can be filled before it.
    """
    large = _large(session)
    large_ones = {name for name, found in before.datasources.items() if found.physical in large}
    if not large_ones or project.errors or not _changes_nodes(project, plan(before.fingerprints, project)):
        return None
    stored = places_of(before, define(project))
    materializations, _ = compile_all(project, stored)
    fixtures = {name: item.digest for name, item in find_fixtures(project).items()}
    named = before.fixtures.keys() | fixtures.keys()
    touched = {name for name in named if before.fixtures.get(name) != fixtures.get(name)}
    reads, fills = read_by(project, materializations), dict[str, Feeding]()

    def stays(name: str) -> bool:
        old = before.datasources.get(name)
        return old is not None and old.has_table_of(stored[name]) and name not in touched

    def can_read(node: StoredMaterialization) -> bool:
        others = (name for name in reads[node.pipe] if name != node.source)
        source_stays = stored[node.source].stores_rows and stays(node.source)
        return (node.source in fills or source_stays) and all(map(stays, others))

    for name, feeding in refills(project, before, stored, materializations, touched, lambda _: True):
        pays = any(node.source in fills or node.source in large_ones for node in feeding)
        if pays and stored[name].stores_rows and name not in named and all(map(can_read, feeding)):
            fills[name] = feeding
    return Population(before, stored, fills) if fills else None


def drop_left_behind(session: Session) -> None:
    """Drops the tables of a process that ended while it filled them."""
    sql = f"SELECT table_name FROM duckdb_tables() WHERE ends_with(table_name, {duckdb_string(_SUFFIX)})"
    for (name,) in session.rows(sql):
        session.execute(f"DROP TABLE {duckdb_name(name)}")


def _large(session: Session) -> set[str]:
    sql = f"SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND estimated_size >= {LARGE}"
    return {name for (name,) in session.rows(sql)}


def _changes_nodes(project: Project, todo: Plan) -> bool:
    """Whether any materialized node is other than before, or reads something that is."""
    return any(_materializes(project, (key, *project.graph.dependents(key))) for key in todo.rebuild)


def _materializes(project: Project, keys: Iterable[Key]) -> bool:
    pipes = (project.pipes.get(key.name) for key in keys if key.kind == "pipe")
    return any(node.type == "materialized" for pipe in pipes if pipe is not None for node in pipe.nodes)
