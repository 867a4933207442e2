"""tbpy runs Tinybird projects on DuckDB."""

__version__ = "0.1.0"
