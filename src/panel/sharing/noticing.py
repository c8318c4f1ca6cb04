"""Notices about sharing, each put in the outbox once: what ends, who is to decide, what was
answered.

A notice says that something waits and where, never whose record it is or what stands in it: it is
read on a page, through the gate. Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from consent.standing import AGE_OF_OWN_AGREEMENT
from panel.accounts.models import Worker
from panel.platform import outbox
from panel.platform.clock import day_of
from panel.platform.tenancy import load_keys
from panel.records.dates import months_after
from panel.records.who_leads import HOLDS_TODAY
from panel.sharing.agreeing_rules import (
    ends_soon,
    is_carried_on,
    last_day_of_responsibility,
)
from panel.sharing.coming_of_age import OLDEST, Word, to_decide
from panel.sharing.ending import LIVE
from panel.sharing.models import SharingAgreement
from panel.sharing.spans import spans
from panel.sharing.state import agreement_of
from panel.web.words import short_day

ENDING, OWN_DECISION, ANSWERED = "sharing_ending", "sharing_own_decision", "sharing_answered"
CHOSEN = "sharing_chosen"
A_DAY = timedelta(days=1)
TOLD_FOR = timedelta(days=14)
"""How long after an answer a notice still makes sense, where jobs stood still."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice to one worker; `once` names it, so that it is put in once."""

    kind: str
    once: str
    to: UUID
    subject: str
    says: str
    child_id: UUID
    path: str = ""
    """Where it is read; empty for the page about sharing."""


_WHO = """
SELECT l.child_id, l.worker_id FROM lead_professional l
WHERE l.child_id = ANY(:children) AND {holds_today}
UNION
SELECT v.child_id, v.worker_id FROM lead_cover v
WHERE v.child_id = ANY(:children) AND v.state = 'accepted' AND v.from_on <= :today
  AND v.until_on >= :today
UNION
SELECT f.child_id, r.worker_id FROM referral f
JOIN worker_role r ON r.panel_id = f.panel_id AND r.role = 'coordinator'
WHERE f.child_id = ANY(:children) AND f.state <> 'closed'
  AND (r.from_on IS NULL OR r.from_on <= :today) AND (r.until_on IS NULL OR r.until_on >= :today)
""".replace("{holds_today}", HOLDS_TODAY)
LEADS = """
SELECT l.child_id, l.worker_id FROM lead_professional l
WHERE l.child_id = ANY(:children) AND {holds_today}
UNION
SELECT v.child_id, v.worker_id FROM lead_cover v
WHERE v.child_id = ANY(:children) AND v.state = 'accepted' AND v.from_on <= :today
  AND v.until_on >= :today
""".replace("{holds_today}", HOLDS_TODAY)


async def remind_of_endings(session: AsyncSession, today: date, site_url: str) -> int:
    """Tell the lead professional and the coordinator of an agreement that ends within 28 days.

    What another agreement carries on is left out. For a job; returns how many notices went in.
    """
    days = (await spans(session)).remind_days
    ending = list(
        await session.scalars(
            select(SharingAgreement).where(
                SharingAgreement.given.is_(True),
                SharingAgreement.withdrawn_at.is_(None),
                SharingAgreement.until_on.between(today, today + timedelta(days=days)),
            )
        )
    )
    if not ending:
        return 0
    beside = await session.scalars(
        select(SharingAgreement).where(
            SharingAgreement.child_id.in_({row.child_id for row in ending}),
            SharingAgreement.given.is_(True),
            SharingAgreement.withdrawn_at.is_(None),
        )
    )
    others: dict[UUID, list[SharingAgreement]] = {}
    for row in beside:
        others.setdefault(row.child_id, []).append(row)
    left = [
        row
        for row in ending
        if ends_soon(agreement_of(row), today, days)
        and not is_carried_on(
            agreement_of(row), [agreement_of(one) for one in others[row.child_id]]
        )
    ]
    who = await workers_of(session, _WHO, {row.child_id for row in left}, today)
    return await put_notices(
        session,
        (
            Notice(
                kind=ENDING,
                # With its end: an end that was changed is told of again.
                once=f"{ENDING} {row.id} {row.until_on} {worker}",
                to=worker,
                subject="An agreement to share ends soon",
                says=f"An agreement to share ends on {short_day(row.until_on or today)}. After that"
                " day nothing is shared on it. Please talk with the family, and renew it if they"
                " agree.",
                child_id=row.child_id,
            )
            for row in left
            for worker in who.get(row.child_id, ())
        ),
        site_url,
    )


