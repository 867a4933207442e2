"""The parameters of a template, read from its Python without running it.

What is found, and what is not, follows the extraction behind Tinybird's API documentation (recorded cases): arguments
of parameter types with what they declare, other names as untyped text, and nothing that is passed to functions which
take no parameter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tbpy.templating.functions import PARAMETER_TYPES

FUNCTION_CALL = "function_call"

_UNLISTED_TYPES = frozenset(("Int", "Integer"))
_NAMING_FUNCTIONS = frozenset(
    ("column", "columns", "date_diff_in_days", "date_diff_in_hours", "date_diff_in_minutes", "date_diff_in_seconds")
) | frozenset(("day_diff", "defined", "split_to_array"))


@dataclass(frozen=True, slots=True)
class Parameter:
    """One use of a parameter.

    `type` is "Int32", "Array(String)", …; "String" for an untyped use. `declared` has the keywords that the use gives
    (description, required, enum, example, format, …) apart from the default; what is no constant there is None.
    `used_in` is "function_call" for the argument of `defined`, `column` and their like. `typed` tells `String(a)`
    from a bare `a`.
    """

    name: str
    type: str = "String"
    default: Any = None
    declared: Mapping[str, Any] = field(default_factory=dict)
    used_in: str | None = None
    typed: bool = False

    @property
    def description(self) -> Any:
        return self.declared.get("description")

    @property
    def required(self) -> Any:
        return self.declared.get("required")

    @property
    def enum(self) -> Any:
        return self.declared.get("enum")

    @property
    def example(self) -> Any:
        return self.declared.get("example")

    @property
    def format(self) -> Any:
        return self.declared.get("format")

    def as_dict(self) -> dict[str, Any]:
        """The shape that the API documents parameters in."""
        used_in = {} if self.used_in is None else {"used_in": self.used_in}
        return {"name": self.name, "type": self.type, **self.declared, "default": self.default, **used_in}


def extract_parameters(code: Iterable[ast.AST]) -> tuple[tuple[Parameter, ...], frozenset[str]]:
    """The uses of parameters in order, and the names that the template assigns itself."""
    found: list[Parameter] = []
    assigned: set[str] = set()
    for node in code:
        found.extend(_uses(node))
        assigned.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return _without_doubles(found), frozenset(assigned)


def _without_doubles(found: list[Parameter]) -> tuple[Parameter, ...]:
    """Of a name with typed uses those in `defined()` and the like are left out; of others these displace bare uses."""
    typed = {p.name for p in found if p.typed}
    arguments: dict[str, list[Parameter]] = {}
    for parameter in found:
        if parameter.used_in is not None:
            arguments.setdefault(parameter.name, []).append(parameter)
    kept: list[Parameter] = []
    for parameter in found:
        name = parameter.name
        if name in typed or name not in arguments:
            if parameter.used_in is None:
                kept.append(parameter)
        elif arguments[name]:
            kept.append(arguments[name].pop(0))
    return tuple(kept)


def inputs_of(parameters: tuple[Parameter, ...], assigned: frozenset[str]) -> tuple[Parameter, ...]:
    """One parameter a name, in order of appearance: the use that says most about it."""
    best: dict[str, Parameter] = {}
    for parameter in parameters:
        if parameter.name not in assigned:
            known = best.setdefault(parameter.name, parameter)
            if not known.typed and parameter.typed:
                best[parameter.name] = parameter
    return tuple(best.values())


def _uses(node: ast.AST) -> Iterator[Parameter]:
    if isinstance(node, ast.Name):
        yield Parameter(node.id)
    elif isinstance(node, ast.Call):
        yield from _call_uses(node)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _uses(child)


def _call_uses(node: ast.Call) -> Iterator[Parameter]:
    function = node.func.id if isinstance(node.func, ast.Name) else ""
    if function in PARAMETER_TYPES and function not in _UNLISTED_TYPES:
        yield from _typed_uses(node, function)
    elif function in _NAMING_FUNCTIONS:
        yield from _named_uses(node)
    else:
        if not function:
            yield from _uses(node.func)
        keyword_names = function == "sql_and"
        values = [*node.args, *(word.value for word in node.keywords)]
        for value in values:
            if not isinstance(value, ast.Name) or (keyword_names and value not in node.args):
                yield from _uses(value)


def _typed_uses(node: ast.Call, function: str) -> Iterator[Parameter]:
    arguments = list(node.args)
    name = arguments.pop(0) if arguments else None
    type_name = function
    if function == "Array":
        kind = _constant(arguments.pop(0)) if arguments else None
        words = {word.arg: word.value for word in node.keywords}
        kind = _constant(words["_type"]) if "_type" in words else kind
        type_name = f"Array({kind or 'String'})"
    declared = {word.arg: _constant(word.value) for word in node.keywords if word.arg and word.arg != "_type"}
    default = declared.pop("default", _constant(arguments[0]) if arguments else None)
    if isinstance(name, (ast.Name, ast.Constant)):
        text = name.id if isinstance(name, ast.Name) else str(name.value)
        yield Parameter(text, type_name, default, declared, typed=True)
    elif name is not None:
        yield from _uses(name)
    for value in (*arguments, *(word.value for word in node.keywords)):
        yield from _uses(value)


def _named_uses(node: ast.Call) -> Iterator[Parameter]:
    for argument in node.args[:1]:
        if isinstance(argument, ast.Name):
            yield Parameter(argument.id, used_in=FUNCTION_CALL)
        else:
            yield from _uses(argument)
    for argument in (*node.args[1:], *(word.value for word in node.keywords)):
        if not isinstance(argument, ast.Name):
            yield from _uses(argument)


def _constant(node: ast.expr) -> Any:
    """The value of a literal; a name is its own text, of a sum the first part counts, anything else is None."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return name
        case ast.List(elts=items):
            return [_constant(item) for item in items]
        case ast.BinOp(left=left):
            return _constant(left)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case _:
            return None
