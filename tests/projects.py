"""Files of projects that tests write: texts as they are indented in a test, by path."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

EVENTS = """
    TOKEN ingest APPEND
    DESCRIPTION >
        Things that happened
    SCHEMA >
        `id` Int32 `json:$.id`,
        `name` String `json:$.name`,
        `at` DateTime `json:$.at` DEFAULT '2024-01-01 00:00:00'

    ENGINE "MergeTree"
    ENGINE_PARTITION_KEY "toYYYYMM(at)"
    ENGINE_SORTING_KEY "id"
    """
# Events, and how many there are of each name.
COUNTED_EVENTS = {
    "datasources/events.datasource": EVENTS,
    "datasources/names.datasource": """
        SCHEMA >
            `name` String,
            `events` UInt64

        ENGINE "SummingMergeTree"
        ENGINE_SORTING_KEY "name"
        """,
    "materializations/count_names.pipe": """
        NODE counts
        SQL >
            SELECT name, count() AS events FROM events GROUP BY name

        TYPE materialized
        DATASOURCE names
        """,
}


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
    return root