class _YoungPerson(msgspec.Struct):
    child_id: UUID
    born: date
    words: tuple[Word, ...] | None


_YOUNG = """
SELECT json_build_object('child_id', c.id, 'born', c.birth_date, 'words',
  (SELECT json_agg(json_build_object('capacity', s.capacity, 'from_on', s.from_on,
     'in_force', LIVE)) FROM sharing_agreement s WHERE s.child_id = c.id))::text
FROM child c WHERE c.birth_date BETWEEN :oldest AND :youngest
  AND EXISTS (SELECT 1 FROM lead_professional l WHERE l.child_id = c.id AND l.state = 'accepted')
""".replace("LIVE", LIVE)
_READ_YOUNG = msgspec.json.Decoder(_YoungPerson)


async def remind_of_own_decisions(session: AsyncSession, today: date, site_url: str) -> int:
    """Tell the lead professional of a young person who turns 16, once, from 28 days before."""
    days = (await spans(session)).remind_days
    ahead = timedelta(days=days)
    found = await session.scalars(
        text(_YOUNG),
        {
            "today": today,
            "oldest": months_after(today, -12 * OLDEST),
            "youngest": months_after(today + ahead, -12 * AGE_OF_OWN_AGREEMENT) + A_DAY,
        },
    )
    young = [_READ_YOUNG.decode(line) for line in found]
    waiting = [one for one in young if to_decide(one.born, one.words or (), today, days)]
    who = await workers_of(session, LEADS, {one.child_id for one in waiting}, today)
    return await put_notices(
        session,
        (
            Notice(
                kind=OWN_DECISION,
                once=f"{OWN_DECISION} {one.child_id} {worker}",
                to=worker,
                subject="A young person is to decide about sharing",
                says="From 16 a young person decides alone what is shared. Please ask them, and"
                " write down what they decide. What was agreed for them goes on until then.",
                child_id=one.child_id,
            )
            for one in waiting
            for worker in who.get(one.child_id, ())
        ),
        site_url,
    )


_ADULTS_SOON = """
SELECT s.id, c.birth_date FROM sharing_agreement s JOIN child c ON c.id = s.child_id
WHERE s.capacity = 'parental_responsibility' AND c.birth_date <= :youngest AND LIVE
""".replace("LIVE", LIVE)


async def end_at_18(session: AsyncSession, today: date) -> int:
    """Give what parents said its end: the day before 18, written down from 28 days before.

    It ends by itself then, and is told of as every agreement that ends. Returns how many.
    """
    ahead = timedelta(days=(await spans(session)).remind_days)
    found = await session.execute(
        text(_ADULTS_SOON),
        {"today": today, "youngest": months_after(today + ahead, -12 * 18) + A_DAY},
    )
    ended = 0
    for agreement_id, born in found.all():
        last = last_day_of_responsibility(born)
        if last >= today + ahead:
            continue
        row = await session.get_one(SharingAgreement, agreement_id, with_for_update=True)
        if row.until_on is None or row.until_on > last:
            row.until_on = max(last, row.from_on)
            ended += 1
    await session.flush()
    return ended


