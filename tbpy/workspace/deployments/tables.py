"""Tables, journals and quarantines when deployments come and go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tbpy.engines import Session
from tbpy.workspace.catalogue import Catalogue
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.deployments import records
from tbpy.workspace.deployments.journal import drop_journals, drop_other_journals, followed, make_journals, own_names
from tbpy.workspace.deployments.records import Deployment, Stage
from tbpy.workspace.deployments.staging import import_id
from tbpy.workspace.migration import carry_quarantine, drop

Known = Mapping[int, Deployment]


def carry_quarantines(session: Session, live: Deployment, stored: Catalogue, next_: Deployment) -> None:
    """Brings the quarantines of a deployment to what is quarantined by now.

    Rows that did not fit when a deployment was made are quarantined with it alone: the other one has them as rows.
    """
    for name in own_names(next_.stored, stored) & stored.datasources.keys():
        old, new = stored.datasources[name], next_.stored.datasources[name]
        session.execute(
            f"DELETE FROM {new.quarantine} WHERE c__import_id IS DISTINCT FROM $own", {"own": import_id(next_.id)}
        )
        carry_quarantine(session, old, new, old.quarantine, without=import_id(live.id))


def let_go(session: Session, known: Known, before: Catalogue, live: Catalogue, kept: int) -> dict[int, Deployment]:
    """After another one became live: journals begin anew, and only the last `kept` can be gone back to."""
    later = {number: replace(found, read={}) for number, found in known.items()}
    able = [found for found in later.values() if found.stage is Stage.KEPT and not found.errors]
    last = sorted(able, key=lambda found: (found.left or found.created, found.id))[-kept:]
    for found in [one for one in later.values() if one.stage is Stage.KEPT and one not in last]:
        later[found.id] = replace(found, stage=Stage.DELETED, stored=Catalogue())
    drop_other_journals(session)
    make_journals(session, live, _journaled(later, live))
    _drop_unused(session, known, before, later, live)
    records.write(session, *(found for found in later.values() if found != known[found.id] or found.live))
    records.write(session, *(found for found in later.values() if found.follows))
    records.forget_old(session, later.values())
    return later


def drop_tables(session: Session, known: Known, later: Known, live: Catalogue) -> None:
    """Drops what deployments needed that are no longer there `later`."""
    drop_journals(session, live, _journaled(known, live) - _journaled(later, live))
    _drop_unused(session, known, live, later, live)


def _journaled(known: Known, live: Catalogue) -> frozenset[str]:
    return frozenset().union(*(followed(found, live) for found in known.values() if found.follows and not found.errors))


def _drop_unused(session: Session, known: Known, before: Catalogue, later: Known, live: Catalogue) -> None:
    used = {found.physical for found in _tables(later, live)}
    for found in {one.physical: one for one in _tables(known, before)}.values():
        if found.physical not in used:
            drop(session, found)


def _tables(known: Known, live: Catalogue) -> list[StoredDatasource]:
    stored = [live, *(found.stored for found in known.values() if found.follows)]
    return [found for one in stored for found in one.datasources.values()]
