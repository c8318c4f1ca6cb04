"""A child with something of every type that is exchanged, and every field that it has; authority's
agencies, workers, a service and panels around them.
"""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.models import Agency, Worker
from panel.accounts.service import add_agency, add_worker
from panel.allocation.models import ServiceRequest
from panel.assessments.models import Assessment, Form, SectionAnswer
from panel.assessments.service import ensure_forms
from panel.directory.facts import ProviderFacts, ServiceFacts
from panel.directory.service import add_provider, add_service
from panel.panels.models import AgendaItem, Meeting, Panel, PanelAgency
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.plans.models import Action, DesiredOutcome, LeadProfessional, OutcomeProgress, Plan
from panel.records.gate import rewrite_access
from panel.register.children import index_child
from panel.register.models import Child, Episode, FamilyLink, FamilyMember, Involvement
from tests.sharing.family import TODAY, Family

NHS_NUMBER = "9990548609"
LONG_AGO, BEFORE = TODAY - timedelta(days=400), TODAY - timedelta(days=30)
SAID_AT = datetime.combine(BEFORE, time(10, 15), UTC)

ANSWERS: dict[str, dict[str, object]] = {
    "child_says": {
        "own_words": "I like trains.\nAnd mud & <rain>.",
        "how_heard": ["talking", "symbols"],
    },
    "names": {"sex": "female", "born": "yes", "birth_date": "2022-03-09"},
    "languages": {"interpreter_needed": "no", "child_language": "Polish"},
    "school_record": {"upn": "A123456789012", "setting": "Made-up School"},
    "people_present": {
        "assessed_on": "2026-09-30",
        "present": [
            {"name": "Ada Kestrel", "role": "mother"},
            {"name": "Rosa Whitlow", "role": "health visitor"},
        ],
    },
    "services": {
        "working_with": [{"service": "Physio", "when": "now", "since": "2026-01-05"}],
    },
    "health": {
        "general_health": {
            "strengths": "Sleeps well",
            "needs": "Tires soon",
            "evidence": "Seen at home",
            "whose_view": ["parent"],
        },
    },
    "body_and_communication": {
        "physical_development": {"strengths": "Climbs", "whose_view": ["parent", "assessor"]},
        "self_care": {"needs": "Buttons"},
    },
    "home_and_money": {"housing_employment_finance": {"needs": "A ramp"}},
    "care_and_safety": {"basic_care": {"strengths": "Warm and safe"}},
    "delivery_plan": {
        "planned_on": "2026-10-02",
        "steps": [
            {"outcome": "She plays", "action": "Visit", "by_when": "2026-12-01"},
            {"outcome": "She rests", "responsible": "Mum"},
        ],
    },
}


async def write_whole(session: AsyncSession, family: Family) -> None:
    """Fill the invented family's record; its agencies and workers are `invented_family`'s."""
    council = await session.scalar(select(Agency).where(Agency.kind == "council"))
    assert council is not None
    practice = await add_agency(
        session, key="gp", name="Hill Practice", kind="gp", ods_code="A81001"
    )
    await _workers(session, family)
    await _child(session, family, practice.id)
    await _family(session, family)
    await _team(session, family, practice.id)
    await _answers(session, family)
    await _plans(session, family)
    await _requests(session, family)
    await _meetings(session, family, practice.id)
    await rewrite_access(session, family.child)


async def _workers(session: AsyncSession, family: Family) -> None:
    rosa = await session.get_one(Worker, family.rosa.id)
    rosa.job_title, rosa.phone, rosa.from_on = "Health visitor", "01632 960111", LONG_AGO
    school = await session.get_one(Agency, family.school)
    left = await add_worker(session, school, name="Una Gone", email="una@demo.example")
    left.from_on, left.until_on = LONG_AGO, BEFORE
    await session.flush()
    session.add(
        Involvement(
            child_id=family.child, agency_id=school.id, worker_id=left.id, part="key worker",
            from_on=LONG_AGO, until_on=BEFORE,
        )
    )  # fmt: skip