_ANSWERED = """
SELECT min(id::text) AS id, child_id, worker_id, answered_on FROM access_request
WHERE state <> 'asked' AND answered_on BETWEEN :since AND :today
  AND answered_by IS DISTINCT FROM worker_id
GROUP BY child_id, worker_id, answered_on, asked_on, agency_id, state
"""


async def tell_askers(session: AsyncSession, today: date, site_url: str) -> int:
    """Tell whoever asked to see something that it was answered, or lapsed; once for each answer."""
    found = await session.execute(text(_ANSWERED), {"today": today, "since": today - TOLD_FOR})
    return await put_notices(
        session,
        [
            Notice(
                kind=ANSWERED,
                once=f"{ANSWERED} {one.id} {one.answered_on}",
                to=one.worker_id,
                subject="What you asked to see was answered",
                says="You asked to see something that is withheld. The answer stands on the page"
                " about sharing.",
                child_id=one.child_id,
            )
            for one in found.all()
        ],
        site_url,
    )


_CHOSEN = """
SELECT child_id, at FROM (
  SELECT child_id, created_at AS at FROM sharing_agreement WHERE created_by = by_person_id
  UNION SELECT child_id, withdrawn_at FROM sharing_agreement WHERE changed_by = by_person_id
  UNION SELECT child_id, created_at FROM sharing_objection WHERE created_by = by_person_id
  UNION SELECT child_id, ring_asked_at FROM access_request WHERE state = 'asked'
) chosen WHERE at >= :since ORDER BY at, child_id
"""


async def tell_of_choices(session: AsyncSession, today: date, site_url: str) -> int:
    """Tell the lead professional that a family chose something on its own page, once each.

    Where nobody leads, the coordinator. For a job; returns how many notices went in.
    """
    found = await session.execute(text(_CHOSEN), {"since": today - TOLD_FOR})
    chosen = found.all()
    if not chosen:
        return 0
    leads = await workers_of(session, LEADS, {one.child_id for one in chosen}, today)
    without = {one.child_id for one in chosen} - leads.keys()
    who = leads | await workers_of(session, _WHO, without, today)
    return await put_notices(
        session,
        (
            Notice(
                kind=CHOSEN,
                once=f"{CHOSEN} {one.child_id} {one.at.isoformat()} {worker}",
                to=worker,
                subject="A family chose something about sharing",
                says="On their own page a family chose something about sharing, or asks to be rung"
                " about it. What they chose works already: the page about sharing shows it.",
                child_id=one.child_id,
            )
            for one in chosen
            for worker in who.get(one.child_id, ())
        ),
        site_url,
    )


async def workers_of(
    session: AsyncSession, query: str, children: Iterable[UUID], today: date
) -> dict[UUID, list[UUID]]:
    """Workers by child: the rows of a query that is given `children` and `today`."""
    found = await session.execute(text(query), {"children": list(children), "today": today})
    of_child: dict[UUID, list[UUID]] = {}
    for child, worker in found:
        of_child.setdefault(child, []).append(worker)
    return of_child


async def put_notices(session: AsyncSession, notices: Iterable[Notice], site_url: str) -> int:
    """Put notices in; to a worker who left, and to one without an address, none goes."""
    told = list(notices)
    rows = await session.scalars(select(Worker).where(Worker.id.in_({one.to for one in told})))
    workers = {row.id: row for row in rows}
    await load_keys(session, {row.agency_id for row in workers.values()})
    today = day_of(session.info["now"])
    put = 0
    for one in told:
        worker = workers.get(one.to)
        if worker is None or (worker.until_on is not None and worker.until_on < today):
            continue
        if not (address := worker.email):
            continue
        put += await outbox.put(
            session,
            kind=one.kind,
            holder_id=worker.agency_id,
            to_viewer_id=worker.id,
            address=address,
            subject=one.subject,
            body=f"{one.says}\n\n{site_url}{one.path or f'/children/{one.child_id}/sharing'}\n",
            once=one.once,
        )
    return put
