"""Compiles Python expressions into closures over a `Frame`: an allow-list interpreter.

A node without a rule here is refused when the template is compiled. `{{ }}` takes fewer kinds of expression than the
conditions, loops and assignments of control blocks do (Tinybird's "Template functions", recorded cases).
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from tbpy.templating.calls import CallRules
from tbpy.templating.frame import Frame
from tbpy.templating.functions import FUNCTIONS
from tbpy.templating.lambdas import Lambda
from tbpy.templating.operators import BINARY, COMPARISONS, UNARY, charge_comparison, format_value
from tbpy.templating.syntax import Code
from tbpy.templating.values import Missing

Thunk = Callable[[Frame], Any]
Assignment = Callable[[Frame, Any], None]

RESERVED_NAMES = frozenset(("q", "format"))
_MAX_DEPTH = 80

_OUTPUT_NODES = (
    ast.BinOp,
    ast.Call,
    ast.Constant,
    ast.Dict,
    ast.FormattedValue,
    ast.IfExp,
    ast.JoinedStr,
    ast.List,
    ast.Name,
    ast.Set,
    ast.Slice,
    ast.Subscript,
    ast.Tuple,
    ast.UnaryOp,
)
_OUTPUT_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.USub, ast.Not)
_CONVERSIONS: dict[int, Callable[[object], str]] = {ord("s"): str, ord("r"): repr, ord("a"): ascii}


def is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


class ExpressionCompiler(CallRules):
    """Compiles the expressions of one piece of code; `output` says that it stands in `{{ }}`."""

    def __init__(self, code: Code, *, output: bool) -> None:
        self._code = code
        self._output = output
        self._depth = 0

    def compile(self, node: ast.expr) -> Thunk:
        rule = _RULES.get(type(node))
        if rule is None or (self._output and not isinstance(node, _OUTPUT_NODES)):
            raise self._code.error(f"Invalid expression type: {type(node).__name__}", node)
        if self._depth >= _MAX_DEPTH:
            raise self._code.error("the expression is nested too deeply", node)
        self._depth += 1
        thunk = rule(self, node)
        self._depth -= 1
        return thunk

    def check_name(self, name: str, node: ast.AST) -> None:
        """Raises for names that no parameter or variable may have."""
        if is_dunder(name):
            raise self._code.error(f"Invalid name: {name}", node)
        if name in RESERVED_NAMES or name in FUNCTIONS:
            raise self._code.name_error(name, node)

    def target(self, node: ast.expr) -> Assignment:
        """How a value is assigned to the target of `set`, `for` or a comprehension."""
        if isinstance(node, ast.Name):
            return self._name_target(node)
        if isinstance(node, (ast.Tuple, ast.List)):
            return self._tuple_target(node)
        if isinstance(node, ast.Subscript) and not self._output:
            return self._item_target(node)
        raise self._code.error("Invalid set statement", node)

    def _name_target(self, node: ast.Name) -> Assignment:
        name = node.id
        self.check_name(name, node)

        def assign(frame: Frame, value: Any) -> None:
            frame.variables[name] = value

        return assign

    def _tuple_target(self, node: ast.Tuple | ast.List) -> Assignment:
        targets = [self.target(item) for item in node.elts]

        def assign(frame: Frame, value: Any) -> None:
            values = [value] * len(targets) if isinstance(value, Missing) else list(frame.take(value))
            for target, item in zip(targets, values, strict=True):
                target(frame, item)

        return assign

    def _item_target(self, node: ast.Subscript) -> Assignment:
        owner, index = self.compile(node.value), self.compile(node.slice)

        def assign(frame: Frame, value: Any) -> None:
            collection = owner(frame)
            if not isinstance(collection, (list, dict)):
                raise TypeError("only items of lists and dictionaries can be set")
            collection[index(frame)] = value
            if isinstance(value, (list, dict, tuple, set)):
                frame.weigh(collection)

        return assign

    def _constant(self, node: ast.Constant) -> Thunk:
        value = node.value
        if value is not None and not isinstance(value, (str, int, float)):
            raise self._code.error(f"Invalid expression type: {type(value).__name__}", node)
        return lambda frame: value

    def _name(self, node: ast.Name) -> Thunk:
        name = node.id
        self.check_name(name, node)

        def load(frame: Frame) -> Any:
            value = frame.variables.get(name)
            return frame.missing if value is None else value

        return load

    def _items(self, nodes: list[ast.expr]) -> Callable[[Frame], list[Any]]:
        if any(isinstance(node, ast.Starred) for node in nodes):
            return self._starred_items(nodes)
        thunks = [self.compile(node) for node in nodes]
        return lambda frame: [thunk(frame) for thunk in thunks]

    def _starred_items(self, nodes: list[ast.expr]) -> Callable[[Frame], list[Any]]:
        parts = [
            (isinstance(n, ast.Starred), self.compile(n.value if isinstance(n, ast.Starred) else n)) for n in nodes
        ]

        def evaluate(frame: Frame) -> list[Any]:
            items: list[Any] = []
            for starred, thunk in parts:
                items.extend(frame.take(thunk(frame)) if starred else (thunk(frame),))
            return items

        return evaluate

    def _collection(self, node: ast.List | ast.Tuple | ast.Set) -> Thunk:
        items = self._items(node.elts)
        make = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
        return lambda frame: frame.weigh(make(items(frame)))

    def _dict(self, node: ast.Dict) -> Thunk:
        pairs = [(None if key is None else self.compile(key), self.compile(v)) for key, v in self._pairs(node)]

        def evaluate(frame: Frame) -> Any:
            result: dict[Any, Any] = {}
            for key, value in pairs:
                if key is None:
                    result.update(value(frame))
                else:
                    result[key(frame)] = value(frame)
            return frame.weigh(result)

        return evaluate

    @staticmethod
    def _pairs(node: ast.Dict) -> list[tuple[ast.expr | None, ast.expr]]:
        return list(zip(node.keys, node.values, strict=True))

    def _subscript(self, node: ast.Subscript) -> Thunk:
        value, index = self.compile(node.value), self.compile(node.slice)
        return lambda frame: frame.weigh(value(frame)[index(frame)])

    def _slice(self, node: ast.Slice) -> Thunk:
        bounds = [None if part is None else self.compile(part) for part in (node.lower, node.upper, node.step)]
        return lambda frame: slice(*[None if bound is None else bound(frame) for bound in bounds])

    def _joined_text(self, node: ast.JoinedStr) -> Thunk:
        parts = [self.compile(value) for value in node.values]
        return lambda frame: frame.weigh("".join([part(frame) for part in parts]))

    def _formatted_value(self, node: ast.FormattedValue) -> Thunk:
        value = self.compile(node.value)
        spec = None if node.format_spec is None else self.compile(node.format_spec)
        convert = _CONVERSIONS.get(node.conversion)

        def evaluate(frame: Frame) -> str:
            item = value(frame)
            item = item if convert is None else convert(item)
            return format_value(frame, item, "" if spec is None else spec(frame))

        return evaluate

    def _conditional(self, node: ast.IfExp) -> Thunk:
        test, body, otherwise = self.compile(node.test), self.compile(node.body), self.compile(node.orelse)
        return lambda frame: body(frame) if test(frame) else otherwise(frame)

    def _unary(self, node: ast.UnaryOp) -> Thunk:
        self._check_operator(node.op, "UnaryOp", node)
        apply, operand = UNARY[type(node.op)], self.compile(node.operand)
        return lambda frame: frame.weigh(apply(operand(frame)))

    def _binary(self, node: ast.BinOp) -> Thunk:
        self._check_operator(node.op, "BinOp", node)
        apply, left, right = BINARY[type(node.op)], self.compile(node.left), self.compile(node.right)
        return lambda frame: apply(frame, left(frame), right(frame))

    def binary_operation(self, op: ast.operator, node: ast.AST) -> Callable[[Frame, Any, Any], Any]:
        self._check_operator(op, "BinOp", node)
        return BINARY[type(op)]

    def _check_operator(self, op: ast.operator | ast.unaryop, kind: str, node: ast.AST) -> None:
        known = isinstance(op, _OUTPUT_OPERATORS) if self._output else type(op) in BINARY or type(op) in UNARY
        if not known:
            raise self._code.error(f"Invalid {kind}: {type(op).__name__}()", node)

    def _boolean(self, node: ast.BoolOp) -> Thunk:
        thunks, stops = [self.compile(value) for value in node.values], isinstance(node.op, ast.Or)

        def evaluate(frame: Frame) -> Any:
            value = None
            for thunk in thunks:
                value = thunk(frame)
                if bool(value) is stops:
                    break
            return value

        return evaluate

    def _compare(self, node: ast.Compare) -> Thunk:
        first = self.compile(node.left)
        rest = [(COMPARISONS[type(o)], self.compile(c)) for o, c in zip(node.ops, node.comparators, strict=True)]

        def evaluate(frame: Frame) -> Any:
            left, result = first(frame), True
            charge_comparison(frame, left)
            for compare, operand in rest:
                right = operand(frame)
                charge_comparison(frame, right)
                result = compare(left, right)
                if not result:
                    break
                left = right
            return result

        return evaluate

    def _named(self, node: ast.NamedExpr) -> Thunk:
        assign, value = self.target(node.target), self.compile(node.value)

        def evaluate(frame: Frame) -> Any:
            result = value(frame)
            assign(frame, result)
            return result

        return evaluate

    def _lambda(self, node: ast.Lambda) -> Thunk:
        arguments = node.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
            raise self._code.error("Invalid expression type: a lambda takes plain arguments only", node)
        names = tuple(argument.arg for argument in (*arguments.posonlyargs, *arguments.args))
        for name in names:
            self.check_name(name, node)
        body = self.compile(node.body)
        return lambda frame: Lambda(frame, names, body)

    def _list_comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> Thunk:
        return self._comprehension(node.generators, node.elt, list)

    def _set_comprehension(self, node: ast.SetComp) -> Thunk:
        return self._comprehension(node.generators, node.elt, set)

    def _dict_comprehension(self, node: ast.DictComp) -> Thunk:
        pair = ast.copy_location(ast.Tuple(elts=[node.key, node.value], ctx=ast.Load()), node.key)
        return self._comprehension(node.generators, pair, dict)

    def _comprehension(self, generators: list[ast.comprehension], item: ast.expr, make: Callable[..., Any]) -> Thunk:
        loops = [(self.target(g.target), self.compile(g.iter), [self.compile(c) for c in g.ifs]) for g in generators]
        if any(generator.is_async for generator in generators):
            raise self._code.error("Invalid expression type: async", item)
        element = self.compile(item)
        names = tuple({n.id for g in generators for n in ast.walk(g.target) if isinstance(n, ast.Name)})

        def run(frame: Frame, level: int, items: list[Any]) -> None:
            if level == len(loops):
                items.append(element(frame))
                return
            assign, iterable, conditions = loops[level]
            for value in frame.take(iterable(frame)):
                frame.charge(1)
                assign(frame, value)
                if all(condition(frame) for condition in conditions):
                    run(frame, level + 1, items)

        def evaluate(frame: Frame) -> Any:
            outer = {name: frame.variables.get(name) for name in names}
            items: list[Any] = []
            try:
                run(frame, 0, items)
            finally:
                frame.variables.update(outer)
            return frame.weigh(make(items))

        return evaluate


_RULES: dict[type[ast.expr], Callable[[Any, Any], Thunk]] = {
    ast.Attribute: ExpressionCompiler.attribute,
    ast.BinOp: ExpressionCompiler._binary,
    ast.BoolOp: ExpressionCompiler._boolean,
    ast.Call: ExpressionCompiler.call,
    ast.Compare: ExpressionCompiler._compare,
    ast.Constant: ExpressionCompiler._constant,
    ast.Dict: ExpressionCompiler._dict,
    ast.DictComp: ExpressionCompiler._dict_comprehension,
    ast.FormattedValue: ExpressionCompiler._formatted_value,
    ast.GeneratorExp: ExpressionCompiler._list_comprehension,
    ast.IfExp: ExpressionCompiler._conditional,
    ast.JoinedStr: ExpressionCompiler._joined_text,
    ast.Lambda: ExpressionCompiler._lambda,
    ast.List: ExpressionCompiler._collection,
    ast.ListComp: ExpressionCompiler._list_comprehension,
    ast.Name: ExpressionCompiler._name,
    ast.NamedExpr: ExpressionCompiler._named,
    ast.Set: ExpressionCompiler._collection,
    ast.SetComp: ExpressionCompiler._set_comprehension,
    ast.Slice: ExpressionCompiler._slice,
    ast.Subscript: ExpressionCompiler._subscript,
    ast.Tuple: ExpressionCompiler._collection,
    ast.UnaryOp: ExpressionCompiler._unary,
}
