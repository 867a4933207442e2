"""Deployments over the HTTP API: a project's files are sent, and the server's answer is a plan or a deployment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tbpy.client.http_api import HttpApi
from tbpy.errors import ConflictError, NotFoundError

_KINDS = ("datasource", "pipe", "data_connector")
_PERIOD = 1.0  # seconds between two looks at a deployment
_READY = "data_ready"
_GONE = ("failed", "deleting", "deleted")


@dataclass(frozen=True, slots=True)
class Change:
    """`what` is added, changed or deleted; `kind` is data source, pipe or connection."""

    what: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Movement:
    """Rows that are written again: `how` is the server's word for it."""

    datasource: str
    how: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """`level` is ERROR, WARNING or INFO; `resource` is what it is about, a file for mistakes in one."""

    level: str
    resource: str
    message: str


@dataclass(frozen=True, slots=True)
class TokenChange:
    """`added` and `removed` are permissions such as `READ top`."""

    token: str
    change: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deployment changes, or would. `id` is empty for one that was only looked at or never made.

    `result` is success, failed or no_changes; `movements` None where the server does not tell.
    """

    id: str
    status: str
    live: bool
    result: str
    changes: tuple[Change, ...] = ()
    movements: tuple[Movement, ...] | None = None
    tokens: tuple[TokenChange, ...] = ()
    remarks: tuple[Remark, ...] = ()
    created_at: str = ""

    @property
    def failed(self) -> bool:
        return self.result == "failed"


class Deployments:
    """Errors are those of `HttpApi`."""

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    def check(self, files: Mapping[str, str], *, destructive: bool = False) -> Deployment:
        """What a deployment of these files (text by path) would do; nothing is changed."""
        return self._send(files, {"check": "true", "allow_destructive_operations": _flag(destructive)})

    def create(self, files: Mapping[str, str], *, promote: bool, destructive: bool = False) -> Deployment:
        """Begins a deployment, which becomes live by itself with `promote`."""
        options = {"auto_promote": _flag(promote), "allow_destructive_operations": _flag(destructive)}
        return self._send(files, options)

    def wait(
        self, deployment: Deployment, *, live: bool, told: Callable[[str], None] = lambda status: None
    ) -> Deployment:
        """Until the data is there, with `live` until it answers requests; `told` hears each new status."""
        seen = deployment.status
        while not deployment.failed:
            if deployment.status != seen:
                told(deployment.status)
            seen = deployment.status
            if deployment.status in _GONE:
                return replace(deployment, result="failed")
            if deployment.status == _READY and (deployment.live or not live):
                return deployment
            time.sleep(_PERIOD)
            deployment = _joined(deployment, self.get(deployment.id))
        return deployment

    def all(self, *, deleted: bool = False) -> tuple[Deployment, ...]:
        """The oldest first, as the server lists them."""
        found = self._api.get("/v1/deployments", include_deleted=_flag(deleted))["deployments"]
        return tuple(_deployment(each, "success") for each in found)

    def get(self, identifier: str) -> Deployment:
        return _deployment(self._api.get(f"/v1/deployments/{identifier}")["deployment"], "success")

    def promote(self) -> Deployment:
        """The staging deployment answers requests from now on. Raises `NotFoundError` when there is none."""
        live, staging = self._live(), self._staging()
        if staging.status != _READY:
            raise ConflictError(f"Deployment {staging.id} is not ready: its status is {staging.status}")
        promoted = self._api.post(f"/v1/deployments/{staging.id}/set-live")["deployment"]
        if live is not None:
            self._remove(live.id)
        return _deployment(promoted, "success")

    def discard(self) -> Deployment:
        """The staging deployment goes. Raises `NotFoundError` when there is none."""
        staging = self._staging()
        self._api.delete(f"/v1/deployments/{staging.id}")
        return staging

    def roll_back(self, identifier: str | None) -> Deployment:
        """A former deployment, the one before the live one when none is named, is live again with today's rows."""
        path = "/v1/deployments/rollback" if identifier is None else f"/v1/deployments/{identifier}/rollback"
        return _deployment(self._api.post(path)["deployment"], "success")

    def _live(self) -> Deployment | None:
        return next((each for each in self.all() if each.live), None)

    def _staging(self) -> Deployment:
        found = [each for each in self.all() if not each.live and each.status not in _GONE]
        if not found:
            raise NotFoundError("There is no staging deployment", hint="`tbpy deploy --no-auto` makes one")
        return found[-1]

    def _remove(self, identifier: str) -> None:
        """A server that keeps former deployments to go back to may refuse, or be done already."""
        try:
            self._api.delete(f"/v1/deployments/{identifier}")
        except (ConflictError, NotFoundError):
            return

    def _send(self, files: Mapping[str, str], options: Mapping[str, str | None]) -> Deployment:
        parts = [("context://", ("cli-version", "1.0.0", "text/plain"))]
        for path, text in files.items():
            part = "data_project_vendored://" if path.startswith("vendor/") else "data_project://"
            parts.append((part, (path, text, "text/plain")))
        answer = self._api.attempt("/v1/deploy", options, files=parts)
        return _deployment(answer.get("deployment") or {}, str(answer.get("result") or ""), answer.get("errors") or ())


