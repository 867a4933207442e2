"""Random expressions: grown from the rules over the columns in sight."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from tests.differential.fuzz.rules import CONSTANTS, RULES, UNIONS

_HOLE = re.compile(r"\{(\w+)(?:\|(\w+):(\w+))?\}")


@dataclass(frozen=True, slots=True)
class Sight:
    """What an expression may name: columns by kind. `order` is SQL that orders the rows totally, where there is any."""

    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    order: str | None = None

    def adding(self, kind: str, name: str) -> Sight:
        return Sight({**self.columns, kind: (*self.columns.get(kind, ()), name)}, self.order)

    def joined(self, other: Sight) -> Sight:
        kinds = self.columns.keys() | other.columns.keys()
        columns = {kind: self.columns.get(kind, ()) + other.columns.get(kind, ()) for kind in sorted(kinds)}
        both = self.order is not None and other.order is not None
        return Sight(columns, f"({self.order}, {other.order})" if both else None)


class Grower:
    def __init__(self, source: random.Random) -> None:
        self._random = source

    def grow(self, kind: str, depth: int, sight: Sight) -> str:
        """SQL of an expression of the kind, at most `depth` rules deep."""
        if kind == "order":
            return sight.order or "1"
        if kind == "const":
            return self._random.choice(CONSTANTS[self._random.choice(("int", "str"))])
        if kind in UNIONS:
            return self.grow(self._random.choice(UNIONS[kind]), depth, sight)
        rules = self._usable(kind, sight)
        leaf = depth <= 0 or (kind in sight.columns and self._random.random() < 0.25)
        if rules and (not leaf or (kind not in CONSTANTS and kind not in sight.columns)):
            text = self._random.choice(rules)
            return _HOLE.sub(lambda hole: self._hole(hole, depth - 1, sight), text)
        return self._leaf(kind, sight)

    def _usable(self, kind: str, sight: Sight) -> list[str]:
        rules = RULES.get(kind, [])
        return (
            rules
            if sight.order is not None
            else [rule for rule in rules if "{order}" not in rule and "{over}" not in rule]
        )

    def _hole(self, hole: re.Match[str], depth: int, sight: Sight) -> str:
        kind, parameter, of = hole.groups()
        return self.grow(kind, depth, sight if parameter is None else sight.adding(of, parameter))

    def _leaf(self, kind: str, sight: Sight) -> str:
        columns, constants = sight.columns.get(kind, ()), CONSTANTS.get(kind, ())
        if columns and (not constants or self._random.random() < 0.85):
            return self._random.choice(columns)
        return self._random.choice(constants)
