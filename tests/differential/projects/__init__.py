"""Whole projects: building and running everything in them, and their answers beside ClickHouse's."""
