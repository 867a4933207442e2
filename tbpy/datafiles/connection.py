"""`.connection` files: how an outside system is reached. What a value means is the connector's business."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tbpy.datafiles import instructions
from tbpy.datafiles.lexer import statements
from tbpy.datafiles.model import Connection, Kind, Setting, Settings
from tbpy.datafiles.secrets import render_secrets
from tbpy.datafiles.source import Source
from tbpy.datafiles.vocabulary import Form


def parse_connection(
    text: str,
    *,
    name: str,
    file: str | None = None,
    secrets: Mapping[str, str] | None = None,
    ignore_missing: bool = False,
) -> Connection:
    """Reads a connection; raises `DatafileError` with its first mistake. Without `secrets`, `{{ }}` stays verbatim;
    with `ignore_missing` it does so where a secret is neither given nor has a default."""
    source = Source(text, Kind.CONNECTION, file)
    if secrets is not None:
        source = render_secrets(source, secrets, ignore_missing=ignore_missing)
    description, settings = None, Settings()
    for statement in statements(source):
        instructions.refuse_outdated(source, statement)
        if statement.word.form is Form.DESCRIPTION:
            description = instructions.read_description(source, statement)
            continue
        setting = instructions.read_setting(source, statement)
        if setting.name == "gcs_service_account_credentials_json":
            _check_json(source, setting)
        settings = settings.with_(setting)
    others = tuple(item for item in settings.items if item.name != "type")
    return Connection(name, file, settings.get("type"), description, Settings(others))


def _check_json(source: Source, setting: Setting) -> None:
    if "{{" in setting.value:
        return
    try:
        json.loads(setting.value)
    except ValueError as error:
        message = f"GCS_SERVICE_ACCOUNT_CREDENTIALS_JSON is not JSON: {error}"
        raise source.error("invalid-value", message, setting.span, hint="Write the whole object on one line.") from None
