"""panel insight: figures for commissioners, and the facts that they are counted from."""

import csv
from dataclasses import asdict
from pathlib import Path
from time import monotonic

import click

from panel.commands.opening import (
    as_of_option,
    authority_option,
    gate_of,
    json_option,
    opened_cluster,
    opened_gate,
    plain_errors,
    print_json,
    running,
)
from panel.insight import release_store
from panel.insight.core.audit import audit as attack
from panel.insight.core.ledger import Tampered
from panel.insight.core.model import Contradicts, TooBig
from panel.insight.core.released import AuditResult, Finding
from panel.insight.core.settle import Refused
from panel.insight.core.words import Period, ordinal
from panel.insight.core.written import Unreadable
from panel.insight.feed import Checked, check, facts_digest, feed
from panel.insight.feed import rebuild as make_anew
from panel.insight.reading import heads
from panel.insight.release_files import put, releases_in, tampered
from panel.insight.release_store import signing
from panel.insight.releasing import NotYet, release_term
from panel.insight.report import Report
from panel.insight.report import pdf as report_pdf
from panel.insight.report import read as read_report
from panel.insight.saying import INVENTED
from panel.insight.storing import how_many
from panel.platform.pdf import PdfNotMade
from panel.records.child_scoped import JOB
from panel.serving import clock_from
from panel.settings import from_environment


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


FOLDER = click.Path(file_okay=False, path_type=Path)
FOLDERS = click.argument(
    "folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)


@insight.command()
@click.option("--period", required=True, help="The term, as 2026-autumn.")
@click.option("--out", required=True, type=FOLDER, help="The folder for the files.")
@click.option(
    "--clusters",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file of wards that are read together (ward, cluster); else as in the last"
    " release, and in the first those that touch.",
)
@authority_option
@as_of_option
@plain_errors
@running
async def release(
    period: str, out: Path, clusters: Path | None, authority: str | None, as_of: str | None
) -> None:
    """Publish the figures of a term, protected and attacked first; exit 1 where refused."""
    term = Period(period)
    try:
        ordinal(term)
        nested = None if clusters is None else _clusters(clusters)
        settings = from_environment()
        with opened_cluster(settings) as cluster:
            async with gate_of(settings, cluster, authority, clock_from(as_of)) as gate:
                made = await release_term(gate.tenant, cluster.insight_url, term, nested)
        put(out, made.files, made.entries)
    except Refused as refused:
        _tell(refused.result)
        raise click.ClickException(f"Refused: {refused.sentence}") from refused
    except (NotYet, ValueError, Contradicts, TooBig) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written ({error.strerror}).") from error
    _tell(made.audit)
    click.echo(f"Release {made.entries[-1].number} of {term} is in {out}.")


@insight.command()
@FOLDERS
@click.option("--minutes", default=60, show_default=True, help="How long it may take.")
@json_option
def audit(folders: tuple[Path, ...], *, minutes: int, as_json: bool) -> None:
    """Attack releases with all they publish together; exit 1 where a cell is not safe."""
    try:
        result = attack(releases_in(folders), until=monotonic() + 60 * minutes)
    except (Unreadable, Contradicts, TooBig, ValueError) as wrong:
        raise click.ClickException(f"Not safe: {wrong}") from wrong
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from error
    if as_json:
        print_json({**asdict(result), "findings": [_named(one) for one in result.findings]})
    else:
        _tell(result)
    if not result.safe:
        raise click.ClickException("Not safe.")


@insight.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--key", help="The public key in hex, to look at folders alone.")
@authority_option
@plain_errors
@running
async def verify(folders: tuple[Path, ...], key: str | None, authority: str | None) -> None:
    """Find what was changed in the ledger, in the database or in folders; exit 1 where it was."""
    found: list[Tampered] = []
    try:
        if key is None:
            async with opened_gate(authority) as gate:
                _, key = signing(gate.tenant)
                async with gate.tenant.transaction(JOB) as session:
                    found += await release_store.tampered(session, key)
        found += tampered(folders, key)
    except Unreadable as wrong:
        raise click.ClickException(str(wrong)) from wrong
    for one in found:
        click.echo(one.in_words())
    if found:
        raise click.ClickException("This is not what was signed.")
    click.echo(f"Everything is as it was signed with the key {key}.")


@insight.command()
@click.option("--release", "number", type=click.IntRange(1), help="Its number; else the newest.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PDF file to write.",
)
@authority_option
@plain_errors
@running
async def report(number: int | None, out: Path, authority: str | None) -> None:
    """Write the joint report of a release for the health and wellbeing board, as PDF/UA."""
    async with opened_gate(authority) as gate, gate.tenant.transaction(JOB) as session:
        published = await heads(session)
        found = [one for one in published if number in (None, one.number)]
        if not found:
            raise click.ClickException(
                "Nothing is published yet." if number is None else f"There is no release {number}."
            )
        record = gate.tenant.record
        invented = INVENTED if record.demo else ""
        made = await read_report(session, published, found[0], record.label, invented)
    _write(out, made)
    click.echo(f"The report of release {made.entry.number} is in {out}.")


def _write(out: Path, made: Report) -> None:
    try:
        out.write_bytes(report_pdf(made))
    except PdfNotMade as refused:
        raise click.ClickException(refused.sentence) from refused
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written ({error.strerror}).") from error


def _clusters(file: Path) -> dict[str, str]:
    """Ward → its cluster. ValueError, in a sentence."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    pairs = [(row.get("ward") or "", row.get("cluster") or "") for row in rows]
    if not pairs or not all(all(pair) for pair in pairs):
        raise ValueError(f"{file} needs the columns ward and cluster, both filled in each line.")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"{file} has a ward twice.")
    return found


def _named(finding: Finding) -> dict[str, object]:
    return {**asdict(finding), "low": int(finding.low), "high": int(finding.high)}


def _tell(result: AuditResult) -> None:
    for one in result.findings:
        cell = ", ".join(code or "not said" for code in one.cell)
        click.echo(
            f"{one.table}, {one.period}: {cell} is from {one.low} to {one.high}, by"
            f" {', '.join(one.by)}."
        )
    if result.corrected:
        click.echo(
            f"{result.corrected} rows between releases do not hold: something was corrected since."
        )
    if result.unfinished:
        click.echo(f"{result.unfinished} cells could not be asked about to the end.")
    click.echo(
        f"{result.cells} small cells asked about with {result.solves} linear programmes in"
        f" {result.seconds:.0f} seconds."
    )