def read_files(root: Path, names: Iterable[str]) -> dict[str, str]:
    """The text of datafiles by their path."""
    return {name: (root / name).read_text(encoding="utf-8-sig") for name in names}


def _flag(value: bool) -> str | None:
    return "true" if value else None


def _deployment(each: Mapping[str, Any], result: str, errors: Sequence[Any] = ()) -> Deployment:
    moved = each.get("data_movements")
    failures = [*(each.get("errors") or ()), *errors]
    return Deployment(
        id=str(each.get("id") or ""),
        status=str(each.get("status") or ""),
        live=bool(each.get("live")),
        result=result,
        changes=tuple(_changes(each)),
        movements=None if moved is None else tuple(map(_movement, moved)),
        tokens=tuple(_token_change(change) for change in each.get("token_changes") or ()),
        remarks=tuple(dict.fromkeys([*map(_error, failures), *map(_remark, each.get("feedback") or ())])),
        created_at=str(each.get("created_at") or ""),
    )


def _changes(each: Mapping[str, Any]) -> Iterable[Change]:
    told = {"datasource": "data source", "pipe": "pipe", "data_connector": "connection"}
    for what, word in (("new", "added"), ("changed", "changed"), ("deleted", "deleted")):
        for kind in _KINDS:
            for name in each.get(f"{what}_{kind}_names") or ():
                yield Change(word, told[kind], str(name))


def _movement(each: Mapping[str, Any]) -> Movement:
    return Movement(str(each.get("datasource_name")), str(each.get("kind")), each.get("source_mv_name"))


def _error(each: Any) -> Remark:
    if isinstance(each, Mapping):
        return Remark("ERROR", str(each.get("filename") or each.get("resource") or ""), str(each.get("error") or each))
    return Remark("ERROR", "", str(each))


def _remark(each: Mapping[str, Any]) -> Remark:
    return Remark(str(each.get("level")), str(each.get("resource") or ""), str(each.get("message")))


def _token_change(each: Mapping[str, Any]) -> TokenChange:
    permissions = each.get("permission_changes") or {}
    return TokenChange(
        str(each.get("token_name")),
        str(each.get("change_type")),
        tuple(map(_permission, permissions.get("added_permissions") or ())),
        tuple(map(_permission, permissions.get("removed_permissions") or ())),
    )


def _permission(each: Mapping[str, Any]) -> str:
    return f"{each.get('permission')} {each.get('resource_name')}"


def _joined(before: Deployment, later: Deployment) -> Deployment:
    """What was planned, with how far it is."""
    remarks = tuple(dict.fromkeys([*before.remarks, *later.remarks]))
    return replace(before, status=later.status, live=later.live, remarks=remarks)
