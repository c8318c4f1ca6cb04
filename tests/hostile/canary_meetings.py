"""A meeting around each child's family, for the canary crawl: everything that is typed there."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Worker
from panel.impact.models import (
    EpisodeStep,
    ImpactDecision,
    ImpactInvitation,
    ImpactMeeting,
    ImpactMinutes,
    ImpactView,
    MinutesAnswer,
    MinutesCopy,
)
from panel.plans.models import DesiredOutcome
from panel.register.models import Episode


async def met(
    session: AsyncSession,
    workers: Mapping[str, Worker],
    child: UUID,
    parents: Mapping[str, UUID],
) -> None:
    """In IMPACT since a while; a meeting at home was held, and its minutes were sent."""
    now: datetime = session.info["now"]
    today, rosa = now.date(), workers["rosa"]
    mother, father = parents["mother"], parents["father"]
    about: Mapping[str, Any] = {"child_id": child}
    episode = await session.scalar(select(Episode).where(Episode.child_id == child).limit(1))
    outcome = await session.scalar(
        select(DesiredOutcome).where(DesiredOutcome.child_id == child).limit(1)
    )
    if episode is None:
        return
    session.add(
        EpisodeStep(
            **about, episode_id=episode.id, kind="impact", from_on=today - timedelta(days=30),
            until_on=today - timedelta(days=20), reasons="Why", worker_id=rosa.id,
            author_agency_id=rosa.agency_id,
        )
    )  # fmt: skip
    made = ImpactMeeting(
        **about, episode_id=episode.id, author_agency_id=rosa.agency_id,
        held_on=today - timedelta(days=5), starts_at=time(9, 0), format="home", place="Home",
        who_comes="Pia", interpreter="Polish", wishes="No Friday", not_asked_why="Away",
        cancelled_why="-", state="held", held_at=now, next_on=today + timedelta(days=20),
    )  # fmt: skip
    session.add(made)
    await session.flush()
    met_at: Mapping[str, Any] = about | {"meeting_id": made.id}
    minutes = ImpactMinutes(
        **met_at, state="sent", author_agency_id=rosa.agency_id, categories=["panel", "health"],
        text="We met", kept="[]", sent_at=now, sent_by=rosa.id,
    )  # fmt: skip
    session.add_all([
        minutes,
        ImpactInvitation(**met_at, kind="family", person_id=mother, answer="yes", said="With Pia"),
        ImpactInvitation(**met_at, kind="family", person_id=child, answer="yes", said="I come"),
        ImpactInvitation(**met_at, kind="worker", person_id=rosa.id, answer="yes", said="Yes"),
        ImpactInvitation(**met_at, kind="guest", name="Pia", address="pia@example.org"),
        ImpactView(
            **met_at, speaker="family", person_id=mother, category="views", words="I", said_at=now
        ),
        ImpactView(
            **met_at, speaker="worker", person_id=rosa.id, author_agency_id=rosa.agency_id,
            category="health", words="She", said_at=now,
        ),
    ])  # fmt: skip
    if outcome is not None:
        session.add(
            ImpactDecision(
                **met_at, outcome_id=outcome.id, author_agency_id=rosa.agency_id, words="So"
            )
        )
    await session.flush()
    of: Mapping[str, Any] = about | {"minutes_id": minutes.id}
    session.add_all([
        MinutesCopy(**of, person_id=mother, state="open"),
        MinutesCopy(
            **of, person_id=father, state="held_back", held_back_test="serious_harm",
            held_back_why="He would be angry",
        ),
        MinutesAnswer(
            **of, person_id=mother, agrees="disagree", words="No", signed_name="Her",
            said_at=now, signed_at=now,
        ),
    ])  # fmt: skip
