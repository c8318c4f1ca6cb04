"""panel governance documents: the agreement, the record, the assessment and the notices."""

from collections.abc import Sequence
from pathlib import Path

import click

from panel.commands.opening import (
    as_of_option,
    authority_option,
    opened_gate,
    plain_errors,
    running,
)
from panel.governance.document_facts import read_facts
from panel.governance.documents import SLUGS
from panel.governance.versions import Version, keep_up_to_date
from panel.records.child_scoped import JOB


@click.group()
def governance() -> None:
    """Documents about how records are used."""


@governance.command("documents")
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the files, as Markdown and HTML.",
)
@authority_option
@as_of_option
@plain_errors
@running
async def documents(out: Path, authority: str | None, as_of: str | None) -> None:
    """Write them from what Panel is set up to do; a new version only where something changed."""
    async with opened_gate(authority, as_of) as gate, gate.tenant.transaction(JOB) as session:
        facts = await read_facts(session, gate.tenant.record.label)
        made = await keep_up_to_date(session, facts)
    _write(out, made)
    for one in made:
        click.echo(f"{SLUGS[one.kind]}: {'new version' if one.is_new else 'version'} {one.number}")


def _write(out: Path, made: Sequence[Version]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for one in made:
            (out / f"{SLUGS[one.kind]}.md").write_text(one.markdown(), encoding="utf-8")
            (out / f"{SLUGS[one.kind]}.html").write_text(one.html(), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written ({error.strerror}).") from error
