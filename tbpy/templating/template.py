"""`compile_template`, and what it gives: a `Template` that renders any number of times, on any number of threads."""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import accumulate
from typing import Any

from tbpy.errors import TemplateError
from tbpy.templating.frame import Frame
from tbpy.templating.parameters import Parameter, extract_parameters, inputs_of
from tbpy.templating.source import Source
from tbpy.templating.statements import StatementCompiler, Step
from tbpy.templating.tree import build_tree

_JOB_TIMESTAMP = "job_timestamp"
_UNTYPED = "Without a type a parameter is text, or nothing when it is not given. Give it one: Int32(name, 0)."


@dataclass(frozen=True)
class Rendered:
    """SQL, and what its execution needs.

    `secrets` maps query parameters that `sql` refers to as `{name: String}` to their values. `settings` has the
    options that the template set: `max_threads` (int), `cache_ttl` (such as "5m"), `activate` and `disable` (sorted
    lists of names), `backend_hint` (text or False). `pieces` and `places` say where each part of the SQL is from.
    """

    sql: str
    secrets: Mapping[str, str]
    settings: Mapping[str, Any]
    pieces: tuple[str, ...]
    places: tuple[int, ...]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(map(len, self.pieces))]

    def origin(self, offset: int) -> int:
        """The offset in the template of a character of `sql`; a value that was computed is at the start of its tag."""
        if not self.pieces:
            return 0
        index = min(max(bisect_right(self._starts, offset) - 1, 0), len(self.pieces) - 1)
        place = self.places[index]
        return place + offset - self._starts[index] if place >= 0 else ~place


class Template:
    """A compiled template. Made by `compile_template`."""

    def __init__(self, source: Source, body: Step, parameters: tuple[Parameter, ...], assigned: frozenset[str]) -> None:
        self.text = source.text
        self.name = source.name
        self._source = source
        self._body = body
        self._parameters = parameters
        self._assigned = assigned
        self._uses_timestamp = _JOB_TIMESTAMP in source.text
        self._required = tuple(dict.fromkeys(p.name for p in parameters if p.default is None))

    def parameters(self) -> tuple[Parameter, ...]:
        """Every use of a parameter, in order, taken branches or not; variables of `set` and `for` are among them."""
        return self._parameters

    def inputs(self) -> tuple[Parameter, ...]:
        """What a caller can give: `parameters()` without the template's own variables, one entry for each name."""
        return inputs_of(self._parameters, self._assigned)

    def render(
        self,
        parameters: Mapping[str, Any],
        *,
        secrets: Mapping[str, str] | None = None,
        test_mode: bool = False,
        now: datetime | None = None,
    ) -> Rendered:
        """Renders with values by name (text as it came with a request, or Python values); None counts as absent.

        `test_mode` stands in for missing parameters, as when a node is checked before there is a request; secrets
        that are missing then pass too, unless `secrets` is given. `now` is what `job_timestamp` tells.

        Raises `TemplateError` with the place of the tag, `CustomTemplateError` for `custom_error()`.
        """
        variables = {name: value for name, value in parameters.items() if value is not None}
        if self._uses_timestamp:
            variables.setdefault(_JOB_TIMESTAMP, (now or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S"))
        frame = Frame(variables, required=self._required, secrets=secrets, test_mode=test_mode)
        try:
            self._body(frame)
        except TemplateError as error:
            raise self._source.locate(error, frame.at) from error.__cause__
        except Exception as error:
            hint = _UNTYPED if isinstance(error, TypeError) else None
            raise self._source.error(_explain(error), frame.at, hint=hint) from error
        return Rendered("".join(frame.pieces), frame.bound, frame.settings, tuple(frame.pieces), tuple(frame.places))


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the template is nested too deeply"
    if isinstance(error, KeyError):
        return f"no such key: {error}"
    return str(error) or type(error).__name__


def compile_template(text: str, *, name: str = "<string>") -> Template:
    """Compiles the template of one SQL text, its leading `%` already gone.

    `name` is what syntax errors call it (`… at name:line`). Raises `TemplateError` with line and column in `text`.
    """
    source = Source(text, name)
    compiler = StatementCompiler(source)
    with warnings.catch_warnings():
        # Python warns of odd escapes in string literals; in a template they are the author's text.
        warnings.simplefilter("ignore")
        try:
            body = compiler.body(build_tree(source))
            parameters, assigned = extract_parameters(compiler.parsed)
        except RecursionError:
            raise source.error("the template is nested too deeply", 0) from None
    return Template(source, body, parameters, assigned)


def is_dynamic(sql: str) -> bool:
    """Whether a node's SQL is a template: its first character that is not blank is `%`."""
    return sql.lstrip().startswith("%")


def strip_marker(sql: str) -> str:
    """The template of dynamic SQL: the text after its `%`. SQL that is not dynamic stays as it is."""
    return sql.lstrip()[1:] if is_dynamic(sql) else sql
