"""panel demo · panel personas: an invented authority, to try everything on."""

import os
from pathlib import Path
from uuid import UUID

import click
import msgspec
from sqlalchemy import text

from panel.accounts.models import DemoPersona
from panel.commands.demo_figures import publishing
from panel.commands.opening import (
    as_of_option,
    authority_option,
    gate_of,
    in_one_line,
    json_option,
    opened_cluster,
    opened_gate,
    plain_errors,
    print_json,
    running,
)
from panel.commands.serving import owner, remember_as_of, require_free, run_server
from panel.demo import places
from panel.demo.forward import fast_forward as play_forward
from panel.demo.invariants import InvariantBroken
from panel.demo.system import ensure_system
from panel.demo.writing import write_year
from panel.insight.feed import feed
from panel.platform.clock import FixedClock, at_nine, today
from panel.platform.cluster import Cluster
from panel.platform.migrate import ensure_control, migrate_all
from panel.platform.problems import Problem
from panel.platform.tables import KEYS
from panel.platform.tenancy import NoSuchAuthority, authorities, load_keys, record_authority
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.serving import check_ready, clock_from
from panel.settings import Settings, from_environment
from panel.web.manifest import read_manifest
from panel.web.words import short_day

HOST = "127.0.0.1"


class PersonaTold(msgspec.Struct):
    """One line of `panel personas --json`."""

    key: str
    name: str
    email: str
    role: str
    agency: str
    sign_in: str


ORDER = (
    "coordinator", "chair", "lead-health", "lead-education", "lead-social-care", "manager",
    "voluntary", "allocation-member", "parents-representative", "commissioner", "governance",
    "administrator", "parent-1", "parent-2", "parent-3", "young-person",
)  # fmt: skip


async def personas_told(gate: Gate, site_url: str) -> list[PersonaTold]:
    """The demonstration's people, in the order of the contract."""
    async with gate.tenant.transaction() as session:
        rows = await session.execute(
            text(
                "SELECT p.key, p.kind, p.viewer_id, p.role_words, w.name, w.email, w.agency_id,"
                " g.name AS agency FROM demo_persona p LEFT JOIN worker w ON w.id = p.viewer_id"
                " LEFT JOIN agency g ON g.id = w.agency_id"
            )
        )
        found = {row.key: row for row in rows}
        await load_keys(session, {row.agency_id for row in found.values() if row.agency_id})
        keys = session.info[KEYS]
        told: dict[str, PersonaTold] = {}
        for key, row in found.items():
            name = email = ""
            if row.agency_id is not None:
                holder, worker = row.agency_id, row.viewer_id
                name = keys.open(holder, "worker.name", worker, row.name)
                email = keys.open(holder, "worker.email", worker, row.email)
            told[key] = PersonaTold(
                key, name, email, row.role_words, row.agency or "", f"{site_url}/demo/sign-in/{key}"
            )
    for key, row in found.items():
        if row.kind == "family":
            told[key].name, told[key].email = await _family_persona(gate, row.viewer_id)
            told[key].agency = "Family"
    return [told[key] for key in ORDER if key in told]


async def _family_persona(gate: Gate, viewer: UUID) -> tuple[str, str]:
    """A family member's, or the young person's own, name and address: they see their own."""
    async with gate.tenant.transaction(viewer) as session:
        await load_keys(session, {viewer})
        keys = session.info[KEYS]
        row = (
            await session.execute(
                text("SELECT name, email FROM family_member WHERE id = :id"), {"id": viewer}
            )
        ).first()
        if row is not None:
            return (
                keys.open(viewer, "family_member.name", viewer, row.name),
                keys.open(viewer, "family_member.email", viewer, row.email) if row.email else "",
            )
        child = (
            await session.execute(
                text("SELECT given_name, family_name FROM child WHERE id = :id"), {"id": viewer}
            )
        ).one()
        given = keys.open(viewer, "child.given_name", viewer, child.given_name)
        family = keys.open(viewer, "child.family_name", viewer, child.family_name)
        return f"{given} {family}", ""


def prepare_authority(settings: Settings, cluster: Cluster) -> bool:
    """The demonstration's authority, migrated; whether it is new. Refuses a real database."""
    ensure_control(owner(cluster))
    known = authorities(cluster.app_url)
    if any(not record.demo for record in known):
        raise NoSuchAuthority(
            "This database holds a real authority. Choose another folder with --data-dir."
        )
    if not known:
        master = settings.key_service()
        record_authority(
            owner(cluster),
            master,
            name=places.AUTHORITY,
            label=places.LABEL,
            host=HOST,
            demo=True,
        )
    migrate_all(owner(cluster), lambda _line: None)
    return not known


