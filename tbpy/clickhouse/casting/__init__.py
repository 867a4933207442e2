"""Explicit conversion of values: what CAST, `toInt32`, `toString` and the like do, by source and target type."""