async def _child(session: AsyncSession, family: Family, practice: UUID) -> None:
    child = await session.get_one(Child, family.child)
    child.known_as, child.nhs_number, child.nhs_number_verified = "Fay", NHS_NUMBER, True
    child.upn = "A123456789012"
    child.address, child.postcode, child.phone = "1 Teasel Close\nHill", "WX1 1AA", "01632 960001"
    child.ethnicity, child.first_language, child.interpreter = "white_other", "Polish", "BSL"
    child.primary_need, child.disability = "asd", "Does not speak yet"
    await session.flush()
    await index_child(session, child)
    session.add_all(
        [
            Episode(
                child_id=child.id, identified_on=date(2024, 1, 2), opened_on=date(2024, 2, 1),
                closed_on=date(2025, 1, 31), closure_reason="moved_away",
            ),
            Episode(child_id=child.id, identified_on=LONG_AGO, opened_on=LONG_AGO),
            Involvement(child_id=child.id, agency_id=practice, from_on=LONG_AGO),
        ]
    )  # fmt: skip


async def _family(session: AsyncSession, family: Family) -> None:
    mother = await session.get_one(FamilyMember, family.mother)
    mother.phone, mother.email, mother.address = (
        "01632 960002",
        "ada@demo.example",
        "1 Teasel Close",
    )
    mother.first_language, mother.interpreter = "Polish", "Polish"
    links = {
        one.family_member_id: one
        for one in await session.scalars(
            select(FamilyLink).where(FamilyLink.child_id == family.child)
        )
    }
    links[family.mother].lives_with = True
    links[family.grandmother].from_on = LONG_AGO
    links[family.grandmother].until_on = BEFORE


async def _team(session: AsyncSession, family: Family, practice: UUID) -> None:
    session.add_all(
        [
            LeadProfessional(
                child_id=family.child, worker_id=family.tom.id, agency_id=family.school,
                state="ended", offered_on=LONG_AGO, offered_by=family.tom.id, from_on=LONG_AGO,
                until_on=BEFORE,
            ),
            LeadProfessional(
                child_id=family.child, worker_id=family.rosa.id, agency_id=family.health,
                state="accepted", offered_on=BEFORE, offered_by=family.rosa.id, from_on=BEFORE,
            ),
        ]
    )  # fmt: skip


async def _answers(session: AsyncSession, family: Family) -> None:
    await ensure_forms(session)
    form = await session.scalar(select(Form).where(Form.key == "caf"))
    assert form is not None
    agreement = {
        "agreement": {
            "agreed_by": str(family.mother),
            "share": "yes",
            "share_with": [str(family.school), str(family.health)],
            "named_categories": ["finance"],
        }
    }
    for number, said in enumerate((ANSWERS | agreement, {"health": ANSWERS["health"]})):
        filling = Assessment(
            child_id=family.child, form_id=form.id, form_key="caf", number=number + 1,
            state="signed_off", author_id=family.rosa.id, author_agency_id=family.health,
            started_on=LONG_AGO + timedelta(days=number),
            signed_off_on=BEFORE + timedelta(days=number), signed_off_by=family.rosa.id,
        )  # fmt: skip
        session.add(filling)
        await session.flush()
        for section in form.definition["sections"]:
            if section["key"] in said:
                session.add(
                    SectionAnswer(
                        child_id=family.child, assessment_id=filling.id,
                        section_key=section["key"], author_agency_id=family.health,
                        category=section["category"], state="complete",
                        answers=json.dumps(said[section["key"]]),
                    )
                )  # fmt: skip
    await session.flush()


async def _plans(session: AsyncSession, family: Family) -> None:
    former = Plan(
        child_id=family.child, number=1, state="replaced", author_agency_id=family.school,
        summary="To come to school", started_on=LONG_AGO, agreed_on=LONG_AGO, replaced_on=BEFORE,
    )  # fmt: skip
    plan = Plan(
        child_id=family.child, number=2, state="agreed", author_agency_id=family.health,
        summary="To play with others", started_on=BEFORE, agreed_on=BEFORE,
    )  # fmt: skip
    session.add_all([former, plan])
    await session.flush()
    for place, (of, words, state) in enumerate(
        (
            (plan, "She sleeps two nights", "working_towards"),
            (plan, "She plays", "reached"),
            (former, "She comes", "stopped"),
        ),
        start=1,
    ):
        outcome = DesiredOutcome(
            child_id=family.child, plan_id=of.id, position=place, text=words, state=state,
            measure="Nights a week" if place == 1 else "", baseline=place, target=5,
        )  # fmt: skip
        session.add(outcome)
        await session.flush()
        for step, value in enumerate((1, 3, None)):
            session.add(
                OutcomeProgress(
                    child_id=family.child, outcome_id=outcome.id, value=value,
                    on=BEFORE + timedelta(days=step), note="" if step == 1 else "As we saw",
                )
            )  # fmt: skip
        action = Action(
            child_id=family.child, plan_id=of.id, outcome_id=outcome.id, text=f"Visit {place}",
            owner_worker_id=family.rosa.id if place == 1 else None,
            owner_words="" if place == 1 else "Mum", due_on=TODAY,
            state="done" if place == 2 else "doing", done_on=BEFORE if place == 2 else None,
            note="Twice",
        )  # fmt: skip
        session.add(action)
        await session.flush()
    session.add_all(
        [
            Action(child_id=family.child, plan_id=plan.id, text="Dropped", state="dropped"),
            Action(child_id=family.child, text="What the panel asked for"),
        ]
    )
    await session.flush()
    await session.execute(
        text("UPDATE action SET created_at = :then WHERE child_id = :child"),
        {"then": SAID_AT, "child": family.child},
    )


