"""The state of one rendering, and the budget that keeps a hostile template from taking the machine.

Every loop step, call and produced value is charged against the budget; single values have limits of their own, checked
before the work where the work could be large.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import Any

from tbpy.errors import TemplateError
from tbpy.templating.values import Missing

BUDGET = 1_000_000
MAX_TEXT = 1_000_000
MAX_ITEMS = 200_000
MAX_BITS = 4096
MAX_CALL_DEPTH = 40


class BudgetError(TemplateError):
    """The template asks for more work or memory than one rendering may use. `{% try %}` does not catch it."""


class Frame:
    """Variables, output and options while a template renders.

    `missing` is what a name without a value evaluates to: None, or a placeholder in test mode. `pieces` and `places`
    grow together: the place of literal text is its offset in the template, that of a computed piece is the
    complement (`~`) of its tag's offset. `at` is the offset of the tag that is being evaluated, `bound` has the values
    of the secrets that the SQL refers to.
    """

    __slots__ = (
        "at",
        "bound",
        "depth",
        "left",
        "missing",
        "pieces",
        "places",
        "required",
        "secrets",
        "settings",
        "test_mode",
        "variables",
    )

    def __init__(
        self,
        variables: dict[str, Any],
        *,
        required: tuple[str, ...] = (),
        secrets: Mapping[str, str] | None = None,
        test_mode: bool = False,
    ) -> None:
        self.variables = variables
        self.missing = Missing() if test_mode else None
        self.test_mode = test_mode
        self.required = required
        self.secrets = secrets
        self.bound: dict[str, str] = {}
        self.settings: dict[str, Any] = {}
        self.pieces: list[str] = []
        self.places: list[int] = []
        self.at = 0
        self.depth = 0
        self.left = BUDGET

    def charge(self, units: int) -> None:
        """Takes work from the budget: about a microsecond, or 64 characters, a unit."""
        self.left -= units
        if self.left < 0:
            raise BudgetError("the template does too much work: too many loop steps or too much text")

    def weigh(self, value: Any) -> Any:
        """Charges for a value that was produced, refuses one that is too large, and returns it."""
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                raise too_large("text")
            self.charge(1 + (len(value) >> 6))
        elif isinstance(value, int):
            if value.bit_length() > MAX_BITS:
                raise too_large("number")
        elif isinstance(value, (list, tuple, dict, set, frozenset)):
            self.charge(1 + _deep_weight(value))
        return value

    def take(self, values: Iterable[Any]) -> Iterable[Any]:
        """The values to iterate over, charged for in advance. Raises TemplateError for what is no collection."""
        if not isinstance(values, Sized):
            raise TemplateError(f"{kind_name(values)} is no list to go through")
        self.charge(len(values))
        return values


def kind_name(value: object) -> str:
    return "a missing value" if value is None else f"a value of type {type(value).__name__}"


def too_large(what: str) -> BudgetError:
    return BudgetError(f"the template makes a {what} that is too large")


def _deep_weight(value: Any) -> int:
    """Items of a value with everything inside it, counted once for each way that leads to it, as printing would."""
    total, stack = 0, [value]
    while stack:
        item = stack.pop()
        total += 1
        if isinstance(item, str):
            total += len(item) >> 4
        elif isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, (list, tuple, set, frozenset)):
            stack.extend(item)
        if total > MAX_ITEMS:
            raise too_large("collection")
    return total
