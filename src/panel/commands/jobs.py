"""panel jobs: the scheduler. Any number may run; each slot of a job is done once."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import click
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.people_leaving import let_leavers_go
from panel.accounts.providers import base_of
from panel.accounts.switching import forget_ways
from panel.accounts.throttle import forget_attempts
from panel.allocation.leaving import take_off_who_left
from panel.allocation.letter_service import send_letters, settle_letters
from panel.allocation.new_year import promise_out_of_new_pots
from panel.casework.bulk import carry_on
from panel.casework.digest import put_digests, waits_for_morning
from panel.casework.watch import WATCHING
from panel.commands.opening import gate_of, opened_cluster, plain_errors, running
from panel.exchange.delivering import Sender, forget_settled
from panel.exchange.events import put_in_line
from panel.exchange.exporting import forget_exports, make_waiting
from panel.exchange.fhir_routes import BASE as FHIR_BASE
from panel.exchange.handing_over import hand_over_due
from panel.exchange.history import keep_versions
from panel.exchange.inbox_forgetting import forget_received
from panel.exchange.inbox_job import take_in_what_is_left
from panel.exchange.landing import Inbox
from panel.exchange.mesh import SendsByMesh, collect
from panel.exchange.pulling import pull_due
from panel.exchange.tokens import forget_used
from panel.governance.disposals import dispose_of_approved, propose
from panel.governance.document_facts import read_facts
from panel.governance.patterns import find_unusual
from panel.governance.rights_copies import gather_waiting
from panel.governance.rights_telling import tell_of_corrections
from panel.governance.versions import keep_up_to_date
from panel.insight.feed import keep_facts
from panel.insight.term_end import KEEPING, publish_due
from panel.insight.voice.offering import offer_surveys
from panel.panels.leavers import CasesOfLeavers
from panel.panels.note_sending import send_notes, settle_deliveries, stop_recalled
from panel.panels.still_may_go import still_may_go
from panel.plans.service import chase_overdue
from panel.platform.changes import forget_changes
from panel.platform.clock import SystemClock, day_of, today
from panel.platform.erasure import DestroyedKeys
from panel.platform.jobs import Job, run_due
from panel.platform.mail import Smtp
from panel.platform.outbox import Way, send_due
from panel.platform.reaching import Reaching
from panel.platform.sealing import seal_events
from panel.platform.tables import NOW
from panel.platform.tenancy import authorities
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.service import forget_codes
from panel.settings import Settings, from_environment
from panel.sharing.expecting import offer_access_to_expected
from panel.sharing.noticing import (
    end_at_18,
    remind_of_endings,
    remind_of_own_decisions,
    tell_askers,
    tell_of_choices,
)
from panel.sharing.service import lapse_requests

EVERY = timedelta(minutes=1)
SEALED_EVERY = timedelta(seconds=30)
FORMS_KEPT = timedelta(days=2)
PUBLISHING = "publish the figures of a term"


async def forget_what_is_over(session: AsyncSession, slot: datetime) -> None:
    """Sessions and sign-in links that ended, the ids of forms posted long ago, notes of changes."""
    now: datetime = session.info[NOW]
    await session.execute(text("DELETE FROM web_session WHERE ends_at < :now"), {"now": now})
    await session.execute(text("DELETE FROM sign_in_entry WHERE ends_at < :now"), {"now": now})
    await forget_attempts(session, now)
    await forget_used(session, now)
    await forget_ways(session, now)
    await forget_codes(session)
    await session.execute(text("DELETE FROM sign_in_link WHERE ends_at < :now"), {"now": now})
    await session.execute(
        text("DELETE FROM form_post WHERE at < :before"), {"before": slot - FORMS_KEPT}
    )
    await forget_changes(session)


def sending(way: Way, gate: Gate, site_url: str) -> Job:
    """What waits in the outbox and may go still goes out, every minute."""
    may_go = still_may_go(gate.tenant, site_url)

    async def send(session: AsyncSession, _slot: datetime) -> None:
        now = session.info[NOW]
        await send_due(session, way, now, may_go=may_go, waits=waits_for_morning)

    return Job("send what waits", EVERY, send)


def notes_to_families(gate: Gate, site_url: str) -> list[Job]:
    """Notes and letters that are settled go into the outbox; what became of them is kept."""

    async def put(session: AsyncSession, _slot: datetime) -> None:
        await stop_recalled(session)
        await send_notes(gate, site_url)
        await send_letters(gate, site_url)

    async def settle(session: AsyncSession, _slot: datetime) -> None:
        await settle_deliveries(session)
        await settle_letters(session)

    return [Job("put notes to families out", EVERY, put), Job("see what was sent", EVERY, settle)]


def about_casework(gate: Gate, site_url: str) -> list[Job]:
    """What was ordered for many is done; workers are told what is due."""

    async def work(_session: AsyncSession, _slot: datetime) -> None:
        await carry_on(gate)

    async def tell(session: AsyncSession, _slot: datetime) -> None:
        await put_digests(session, base_of(gate.tenant.record, site_url))

    return [
        Job("do what was ordered for many", EVERY, work),
        Job("tell workers what is due", timedelta(hours=1), tell),
    ]


def about_sharing(gate: Gate, site_url: str) -> list[Job]:
    """What a day brings to sharing: what ends, who is to decide, who is expected, who waits."""

    async def look(session: AsyncSession, _slot: datetime) -> None:
        day = today(gate.tenant.clock)
        await end_at_18(session, day)
        await lapse_requests(session, day)
        await offer_access_to_expected(session, gate, day)
        await remind_of_endings(session, day, site_url)
        await remind_of_own_decisions(session, day, site_url)

    async def tell(session: AsyncSession, _slot: datetime) -> None:
        day = today(gate.tenant.clock)
        await tell_askers(session, day, site_url)
        await tell_of_choices(session, day, site_url)

    return [
        Job("look after agreements to share", timedelta(days=1), look),
        Job("tell who asked to see more, and of what families chose", timedelta(hours=1), tell),
    ]


async def find_unusual_patterns(session: AsyncSession, slot: datetime) -> None:
    """What stood out in the looks of the day before, which is over in London at every slot."""
    await find_unusual(session, day_of(slot) - timedelta(days=1))


async def let_go(session: AsyncSession, _slot: datetime) -> None:
    """What is left of those whose last day is over: sessions, links, open actions."""
    await let_leavers_go(session, CasesOfLeavers())


async def promise_packages(session: AsyncSession, _slot: datetime) -> None:
    """What running packages cost in a year whose pot was opened since is promised out of it."""
    await promise_out_of_new_pots(session)


async def take_off_lists(session: AsyncSession, _slot: datetime) -> None:
    """Nobody waits for a place any more who turned 26, left the area or died."""
    await take_off_who_left(session)


def chasing(gate: Gate, site_url: str) -> Job:
    """Who does not do what is overdue is reminded of it, and then their manager."""

    async def chase(session: AsyncSession, _slot: datetime) -> None:
        await chase_overdue(session, today(gate.tenant.clock), site_url)

    return Job("remind of overdue actions", timedelta(days=1), chase)


def keeping_documents(gate: Gate) -> Job:
    """The governance documents get a new version when what they rest on changed."""

    async def keep(session: AsyncSession, _slot: datetime) -> None:
        await keep_up_to_date(session, await read_facts(session, gate.tenant.record.label))

    return Job("keep the documents up to date", timedelta(days=1), keep)


async def _seal(session: AsyncSession, _slot: datetime) -> None:
    await seal_events(session)


SEALING = Job("seal what happened", SEALED_EVERY, _seal)
"""What was written down since the last seal gets its place in the proof."""


def about_rights(settings: Settings, gate: Gate) -> list[Job]:
    """Copies that were asked for are gathered; what is due is proposed, what was approved goes."""

    async def gather(_session: AsyncSession, _slot: datetime) -> None:
        await gather_waiting(gate)

    async def tell(session: AsyncSession, _slot: datetime) -> None:
        await tell_of_corrections(session, today(gate.tenant.clock), settings.site_url)

    async def propose_due(session: AsyncSession, _slot: datetime) -> None:
        await propose(session)

    async def dispose(_session: AsyncSession, _slot: datetime) -> None:
        await dispose_of_approved(gate.tenant, DestroyedKeys(settings.destroyed_keys))

    return [
        Job("gather copies that were asked for", EVERY, gather),
        Job("tell of what is to be put right", timedelta(hours=1), tell),
        Job("propose what is due", timedelta(days=28), propose_due),
        Job("dispose of what was approved", timedelta(hours=1), dispose),
    ]


def about_exchange(settings: Settings, gate: Gate) -> list[Job]:
    """Other systems are told what changed; what they asked for as files is made."""
    record = gate.tenant.record
    base = f"{base_of(record, settings.site_url)}{FHIR_BASE}"
    # Where invented people only are served, somebody may listen on this machine.
    mesh = settings.mesh
    by_mesh = None if mesh is None else SendsByMesh(mesh, gate.tenant.clock)
    sender = Sender(gate, Reaching(to_this_machine=record.demo), base, by_mesh)

    async def find(session: AsyncSession, _slot: datetime) -> None:
        await put_in_line(gate, session)

    async def send(_session: AsyncSession, _slot: datetime) -> None:
        await sender.shake_hands()
        await sender.send_due()

    async def make(_session: AsyncSession, _slot: datetime) -> None:
        await make_waiting(gate)

    async def forget(session: AsyncSession, _slot: datetime) -> None:
        await forget_exports(session, session.info[NOW])
        await forget_settled(session, session.info[NOW])

    return [
        Job("find what other systems are to be told", EVERY, find),
        Job("tell other systems", EVERY, send),
        Job("make exports", EVERY, make),
        Job("keep what entries were", timedelta(minutes=15), keep_versions),
        Job("delete what came about nobody", timedelta(hours=1), forget_received),
        Job("forget exports and what was told", timedelta(minutes=5), forget),
        *fetching(settings, gate),
    ]


def fetching(settings: Settings, gate: Gate) -> list[Job]:
    """What waits for us elsewhere is fetched into the inbox."""
    landing = Inbox(gate.tenant)
    reaching = Reaching(to_this_machine=gate.tenant.record.demo)

    async def pull(_session: AsyncSession, _slot: datetime) -> None:
        await pull_due(gate.tenant, reaching, landing)

    async def hand_over(_session: AsyncSession, _slot: datetime) -> None:
        await hand_over_due(gate.tenant, reaching)

    asking = Job("ask other systems what changed", EVERY, pull)
    handing = Job("hand children over to other authorities", EVERY, hand_over)
    mesh = settings.mesh
    if mesh is None:
        return [asking, handing]

    async def empty(_session: AsyncSession, _slot: datetime) -> None:
        await collect(gate.tenant, mesh, landing)

    return [asking, handing, Job("empty the MESH mailbox", timedelta(minutes=5), empty)]


def taking_in(gate: Gate) -> Job:
    """What another system sent, and nobody came to take in, is taken in."""

    async def take_in(_session: AsyncSession, _slot: datetime) -> None:
        await take_in_what_is_left(gate)

    return Job("take in what systems sent", timedelta(minutes=5), take_in)


def publishing(settings: Settings, gate: Gate, insight_url: str | None) -> Job:
    """A term that is over is published, once all that was touched is taken in."""

    async def publish(_session: AsyncSession, _slot: datetime) -> None:
        await publish_due(gate.tenant, insight_url, settings.site_url)

    return Job(PUBLISHING, timedelta(hours=1), publish)


def all_jobs(settings: Settings, gate: Gate, insight_url: str | None = None) -> list[Job]:
    """Every job of an authority. `insight_url`: of the role that counts, where it is known."""
    put, settle = notes_to_families(gate, settings.site_url)
    jobs = [
        SEALING,
        Job("forget what is over", timedelta(hours=1), forget_what_is_over),
        *about_sharing(gate, settings.site_url),
        Job("find unusual patterns", timedelta(days=1), find_unusual_patterns, catch_up=14),
        keeping_documents(gate),
        chasing(gate, settings.site_url),
        Job("let leavers go", timedelta(minutes=5), let_go),
        Job("promise packages out of new pots", timedelta(minutes=5), promise_packages),
        Job("take off waiting lists who left", timedelta(hours=1), take_off_lists),
        *about_casework(gate, settings.site_url),
        *about_rights(settings, gate),
        *about_exchange(settings, gate),
        taking_in(gate),
        Job("ask families what it was like", timedelta(hours=1), offer_surveys),
        WATCHING,
        Job(KEEPING, EVERY, keep_facts),
        put,
    ]
    if settings.smtp_url is not None:
        jobs.append(sending(Smtp(settings.smtp_url, settings.mail_from), gate, settings.site_url))
    # The longest comes last: an audit may take an hour.
    return [*jobs, settle, publishing(settings, gate, insight_url or settings.insight_url)]


async def run_round(settings: Settings, gates: list[Gate]) -> None:
    """Every job that is due but the publishing of figures, for every authority."""
    for gate in gates:
        quick = [one for one in all_jobs(settings, gate) if one.name != PUBLISHING]
        await _run_and_tell(gate, quick)


async def publish_round(settings: Settings, gates: list[Gate], insight_url: str | None) -> None:
    """Publish for every authority what is due, beside the other jobs."""
    for gate in gates:
        await _run_and_tell(gate, [publishing(settings, gate, insight_url)])


async def _run_and_tell(gate: Gate, jobs: list[Job]) -> None:
    for line in await run_due(gate.tenant, jobs, JOB):
        click.echo(f"{gate.tenant.record.name}: {line}")


async def seal_round(gates: list[Gate]) -> None:
    """Seal for every authority, beside the other jobs: none of them may hold it up."""
    for gate in gates:
        await run_due(gate.tenant, [SEALING], JOB)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
@plain_errors
@running
async def jobs(*, once: bool) -> None:
    """The scheduler: sends messages, forgets what is over."""
    settings = from_environment()
    with opened_cluster(settings) as cluster:
        async with AsyncExitStack() as leaving:
            gates = [
                await leaving.enter_async_context(
                    gate_of(settings, cluster, record.name, SystemClock())
                )
                for record in authorities(cluster.app_url)
            ]
            await _run(settings, gates, cluster.insight_url, once=once)


async def _run(
    settings: Settings, gates: list[Gate], insight_url: str | None, *, once: bool
) -> None:
    """One round, or a round every minute until the process is stopped."""
    if settings.smtp_url is None:
        click.echo("PANEL_SMTP_URL is not set: messages wait in the outbox.", err=True)
    if once:
        await run_round(settings, gates)
        await publish_round(settings, gates, insight_url)
        return
    scheduler = AsyncIOScheduler(timezone="Europe/London")
    scheduler.add_job(
        run_round,
        "interval",
        args=[settings, gates],
        seconds=EVERY.total_seconds(),
        max_instances=1,
        coalesce=True,
        next_run_time=SystemClock().now(),
    )
    scheduler.add_job(
        seal_round,
        "interval",
        args=[gates],
        seconds=SEALED_EVERY.total_seconds(),
        max_instances=1,
        coalesce=True,
        next_run_time=SystemClock().now(),
    )
    scheduler.add_job(
        publish_round,
        "interval",
        args=[settings, gates, insight_url],
        seconds=EVERY.total_seconds(),
        max_instances=1,
        coalesce=True,
        next_run_time=SystemClock().now(),
    )
    scheduler.start()
    await asyncio.Event().wait()
