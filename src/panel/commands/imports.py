"""panel import …: real inputs; a bad row is reported with its line and nothing else is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import click
from sqlalchemy.ext.asyncio import AsyncSession

from panel.commands.caseload import Caseload
from panel.commands.opening import (
    SECOND_PERSON,
    authority_option,
    opened_gate,
    plain_errors,
    running,
)
from panel.directory.importing import import_services
from panel.directory.open_referral import LARGEST
from panel.insight.linking.list_rows import LISTED
from panel.insight.linking.lists import NewList, bring_in
from panel.insight.linking.models import BASES, KINDS
from panel.insight.populations import POPULATIONS, bring_in_populations
from panel.panels.calendar import import_terms, join_panel
from panel.panels.models import Panel
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.csv_rows import RowProblem
from panel.register.area_changes import (
    area_codes,
    check_area_changes,
    import_area_changes,
)
from panel.register.areas import AreaRow, read_areas
from panel.register.csv_rows import CASELOAD, PEOPLE, REGISTER
from panel.register.imports import (
    ImportReport,
    import_areas,
    import_caseload,
    import_people,
    import_register,
)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Take = Callable[[Tenant, BinaryIO, Path], Awaitable[ImportReport]]


@click.group("import")
def imports() -> None:
    """Take real files in: terms, people, children, areas, populations, services, lists."""


async def _join(session: AsyncSession, panel_id: UUID, agency_id: UUID) -> None:
    """An agency whose worker sits on a panel is a member of it."""
    panel = await session.get_one(Panel, panel_id)
    await join_panel(session, panel, agency_id)


def _progress(lines: int) -> None:
    if lines % 1000 == 0:
        click.echo(f"  {lines} lines", err=True)


def _report(problems: Sequence[RowProblem], file: Path | None = None) -> None:
    """Each problem on a line; with the file's name where there are several files."""
    named = "" if file is None else f"{file.name}, "
    for problem in sorted(problems, key=lambda one: one.line):
        click.echo(f"{named}{problem}", err=True)


def _refuse(problems: Sequence[RowProblem], file: Path | None = None) -> None:
    """Raise where there is a problem, after naming each: what is taken as a whole is not taken."""
    _report(problems, file)
    if problems:
        which = "this file" if file is None else "these files"
        raise click.ClickException(f"Nothing was taken from {which}.")


async def _run(file: Path, authority: str | None, take: Take) -> ImportReport:
    async with opened_gate(authority) as gate:
        with await asyncio.to_thread(file.open, "rb") as source:
            report = await take(gate.tenant, source, file.parent)
    _report(report.problems)
    click.echo(
        f"{report.added} added, {report.changed} changed, {report.known} known already,"
        f" {len(report.problems)} reported."
    )
    if report.problems and not report.rows:
        raise click.ClickException("Nothing was taken from this file.")
    return report


