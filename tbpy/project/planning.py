"""The difference of two projects: what a build has to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tbpy.datafiles import Kind
from tbpy.project.model import Key, Project


@dataclass(frozen=True, slots=True)
class Plan:
    """`added` and `changed` come in the order to build them, `removed` in the order to drop them.

    A resource is changed when its fingerprint is another, be it by its own file or by a schema it depends on.
    """

    added: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    removed: tuple[Key, ...] = ()
    rebuild: tuple[Key, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.rebuild or self.removed)


def plan(old: Project | Mapping[str, str] | None, new: Project) -> Plan:
    """What changes from `old`, a project or the fingerprints of one (None: nothing was built), to `new`."""
    before = old.fingerprints if isinstance(old, Project) else dict(old or {})
    now = new.fingerprints
    order = new.graph.order
    added = tuple(key for key in order if str(key) not in before)
    changed = tuple(key for key in order if str(key) in before and before[str(key)] != now[str(key)])
    rebuild = tuple(key for key in order if before.get(str(key)) != now[str(key)])
    return Plan(added, changed, _removed(old, before, now), rebuild)


def _removed(
    old: Project | Mapping[str, str] | None, before: Mapping[str, str], now: Mapping[str, str]
) -> tuple[Key, ...]:
    """Pipes go before the data sources that they read and write."""
    names = [name for name in before if name not in now]
    if isinstance(old, Project):
        return tuple(key for key in reversed(old.graph.order) if str(key) in names)
    keys = [Key(Kind(kind), name) for kind, _, name in (text.partition(":") for text in names)]
    return tuple(sorted(keys, key=lambda key: (key.kind is not Kind.PIPE, key.kind is Kind.CONNECTION, key.name)))
