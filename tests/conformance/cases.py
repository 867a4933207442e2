"""The recorded cases: one reader for every conformance test."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parent / "cases"


def folder() -> Path:
    """The folder of cases: the one that `TBPY_CASES` names, else the one beside this module."""
    named = os.environ.get("TBPY_CASES")
    return Path(named) if named else RECORDED


def load(name: str) -> Any:
    """The content of case file `name`: a list of objects for `.jsonl`, the document for `.json`.

    Another folder may hold only some of the files: one that is absent there is empty, in the recorded folder an error.
    """
    path = folder() / name
    if not path.exists() and folder() != RECORDED:
        return []
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    return json.loads(text)
