"""Whoever reads a mailbox of somebody's guesses what they know; it takes them no further in a day.

A date of birth is one of some hundreds, and codes come to the mailbox as often as they are asked
for. So wrong answers that come with a right code are counted, a person and day. After some, only
who begins with the reference of the letter is let in; after more, only from where the owner signed
in before. Whoever leads for the child is told, and starts the count afresh by inviting anew.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.accounts.telling import tell_worker
from panel.accounts.throttle import count_wrong, forget_wrong
from panel.families.reach import OwnChild
from panel.platform.tables import NOW, today_of
from panel.platform.tenancy import load_keys
from panel.records.who_leads import HOLDS_TODAY
from panel.register.service import FamilyAccess

FACTS_A_DAY = 10
MOST_FACTS_A_DAY = 20
GUESSED = "family_sign_in_guessed"
"""The kind of the message that tells whoever leads."""
_WHAT = "family fact"
_LEADS = """
SELECT c.id, c.reference, w.id AS worker_id, w.agency_id
FROM child c JOIN family_access a ON a.person_id = :person
LEFT JOIN lead_professional l ON l.child_id = c.id AND {holds_today}
JOIN worker w ON w.id = COALESCE(l.worker_id, a.created_by)
WHERE c.id = ANY(:children) ORDER BY c.id
"""
"""Where nobody leads, whoever invited them first; who does not reach the child is not told."""


async def wrong_facts(
    session: AsyncSession, person: UUID, children: Sequence[OwnChild], *, is_wrong: bool
) -> int:
    """Count what somebody knew wrong; how often it was, this time among them, in a day."""
    wrong = await count_wrong(session, _WHAT, str(person), is_wrong=is_wrong)
    if is_wrong and wrong == FACTS_A_DAY:
        await session.execute(
            update(FamilyAccess)
            .where(FamilyAccess.person_id == person)
            .values(guessed_at=session.info[NOW])
            .execution_options(synchronize_session=False)
        )
        await _tell(session, person, [one.child_id for one in children])
    return wrong


async def start_afresh(session: AsyncSession, person: UUID) -> None:
    """Somebody who knows the person invited them anew."""
    await forget_wrong(session, _WHAT, str(person))


async def _tell(session: AsyncSession, person: UUID, children: Sequence[UUID]) -> None:
    day = today_of(session)
    found = await session.execute(
        text(_LEADS.replace("{holds_today}", HOLDS_TODAY)),
        {"children": children, "person": person, "today": day},
    )
    rows = found.all()
    await load_keys(session, {one.agency_id for one in rows})
    for child, reference, worker_id, _ in rows:
        worker = await session.get_one(Worker, worker_id)
        await tell_worker(
            session,
            worker,
            kind=GUESSED,
            subject=f"{reference}: somebody guesses at a family’s sign-in",
            body=(
                "Somebody who can read the e-mail of one of this child’s family tried to sign in"
                f" as them, and gave {FACTS_A_DAY} wrong answers to what only they should know."
                " Until tomorrow they are let in only with the reference of their letter.\n\n"
                "Ring them on a number that you know already. On the page People of the child it"
                " says whose sign-in it is: there you can invite them anew by letter, with a word"
                " that you agree with them.\n"
            ),
            once=f"{GUESSED} {person} {child} {worker.id} {day}",
            facts={"child": str(child)},
        )