def _template_option(text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def show(context: click.Context, _option: click.Parameter, wanted: str | None) -> None:
        if wanted is not None:
            click.echo(wanted, nl=False)
            context.exit()

    return click.option(
        "--template",
        flag_value=text,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Print an empty file with the right columns.",
    )


@imports.command("terms")
@click.argument("file", type=FILE)
@authority_option
@plain_errors
@running
async def terms(file: Path, authority: str | None) -> None:
    """The term calendar (iCalendar): terms, holidays, INSET days."""
    content = await asyncio.to_thread(file.read_bytes)
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        taken = await import_terms(session, content)
    for line in (*taken.reading.problems, *taken.reading.left_out):
        click.echo(str(line), err=True)
    for term in taken.merged.calendar.terms:
        click.echo(term.in_words())
    click.echo(
        f"{len(taken.merged.added)} terms added, {len(taken.merged.known)} known already,"
        f" {len(taken.merged.replaced)} replaced."
    )


@imports.command("people")
@click.argument("file", type=FILE)
@_template_option(PEOPLE.template())
@authority_option
@plain_errors
@running
async def people(file: Path, authority: str | None) -> None:
    """Agencies and workers with their roles (CSV). No link is sent: that is done on their page.

    Roles that take two people on the pages (administrator, information governance lead, Caldicott
    guardian, safeguarding lead) are given at once: whoever runs this counts as the second person.
    """

    async def take(tenant: Tenant, source: BinaryIO, _folder: Path) -> ImportReport:
        return await import_people(tenant, source, join_panel=_join, progress=_progress)

    await _run(file, authority, take)
    click.echo("Send each of them a link from their page, under People.")
    click.echo(SECOND_PERSON)


@imports.command("register")
@click.argument("file", type=FILE)
@_template_option(REGISTER.template())
@authority_option
@plain_errors
@running
async def register(file: Path, authority: str | None) -> None:
    """Children, with an agency and a contact each (CSV)."""

    async def take(tenant: Tenant, source: BinaryIO, _folder: Path) -> ImportReport:
        return await import_register(tenant, source, progress=_progress)

    await _run(file, authority, take)


@imports.command("caseload")
@click.argument("file", type=FILE)
@_template_option(CASELOAD.template())
@authority_option
@plain_errors
@running
async def caseload(file: Path, authority: str | None) -> None:
    """Cases that began before Panel: assessment, plan, lead professional, last discussion (CSV)."""

    async def take(tenant: Tenant, source: BinaryIO, folder: Path) -> ImportReport:
        return await import_caseload(tenant, source, folder, Caseload(), progress=_progress)

    await _run(file, authority, take)


@imports.command("areas")
@click.argument("file", type=FILE)
@click.option(
    "--changes",
    type=FILE,
    help="Which wards became which, from when (CSV: old_code, new_code, from_date).",
)
@authority_option
@plain_errors
@running
async def areas(file: Path, changes: Path | None, authority: str | None) -> None:
    """Wards or other areas with their boundaries (GeoJSON), and wards that became others.

    A ward that was renamed has one line in the file of changes; wards that were merged have a line
    each with the same new code; one that was divided has a line for each part. That file is taken
    as a whole or not at all, and so is what stands beside it: with a line that is wrong, no
    boundary is taken either. The file of areas has the new wards; the old ones are known from
    before.
    """
    had: frozenset[str] = frozenset()

    async def take(tenant: Tenant, source: BinaryIO, _folder: Path) -> ImportReport:
        nonlocal had
        async with tenant.transaction(JOB) as session:
            had = await area_codes(session)
        if changes is not None:
            coming = frozenset(one.code for one in read_areas(source) if isinstance(one, AreaRow))
            source.seek(0)
            _refuse(await _checked(tenant, changes, coming), changes)
        return await import_areas(tenant, source, progress=_progress)

    report = await _run(file, authority, take)
    if changes is not None:
        await _take_changes(changes, authority)
    elif had and report.added:
        click.echo(
            "If new wards took the place of others, say which with --changes before the next"
            " release: until then both are counted as wards of their own."
        )


async def _checked(tenant: Tenant, file: Path, coming: frozenset[str]) -> Sequence[RowProblem]:
    with await asyncio.to_thread(file.open, "rb") as source:
        return await check_area_changes(tenant, source, coming)


async def _take_changes(file: Path, authority: str | None) -> None:
    async with opened_gate(authority) as gate:
        with await asyncio.to_thread(file.open, "rb") as source:
            report = await import_area_changes(gate.tenant, source)
    _refuse(report.problems, file)
    click.echo(f"{report.added} changes of wards added, {report.known} known already.")


@imports.command("services")
@click.argument("file", type=FILE)
@authority_option
@plain_errors
@running
async def services(file: Path, authority: str | None) -> None:
    """Services and their providers (Open Referral UK 3.0, JSON).

    A page or list of services, one service, or one organisation with its services. A service that
    is wrong is reported with its place in the file. The same file again changes nothing.
    """

    def start_of() -> bytes:
        # A byte more than is taken says that there is more, without reading all of it.
        with file.open("rb") as source:
            return source.read(LARGEST + 1)

    content = await asyncio.to_thread(start_of)
    async with opened_gate(authority) as gate:
        report = await import_services(gate.tenant, content, file.name, _progress)
    for problem in report.problems:
        click.echo(str(problem), err=True)
    click.echo(
        f"{report.added} added, {report.changed} changed, {report.known} known already,"
        f" {len(report.problems)} reported."
    )
    if report.problems and not report.services:
        raise click.ClickException("Nothing was taken from this file.")


@imports.command("populations")
@click.argument("file", type=FILE)
@_template_option(POPULATIONS.template())
@authority_option
@plain_errors
@running
async def populations(file: Path, authority: str | None) -> None:
    """Children who live in each ward, as published elsewhere (CSV): who is expected is made of it.

    Each line says for which year, and who published it. A line that is wrong is reported with its
    number, and then nothing of the file is taken.
    """
    async with opened_gate(authority) as gate:
        with await asyncio.to_thread(file.open, "rb") as source:
            report = await bring_in_populations(gate.tenant, source)
    _refuse(report.problems)
    click.echo(f"{report.added} added, {report.changed} changed, {report.known} known already.")


DAY = click.DateTime(formats=["%Y-%m-%d"])


@imports.command("list")
@click.argument("file", type=FILE)
@_template_option(LISTED.template())
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What list this is.")
@click.option("--agency", required=True, help="The key of the agency whose list it is.")
@click.option(
    "--legal-basis", type=click.Choice(BASES), required=True, help="By what right it is used."
)
@click.option("--as-of", type=DAY, required=True, help="The day whose state it says.")
@click.option(
    "--opt-out-checked-on", type=DAY, help="When the national data opt-out was applied to it."
)
@authority_option
@plain_errors
@running
async def register_list(
    file: Path,
    kind: str,
    agency: str,
    legal_basis: str,
    as_of: datetime,
    opt_out_checked_on: datetime | None,
    authority: str | None,
) -> None:
    """A list of another register (CSV): SEN register, health list, or DLA counts by ward.

    Its children are compared with the children here. A pair of which nothing is doubtful is linked;
    the rest waits for a person under Lists. Nothing is merged. No list of children is taken without
    its legal basis and the day on which the national data opt-out was applied to it. The columns of
    DLA counts are ward_code and children.
    """
    checked = None if opt_out_checked_on is None else opt_out_checked_on.date()
    new = NewList(kind, agency, legal_basis, as_of.date(), checked)
    async with opened_gate(authority) as gate:
        with await asyncio.to_thread(file.open, "rb") as source:
            report = await bring_in(gate.tenant, source, new)
    _report(report.problems)
    click.echo(
        f"{report.taken} taken, {report.linked} linked, {report.to_look_at} for a person to look"
        f" at, {len(report.problems)} reported."
    )
