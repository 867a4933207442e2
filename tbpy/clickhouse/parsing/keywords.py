"""Functions with a syntax of their own (`CAST(x AS T)`, `extract(YEAR FROM x)`), CASE, INTERVAL and date literals."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable

from tbpy.clickhouse import ast
from tbpy.clickhouse.parsing import operators as op
from tbpy.clickhouse.parsing.cursor import is_word
from tbpy.clickhouse.parsing.literals import string_value
from tbpy.clickhouse.parsing.typenames import TypeNameParser
from tbpy.clickhouse.tokens import NUMBER, QUOTED, STRING

_DATE_DIFF = frozenset({"DATEDIFF", "DATE_DIFF", "TIMESTAMPDIFF", "TIMESTAMP_DIFF"})
_DATE_ADD = frozenset({"DATEADD", "DATE_ADD", "TIMESTAMPADD", "TIMESTAMP_ADD"})
_DATE_SUB = frozenset({"DATESUB", "DATE_SUB", "TIMESTAMPSUB", "TIMESTAMP_SUB"})
_EXTRACTED = {
    "Microsecond": "toMicrosecond",
    "Millisecond": "toMillisecond",
    "Second": "toSecond",
    "Minute": "toMinute",
    "Hour": "toHour",
    "Day": "toDayOfMonth",
    "Week": "toISOWeek",
    "Month": "toMonth",
    "Quarter": "toQuarter",
    "Year": "toYear",
    "ISOYEAR": "toISOYear",
    "DOY": "toDayOfYear",
    "DOW": "toDayOfWeek",
    "ISODOW": "toDayOfWeek",
    "EPOCH": "toUnixTimestamp",
}
# Functions that ClickHouse's parser renames however they are written, so that result names show only these.
CANONICAL = {
    "SUBSTRING": "substring",
    "POSITION": "position",
    "EXTRACT": "extract",
    "GROUPING": "grouping",
    "TRIM": "trimBoth",
    "LTRIM": "trimLeft",
    "RTRIM": "trimRight",
    **dict.fromkeys(_DATE_DIFF, "dateDiff"),
}
_INTERVAL_TEXT = re.compile(r"\s*([+-]?\d+)\s*([A-Za-z]+)\s*")
_TRIMS = {"BOTH": "trimBoth", "LEADING": "trimLeft", "TRAILING": "trimRight"}


class KeywordParser(TypeNameParser):
    """Reads what a keyword opens where an operand stands."""

    __slots__ = ()

    @abstractmethod
    def columns_matcher(self, start: int) -> ast.ColumnsMatcher: ...

    # --- calls with a syntax of their own ---

    def special_call(self, name: str, start: int) -> ast.Expression | None:
        """A call such as `CAST(x AS T)`; None, with nothing read, when it is written as a plain call."""
        reader = _SPECIAL.get(name.upper())
        if reader is None:
            return None
        before = self.index
        self.index += 1
        result = reader(self, name, start)
        if result is None:
            self.index = before
        return result

    def keyword(self, name: str, arguments: tuple[ast.Expression, ...], start: int) -> ast.Function:
        return ast.Function(name, arguments, syntax="keyword", start=start, end=self.last_end)

    def cast(self, name: str, start: int) -> ast.Expression | None:
        value = self.expression()
        if self.key == "AS" and self.key_at(2) in ("AS", ","):
            self.index += 1
            value = ast.Alias(value, self.name(), start=value.start, end=self.last_end)
        if self.accept("AS"):
            target: ast.Expression = self.type_text()
            syntax = "cast"
        else:
            self.expect(",")
            target = self.expression()
            syntax = "call"
        self.expect(")")
        return ast.Function("CAST", (value, target), syntax=syntax, start=start, end=self.last_end)

    def extract(self, name: str, start: int) -> ast.Expression | None:
        function = _EXTRACTED.get(op.UNIT_NAMES.get(self.key, self.key))
        if function is None or self.key_at(1) != "FROM":
            return None
        more: tuple[ast.Expression, ...] = ()
        if self.key == "DOW":  # Sunday is 0
            more = (ast.Literal(2, "2", start=self.here, end=self.ends[self.index]),)
        self.index += 2
        value = self.aliased(bare=False)
        self.expect(")")
        return self.keyword(function, (value, *more), start)

    def trim(self, name: str, start: int) -> ast.Expression | None:
        side = _TRIMS.get(self.key)
        if side is None or self.key_at(1) in (",", ")"):
            return None
        self.index += 1
        characters = self.expression()
        self.expect("FROM")
        value = self.aliased(bare=False)
        self.expect(")")
        return self.keyword(side, (value, characters), start)

    def substring(self, name: str, start: int) -> ast.Expression | None:
        arguments = [self.expression()]
        if not self.accept("FROM"):
            return None
        arguments.append(self.expression())
        if self.accept("FOR"):
            arguments.append(self.expression())
        self.expect(")")
        return self.keyword("substring", tuple(arguments), start)

    def position(self, name: str, start: int) -> ast.Expression | None:
        needle = self.expression(op.COMPARE)
        if not self.accept("IN"):
            return None
        haystack = self.expression()
        self.expect(")")
        return self.keyword("position", (haystack, needle), start)

    def date_diff(self, name: str, start: int) -> ast.Expression | None:
        unit = op.UNIT_NAMES.get(self.key)
        if unit is None or self.key_at(1) != ",":
            return None
        text = unit.lower()
        word = ast.Literal(text, f"'{text}'", start=self.here, end=self.ends[self.index])
        self.index += 2
        rest = self.expression_list()
        self.expect(")")
        return ast.Function("dateDiff", (word, *rest), start=start, end=self.last_end)

    def date_shift(self, name: str, start: int) -> ast.Expression | None:
        """`date_add(DAY, 1, x)` and `date_add(x, INTERVAL 1 DAY)` are additions."""
        function = "plus" if name.upper() in _DATE_ADD else "minus"
        unit = op.UNIT_NAMES.get(self.key)
        if unit is not None and self.key_at(1) == ",":
            self.index += 2
            amount = self.expression()
            self.expect(",")
            interval = ast.Function(
                f"toInterval{unit}", (amount,), syntax="interval", start=amount.start, end=amount.end
            )
            arguments: tuple[ast.Expression, ...] = (self.aliased(bare=False), interval)
        else:
            arguments = () if self.key == ")" else self.expression_list()
            if len(arguments) != 2:
                return None
        self.expect(")")
        return self.keyword(function, arguments, start)

    def date_part(self, name: str, start: int) -> ast.Expression | None:
        """`date_part('day', x)` is `toDayOfMonth(x)`."""
        if self.key != STRING or self.key_at(1) != ",":
            return None
        unit = string_value(self.words[self.index]).upper()
        function = _EXTRACTED.get(op.UNIT_NAMES.get(unit, unit))
        if function is None or unit == "DOW":
            return None
        self.index += 2
        value = self.aliased(bare=False)
        self.expect(")")
        return self.keyword(function, (value,), start)

    # --- operands that open with a keyword ---

    def word_operand(self, key: str, start: int) -> ast.Expression | None:
        follower = self.keys[self.index + 1]
        if key == "CASE" and (follower == "WHEN" or follower not in (",", ")", ".", "", "FROM", "AS")):
            return self.case(start)
        if key == "INTERVAL":
            return self.interval(start)
        if follower == STRING and key in ("DATE", "TIMESTAMP", "DATETIME"):
            self.index += 2
            word = self.words[self.index - 1]
            value = ast.Literal(string_value(word), word, start=self.starts[self.index - 1], end=self.last_end)
            return self.keyword("toDate" if key == "DATE" else "toDateTime", (value,), start)
        if key == "COLUMNS" and follower == "(":
            return self.columns_matcher(start)
        if key == "EXISTS" and follower == "(" and self.at_query(2):
            self.index += 2
            inner = self.here
            query = ast.Subquery(self.query(), start=inner, end=self.last_end)
            self.expect(")")
            return self.keyword("exists", (query,), start)
        return None

    def case(self, start: int) -> ast.Expression:
        self.index += 1
        arguments: list[ast.Expression] = []
        name = "multiIf"
        if self.key != "WHEN":
            arguments.append(self.aliased(bare=False))
            name = "caseWithExpression"
        if self.key != "WHEN":
            self.fail("WHEN")
        while self.accept("WHEN"):
            arguments.append(self.aliased(bare=False))
            self.expect("THEN")
            arguments.append(self.aliased(bare=False))
        if self.accept("ELSE"):
            arguments.append(self.aliased(bare=False))
        else:
            arguments.append(ast.Literal(None, "NULL", start=self.here, end=self.here))
        self.expect("END")
        return ast.Function(name, tuple(arguments), syntax="case", start=start, end=self.last_end)

    def interval(self, start: int) -> ast.Expression | None:
        """`INTERVAL 1 DAY`, `INTERVAL '1 day 2 hours'`; None when INTERVAL is a name here."""
        before = self.index
        follower = self.keys[before + 1]
        if follower in (",", ")", ".", "", "FROM", "AS") or (follower in op.BINARY and follower != "-"):
            return None
        self.index += 1
        if self.key == STRING and self.key_at(1) not in op.UNIT_NAMES:
            return self.interval_text(start)
        if not (self.key in (NUMBER, STRING, QUOTED, "(", "{", "-", "[") or is_word(self.key)):
            self.index = before
            return None
        amount = self.expression()
        unit = op.UNIT_NAMES.get(self.key)
        if unit is None:
            self.index = before
            return None
        self.index += 1
        return ast.Function(f"toInterval{unit}", (amount,), syntax="interval", start=start, end=self.last_end)

    def interval_text(self, start: int) -> ast.Expression:
        word = self.words[self.index]
        place = {"start": self.here, "end": self.ends[self.index]}
        text = string_value(word)
        parts: list[ast.Expression] = []
        offset = 0
        while match := _INTERVAL_TEXT.match(text, offset):
            unit = op.UNIT_NAMES.get(match[2].upper())
            if unit is None:
                break
            amount = ast.Literal(int(match[1]), match[1].lstrip("+"), **place)
            parts.append(ast.Function(f"toInterval{unit}", (amount,), syntax="interval", start=start, end=place["end"]))
            offset = match.end()
        if not parts or offset != len(text):
            self.fail("interval")
        self.index += 1
        if len(parts) == 1:
            return parts[0]
        return ast.Function("tuple", tuple(parts), syntax="tuple", start=start, end=self.last_end)


_Reader = Callable[[KeywordParser, str, int], "ast.Expression | None"]
_SPECIAL: dict[str, _Reader] = {
    "CAST": KeywordParser.cast,
    "EXTRACT": KeywordParser.extract,
    "TRIM": KeywordParser.trim,
    "SUBSTRING": KeywordParser.substring,
    "POSITION": KeywordParser.position,
    "DATE_PART": KeywordParser.date_part,
    **dict.fromkeys(_DATE_DIFF, KeywordParser.date_diff),
    **dict.fromkeys(_DATE_ADD | _DATE_SUB, KeywordParser.date_shift),
}
