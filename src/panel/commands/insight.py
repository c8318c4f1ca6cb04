"""panel insight: figures for commissioners, and the facts that they are counted from."""

from dataclasses import asdict

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
from panel.insight.feed import Checked, check, facts_digest, feed
from panel.insight.feed import rebuild as make_anew
from panel.insight.storing import how_many
from panel.records.child_scoped import JOB


@click.group()
def insight() -> None:
    """Figures for commissioners, with nobody in them."""


@insight.command()
@click.option("--rebuild", is_flag=True, help="Make all facts anew out of their whole history.")
@click.option(
    "--check",
    "is_checked",
    is_flag=True,
    help="Compare all facts with their history and with the records; exit 1 where they differ.",
)
@authority_option
@as_of_option
@json_option
@plain_errors
@running
async def facts(
    *, rebuild: bool, is_checked: bool, authority: str | None, as_of: str | None, as_json: bool
) -> None:
    """Take in what changed on records, and say which facts there are."""
    async with opened_gate(authority, as_of) as gate, gate.tenant.transaction(JOB) as session:
        fed = await feed(session, most_batches=None)
        if rebuild:
            await make_anew(session)
        checked = await check(session) if is_checked else Checked()
        numbers = await how_many(session)
        digest = await facts_digest(session)
    if as_json:
        print_json({"taken_in": asdict(fed), "facts": numbers, "digest": digest})
    else:
        click.echo(f"Looked at {fed.children} records; of {fed.said} something new is said.")
        for table, number in numbers.items():
            click.echo(f"{table}: {number}")
        click.echo(f"SHA-256 of all facts of children: {digest}")
    if wrong := checked.in_words():
        raise click.ClickException(wrong)
    if is_checked and not as_json:
        click.echo("Facts are what their history comes to, and what the records say.")
