"""Other forms than the CAF in the demonstration: some being made, one waiting, one late, one done.

The authority has a form of its own besides, of which the second version is published.
"""

from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Category
from panel.assessments import editing
from panel.assessments.definitions import FormDefinition, Kind, Question, Section, ShowIf
from panel.assessments.form_versions import begin_form, edit_draft, next_version, publish
from panel.assessments.models import Assessment, ClockStop, Form, SectionAnswer, StopReason
from panel.demo.story import Story
from panel.platform.tables import NOW, today_of
from panel.records.dates import working_days_before
from panel.register.models import Child

KEY = "home_visit"
VISIT = Section(
    "visit",
    "The visit",
    "Visit",
    Category.FAMILY,
    (
        Question("seen", Kind.YES_NO, "Was {child} seen?", required_at_sign_off=True),
        Question("why_not", Kind.LONG_TEXT, "Why not?", show_if=ShowIf("seen", ("no",))),
        Question("talked_about", Kind.LONG_TEXT, "What did you talk about?"),
    ),
)
NIGHTS = Question("nights", Kind.LONG_TEXT, "How are the nights?", required_at_sign_off=True)
STARTED: dict[int, tuple[str, int, int | None]] = {
    # Story → form, working days since it began, working days since its clock was stopped.
    1: ("cin_initial", 12, None),
    5: ("cin_initial", 40, 8),
    7: ("cin_core", 52, None),
    9: ("short_breaks_assessment", 4, None),
}
REPORTED = (1, 9)
"""Stories with a finished report of a therapist."""
REPORT: dict[str, dict[str, Any]] = {
    "about": {
        "profession": "Speech and language therapist",
        "based_on": ["seen", "talk"],
        "known_since": "Since the spring, once a fortnight at nursery.",
    },
    "therapy": {
        "therapy": "speech",
        "communication": {
            "strengths": "Looks, points and takes somebody by the hand.",
            "needs": "Follows one step at a time; new words take weeks.",
            "evidence": "Seen at nursery and at home this autumn.",
            "whose_view": ["health", "parent"],
        },
    },
    "advice": {
        "summary": "Pictures first, then words. Give time to answer: count to ten.",
        "outcomes": [
            {
                "outcome": "Chooses between two things by pointing",
                "provision": "Ten minutes a day with the key person; a visit each fortnight",
            }
        ],
    },
}


async def write_own_form(session: AsyncSession) -> None:
    """The authority's own form: published, changed, and published again."""

    def first(form: FormDefinition) -> FormDefinition:
        return editing.add_section(form, VISIT)

    def second(form: FormDefinition) -> FormDefinition:
        return editing.add_question(form, VISIT.key, NIGHTS)

    made = await begin_form(session, KEY, "Home visit")
    await edit_draft(session, made, 1, first)
    await publish(session, made, 2)
    draft = await next_version(session, made)
    await edit_draft(session, draft, 1, second)
    await publish(session, draft, 2)


async def write_other_forms(session: AsyncSession, story: Story, child: Child) -> None:
    """What a story has besides its CAF."""
    author = await session.scalar(select(Assessment).where(Assessment.child_id == child.id))
    if author is None:
        return
    if story.number in STARTED:
        await _begin(session, author, *STARTED[story.number])
    if story.number in REPORTED:
        await _report(session, author)


async def _begin(
    session: AsyncSession, like: Assessment, key: str, days: int, stopped: int | None
) -> None:
    made = await _filling(session, like, key, days)
    if stopped is not None:
        session.add(
            ClockStop(
                child_id=like.child_id,
                assessment_id=made.id,
                reason=StopReason.CHILD_IN_HOSPITAL.value,
                from_on=working_days_before(today_of(session), stopped),
            )
        )


async def _report(session: AsyncSession, like: Assessment) -> None:
    made = await _filling(session, like, "report_therapy", 20)
    made.state, made.signed_off_by = "signed_off", like.author_id
    made.signed_off_on = made.started_on + timedelta(days=14)
    form = (await session.get_one(Form, made.form_id)).definition
    seen = (made.signed_off_on - timedelta(days=6)).isoformat()
    for section in form["sections"]:
        given = REPORT.get(section["key"], {})
        if section["key"] == "about":
            given = given | {"last_seen": seen}
        session.add(
            SectionAnswer(
                child_id=like.child_id,
                assessment_id=made.id,
                section_key=section["key"],
                category=section["category"],
                author_agency_id=like.author_agency_id,
                state="complete" if given else "looked_at",
                answers=msgspec.json.encode(given).decode(),
                saved_at=session.info[NOW],
            )
        )


async def _filling(session: AsyncSession, like: Assessment, key: str, days: int) -> Assessment:
    form = await session.scalar(
        select(Form.id).where(Form.key == key).order_by(Form.number.desc()).limit(1)
    )
    began = working_days_before(today_of(session), days)
    made = Assessment(
        child_id=like.child_id,
        form_id=form,
        form_key=key,
        author_id=like.author_id,
        author_agency_id=like.author_agency_id,
        started_on=began,
        referred_on=began if key.startswith("cin_") else None,
    )
    session.add(made)
    await session.flush()
    return made
