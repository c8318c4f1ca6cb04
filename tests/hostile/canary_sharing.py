"""A sharing fact of every kind for the children of the crawl: in force, over, in silence, reviewed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer, ViewerKind
from panel.accounts.models import Agency, Worker
from panel.governance.models import UnusualPattern
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.nhs_number import check_digit
from panel.register.models import Child, Involvement
from panel.sharing.models import (
    AccessRequest,
    FormerIdentity,
    OrderToConfirm,
    SharingEnquiry,
    SharingJudgement,
    SharingObjection,
    SharingOrder,
    SharingOverride,
    SharingRestriction,
)
from panel.sharing.overriding import Reason, open_by_reference

OUTSIDERS = ("lena", "farah", "mo", "petra", "beth")
"""Who might open a record that is not among their own; the first who knows nothing of it does."""


async def sharing_facts(
    session: AsyncSession,
    workers: Mapping[str, Worker],
    agencies: Mapping[str, Agency],
    children: Mapping[str, UUID],
    parents: Mapping[UUID, Mapping[str, UUID]],
) -> None:
    """Give every child what a page of sharing shows, and some of them what few have."""
    now: datetime = session.info["now"]
    today = now.date()
    yesterday = today - timedelta(days=1)
    care = agencies["disabled-children"].id
    ended: Mapping[str, Any] = {
        "until_on": yesterday, "ended_at": now, "ended_by": workers["grace"].id, "ended_why": "Over",
    }  # fmt: skip
    for number, child in enumerate(children.values()):
        about: Mapping[str, Any] = {"child_id": child}
        session.add_all([
            AccessRequest(
                **about, worker_id=workers["hana"].id, agency_id=workers["hana"].agency_id,
                category="finance", reason="For a lift", asked_on=yesterday, state="refused",
                answered_on=today, answered_by=workers["rosa"].id, answer="Ask the school",
            ),
            # About what no family sees of a record: for the workers who answer, and not for them.
            AccessRequest(
                **about, worker_id=workers["hana"].id, agency_id=workers["hana"].agency_id,
                category="safeguarding", reason="To keep her safe", asked_on=today,
            ),
            FormerIdentity(
                **about, given_name="Old", family_name="Name", nhs_number=_number(number),
                open_to=[workers["viv"].id, care, workers["rosa"].id], reason="Adopted",
            ),
            FormerIdentity(
                **about, given_name="Wrong", family_name="Name", open_to=[care], reason="Adopted",
                ended_at=now, ended_by=workers["tom"].id, ended_why="Recorded wrongly",
            ),
            SharingJudgement(
                **about, finding="competent", matter="sharing", author_id=workers["tom"].id,
                made_on=yesterday, why="She said it back", consulted="Her aunt",
            ),
            # Both kinds, against an agency that is in the team of many.
            SharingRestriction(
                **about, kind="protection", categories=["finance"], from_on=yesterday, reason="Debt",
                against=[workers["sian"].id],
            ),
            SharingRestriction(
                **about, kind="choice", categories=["development"], from_on=yesterday,
                against=[agencies["together"].id], silent=True, by_words="The family", reason="No",
            ),
            SharingRestriction(
                **about, kind="protection" if number % 2 else "choice", categories=["contact"],
                from_on=yesterday - timedelta(days=9), against=[workers["kofi"].id],
                by_words="The family", reason="Then", **ended,
            ),
            SharingOrder(
                **about, permits=True, categories=["health"], from_on=yesterday,
                to=[workers["idris"].id], reference="FD26P00003", reason="It says", **ended,
            ),
            SharingEnquiry(
                **about, agencies=[care], from_on=yesterday, reason="A strategy meeting", **ended
            ),
        ])  # fmt: skip
    child = next(iter(children.values()))
    session.add_all([
        OrderToConfirm(
            child_id=child, categories=["finance"], to=[workers["sian"].id], from_on=yesterday,
            reference="FD26P00004", reason="It says",
        ),
        OrderToConfirm(
            child_id=child, categories=["plan"], to=[workers["sian"].id], from_on=yesterday,
            reference="FD26P00005", reason="It says", answered_at=now,
            answered_by=workers["grace"].id, evidence="Nobody could show it",
        ),
    ])  # fmt: skip
    await _of_some(session, workers, agencies, children, parents)
    for about, of_lead in (("yusuf", False), ("ngozi", True)):
        session.add(
            UnusualPattern(
                kind="out_of_hours", viewer_id=workers[about].id,
                agency_id=workers[about].agency_id, day=yesterday, how_many=9, threshold=5,
                of_lead=of_lead, closed_at=now, note="On call",
                closed_by=workers["viv" if of_lead else "ngozi"].id,
            )
        )  # fmt: skip


async def _of_some(
    session: AsyncSession,
    workers: Mapping[str, Worker],
    agencies: Mapping[str, Agency],
    children: Mapping[str, UUID],
    parents: Mapping[UUID, Mapping[str, UUID]],
) -> None:
    """A record sealed from one of its team; objections decided; overrides waiting and judged."""
    now: datetime = session.info["now"]
    today = now.date()
    sealed, ivy = children["transition"], workers["ivy"]
    session.add_all([
        Involvement(
            child_id=sealed, agency_id=ivy.agency_id, worker_id=ivy.id, part="health visiting",
            from_on=today - timedelta(days=90),
        ),
        SharingRestriction(
            child_id=sealed, kind="protection", categories=[], against=[ivy.id], silent=True,
            from_on=today - timedelta(days=1), reason="She is family",
        ),
        # In silence, from the agency of those who run the panel and record such things.
        SharingRestriction(
            child_id=children["twin"], kind="choice", categories=["finance"], silent=True,
            against=[agencies["early-help"].id], from_on=today - timedelta(days=1),
            by_words="The mother", reason="She knows somebody there",
        ),
        SharingObjection(
            child_id=children["choice"], by_person_id=parents[children["choice"]]["father"],
            by_words="Her father", agencies=[agencies["together"].id], categories=[],
            raised_on=today - timedelta(days=3), reason="He would rather not", decided_on=today,
            decided_by=workers["grace"].id, decision_reason="Both were heard",
        ),
        SharingOverride(
            child_id=children["protected_address"], to_id=workers["farah"].id,
            author_id=workers["farah"].id, categories=["health"], starts_at=now,
            ends_at=now + timedelta(hours=24), reason="Tonight", kept_from_family=True,
            family_risk="Her sister", review_by=today + timedelta(days=2),
        ),
        SharingOverride(
            child_id=children["named"], to_id=workers["yusuf"].id, author_id=workers["yusuf"].id,
            categories=["finance"], starts_at=now - timedelta(hours=9), ends_at=now, reason="Now",
            kept_from_family=False, review_by=today, reviewed_at=now, justified=False,
            reviewed_by=workers["viv"].id, review_note="It could wait",
            steps={"stopped": today.isoformat()},
        ),
        SharingOverride(
            child_id=children["basic"], to_id=workers["viv"].id, author_id=workers["viv"].id,
            categories=["health"], starts_at=now, ends_at=now + timedelta(hours=24),
            reason="My own", kept_from_family=False, review_by=today + timedelta(days=2),
        ),
    ])  # fmt: skip


def _number(place: int) -> str:
    """An NHS number of nobody's."""
    stems = (f"99927{one:04}" for one in range(place * 20, 9_999))
    return next(f"{one}{check_digit(one)}" for one in stems if check_digit(one) < 10)


async def opened_for_safety(tenant: Tenant, workers: Mapping[str, Worker], child: UUID) -> str:
    """Somebody outside the team knows the reference and the birth date, and opens the record.

    Returns who.
    """
    async with tenant.transaction(JOB) as session:
        row = await session.get_one(Child, child)
        known = set(
            await session.scalars(
                text("SELECT viewer_id FROM child_access WHERE child_id = :child"), {"child": child}
            )
        )
        who = next(one for one in OUTSIDERS if workers[one].id not in known)
        viewer = Viewer(
            workers[who].id, ViewerKind.WORKER, workers[who].agency_id,
            roles=frozenset({Role.PRACTITIONER}),
        )  # fmt: skip
        assert row.birth_date is not None
        reason = Reason("Somebody rang", kept_from_family=True, family_risk="Her mother")
        await open_by_reference(session, viewer, row.reference, row.birth_date, reason)
    return who
