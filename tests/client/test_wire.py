"""Values and errors that travel between two processes come out as they went in."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tbpy import errors
from tbpy.client.failures import error_document, error_of
from tbpy.client.wire import decode, encode
from tbpy.errors import Diagnostic, Severity, Span, SqlPlace
from tbpy.templating import Parameter
from tbpy.workspace import BuildReport, Migrated

VALUES: list[Any] = [
    None,
    True,
    1.5,
    math.inf,
    2**64,
    -(2**255),
    "text",
    Decimal("1.50"),
    datetime(2024, 1, 2, 3, 4, 5, 678),
    datetime(2024, 1, 2, tzinfo=UTC),
    date(2024, 1, 2),
    timedelta(days=-1, microseconds=5),
    UUID(int=5),
    b"\x00\xff",
    [1, [None, (2, "x")]],
    {"a": {1: [Decimal(2)]}, "$": "int"},
    frozenset({1, 2}),
    Diagnostic("code", "message", Severity.WARNING, "a.pipe", Span(1, 2, 3, 4), "source", "hint"),
    BuildReport(migrated=(Migrated("a", 1, 2, ("x",)),), dropped_rows={"b": 3}, elapsed=0.5),
    Parameter("p", "Int32", 5, {"enum": [1, 2]}, typed=True),
]
ERRORS = [
    errors.UsageError("message", hint="hint"),
    errors.NotFoundError("message"),
    errors.QueryError("message", code=47, name="UNKNOWN_IDENTIFIER", place=SqlPlace(1, 2, "view"), hint="hint"),
    errors.QueryTimeoutError("message", code=159, name="TIMEOUT_EXCEEDED"),
    errors.UnsupportedError("message", place=SqlPlace(1, 2)),
    errors.TemplateError("message", line=1, column=2),
    errors.CustomTemplateError({"error": "x"}, 422),
    errors.DiagnosticsError((Diagnostic("code", "message"),)),
    errors.DatafileError((Diagnostic("code", "message"),)),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values(value: Any) -> None:
    found = decode(json.loads(json.dumps(encode(value))))
    assert found == value and type(found) is type(value)


def test_not_a_number() -> None:
    assert math.isnan(decode(encode(math.nan)))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors(error: errors.TbpyError) -> None:
    found = error_of(json.loads(json.dumps(error_document(error))))
    assert isinstance(error, type(found))
    assert {**vars(found)} == {**vars(error)}


def test_only_known_classes_travel() -> None:
    with pytest.raises(TypeError):
        encode(object())
    with pytest.raises(ValueError, match="unknown kind"):
        decode({"$": "Popen", "v": {"args": ["true"]}})
