"""What ended is read only as far as a decision can name it, and the decision is the same."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import (
    Agreement,
    Category,
    Level,
    Purpose,
    Relationship,
    Role,
    Span,
    Tie,
    Viewer,
    ViewerKind,
    decide_all,
)
from panel.platform.clock import today
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.register.models import Child
from panel.sharing.models import SharingAgreement
from panel.sharing.state import SharingFacts

pytestmark = pytest.mark.database

AGENCIES = [UUID(int=number) for number in (21, 22, 23)]
WORDS = ["her mother", "her father"]
PURPOSES = [["support"], ["support", "panel", "review"], []]


def invented(chance: Random, child: UUID, now: datetime) -> SharingAgreement:
    """An agreement or refusal of the last weeks, mostly ended or withdrawn, some on one day."""
    day = now.date()
    start = day + timedelta(days=chance.randrange(-12, 3))
    until = chance.choice([None, start + timedelta(days=chance.randrange(0, 10))])
    withdrawn = chance.choice([None, now + timedelta(hours=12 * chance.randrange(-10, 3))])
    return SharingAgreement(
        child_id=child,
        given=chance.random() < 0.8,
        by_person_id=UUID(int=2),
        capacity="parental_responsibility",
        by_words=chance.choice(WORDS),
        agencies=chance.choice([AGENCIES[:1], AGENCIES[:2], AGENCIES]),
        not_agencies=chance.choice([[], [], AGENCIES[2:]]),
        level=chance.choice(["basic", "additional", None]),
        named=chance.choice([[], ["finance"]]),
        purposes=chance.choice(PURPOSES),
        from_on=start,
        until_on=until,
        withdrawn_at=withdrawn,
    )


def whole(row: SharingAgreement) -> Agreement:
    return Agreement(
        id=row.id,
        given=row.given,
        by=row.by_person_id,
        by_words=row.by_words,
        agencies=frozenset(row.agencies),
        not_agencies=frozenset(row.not_agencies),
        level=None if row.level is None else Level(row.level),
        named=frozenset(Category(one) for one in row.named),
        purposes=frozenset(Purpose(one) for one in row.purposes),
        span=Span(row.from_on, row.until_on),
        withdrawn=row.withdrawn_at,
    )


@pytest.mark.parametrize("seed", range(12))
async def test_the_decision_is_the_same_without_what_nothing_names(
    tenant: Tenant, seed: int
) -> None:
    chance, now = Random(seed), tenant.clock.now()  # noqa: S311
    async with tenant.transaction(JOB) as session:
        child = Child(reference=f"C-{new_id()}", given_name="Wren", family_name="Teasel")
        await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
        session.add(child)
        await session.flush()
        session.add_all(invented(chance, child.id, now) for _ in range(120))
    async with tenant.transaction(JOB) as session:
        known = await SharingFacts().known(session, [child.id], Viewer(JOB, ViewerKind.JOB))
        rows = await session.scalars(
            select(SharingAgreement).where(SharingAgreement.child_id == child.id)
        )
        everything = tuple(whole(row) for row in rows)
    read = known[child.id].state
    assert len(everything) == 120
    assert len(read.agreements) < 120
    for agency in AGENCIES:
        who = Viewer(
            UUID(int=11), ViewerKind.WORKER, agency, "health", frozenset({Role.PRACTITIONER})
        )
        tied = replace(read, relationships=(Relationship(Tie.TEAM, who.id),))
        for days in (0, 1, 2, 5):
            at = now + timedelta(days=days)
            for purpose in (Purpose.SUPPORT, Purpose.REVIEW):
                assert decide_all(who, purpose, at, tied) == decide_all(
                    who, purpose, at, replace(tied, agreements=everything)
                )
    assert today(tenant.clock) == now.date()
