"""How calls and attributes compile: template functions, Python's safe functions, methods, and nothing else."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from tbpy.errors import TemplateError
from tbpy.templating.builtin_functions import BUILTINS, OUTPUT_BUILTINS, TYPES
from tbpy.templating.frame import Frame
from tbpy.templating.functions import FUNCTIONS, PARAMETER_TYPES
from tbpy.templating.lambdas import Lambda
from tbpy.templating.methods import call_method
from tbpy.templating.syntax import Code

Thunk = Callable[[Frame], Any]
Arguments = Callable[[Frame], tuple[list[Any], dict[str, Any]]]

_OUTPUT_METHODS = frozenset(("get", "join", "replace", "split"))
_DENIED = frozenset(("compile", "delattr", "dir", "eval", "exec", "getattr", "globals", "locals", "setattr", "vars"))
# Which argument, by position or keyword, is a function or a type.
_REFERENCES: dict[str, int | str] = {
    "map": 0,
    "filter": 0,
    "isinstance": 1,
    "max": "key",
    "min": "key",
    "sorted": "key",
}
_NO_FUNCTION = "wrong syntax, you might be using a not valid function inside a control block"


class CallRules(ABC):
    """The part of the expression compiler that knows about calls."""

    _code: Code
    _output: bool

    @abstractmethod
    def compile(self, node: ast.expr) -> Thunk: ...

    @abstractmethod
    def check_name(self, name: str, node: ast.AST) -> None: ...

    @abstractmethod
    def _items(self, nodes: list[ast.expr]) -> Callable[[Frame], list[Any]]: ...

    def attribute(self, node: ast.Attribute) -> Thunk:
        """Reading an attribute, as against calling a method, is always an error; one that starts with `__` at once."""
        self._check_attribute(node)
        self.compile(node.value)
        return _refuse(f"Invalid attribute: {node.attr}")

    def _check_attribute(self, node: ast.Attribute) -> None:
        if node.attr.startswith("_"):
            raise self._code.error(f"Invalid attribute: {node.attr}", node)

    def call(self, node: ast.Call) -> Thunk:
        if isinstance(node.func, ast.Name):
            return self._named_call(node, node.func.id)
        if isinstance(node.func, ast.Attribute):
            return self._method_call(node, node.func)
        if self._output:
            raise self._code.error(f"Invalid expression type: {type(node.func).__name__}", node)
        return self._value_call(node, self.compile(node.func))

    def _named_call(self, node: ast.Call, name: str) -> Thunk:
        if name in FUNCTIONS:
            return self._template_function(node, name)
        if name in (OUTPUT_BUILTINS if self._output else BUILTINS):
            return _invoke(BUILTINS[name], self._builtin_arguments(node, name))
        if self._output or name in _DENIED:
            raise self._code.error(f"Invalid function name: {name}", node)
        return self._value_call(node, self.compile(node.func))

    def _template_function(self, node: ast.Call, name: str) -> Thunk:
        if name == "enumerate_with_last" and self._output:
            shown = ast.unparse(node.args[0]) if node.args else name
            raise self._code.name_error(shown, node)
        if name == "Array" and len(node.args) > 1:
            node = _with_literal_type(node)
        arguments = self._arguments(node)
        problem = _misuse(FUNCTIONS[name], name, node)
        return _invoke(FUNCTIONS[name], arguments) if problem is None else _refuse(problem)

    def _method_call(self, node: ast.Call, method: ast.Attribute) -> Thunk:
        name = method.attr
        if self._output and name not in _OUTPUT_METHODS:
            raise self._code.error(f"Invalid method name: {name}", node)
        self._check_attribute(method)
        receiver, arguments = self.compile(method.value), self._arguments(node)

        def evaluate(frame: Frame) -> Any:
            value = receiver(frame)
            args, kwargs = arguments(frame)
            return call_method(frame, value, name, args, kwargs)

        return evaluate

    def _value_call(self, node: ast.Call, value: Thunk) -> Thunk:
        """A call of what a variable holds: only a `lambda` can be called."""
        arguments = self._arguments(node)

        def evaluate(frame: Frame) -> Any:
            function = value(frame)
            if not isinstance(function, Lambda):
                raise TemplateError(_NO_FUNCTION)
            args, kwargs = arguments(frame)
            return function(*args, **kwargs)

        return evaluate

    def _arguments(self, node: ast.Call) -> Arguments:
        positional = self._items(node.args)
        if not node.keywords:
            return lambda frame: (positional(frame), {})
        return self._with_keywords(positional, [(word.arg, self.compile(word.value)) for word in node.keywords])

    @staticmethod
    def _with_keywords(positional: Callable[[Frame], list[Any]], keywords: list[tuple[str | None, Thunk]]) -> Arguments:
        def evaluate(frame: Frame) -> tuple[list[Any], dict[str, Any]]:
            args, kwargs = positional(frame), dict[str, Any]()
            for key, thunk in keywords:
                value = thunk(frame)
                kwargs.update({key: value} if key is not None else value)
            return args, kwargs

        return evaluate

    def _builtin_arguments(self, node: ast.Call, name: str) -> Arguments:
        """Arguments of a Python function; where it expects a function or types, their names mean just that."""
        at = _REFERENCES.get(name)
        if at is None:
            return self._arguments(node)
        thunks = [self._reference(arg) if i == at else self.compile(arg) for i, arg in enumerate(node.args)]
        words = [(w.arg, self._reference(w.value) if w.arg == at else self.compile(w.value)) for w in node.keywords]
        return self._with_keywords(lambda frame: [thunk(frame) for thunk in thunks], words)

    def _reference(self, node: ast.expr) -> Thunk:
        if isinstance(node, ast.Name) and node.id in TYPES:
            kind = TYPES[node.id]
            return lambda frame: kind
        if isinstance(node, ast.Name) and node.id in BUILTINS:
            function = BUILTINS[node.id]
            return lambda frame: lambda *args: function(frame, *args)
        if isinstance(node, ast.Tuple):
            items = [self._reference(item) for item in node.elts]
            return lambda frame: tuple([item(frame) for item in items])
        return self.compile(node)


def _with_literal_type(node: ast.Call) -> ast.Call:
    """`Array(a, Int32)` means `Array(a, 'Int32')`."""
    kind = node.args[1]
    if not (isinstance(kind, ast.Name) and kind.id in PARAMETER_TYPES):
        return node
    literal = ast.copy_location(ast.Constant(value=kind.id), kind)
    return ast.Call(func=node.func, args=[node.args[0], literal, *node.args[2:]], keywords=node.keywords)


def _refuse(message: str) -> Thunk:
    """Fails when it is reached, not before: a branch that is not taken may hold what cannot work."""

    def evaluate(frame: Frame) -> Any:
        raise TemplateError(message)

    return evaluate


def _misuse(function: Callable[..., Any], name: str, node: ast.Call) -> str | None:
    """What is wrong with the shape of a call of a template function, as far as its text tells."""
    if any(isinstance(arg, ast.Starred) for arg in node.args) or name == "sql_and":
        return None
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount]
    if len(node.args) > len(names):
        return f"{name}() takes at most {len(names)} arguments, not {len(node.args)}"
    given = {word.arg for word in node.keywords}
    unknown = sorted(word for word in given if word is not None and word not in names)
    if unknown:
        return f"{name}() has no argument {unknown[0]}"
    needed = names[len(node.args) : len(names) - len(function.__defaults__ or ())]
    missing = [word for word in needed if word not in given]
    return f"{name}() is missing its argument {missing[0]}" if missing and None not in given else None


def _invoke(function: Callable[..., Any], arguments: Arguments) -> Thunk:
    def evaluate(frame: Frame) -> Any:
        args, kwargs = arguments(frame)
        frame.charge(1)
        return function(frame, *args, **kwargs)

    return evaluate
