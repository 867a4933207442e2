"""`tbpy endpoint ls | data | url`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlencode

import typer

from tbpy.cli import logs, session
from tbpy.cli.answering import (
    PARQUET,
    FormatOption,
    NowOption,
    OutputOption,
    Rows,
    StatsOption,
    Written,
    answer,
    parquet,
    print_answer,
    wanted,
)
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Body, Printed, Table
from tbpy.cli.parameters import parse_parameters
from tbpy.cli.targets import find_target
from tbpy.errors import NotFoundError

if TYPE_CHECKING:
    from tbpy.templating import Parameter
    from tbpy.workspace import EndpointInfo

DEFAULT_HOST = "http://localhost:7181"

app = group("Endpoints: what the API answers.")
app.command("stats")(logs.stats)


def print_endpoints(endpoints: Sequence[EndpointInfo]) -> Iterator[Printed]:
    if not endpoints:
        yield "No endpoints"
        return
    rows = [(e.name, ", ".join(p.name for p in e.parameters), e.description or "") for e in endpoints]
    yield Table(("name", "parameters", "description"), rows)


@app.command("ls")
@answers(print_endpoints)
def ls(context: typer.Context, as_json: AsJson = False) -> Sequence[EndpointInfo]:
    """List the endpoints with their parameters."""
    with session.open_workspace(context) as workspace:
        return workspace.endpoints()


@app.command("data", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@answers(print_answer)
def data(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The endpoint.")],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of the endpoint.")
    ] = None,
    format: FormatOption = None,
    query: Annotated[str | None, typer.Option("--query", "-q", help="SQL over the result, which is called _.")] = None,
    stats: StatsOption = False,
    output: OutputOption = None,
    now: NowOption = None,
    as_json: AsJson = False,
) -> Body | Rows | Written:
    """Answer what an endpoint answers. Other options are its parameters: --name value."""
    parameters = parse_parameters(context.args, param or ())
    how = wanted(format, as_json=as_json, output=output, limit=0, stats=stats)
    with session.open_workspace(context, now=now) as workspace:
        if how.format == PARQUET:
            write = partial(workspace.write_parquet, endpoint=name, parameters=parameters, sql=query)
            return parquet(write, how)
        return answer(workspace.endpoint(name, parameters, sql=query), how)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an endpoint answers on a server; parameters have their defaults or examples, if any."""

    name: str
    url: str


def print_address(address: Address) -> Iterator[Printed]:
    yield address.url


@app.command("url")
@answers(print_address)
def url(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The endpoint.")],
    host: Annotated[str, typer.Option("--host", help="The server.")] = DEFAULT_HOST,
    as_json: AsJson = False,
) -> Address:
    """Print the address of an endpoint, on the server that is named or on a local one."""
    target = find_target(context)
    with session.open_workspace(context) as workspace:
        endpoints = {endpoint.name: endpoint for endpoint in workspace.endpoints()}
    if name not in endpoints:
        raise NotFoundError(f"There is no endpoint {name}", hint=f"there are: {', '.join(endpoints) or 'none'}")
    values = {p.name: example_value(p) for p in endpoints[name].parameters}
    parameters = f"?{urlencode(values)}" if values else ""
    return Address(name, f"{target.host if target else host.rstrip('/')}/v0/pipes/{quote(name)}.json{parameters}")


def example_value(parameter: Parameter) -> str:
    value = parameter.default if parameter.default is not None else parameter.example
    return "" if value is None else str(value)
