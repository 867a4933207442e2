"""`.datasource` files: SCHEMA, ENGINE options, indexes, tokens, and where rows come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tbpy.datafiles import instructions
from tbpy.datafiles.classic import ReadIncluded, include
from tbpy.datafiles.lexer import Statement, block_text, raw_value, statement_span, statements, unquoted
from tbpy.datafiles.model import (
    Column,
    Datasource,
    Engine,
    Index,
    Kind,
    PlacedText,
    Setting,
    Settings,
    SqlText,
    Tags,
    Token,
)
from tbpy.datafiles.schema import parse_columns, parse_indexes
from tbpy.datafiles.secrets import render_secrets
from tbpy.datafiles.source import Source
from tbpy.datafiles.vocabulary import Form
from tbpy.errors import Diagnostic, Span

_IMPORT_SCHEDULES = ("@auto", "@on-demand", "@once")
_IDENTIFIER = re.compile(r"'(?:\\.|[^'\\])*'|`([^`]+)`|\"([^\"]+)\"|([A-Za-z_][\w.]*)(?!\s*\()")


def parse_datasource(
    text: str,
    *,
    name: str,
    file: str | None = None,
    secrets: Mapping[str, str] | None = None,
    ignore_missing: bool = False,
    classic: ReadIncluded | None = None,
) -> Datasource:
    """Reads a data source; raises `DatafileError` with its first mistake. Without `secrets`, `{{ }}` stays verbatim;
    with `ignore_missing` it does so where a secret is neither given nor has a default. `classic` reads it as Tinybird
    Classic does, and answers the texts of included files."""
    source = Source(text, Kind.DATASOURCE, file)
    if classic is not None:
        source = include(source, classic)
    if secrets is not None:
        source = render_secrets(source, secrets, ignore_missing=ignore_missing)
    draft = _Draft(source)
    for statement in statements(source):
        draft.read(statement)
    return draft.finish(name)


@dataclass
class _Draft:
    """What has been read of the file so far."""

    source: Source
    columns: tuple[Column, ...] | None = None
    engine_name: PlacedText | None = None
    engine_arguments: list[Setting] = field(default_factory=list)
    indexes: tuple[Index, ...] = ()
    description: str | None = None
    tokens: list[Token] = field(default_factory=list)
    shared_with: list[str] = field(default_factory=list)
    tags: Tags = field(default_factory=Tags)
    forward_query: SqlText | None = None
    settings: Settings = field(default_factory=Settings)
    warnings: list[Diagnostic] = field(default_factory=list)

    def read(self, statement: Statement) -> None:
        source = self.source
        instructions.refuse_outdated(source, statement)
        match statement.word.form:
            case Form.SCHEMA:
                self.columns = parse_columns(source, _schema_text(source, statement))
            case Form.ENGINE:
                self._engine(statement)
            case Form.INDEXES:
                self.indexes = parse_indexes(source, instructions.read_value(source, statement))
            case Form.DESCRIPTION:
                self.description = instructions.read_description(source, statement)
            case Form.TOKEN:
                self.tokens.append(instructions.read_token(source, statement))
            case Form.SHARED_WITH:
                self.shared_with.extend(_workspaces(source, statement))
            case Form.TAGS:
                self.tags = instructions.read_tags(source, statement)
            case Form.SQL:
                self.forward_query = instructions.read_sql(source, statement)
            case Form.IGNORED:
                self.warnings.append(instructions.ignored_warning(source, statement))
            case _:
                self._setting(statement)

    def _engine(self, statement: Statement) -> None:
        setting = instructions.read_setting(self.source, statement)
        if setting.name == "engine":
            self.engine_name = setting.text
        elif setting.value or setting.name != "engine_ttl":
            self.engine_arguments.append(Setting(setting.name.removeprefix("engine_"), setting.text))

    def _setting(self, statement: Statement) -> None:
        if self.source.classic and not statement.arguments and statement.content is None:
            return  # included files of Classic list instructions that others then give a value
        setting = instructions.read_setting(self.source, statement)
        if setting.name == "backfill" and setting.value.lower() != "skip":
            message = f"{setting.value} is not an allowed value for BACKFILL. Use one of: {{'skip'}}"
            raise self.source.error("invalid-value", message, setting.span)
        self.settings = self.settings.with_(setting)

    def finish(self, name: str) -> Datasource:
        if self.columns is None:
            hint = "Start the columns with a line `SCHEMA >`."
            raise self.source.error("missing-schema", "SCHEMA is mandatory", Span.at(1, 1), hint=hint)
        engine = None
        if self.engine_name is not None or self.engine_arguments:
            engine_name = self.engine_name.text if self.engine_name else None
            engine = Engine(engine_name, tuple(self.engine_arguments), self.engine_name)
            if not self.source.classic:
                _check_sorting_key(self.source, engine, self.columns)
        if not self.source.classic:
            _check_connectors(self.source, self.settings)
        return Datasource(
            name,
            self.source.file,
            self.columns,
            engine,
            self.description,
            self.indexes,
            tuple(self.tokens),
            tuple(self.shared_with),
            self.tags,
            self.forward_query,
            self.settings,
            tuple(self.warnings),
        )


def _schema_text(source: Source, statement: Statement) -> PlacedText:
    """A SCHEMA on one line is its words run together, as recorded; that works for quoted names only."""
    if statement.content is not None:
        placed = block_text(source, statement)
    else:
        raw = raw_value(source, statement)
        joined = "".join(argument.text for argument in statement.arguments)
        placed = raw if len(statement.arguments) < 2 else PlacedText(joined, raw.lines)
    if not placed.text:
        span = statement_span(source, statement)
        raise source.error(
            "missing-schema", "SCHEMA needs columns", span, hint="List them on the lines below, indented."
        )
    return unquoted(placed)


def _workspaces(source: Source, statement: Statement) -> Iterator[str]:
    text = unquoted(raw_value(source, statement)).text
    if not text:
        message = "SHARED_WITH requires at least one workspace name"
        raise source.error("missing-value", message, statement_span(source, statement))
    return (part.strip() for part in re.split(r"[,\n]", text) if part.strip())


def _check_sorting_key(source: Source, engine: Engine, columns: tuple[Column, ...]) -> None:
    key = engine.find("sorting_key")
    if key is None:
        return
    version = engine.find("ver")
    names = [name for name, _ in key_columns(key.value)]
    if engine.name == "ReplacingMergeTree" and version is not None and version.value in names:
        message = (
            f"ENGINE_VER column '{version.value}' cannot be included in the sorting key for ReplacingMergeTree. "
            "Including the version column in the sorting key prevents deduplication because rows with different "
            "versions will have different sorting keys and won't be considered duplicates. The sorting key should "
            "define the record identity (what makes it unique), while ENGINE_VER tracks which version to keep."
        )
        raise source.error("sorting-key", message, _column_span(key, version.value))
    for column in columns:
        if column.name not in _plain_key_columns(key.value):
            continue
        span = _column_span(key, column.name)
        if column.nullable:
            message = (
                f"Sorting key contains nullable column '{column.name}'. "
                "Nullable columns cannot be used in sorting keys."
            )
            raise source.error("sorting-key", message, span, hint="Give the column a DEFAULT instead of Nullable(...).")
        if column.type.startswith("AggregateFunction("):
            message = (
                f"Sorting key contains column '{column.name}' with AggregateFunction type. "
                "AggregateFunction columns cannot be used in sorting keys."
            )
            raise source.error("sorting-key", message, span)


def key_columns(expression: str) -> list[tuple[str, int]]:
    """The identifiers of a key expression that are no function names, with their offsets."""
    found = []
    for match in _IDENTIFIER.finditer(expression):
        name = match[1] or match[2] or match[3]
        if name is not None:
            found.append((name, match.start()))
    return found


def _plain_key_columns(expression: str) -> set[str]:
    """The parts of a key that are a bare column: `a` and `c` of `a, toDate(b), c`."""
    text = expression.strip()
    text = text.removeprefix("tuple").strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return {part.strip().strip('`"') for part in text.split(",")}


def _column_span(key: Setting, name: str) -> Span:
    offset = next((offset for found, offset in key_columns(key.value) if found == name), 0)
    return key.text.span(offset, offset + len(name))


_CONNECTORS = (
    ("Kafka", ("kafka_connection_name", "kafka_topic", "kafka_group_id"), ()),
    ("DynamoDB", ("import_connection_name", "import_table_arn", "import_export_bucket"), ("import_connection_name",)),
    ("connection", ("import_connection_name", "import_schedule", "import_bucket_uri"), ()),
    ("Postgres", ("pg_connection_name", "pg_table"), ()),
)


def _check_connectors(source: Source, settings: Settings) -> None:
    """A connector is named by several instructions: one of them alone asks for the others."""
    present = set(settings.names())
    dynamodb = bool(present & {"import_table_arn", "import_export_bucket"})
    for title, required, shared in _CONNECTORS:
        triggers = [name for name in required if name in present and name not in shared]
        missing = [name for name in required if name not in present]
        if not triggers or not missing or (title == "connection" and dynamodb):
            continue
        listed = ", ".join(name.upper() for name in missing)
        message = f"Some {title} params have been provided, but the following required ones are missing: {missing}"
        found = settings.find(triggers[0])
        span = found.span if found else Span.at(1, 1)
        raise source.error("missing-parameter", message, span, hint=f"Add {listed}.")
    schedule = settings.find("import_schedule")
    if schedule and "{{" not in schedule.value and schedule.value not in _IMPORT_SCHEDULES:
        message = f"Invalid import schedule '{schedule.value}'. Only {list(_IMPORT_SCHEDULES)} values are allowed"
        raise source.error("invalid-value", message, schedule.span)
