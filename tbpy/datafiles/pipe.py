"""`.pipe` files: nodes of SQL, and what the typed node of the pipe makes of its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tbpy.datafiles import instructions
from tbpy.datafiles.classic import ReadIncluded, include
from tbpy.datafiles.cron import is_cron
from tbpy.datafiles.lexer import Statement, statement_span, statements, unquoted
from tbpy.datafiles.model import Kind, Node, Pipe, PlacedText, Setting, SqlText, Tags, Token
from tbpy.datafiles.source import Source
from tbpy.datafiles.vocabulary import Form
from tbpy.errors import Diagnostic, Span

_TYPES = ("endpoint", "materialized", "copy", "sink", "standard", "stream")
_TYPED_ONLY = ("datasource", "target_datasource", "copy_schedule", "copy_mode", "filter")
_NO_SQL = SqlText("", ((1, 0),))


def parse_pipe(text: str, *, name: str, file: str | None = None, classic: ReadIncluded | None = None) -> Pipe:
    """Reads a pipe; raises `DatafileError` with the first mistake. The SQL of its nodes is text here, never judged.

    `classic` reads it as Tinybird Classic does, and answers the texts of included files.
    """
    source = Source(text, Kind.PIPE, file)
    if classic is not None:
        source = include(source, classic)
    draft = _Draft(source)
    for statement in statements(source):
        draft.read(statement)
    return draft.finish(name)


@dataclass
class _Draft:
    """What has been read of the file so far; the last of `nodes` takes the instructions of a node."""

    source: Source
    nodes: list[Node] = field(default_factory=list)
    description: str | None = None
    tokens: list[Token] = field(default_factory=list)
    tags: Tags = field(default_factory=Tags)
    warnings: list[Diagnostic] = field(default_factory=list)

    def read(self, statement: Statement) -> None:
        source = self.source
        instructions.refuse_outdated(source, statement)
        match statement.word.form:
            case Form.NODE:
                self._open_node(statement)
            case Form.SQL:
                self._sql(statement)
            case Form.DESCRIPTION:
                self._describe(instructions.read_description(source, statement))
            case Form.TOKEN:
                self.tokens.append(instructions.read_token(source, statement))
            case Form.TAGS:
                self.tags = instructions.read_tags(source, statement)
            case Form.IGNORED:
                self.warnings.append(instructions.ignored_warning(source, statement))
            case _:
                self._setting(statement)

    def _open_node(self, statement: Statement) -> None:
        if not statement.arguments:
            message = f"Missing node name for pipe creation after the {statement.word.name} label"
            raise self.source.error("missing-value", message, statement_span(self.source, statement))
        first = statement.arguments[0]
        line = self.source.file_line(statement.index)
        name = unquoted(PlacedText(first.text, ((line, first.start),)))
        self.nodes.append(Node(name.text, _NO_SQL, name.span(0, len(name.text))))

    def _sql(self, statement: Statement) -> None:
        self._require_node(statement, "SQL")
        self._update(sql=instructions.read_sql(self.source, statement))

    def _describe(self, description: str) -> None:
        if self.nodes:
            self._update(description=description)
        else:
            self.description = description

    def _setting(self, statement: Statement) -> None:
        self._require_node(statement, statement.word.attribute)
        setting = instructions.read_setting(self.source, statement)
        node = self.nodes[-1]
        if setting.name == "type":
            self._update(type=setting.value.lower())
            self._refuse_type(self.nodes[-1], setting)
        else:
            self._update(settings=node.settings.with_(setting))

    def _refuse_type(self, node: Node, setting: Setting) -> None:
        if node.type not in _TYPES:
            message = f"Invalid node ''{node.name}'' of type ({setting.value}). Allowed node types: {', '.join(_TYPES)}"
            raise self.source.error("invalid-value", message, setting.span)

    def _require_node(self, statement: Statement, name: str) -> None:
        if not self.nodes:
            span = statement_span(self.source, statement)
            message = f"{name} must be called after a NODE command"
            raise self.source.error("outside-node", message, span, hint="Start a node with a line `NODE name`.")

    def _update(self, **changes: Any) -> None:
        self.nodes[-1] = replace(self.nodes[-1], **changes)

    def finish(self, name: str) -> Pipe:
        if not self.nodes:
            message = "Pipe data file must have at least one node"
            raise self.source.error(
                "missing-node", message, Span.at(1, 1), hint="Start a node with a line `NODE name`."
            )
        for node in self.nodes:
            _check_node(self.source, node)
        _check_one_typed(self.source, self.nodes)
        for token in self.tokens if not self.source.classic else ():
            instructions.refuse_pipe_permission(self.source, token)
        for node in self.nodes:
            if not node.sql.text:
                hint = "Give the node a block `SQL >`."
                raise self.source.error("missing-sql", f"Empty query in node '{node.name}'", node.span, hint=hint)
        tags = self.tags
        tokens, warnings = tuple(self.tokens), tuple(self.warnings)
        return Pipe(name, self.source.file, tuple(self.nodes), self.description, tokens, tags, warnings)


def _check_node(source: Source, node: Node) -> None:
    match node.type:
        case None | "standard":
            _check_standard(source, node)
        case "materialized":
            _require(source, node, "materialized", "datasource")
            _check_deployment_method(source, node)
        case "copy":
            _check_copy(source, node)
        case "sink":
            _check_sink(source, node)


def _check_standard(source: Source, node: Node) -> None:
    for setting in node.settings.items:
        if setting.name in _TYPED_ONLY or setting.name.startswith("export_"):
            message = f"Standard node '{node.name}' has an invalid attribute ({setting.name})"
            hint = "Only a node with a TYPE may have it: add TYPE materialized, copy or sink."
            raise source.error("invalid-attribute", message, setting.span, hint=hint)


def _require(source: Source, node: Node, kind: str, name: str) -> None:
    if node.settings.get(name) is None:
        message = f"Some {kind} node params have been provided, but the following required ones are missing: {[name]}"
        raise source.error("missing-parameter", message, node.span, hint=f"Add {name.upper()} to node {node.name}.")


def _check_deployment_method(source: Source, node: Node) -> None:
    method = node.settings.find("deployment_method")
    if method and method.value.lower() != "alter":
        message = f"{method.value} is not an allowed value for DEPLOYMENT_METHOD. Use one of: {{'alter'}}"
        raise source.error("invalid-value", message, method.span)


def _check_copy(source: Source, node: Node) -> None:
    _require(source, node, "copy", "target_datasource")
    mode = node.settings.find("copy_mode")
    if mode and mode.value not in ("append", "replace"):
        raise source.error("invalid-value", "COPY node mode must be append or replace", mode.span)
    schedule = node.settings.find("copy_schedule")
    if schedule and not _is_schedule(schedule.value):
        message = "COPY node schedule must be @on-demand or a valid cron expression."
        raise source.error("invalid-value", message, schedule.span, hint="For example: 0 * * * *")


def _check_sink(source: Source, node: Node) -> None:
    settings, present = node.settings, set(node.settings.names())
    if "export_connection_name" not in present:
        message = f"Sink node '{node.name}' is missing required parameter 'export_connection_name'"
        raise source.error("missing-parameter", message, node.span, hint="Add EXPORT_CONNECTION_NAME.")
    to_kafka, to_bucket = "export_kafka_topic" in present, present & {"export_bucket_uri", "export_file_template"}
    if to_kafka and to_bucket:
        message = f"Sink node '{node.name}' has mixed Kafka and S3/GCS parameters"
        raise source.error("mixed-parameters", message, node.span, hint="Keep EXPORT_KAFKA_TOPIC or EXPORT_BUCKET_URI.")
    needed = ["export_schedule"] if to_kafka else ["export_bucket_uri", "export_file_template", "export_schedule"]
    missing = [name for name in needed if name not in present]
    if missing:
        target = "Kafka" if to_kafka else "S3/GCS"
        message = f"{target} sink node '{node.name}' is missing required parameters: {missing}"
        raise source.error("missing-parameter", message, node.span, hint=f"Add {', '.join(missing).upper()}.")
    schedule = settings.find("export_schedule")
    if schedule and not _is_schedule(schedule.value):
        message = (
            f"Sink node '{node.name}' has invalid export_schedule '{schedule.value}'. "
            "Must be @on-demand or a valid cron expression."
        )
        raise source.error("invalid-value", message, schedule.span)


def _is_schedule(text: str) -> bool:
    """Text with a secret in it is judged when the secret is known."""
    return text == "@on-demand" or "{{" in text or is_cron(text)


def _check_one_typed(source: Source, nodes: list[Node]) -> None:
    typed = [node for node in nodes if node.type not in (None, "standard")]
    if len(typed) > 1:
        message = "Multiple non-standard nodes in pipe. There can only be one"
        hint = f"Node {typed[0].name} is of type {typed[0].type} already: move this one to a pipe of its own."
        raise source.error("several-typed-nodes", message, typed[1].span, hint=hint)
