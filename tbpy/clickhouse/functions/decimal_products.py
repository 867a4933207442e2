"""multiplyDecimal and divideDecimal: exact products and quotients, cut off at a scale that a call may name."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.wide import number_text
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar

_DIGITS = 76


def _row(name: str, function: str) -> None:
    @scalar(name, args=(2, 3))
    def build(call: Call) -> Typed:
        """Without a scale, the result has the larger one of the two."""
        one, other = (t.plain(arg.type) for arg in call.args[:2])
        if not isinstance(one, t.Decimal) or not isinstance(other, t.Decimal):
            call.wrong_type()
        scale = call.constant_value(2, "scale") if len(call.args) == 3 else max(one.scale, other.scale)
        if not isinstance(scale, int):
            call.wrong_type()
        if not 0 <= scale <= _DIGITS:
            raise bad_arguments(f"Scale {scale} is out of bounds (max scale: {_DIGITS})", call.node)
        left, right = (number_text(arg.exact(), kind) for arg, kind in zip(call.args, (one, other), strict=False))
        return call.typed(f"{call.context.udf(function)}({left}, {right}, {scale})", t.Decimal(_DIGITS, scale))


_row("multiplyDecimal", "tb_wide_product")
_row("divideDecimal", "tb_wide_quotient")
