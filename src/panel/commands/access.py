"""panel access explain: who may see what of a child, and why."""

from datetime import date

import click

from panel.commands.opening import (
    as_of_option,
    authority_option,
    json_option,
    opened_gate,
    plain_errors,
    print_json,
    running,
)
from panel.sharing.explain_access import explain_access
from panel.web.words import short_day


@click.group()
def access() -> None:
    """Who may see what, and why."""


@access.command("explain")
@click.option("--child", required=True, help="The child's reference, such as C-1042.")
@click.option(
    "--viewer",
    required=True,
    help="The e-mail address of a worker or of one of the child's family, or a system's key.",
)
@click.option("--category", required=True, help="An information category, such as health.")
@click.option("--purpose", required=True, help="A purpose, such as support or panel.")
@authority_option
@as_of_option
@json_option
@plain_errors
@running
async def explain(
    child: str,
    viewer: str,
    category: str,
    purpose: str,
    authority: str | None,
    as_of: str | None,
    *,
    as_json: bool,
) -> None:
    """The decision, its reasons and its law. Nothing of the record is read."""
    async with opened_gate(authority, as_of) as gate:
        decided = await explain_access(gate, child, viewer, category, purpose)
    if as_json:
        print_json(decided)
        return
    click.echo("Permitted" if decided["permitted"] else "Withheld")
    click.echo(f"  Basis: {decided['basis'].replace('_', ' ')}")
    for reason in decided["reasons"]:
        click.echo(f"  {reason}")
    for key in ("since", "until"):
        if decided[key] is not None:
            click.echo(f"  {key.capitalize()}: {short_day(date.fromisoformat(decided[key]))}")
    for one in decided["obligations"]:
        click.echo(f"  Must: {one.replace('_', ' ')}")
    if decided["lawful"] is not None:
        click.echo(f"  Law: {decided['lawful']['words']}")
    if decided["silent"]:
        click.echo("  Silent: nothing may be said to them of this.")
