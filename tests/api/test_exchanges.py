"""Requests and answers as text: `tests/cases/http/*.yaml`. The cases of a file run one after another on one server.

A case has `request` (method and path), perhaps `as` (the name of a token, `nobody`, or admin), `headers`, `body` or
`json`; the answer has `status` and perhaps `text` (exact), `has` (a part of the JSON), `content_type`, `header`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests.api.client import Answer
from tests.api.conftest import Server

FOLDER = Path(__file__).parents[1] / "cases" / "http"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_exchanges(server: Server, path: Path) -> None:
    wrong = []
    for case in yaml.safe_load(path.read_text(encoding="utf-8")):
        answer = send(server, case)
        try:
            check(case, answer)
        except AssertionError as error:
            wrong.append(f"{case['request']}: {error}\n  answered {answer.status} {answer.text[:500]}")
    assert not wrong, "\n".join(wrong)


def send(server: Server, case: dict[str, Any]) -> Answer:
    name = case.get("as", "admin")
    client = {"admin": server.admin, "nobody": server.anybody}.get(name) or server.token(name)
    method, path = case["request"].split(" ", 1)
    body, headers = case.get("body"), dict(case.get("headers", {}))
    if "json" in case:
        body, headers["Content-Type"] = json.dumps(case["json"]), "application/json"
    elif body is not None:
        headers.setdefault("Content-Type", "text/plain")
    return client.send(method, quote(path, safe="/?=&%:"), body, headers)


def check(case: dict[str, Any], answer: Answer) -> None:
    assert answer.status == case["status"], f"not {case['status']}"
    if "text" in case:
        assert answer.text == case["text"]
    if "has" in case:
        contains(case["has"], answer.json, "$")
    if "content_type" in case:
        assert answer.headers["Content-Type"] == case["content_type"], answer.headers["Content-Type"]
    for name, value in case.get("header", {}).items():
        assert answer.headers[name] == value, f"{name}: {answer.headers[name]}"


def contains(wanted: Any, found: Any, place: str) -> None:
    """Objects may have more keys than wanted; everything else is equal."""
    if isinstance(wanted, dict):
        assert isinstance(found, dict), f"{place} is {found!r}"
        for key, value in wanted.items():
            assert key in found, f"{place} has no {key}"
            contains(value, found[key], f"{place}.{key}")
    elif isinstance(wanted, list):
        assert isinstance(found, list) and len(found) == len(wanted), f"{place} is {found!r}"
        for position, value in enumerate(wanted):
            contains(value, found[position], f"{place}[{position}]")
    else:
        assert found == wanted, f"{place} is {found!r}, not {wanted!r}"
