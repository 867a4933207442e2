"""Plugins that every test of this repository runs with."""

pytest_plugins = ("pytester", "tests.conformance.floors")
