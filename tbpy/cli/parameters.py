"""Parameters of an endpoint from the command line: `--name value`, `--name=value`, `-p name=value`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tbpy.errors import UsageError

Parameters = dict[str, str | list[str]]


def parse_parameters(options: Sequence[str], pairs: Iterable[str] = ()) -> Parameters:
    """`options` are the arguments that the command itself does not know; a name given twice becomes a list.

    Raises `UsageError` for what is neither a name nor its value.
    """
    found: dict[str, list[str]] = {}
    for name, value in [*_options(options), *map(_pair, pairs)]:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _options(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    rest = iter(options)
    for option in rest:
        if not option.startswith("--") or option == "--":
            raise UsageError(f"unexpected argument '{option}'", hint="parameters are given as --name value")
        name, equals, value = option.removeprefix("--").partition("=")
        if not equals:
            following = next(rest, None)
            if following is None or following.startswith("--"):
                raise UsageError(f"--{name} has no value", hint=f"give it as --{name}=value")
            value = following
        yield name, value


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"'{text}' is not a parameter", hint="write it as name=value")
    return name, value
