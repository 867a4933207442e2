"""A deployment for people: what it changes, as lines, or as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tbpy.cli.output import Printed
from tbpy.cli.trouble import RED, YELLOW, paint, talk

if TYPE_CHECKING:
    from tbpy.client.deploying import Change, Deployment, Movement, Remark, TokenChange

SIGNS = {"added": "+", "changed": "~", "deleted": "-"}
HOW = {
    "backfill_with_forward_query": "written again by its FORWARD_QUERY",
    "backfill_with_mv_queries": "filled again by its materialized views",
}


def print_plan(deployment: Deployment) -> Iterator[Printed]:
    """What changes; remarks go to stderr."""
    for change in deployment.changes:
        yield f"{SIGNS[change.what]} {change.kind} {change.name}"
    yield from (f"⇒ {movement_text(movement)}" for movement in deployment.movements or ())
    yield from (f"⚿ {token_text(change)}" for change in deployment.tokens)
    for remark in deployment.remarks:
        talk(remark_text(remark))


def movement_text(movement: Movement) -> str:
    source = f" ({movement.source})" if movement.source else ""
    return f"rows of {movement.datasource}: {HOW.get(movement.how, movement.how)}{source}"


def token_text(change: TokenChange) -> str:
    permissions = [*(f"+{each}" for each in change.added), *(f"-{each}" for each in change.removed)]
    return f"token {change.token} {change.change}{': ' if permissions else ''}{', '.join(permissions)}"


def remark_text(remark: Remark) -> str:
    colour = RED if remark.level == "ERROR" else YELLOW
    head = paint(f"{remark.level.lower()}:", colour) if remark.level != "INFO" else "note:"
    return f"{remark.resource + ': ' if remark.resource else ''}{head} {remark.message}"


def verdict(deployment: Deployment, *, checked: bool) -> str:
    if deployment.failed:
        return "✗ Deployment is not valid" if checked else "✗ Deployment failed"
    if deployment.result == "no_changes":
        return "No changes. Deployment skipped"
    if checked:
        return "✓ Deployment is valid"
    if deployment.live:
        return f"✓ Deployment {deployment.id} is live"
    if deployment.status == "data_ready":
        return f"✓ Deployment {deployment.id} is ready in staging. `tbpy deployment promote` makes it live"
    return f"✓ Deployment {deployment.id} has begun: {deployment.status}"


def markdown(deployment: Deployment, *, checked: bool) -> str:
    """A plan that a bot can put under a pull request."""
    lines = [f"### {verdict(deployment, checked=checked)}", ""]
    if deployment.changes:
        lines += ["| change | resource |", "| --- | --- |"]
        lines += [f"| {change.what} | {resource_text(change)} |" for change in deployment.changes]
        lines += [""]
    lines += [f"- {movement_text(movement)}" for movement in deployment.movements or ()]
    lines += [f"- {token_text(change)}" for change in deployment.tokens]
    lines += [f"- **{r.level}** {f'`{r.resource}` ' if r.resource else ''}{r.message}" for r in deployment.remarks]
    if not deployment.failed and deployment.changes and not deployment.movements:
        lines.append("- No rows are written again.")
    return "\n".join(lines)


def resource_text(change: Change) -> str:
    return f"{change.kind} `{change.name}`"