@running
async def fill(
    settings: Settings, cluster: Cluster, seed: int, children: int, as_of: str | None
) -> None:
    """Write the year unless it is there already."""
    async with gate_of(settings, cluster, places.AUTHORITY, clock_from(as_of)) as gate:
        async with gate.tenant.transaction() as session:
            there = await session.get(DemoPersona, "coordinator") is not None
        if not there:
            await write_year(gate.tenant, seed=seed, children=children, say=_say)
            async with gate.tenant.transaction(JOB) as session:
                await feed(session, most_batches=None)
        await ensure_system(gate.tenant, settings.data_dir)


@running
async def play(
    settings: Settings, cluster: Cluster, seed: int, meetings: int, as_of: str | None
) -> None:
    """Let the year go on by itself for so many meetings; one line each, then what happened."""
    clock = FixedClock(at_nine(today(clock_from(as_of))))
    async with gate_of(settings, cluster, places.AUTHORITY, clock) as gate:
        try:
            told = await play_forward(
                gate,
                clock,
                seed=seed,
                meetings=meetings,
                site_url=settings.site_url,
                say=click.echo,
            )
        except InvariantBroken as broken:
            day = short_day(today(clock))
            raise click.ClickException(f"On {day} this does not hold: {broken}") from broken
        except Problem as refused:
            day = short_day(today(clock))
            said = f"On {day} somebody could not go on: {in_one_line(refused)}"
            raise click.ClickException(said) from refused
    for line in told.lines():
        click.echo(line)
    click.echo(f"Look at it with: panel demo --as-of {today(clock)}")


@running
async def show_personas(settings: Settings, cluster: Cluster, site_url: str) -> None:
    """Print each persona's sign-in link."""
    async with gate_of(settings, cluster, places.AUTHORITY, clock_from(None)) as gate:
        for one in await personas_told(gate, site_url):
            who = f"{one.name}, {one.role}"
            click.echo(f"  {who:<62} {one.sign_in}")


def _say(line: str) -> None:
    click.echo(f"  {line}", err=True)


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--children", default=300, show_default=True, type=click.IntRange(24, 5000))
@click.option("--seed", default=1, show_default=True, type=int)
@click.option("--data-dir", default=None, type=click.Path(file_okay=False, path_type=Path))
@as_of_option
@click.option("--prepare-only", is_flag=True, help="Make the data and do not serve.")
@click.option(
    "--fast-forward",
    default=0,
    metavar="MEETINGS",
    type=click.IntRange(0, 200),
    help="Let so many fortnightly meetings happen by themselves, check them, and do not serve.",
)
@plain_errors
def demo(
    port: int,
    children: int,
    seed: int,
    data_dir: Path | None,
    as_of: str | None,
    *,
    prepare_only: bool,
    fast_forward: int,
) -> None:
    """An invented authority with a year of life in it, and the site."""
    if data_dir is not None:
        os.environ["PANEL_DATA_DIR"] = str(data_dir.absolute())
    if not prepare_only and not fast_forward:
        require_free(HOST, port)
    site_url = f"http://{HOST}:{port}"
    os.environ["PANEL_SITE_URL"] = site_url
    os.environ["PANEL_INSECURE_COOKIES"] = "yes"
    remember_as_of(as_of)
    read_manifest()
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        if prepare_authority(settings, cluster):
            click.echo("Making the demonstration's authority (once) …", err=True)
        fill(settings, cluster, seed, children, as_of)
        if fast_forward:
            play(settings, cluster, seed, fast_forward, as_of)
            return
        click.echo(f"\n{places.LABEL}: sign in as")
        show_personas(settings, cluster, site_url)
        if prepare_only:
            return
        if wrong := check_ready(settings, cluster):
            raise click.ClickException(" ".join(wrong))
        click.echo(f"\nServing {site_url} (stop with Ctrl-C)")
        with publishing(seed, as_of):
            run_server(HOST, port, 1)


@click.command()
@authority_option
@json_option
@plain_errors
@running
async def personas(authority: str | None, *, as_json: bool) -> None:
    """The demonstration's people and their sign-in links."""
    async with opened_gate(authority) as gate:
        if not gate.tenant.record.demo:
            raise NoSuchAuthority("There are personas in the demonstration only.")
        told = await personas_told(gate, from_environment().site_url)
    if as_json:
        print_json(told)
    else:
        for one in told:
            click.echo(f"{one.key:<24}{one.name:<26}{one.role:<44}{one.sign_in}")