async def _requests(session: AsyncSession, family: Family) -> None:
    provider = await add_provider(session, ProviderFacts("Oak Breaks", kind="voluntary"))
    service = await add_service(
        session,
        provider.id,
        ServiceFacts(
            "Saturday club", "Play for four hours", kind="short_break", url="https://oak.example",
            email="club@oak.example", phone="01632 960333", min_age=2, max_age=8,
        ),
    )  # fmt: skip
    session.add_all(
        [
            ServiceRequest(
                child_id=family.child, reference="R-AAAA0001", state="sent", legal_basis="s17",
                category="social_care", need="Rest", need_code="pd", outcome="Two nights",
                asked_for="Short breaks", service_id=service.id, asked_units=Decimal("1.500"),
                unit="night", urgency="soon", agency_id=family.health, sent_on=BEFORE,
                sent_by=family.rosa.id,
            ),
            ServiceRequest(
                child_id=family.child, reference="R-AAAA0002", state="withdrawn",
                category="health", asked_for="Physio", agency_id=family.school, sent_on=LONG_AGO,
            ),
        ]
    )  # fmt: skip
    await session.flush()


async def _meetings(session: AsyncSession, family: Family, practice: UUID) -> None:
    panel = await session.scalar(select(Panel).where(Panel.key == "contacts"))
    assert panel is not None
    session.add(PanelAgency(panel_id=panel.id, agency_id=family.health))
    items: list[AgendaItem] = []
    for day, meeting_state, why, state in (
        (LONG_AGO, "held", "new", "discussed"),
        (BEFORE, "held", "review_due", "discussed"),
        (BEFORE - timedelta(days=14), "held", "deferred", "not_reached"),
        (BEFORE - timedelta(days=28), "cancelled", "deferred", "listed"),
        (TODAY + timedelta(days=10), "planned", "transition", "listed"),
    ):
        meeting = Meeting(panel_id=panel.id, slot_on=day, held_on=day, state=meeting_state)
        session.add(meeting)
        await session.flush()
        item = AgendaItem(
            child_id=family.child, meeting_id=meeting.id, position=3, minutes=15, why=why,
            state=state, discussed_at=datetime.combine(day, time(10, 40), UTC)
            if state == "discussed"
            else None,
        )  # fmt: skip
        session.add(item)
        items.append(item)
    await session.flush()
    for number, (item, state, categories, words) in enumerate(
        (
            (items[0], "signed_off", ["plan", "health"], "Dear Ada,\nwe met. It was good.\n"),
            (items[1], "recalled", ["plan"], "About another child"),
            (items[1], "signed_off", [], "Dear Ada, once more"),
        ),
        start=1,
    ):
        note = FamilyNote(
            child_id=family.child, meeting_id=item.meeting_id, number=number, state=state,
            author_agency_id=family.health, categories=categories, text=words,
            signed_off_at=SAID_AT + timedelta(hours=number), signed_off_by=family.rosa.id,
            due_on=TODAY,
        )  # fmt: skip
        session.add(note)
        await session.flush()
        for person, way, how in (
            (family.mother, "email", "opened"),
            (family.father, "letter", "waiting"),
        ):
            went = SAID_AT if how == "opened" else None
            session.add(
                NoteDelivery(
                    child_id=family.child, note_id=note.id, person_id=person, way=way, state=how,
                    sent_at=went, opened_at=went, failure="No address is kept.",
                )
            )  # fmt: skip
    await session.flush()
