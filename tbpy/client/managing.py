"""What a workspace has beside data and pipes, through the HTTP API: tokens, secrets, jobs, and other workspaces."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tbpy.client.http_api import HttpApi
from tbpy.errors import NotFoundError, RemoteError, UsageError

JWT_SCOPES = ("PIPES:READ", "DATASOURCES:READ")


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """`scopes` are texts such as `PIPES:READ:top`; `token` is what is sent."""

    id: str
    name: str
    scopes: tuple[str, ...]
    token: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """Servers never tell a secret's value. Times are as the server writes them, UTC."""

    name: str
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class ServerJob:
    """`facts` are all keys that the server tells; times are as it writes them, UTC."""

    id: str
    kind: str
    status: str
    created_at: str
    updated_at: str
    error: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkspaceInfo:
    id: str
    name: str
    role: str
    current: bool


class Management:
    """Errors are those of `HttpApi`."""

    def __init__(self, api: HttpApi) -> None:
        self._api = api

    def tokens(self) -> tuple[TokenInfo, ...]:
        return tuple(_token(each) for each in self._api.get("/v0/tokens")["tokens"])

    def token(self, key: str) -> TokenInfo:
        """By name, id or the token itself. Raises `NotFoundError`."""
        found = [each for each in self.tokens() if key in (each.name, each.id, each.token)]
        if not found:
            raise NotFoundError(f"There is no token {key}", hint="`tbpy token ls` lists them")
        return found[0]

    def create_token(self, name: str, scopes: Sequence[str]) -> TokenInfo:
        """A static token, or other scopes for the one of that name."""
        known = [each for each in self.tokens() if each.name == name]
        if known:
            return _token(self._api.put(f"/v0/tokens/{quote(known[0].id)}", {"scope": scopes}))
        return _token(self._api.post("/v0/tokens", {"name": name, "origin": "C", "scope": scopes}))

    def create_jwt(self, name: str, *, seconds: int, scopes: Sequence[Mapping[str, Any]]) -> str:
        """A token that holds for `seconds`; `scopes` have type, resource, and perhaps fixed_params and filter."""
        expires = str(int(time.time()) + seconds)
        answer = self._api.post("/v0/tokens", {"name": name, "expiration_time": expires}, json={"scopes": list(scopes)})
        return str(answer["token"])

    def refresh_token(self, key: str) -> TokenInfo:
        return _token(self._api.post(f"/v0/tokens/{quote(self.token(key).id)}/refresh"))

    def remove_token(self, key: str) -> TokenInfo:
        found = self.token(key)
        self._api.delete(f"/v0/tokens/{quote(found.id)}")
        return found

    def secrets(self) -> tuple[SecretInfo, ...]:
        found = self._api.get("/v0/variables")["variables"]
        return tuple(SecretInfo(each["name"], each["created_at"], each["updated_at"]) for each in found)

    def set_secret(self, name: str, value: str) -> None:
        try:
            self._api.get(f"/v0/variables/{quote(name)}")
        except NotFoundError:
            self._api.post("/v0/variables", data={"name": name, "value": value, "type": "secret"})
        else:
            self._api.put(f"/v0/variables/{quote(name)}", data={"value": value})

    def remove_secret(self, name: str) -> None:
        self._api.delete(f"/v0/variables/{quote(name)}")

    def jobs(self, *, status: str | None = None, kind: str | None = None) -> tuple[ServerJob, ...]:
        """The newest first."""
        return tuple(_job(each) for each in self._api.get("/v0/jobs", status=status, kind=kind)["jobs"])

    def job(self, identifier: str) -> ServerJob:
        return _job(self._api.get(f"/v0/jobs/{quote(identifier)}"))

    def cancel_job(self, identifier: str) -> ServerJob:
        return _job(self._api.post(f"/v0/jobs/{quote(identifier)}/cancel"))

    def workspace(self) -> WorkspaceInfo:
        found = self._api.get("/v1/workspace")
        try:
            return WorkspaceInfo(found["id"], found["name"], str(found.get("scope") or ""), True)
        except (KeyError, TypeError) as error:
            raise RemoteError(f"{self._api.target.host} does not tell which workspace it is") from error

    def workspaces(self) -> tuple[WorkspaceInfo, ...]:
        current = self.workspace().id
        found = self._api.get("/v1/user/workspaces", with_environments="false")["workspaces"]
        return tuple(
            WorkspaceInfo(each["id"], each["name"], str(each.get("role") or ""), each["id"] == current)
            for each in found
        )

    def create_workspace(self, name: str) -> str:
        """Answers the token of its administrator."""
        return str(self._api.post("/v1/workspaces", {"name": name})["token"])

    def remove_workspace(self, key: str) -> WorkspaceInfo:
        """By name or id. Raises `NotFoundError`, and `UsageError` for the one that the token is of."""
        found = [each for each in self.workspaces() if key in (each.id, each.name)]
        if not found:
            raise NotFoundError(f"There is no workspace {key}", hint="`tbpy workspace ls` lists them")
        if found[0].current:
            raise UsageError(f"{found[0].name} is the workspace that the token is of")
        self._api.delete(f"/v1/workspaces/{quote(found[0].id)}", hard_delete_confirmation="yes")
        return found[0]


def _token(each: Mapping[str, Any]) -> TokenInfo:
    return TokenInfo(
        str(each["id"]),
        str(each["name"]),
        tuple(_scope(scope) for scope in each.get("scopes") or ()),
        str(each.get("token") or ""),
        str(each.get("description") or ""),
    )


def _scope(scope: Mapping[str, Any]) -> str:
    parts = (scope.get("type"), scope.get("resource"), scope.get("filter"))
    return ":".join(str(part) for part in parts if part)


def _job(each: Mapping[str, Any]) -> ServerJob:
    return ServerJob(
        str(each.get("id") or each["job_id"]),
        str(each.get("kind") or ""),
        str(each.get("status") or ""),
        str(each.get("created_at") or ""),
        str(each.get("updated_at") or ""),
        each.get("error"),
        dict(each),
    )
