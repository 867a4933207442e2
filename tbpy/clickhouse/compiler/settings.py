"""SETTINGS of a query: those that change answers are heeded or refused, those that tune a server mean nothing here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.edit_distance import nearest
from tbpy.clickhouse.quoting import quote_string

#: Settings that change answers in ways that tbpy does not follow, with the values that ask for nothing.
_UNHEEDED: dict[str, tuple[str, ...]] = {
    "aggregate_functions_null_for_empty": ("0",),
    "any_join_distinct_right_table_keys": ("0",),
    "bool_false_representation": ("false",),
    "bool_true_representation": ("true",),
    "cast_ipv4_ipv6_default_on_conversion_error": ("0",),
    "cast_keep_nullable": ("0",),
    "cast_string_to_dynamic_use_inference": ("0",),
    "date_time_64_output_format_cut_trailing_zeros_align_to_groups_of_thousands": ("0",),
    "date_time_output_format": ("simple",),
    "date_time_overflow_behavior": ("ignore",),
    "decimal_check_overflow": ("1",),
    "empty_result_for_aggregation_by_empty_set": ("0",),
    "enable_extended_results_for_datetime_functions": ("0",),
    "enable_named_columns_in_function_tuple": ("0",),
    "extremes": ("0",),
    "final": ("0",),
    "formatdatetime_e_with_space_padding": ("0",),
    "formatdatetime_f_prints_scale_number_of_digits": ("0",),
    "formatdatetime_f_prints_single_zero": ("0",),
    "formatdatetime_format_without_leading_zeros": ("0",),
    "formatdatetime_parsedatetime_m_is_month_name": ("1",),
    "function_json_value_return_type_allow_complex": ("0",),
    "function_json_value_return_type_allow_nullable": ("0",),
    "geo_distance_returns_float64_on_float64_arguments": ("1",),
    "interval_output_format": ("numeric",),
    "join_any_take_last_row": ("0",),
    "join_default_strictness": ("ALL", "ANY", ""),
    "json_type_escape_dots_in_keys": ("0",),
    "least_greatest_legacy_null_behavior": ("0",),
    "legacy_column_name_of_tuple_literal": ("0",),
    "limit": ("0",),
    "offset": ("0",),
    "output_format_decimal_trailing_zeros": ("0",),
    "output_format_float_precision": ("0",),
    "output_format_json_map_as_array_of_tuples": ("0",),
    "output_format_json_named_tuples_as_objects": ("1",),
    "output_format_json_skip_null_value_in_named_tuples": ("0",),
    "parsedatetime_e_requires_space_padding": ("0",),
    "parsedatetime_parse_without_leading_zeros": ("1",),
    "prefer_column_name_to_alias": ("0",),
    "session_timezone": ("", "UTC"),
    "single_join_prefer_left_table": ("1",),
    "splitby_max_substrings_includes_remaining_string": ("0",),
    "totals_mode": ("after_having_exclusive",),
    "type_json_skip_duplicated_paths": ("0",),
    "use_legacy_to_time": ("0",),
}


#: Settings that queries have often, known without reading the list of all.
_USUAL = frozenset(
    (
        "join_use_nulls",
        "max_execution_time",
        "max_memory_usage",
        "max_rows_to_read",
        "max_threads",
        "optimize_read_in_order",
    )
)


@cache
def _names() -> frozenset[str]:
    text = (files("tbpy.clickhouse") / "setting_names.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


def _unknown(setting: ast.Setting) -> failures.QueryError:
    near = nearest(setting.name, sorted(_names()))
    meant = f": Maybe you meant [{','.join(map(quote_string, near))}]" if near else ""
    return failures.failure(f"Unknown setting '{setting.name}'{meant}", 115, "UNKNOWN_SETTING", setting)


def apply_settings(context: Context, settings: Sequence[ast.Setting]) -> None:
    """Note the settings of a SELECT or a statement. Refuses those that would change the answer unheeded."""
    for setting in settings:
        if setting.name not in _USUAL and setting.name not in _UNHEEDED and setting.name not in _names():
            raise _unknown(setting)
        value = {True: "1", False: "0"}.get(setting.value) if isinstance(setting.value, bool) else str(setting.value)
        if value not in _UNHEEDED.get(setting.name, (value,)):
            raise failures.unsupported(f"Setting {setting.name} = {setting.value}", setting)
        context.settings[setting.name] = setting.value
