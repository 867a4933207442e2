"""SETTINGS of a query: those that change answers are heeded or refused, those that tune a server mean nothing here."""

from __future__ import annotations

from collections.abc import Sequence

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Context

#: Settings that change answers in ways that tbpy does not follow, with the values that ask for nothing.
_UNHEEDED: dict[str, tuple[str, ...]] = {
    "aggregate_functions_null_for_empty": ("0",),
    "any_join_distinct_right_table_keys": ("0",),
    "cast_keep_nullable": ("0",),
    "date_time_output_format": ("simple",),
    "empty_result_for_aggregation_by_empty_set": ("0",),
    "enable_positional_arguments": ("1",),
    "extremes": ("0",),
    "final": ("0",),
    "enable_unaligned_array_join": ("0",),
    "force_grouping_standard_compatibility": ("1",),
    "join_any_take_last_row": ("0",),
    "join_default_strictness": ("ALL", ""),
    "limit": ("0",),
    "offset": ("0",),
    "prefer_column_name_to_alias": ("0",),
    "session_timezone": ("", "UTC"),
    "single_join_prefer_left_table": ("1",),
    "totals_mode": ("after_having_exclusive",),
    "transform_null_in": ("0",),
}


def apply_settings(context: Context, settings: Sequence[ast.Setting]) -> None:
    """Note the settings of a SELECT or a statement. Refuses those that would change the answer unheeded."""
    for setting in settings:
        value = {True: "1", False: "0"}.get(setting.value) if isinstance(setting.value, bool) else str(setting.value)
        if value not in _UNHEEDED.get(setting.name, (value,)):
            raise failures.unsupported(f"Setting {setting.name} = {setting.value}", setting)
        context.settings[setting.name] = setting.value
