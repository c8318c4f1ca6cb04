"""A published form is changed while fifty drafts of it are open, and nobody loses a word."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text

from consent import Category, Purpose, Role, Viewer
from panel.accounts.service import add_agency
from panel.assessments import editing
from panel.assessments.comparing import (
    ANSWERED,
    NOT_ANSWERED,
    NOT_ASKED,
    about,
    answered_over_versions,
    asked_over_versions,
    counts_over_versions,
)
from panel.assessments.definitions import FormDefinition, Kind, Question, Section, SectionAnswers
from panel.assessments.form_versions import (
    begin_form,
    edit_draft,
    next_version,
    one_version,
    publish,
    published_versions,
    retire,
)
from panel.assessments.service import (
    forms_to_start,
    read_assessment,
    save_section,
    sign_off,
    start_assessment,
)
from panel.platform.ids import new_id
from panel.platform.problems import Conflict, Invalid, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Child, Involvement
from tests.accounts.staff import worker

OPEN = 50
VISIT = Section(
    "visit",
    "The visit",
    "Visit",
    Category.FAMILY,
    (
        Question("seen", Kind.YES_NO, "Was {child} seen?", required_at_sign_off=True),
        Question("words", Kind.LONG_TEXT, "What was said?"),
    ),
)
AFTER = Section(
    "after", "Afterwards", "Visit", Category.PLAN, (Question("next", Kind.LONG_TEXT, "What next?"),)
)
WEIGHT = Question("weight", Kind.SHORT_TEXT, "What does {child} weigh?", required_at_sign_off=True)


@dataclass(frozen=True)
class Visits:
    """A form that is published once, and a health visitor with many children."""

    form: UUID
    rosa: Viewer
    children: list[UUID]


def first(form: FormDefinition) -> FormDefinition:
    return editing.add_section(editing.add_section(form, VISIT), AFTER)


def second(form: FormDefinition) -> FormDefinition:
    """Other words, a question less, and one more that is required."""
    words = Question("seen", Kind.YES_NO, "Did you see {child}?", required_at_sign_off=True)
    form = editing.change_question(form, "visit", words)
    return editing.add_question(editing.remove_question(form, "visit", "words"), "visit", WEIGHT)


@pytest.fixture
async def visits(tenant: Tenant) -> Visits:
    async with tenant.transaction(JOB) as session:
        form = await begin_form(session, "visit", "Home visit")
        await edit_draft(session, form, 1, first)
        await publish(session, form, 2)
        health = await add_agency(session, key="hv", name="Health visiting", kind="health")
        rosa = await worker(session, health, "Rosa Whitlow", Role.PRACTITIONER)
    children = await put_in(tenant, rosa, 2)
    return Visits(form, rosa, children)


async def put_in(tenant: Tenant, rosa: Viewer, many: int) -> list[UUID]:
    """Children with whom Rosa works."""
    found: list[UUID] = []
    async with tenant.transaction(JOB) as session:
        for _ in range(many):
            child = Child(
                reference=f"C-{new_id()}",
                given_name="Freya",
                family_name="Kestrel",
                sex="female",
                birth_date=date(2022, 3, 9),
            )
            await session.execute(text("SELECT open_child(:c)"), {"c": child.id})
            session.add(child)
            await session.flush()
            session.add(
                Involvement(
                    child_id=child.id,
                    agency_id=rosa.agency,
                    worker_id=rosa.id,
                    from_on=date(2026, 9, 1),
                )
            )
            await rewrite_access(session, child.id)
            found.append(child.id)
    return found


def said(number: int) -> SectionAnswers:
    return {"seen": "yes", "words": f"Word {number}"}


async def begin(gate: Gate, visits: Visits, child: UUID) -> UUID:
    async with gate.open(child, visits.rosa, Purpose.SUPPORT, "started") as access:
        return await start_assessment(access, "visit")


async def write(gate: Gate, visits: Visits, child: UUID, one: UUID, given: SectionAnswers) -> None:
    section = "visit" if "seen" in given else "after"
    async with gate.open(child, visits.rosa, Purpose.SUPPORT, "wrote") as access:
        await save_section(access, one, section, given, 0)


async def finish(gate: Gate, visits: Visits, child: UUID, one: UUID) -> None:
    async with gate.open(child, visits.rosa, Purpose.SUPPORT, "signed off") as access:
        record = await read_assessment(access, one)
        await sign_off(access, one, record.answers_number)


async def change(tenant: Tenant, visits: Visits) -> None:
    async with tenant.transaction(JOB) as session:
        draft = await next_version(session, visits.form)
        await edit_draft(session, draft, 1, second)
        await publish(session, draft, 2)


async def test_fifty_open_drafts_are_finished_on_their_version(
    tenant: Tenant, gate: Gate, visits: Visits
) -> None:
    visits.children.extend(await put_in(tenant, visits.rosa, OPEN - len(visits.children)))
    drafts = {child: await begin(gate, visits, child) for child in visits.children}
    for number, (child, one) in enumerate(drafts.items()):
        await write(gate, visits, child, one, said(number))

    await change(tenant, visits)

    for number, (child, one) in enumerate(drafts.items()):
        assert await begin(gate, visits, child) == one
        await write(gate, visits, child, one, {"next": "Ring"})
        await finish(gate, visits, child, one)
        async with gate.open(child, visits.rosa, Purpose.SUPPORT, "read") as access:
            record = await read_assessment(access, one)
        assert (record.form.version, record.state) == (1, "signed_off")
        assert record.answers == {"visit": said(number), "after": {"next": "Ring"}}
    again = visits.children[:6]
    for child in again:
        later = await begin(gate, visits, child)
        async with gate.open(child, visits.rosa, Purpose.SUPPORT, "read") as access:
            record = await read_assessment(access, later)
        assert record.form.version == 2
        # What still fits is carried; the question that is gone is asked no more.
        assert record.answers == {"visit": {"seen": "yes"}, "after": {"next": "Ring"}}
        with pytest.raises(Invalid):
            await finish(gate, visits, child, later)

    async with tenant.transaction(JOB) as session:
        counts = await counts_over_versions(session, "visit")
        versions = [one.form for one in await published_versions(session, "visit")]
    assert [(one.number, one.drafts, one.signed_off) for one in counts] == [(1, 0, 50), (2, 6, 0)]
    assert counts[0].complete == {"visit": 50, "after": 50}
    assert counts[1].complete == {"after": 6}
    assert [(one.key, one.words) for one in asked_over_versions(versions)] == [
        ("seen", ("Was {child} seen?", "Did you see {child}?")),
        ("weight", ("", "What does {child} weigh?")),
        ("next", ("What next?", "What next?")),
        ("words", ("What was said?", "")),
    ]
    async with gate.open(again[0], visits.rosa, Purpose.SUPPORT, "compared") as access:
        records, rows = await answered_over_versions(access, "visit")
    assert [one.form.version for one in records] == [1, 2]
    assert {row.label: row.states for row in rows} == {
        "Did you see Freya?": (ANSWERED, ANSWERED),
        "What does Freya weigh?": (NOT_ASKED, NOT_ANSWERED),
        "What next?": (ANSWERED, ANSWERED),
        "What was said?": (ANSWERED, NOT_ASKED),
    }


async def test_a_published_version_never_changes(tenant: Tenant, visits: Visits) -> None:
    async with tenant.transaction(JOB) as session:
        before = await one_version(session, visits.form)
        with pytest.raises(Invalid, match="One answer"):
            await edit_draft(session, visits.form, before.lock, second)
    for what in (
        "UPDATE form SET definition = '{}'",
        "UPDATE form SET title = 'Another'",
        "UPDATE form SET state = 'draft'",
        "UPDATE form SET number = 7",
        "DELETE FROM form",
    ):
        with pytest.raises(Exception, match="form"):
            async with tenant.transaction(JOB) as session:
                await session.execute(text(f"{what} WHERE key = 'visit'"))
    async with tenant.transaction(JOB) as session:
        assert await one_version(session, visits.form) == before


async def test_two_who_edit_a_draft_hear_of_each_other(tenant: Tenant, visits: Visits) -> None:
    async with tenant.transaction(JOB) as session:
        draft = await next_version(session, visits.form)
        assert await next_version(session, visits.form) == draft
        await edit_draft(session, draft, 1, second)
    with pytest.raises(Conflict):
        async with tenant.transaction(JOB) as session:
            await edit_draft(session, draft, 1, first)


async def test_what_is_retired_is_started_no_more_and_finished_all_the_same(
    tenant: Tenant, gate: Gate, visits: Visits
) -> None:
    child, other = visits.children[:2]
    one = await begin(gate, visits, child)
    async with tenant.transaction(JOB) as session:
        version = await one_version(session, visits.form)
        await retire(session, visits.form, version.lock)
        assert "visit" not in dict(await forms_to_start(session))
    with pytest.raises(NotFound):
        await begin(gate, visits, other)
    await write(gate, visits, child, one, said(1))
    await write(gate, visits, child, one, {"next": "Ring"})
    await finish(gate, visits, child, one)
    async with tenant.transaction(JOB) as session:
        caf = next(one for one in await published_versions(session, "caf"))
        with pytest.raises(Invalid, match="One answer"):
            await retire(session, caf.id, caf.lock)


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "none"), (1, "fewer than 5"), (4, "fewer than 5"), (5, "about 5"), (52, "about 50")],
)
def test_a_count_tells_of_no_child(count: int, words: str) -> None:
    assert about(count) == words
