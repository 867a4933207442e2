"""The static tokens of a workspace, in one file beside its data that only its owner may read.

They are kept as they are, because the API and the command line show them. Looking one up compares digests, so that the
time it takes tells nothing of a token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from tbpy.api.tokens.access import Access
from tbpy.api.tokens.scopes import ADMIN, APPEND, CREATE, READ_DATASOURCE, READ_PIPE, Scope, parse_scope
from tbpy.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from tbpy.project import Project

ADMIN_NAME = "workspace admin token"
PERSONAL_NAME = "admin local_testing@tinybird.co"
USER_NAME = "user token"
# A short one, for addresses that `tbpy dev` shows. It opens what the others of a local server open.
LOCAL_NAME = "local token"
_BUILT_IN = {
    ADMIN_NAME: ADMIN,
    PERSONAL_NAME: ADMIN,
    USER_NAME: ADMIN,
    LOCAL_NAME: ADMIN,
    "create datasource token": CREATE,
}


@dataclass(frozen=True, slots=True)
class Token:
    """`origin` is `C` for tokens of the API and the command line, `DS` and `P` for those that datafiles declare."""

    id: str
    name: str
    token: str
    scopes: tuple[Scope, ...]
    description: str = ""
    origin: str = "C"

    def access(self) -> Access:
        return Access(self.name, self.scopes)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "token": self.token,
            "scopes": [scope.as_dict() for scope in self.scopes],
            "description": self.description,
            "origin": {"type": self.origin},
            "host": "local",
            "is_internal": False,
        }


class TokenStore:
    """`path` None keeps everything in memory. `admin_token` is the admin's value where it is given from outside; such a
    value is not written to the file."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        admin_token: str | None = None,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        new_key: Callable[[], str] = lambda: secrets.token_hex(32),
    ) -> None:
        self._path = path
        self._new_id = new_id
        self._admin_token = admin_token
        self._lock = RLock()
        stored = _read(path)
        self.workspace_id: str = stored.get("workspace_id") or new_id()
        self.user_id: str = stored.get("user_id") or new_id()
        self._key: str = stored.get("key") or new_key()
        self._tokens = {token.name: token for token in map(_token, stored.get("tokens", []))}
        # Whether the admin's token is a new one, which nobody knows yet.
        self.made_admin = admin_token is None and ADMIN_NAME not in self._tokens
        for name, scope in _BUILT_IN.items():
            if name not in self._tokens:
                self._tokens[name] = self._new(name, (Scope(scope),))
        self._changed()

    @property
    def admin_token(self) -> str:
        return self.get(ADMIN_NAME).token

    @property
    def state(self) -> object:
        """Another object after every change."""
        return self._by_digest

    def find(self, value: str) -> Access | None:
        """What a token allows; None when there is no such token."""
        found = self._by_digest.get(_digest(value))
        return (
            found.access() if found is not None and hmac.compare_digest(found.token.encode(), value.encode()) else None
        )

    def all(self) -> tuple[Token, ...]:
        return tuple(self._tokens.values())

    def get(self, key: str) -> Token:
        """By name, id or value. Raises `NotFoundError`."""
        found = self._tokens.get(key) or next((t for t in self._tokens.values() if key in (t.id, t.token)), None)
        if found is None:
            raise NotFoundError(f"Token {key} not found")
        return found

    def create(self, name: str, scopes: Iterable[Scope], description: str = "", origin: str = "C") -> Token:
        """Raises `ConflictError` when the name is taken."""
        with self._lock:
            if name in self._tokens:
                raise ConflictError(f'Auth token with name "{name}" already exists')
            self._tokens[name] = self._new(name, tuple(scopes), description, origin)
            self._changed()
            return self._tokens[name]

    def change(self, token: Token, /, **fields: Any) -> Token:
        """Replaces scopes, description or name."""
        with self._lock:
            changed = replace(token, **fields)
            del self._tokens[token.name]
            self._tokens[changed.name] = changed
            self._changed()
            return changed

    def refresh(self, token: Token) -> Token:
        """The same token with another value."""
        return self.change(token, token=self._value(self._new_id()))

    def delete(self, token: Token) -> None:
        with self._lock:
            del self._tokens[token.name]
            self._changed()

    def sync(self, project: Project) -> None:
        """Brings the tokens that datafiles declare to what the project says. Values of known names stay."""
        declared = declared_tokens(project)
        with self._lock:
            for token in self.all():
                if token.origin != "C" and token.name not in declared:
                    del self._tokens[token.name]
            for name, scopes in declared.items():
                known = self._tokens.get(name)
                if known is None:
                    self._tokens[name] = self._new(name, scopes, origin="P")
                elif known.name not in _BUILT_IN:
                    self._tokens[name] = replace(known, scopes=scopes, origin="P")
            self._changed()

    def _new(self, name: str, scopes: tuple[Scope, ...], description: str = "", origin: str = "C") -> Token:
        identifier = self._new_id()
        value = secrets.token_hex(12) if name == LOCAL_NAME else self._value(identifier)
        return Token(identifier, name, value, scopes, description, origin)

    def _value(self, identifier: str) -> str:
        """`p.<payload>.<signature>`, the shape that clients know."""
        payload = _encode(json.dumps({"u": self.user_id, "id": identifier, "host": "local"}).encode())
        return f"p.{payload}.{_encode(hmac.new(self._key.encode(), payload.encode(), hashlib.sha256).digest())}"

    def _changed(self) -> None:
        self._write()
        if self._admin_token is not None:
            self._tokens[ADMIN_NAME] = replace(self._tokens[ADMIN_NAME], token=self._admin_token)
        self._by_digest = {_digest(token.token): token for token in self._tokens.values()}

    def _write(self) -> None:
        if self._path is None:
            return
        tokens = [_stored(token) for token in self._tokens.values() if token.token != self._admin_token]
        document = {"workspace_id": self.workspace_id, "user_id": self.user_id, "key": self._key, "tokens": tokens}
        temporary = self._path.with_suffix(".tmp")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file)
        temporary.replace(self._path)


def declared_tokens(project: Project) -> dict[str, tuple[Scope, ...]]:
    """The tokens of all datafiles; one name in several files has the scopes of all."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    kinds = {("datasource", "READ"): READ_DATASOURCE, ("datasource", "APPEND"): APPEND, ("pipe", "READ"): READ_PIPE}
    for kind, resources in (("datasource", project.datasources), ("pipe", project.pipes)):
        for resource in resources.values():
            for token in resource.tokens:
                scope_type = kinds.get((kind, token.permission.upper()))
                if scope_type is not None:
                    found.setdefault(token.name, {})[(scope_type, resource.name)] = None
    return {name: tuple(Scope(*pair) for pair in pairs) for name, pairs in found.items()}


def _read(path: Path | None) -> Mapping[str, Any]:
    if path is None or not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConflictError(f"{path} is damaged: {error}", hint="remove it; new tokens are made") from error
    return found if isinstance(found, dict) else {}


def _stored(token: Token) -> dict[str, Any]:
    scopes = [scope.type if scope.resource is None else f"{scope.type}:{scope.resource}" for scope in token.scopes]
    return {
        "id": token.id,
        "name": token.name,
        "token": token.token,
        "scopes": scopes,
        "description": token.description,
        "origin": token.origin,
    }


def _token(stored: Mapping[str, Any]) -> Token:
    return Token(**{**stored, "scopes": tuple(parse_scope(text) for text in stored["scopes"])})


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
