"""Plugins that every test of this repository runs with."""

pytest_plugins = ("tests.conformance.floors",)
