"""Stepping up to IMPACT and to social care, and down again. Nothing is closed by it.

Where an episode is, and since when, are process facts; why is of the category panel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import select, text

from consent import Category, Purpose
from panel.accounts.service import worker_names
from panel.impact.models import EpisodeStep
from panel.impact.rules import A_DAY, KIND_WORDS, Kind, Step, why_not_moved
from panel.panels.resting import rest_reviews, resume_reviews
from panel.plans.writing import lock_child
from panel.platform.problems import Clash, Conflict, FieldError, Invalid, NotAllowed, NotFound
from panel.records.gate import Access

PURPOSES = (Purpose.SUPPORT, Purpose.REVIEW)
"""Why anybody opens IMPACT: those who work with the child. Nobody by sitting on a panel alone."""
NO_EPISODE = "This child has no open episode, so there is nothing to step up or down."


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step as a reader may see it."""

    id: UUID
    episode_id: UUID
    version: int
    step: Step
    reasons: str | None
    """None where they are withheld."""
    who: str
    """Who decided it; "" for how an episode begins."""


class _Fact(msgspec.Struct):
    id: UUID
    episode_id: UUID
    version: int
    kind: Kind
    from_on: date
    until_on: date | None
    reasons: str | None
    agency_id: UUID | None
    worker_id: UUID | None


_STEPS = """
SELECT COALESCE(json_agg(json_build_object('id', s.id, 'episode_id', s.episode_id,
  'version', s.version, 'kind', s.kind, 'from_on', s.from_on, 'until_on', s.until_on,
  'reasons', encode(s.reasons, 'hex'), 'agency_id', s.author_agency_id,
  'worker_id', s.worker_id) ORDER BY s.from_on, s.created_at, s.id), '[]')::text
FROM episode_step s WHERE s.child_id = :child
"""
_READ = msgspec.json.Decoder(tuple[_Fact, ...])


async def steps_of(access: Access) -> Sequence[StepLine]:
    """Where the child was, in the order of time, over all episodes."""
    found = await access.session.execute(text(_STEPS), {"child": access.child_id})
    facts = _READ.decode(found.scalar_one())
    names = await worker_names(access.session, [one.worker_id for one in facts if one.worker_id])
    return [
        StepLine(
            one.id,
            one.episode_id,
            one.version,
            Step(one.kind, one.from_on, one.until_on),
            access.open_text(
                one.reasons, "episode_step.reasons", one.id, Category.PANEL, one.agency_id
            ),
            names.get(one.worker_id, "") if one.worker_id else "",
        )
        for one in facts
    ]


async def step_now(access: Access) -> EpisodeStep | None:
    """Where the child's open episode is; None where no episode is open."""
    row: EpisodeStep | None = await access.session.scalar(
        select(EpisodeStep)
        .where(EpisodeStep.child_id == access.child_id, EpisodeStep.until_on.is_(None))
        .order_by(EpisodeStep.from_on.desc(), EpisodeStep.id)
        .limit(1)
    )
    return row


async def in_impact(access: Access) -> EpisodeStep:
    """The step of a child who is in IMPACT now. Raises NotAllowed with what to do."""
    row = await step_now(access)
    if row is None or row.kind != Kind.IMPACT:
        raise NotAllowed(
            "Meetings are organised here for a child who is in IMPACT.",
            "Step up to IMPACT first, with the reasons.",
        )
    return row


@dataclass(frozen=True, slots=True)
class Moved:
    """What a step did: where the child is now, and by when CONTACTS reviews again."""

    row: EpisodeStep
    review_by: date | None


@dataclass(frozen=True, slots=True)
class Read:
    """Which step somebody read as the current one, in which version."""

    step: UUID
    version: int


async def move_step(access: Access, to: Kind, on: date, reasons: str, read: Read) -> Moved:
    """The child goes to another step on a day, with reasons; the episode and all in it go on.

    `read` is the current step as it was read. Leaving CONTACTS lets its reviews rest;
    coming back sets the next one. Raises NotAllowed, NotFound where no episode is open, Conflict
    where somebody moved the child meanwhile, Invalid.
    """
    access.require_write()
    agency = access.viewer.agency
    if agency is None:
        raise NotAllowed("A worker of an agency decides this.")
    await lock_child(access.session, access.child_id)
    now = await step_now(access)
    if now is None:
        raise NotFound(NO_EPISODE, "Open an episode first.")
    if (now.id, now.version) != (read.step, read.version):
        is_now = f"{KIND_WORDS[Kind(now.kind)]}, since {now.from_on:%-d %B %Y}"
        raise Conflict((Clash("Where the child is", KIND_WORDS[to], is_now),))
    _check(Step(Kind(now.kind), now.from_on), to, on, access.today, reasons)
    now.until_on = on - A_DAY
    await access.session.flush()
    made = EpisodeStep(
        child_id=access.child_id,
        episode_id=now.episode_id,
        kind=to.value,
        from_on=on,
        author_agency_id=agency,
        worker_id=access.viewer.id,
    )
    made.reasons = reasons.strip()
    access.session.add(made)
    await access.session.flush()
    return Moved(made, await _reviews(access, Kind(now.kind), to, on))


def _check(now: Step, to: Kind, on: date, today: date, reasons: str) -> None:
    errors = []
    field, why = why_not_moved(now, to, on, today)
    if why:
        errors.append(FieldError(field, why))
    if not reasons.strip():
        errors.append(FieldError("reasons", "Write down why"))
    if errors:
        raise Invalid(tuple(errors))


async def _reviews(access: Access, was: Kind, to: Kind, on: date) -> date | None:
    if was is Kind.CONTACTS:
        await rest_reviews(access.session, access.child_id, on)
    if to is Kind.CONTACTS:
        return await resume_reviews(access.session, access.child_id, on)
    return None
