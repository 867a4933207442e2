"""Tinybird's HTTP API over one workspace."""
