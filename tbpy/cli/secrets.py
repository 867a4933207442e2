"""Secrets of the project: `.env` and `.env.local`, as `tb` reads them for its local workspace."""

from __future__ import annotations

from pathlib import Path

FILES = (".env", ".env.local")  # a later file wins


def read_secrets(root: Path) -> dict[str, str]:
    secrets: dict[str, str] = {}
    for name in FILES:
        file = root / name
        if file.is_file():
            secrets |= parse_env(file.read_text(encoding="utf-8-sig"))
    return {name: value for name, value in secrets.items() if value}


def parse_env(text: str) -> dict[str, str]:
    """`NAME=value` lines: `export` before the name, quotes around the value and ` # comment` after it are allowed."""
    values = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and name.strip() and not name.startswith("#"):
            values[name.strip()] = env_value(value.strip())
    return values


def env_value(text: str) -> str:
    if text[:1] in ("'", '"') and (end := text.find(text[0], 1)) > 0:
        value = text[1:end]
        return value.replace("\\n", "\n") if text[0] == '"' else value
    return text.partition(" #")[0].strip()
