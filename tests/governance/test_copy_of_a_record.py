"""A person's own data: refusals do not filter it, other people's data and the exemptions do."""

import html
import json
import re
from base64 import b64decode, b64encode
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from consent import Category, Purpose, Viewer, ViewerKind
from panel.casework.handover_models import AuthorityHandover
from panel.documents.service import NewDocument, attach_for_import
from panel.governance import retention_models
from panel.governance.rights_copies import (
    decide,
    file_of_mark,
    gather_waiting,
    give_second_look,
    hand_out,
    make,
    mark_by_hand,
    read_copy,
)
from panel.governance.rights_file import EMBEDDED_EACH, GIVEN_BESIDE
from panel.governance.rights_gather import LEFT_OUT, SECTIONS, Piece, models, told_columns
from panel.governance.rights_marks import Because, Reader, proposed
from panel.governance.rights_models import AccessFile, Exemption, Outcome, RightKind
from panel.governance.rights_service import (
    SUBJECT_ACCESS,
    Taken,
    answer,
    ask_as_family,
    ask_for_copy,
    has_standing,
    identify,
    start_clock,
    take_in,
)
from panel.governance.rights_words import has_words, label_of
from panel.panels.models import FamilyWords
from panel.panels.note_marks import NoteContext
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.problems import Gone, Invalid, NotAllowed, NotFound, Problem
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB, child_scoped_tables
from panel.records.gate import Gate, rewrite_access
from panel.register.models import Child, FamilyLink
from panel.sharing.models import SharingRestriction
from tests.governance.conftest import Looks, Offices
from tests.governance.rights import (
    asked,
    decided,
    duties,
    gathered,
    happened,
    known,
    made,
    version_of,
    write,
)
from tests.sharing.family import TODAY, Family, record, refused

MODELS = retention_models
"""Tables of a child, whatever else was imported."""
SCHEMA = Path(__file__).parents[2] / "docs" / "rights" / "access-file.schema.json"
SECRET = "14 Tern Street, Harrow Mill, WX3 9QR"
TEXT = "Freya slept badly after Jordan Pickering from next door shouted. She likes the blue cup."


@pytest.fixture(autouse=True)
async def _law(tenant: Tenant, family: Family, offices: Offices) -> None:
    await duties(tenant)
    await happened(tenant, family, TEXT)


def machine(file: str) -> dict[str, Any]:
    found = re.search(
        r'<script type="application/json" id="machine-readable">(.*?)</script>', file, re.DOTALL
    )
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


async def is_not_handed(
    gate: Gate, family: Family, file_id: UUID, refusal: type[Problem], *viewers: Viewer
) -> None:
    """None of them is handed the copy: each is refused in this way."""
    for viewer in viewers:
        with pytest.raises(refusal):
            async with gate.open(family.child, viewer, SUBJECT_ACCESS, "was handed it") as access:
                await hand_out(access, file_id)


def page_of(file: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", file.split("<script", 1)[0]))


def fits(value: Any, shape: dict[str, Any], at: str = "$") -> None:
    """What the schema says, as far as ours says anything."""
    if "anyOf" in shape:
        for one in shape["anyOf"]:
            try:
                return fits(value, one, at)
            except AssertionError:
                continue
        raise AssertionError(f"{at}: {value!r} fits none")
    kinds = {"object": dict, "array": list, "string": str}
    assert isinstance(value, kinds[shape["type"]]), f"{at}: {value!r}"
    if "const" in shape:
        assert value == shape["const"], at
    if shape["type"] == "array":
        for number, one in enumerate(value):
            fits(one, shape["items"], f"{at}[{number}]")
    if shape["type"] == "object":
        assert set(value) == set(shape["required"]), f"{at}: {sorted(value)}"
        for name, one in value.items():
            fits(one, shape["properties"][name], f"{at}.{name}")
    return None


def test_every_table_of_a_child_is_in_a_copy_or_left_out_with_the_reason() -> None:
    names = {table.name for table in child_scoped_tables()} | {"child", "family_member"}
    assert names == set(SECTIONS) | set(LEFT_OUT), "Say in rights_gather.py which it is."
    assert not set(SECTIONS) & set(LEFT_OUT)


def test_every_entry_of_a_copy_is_called_in_words() -> None:
    for model in models():
        table = model.__tablename__
        for column in told_columns(model):
            assert has_words(table, column), f"Say it in rights_words.py: {table}.{column}"
    assert label_of("section_answer", "answers") == "Answers in an assessment: answers"
    assert label_of("child", "ward_code") == "Child: area (ward)"


async def test_a_refusal_to_share_does_not_filter_and_both_forms_say_the_same(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    await record(gate, family, refused(family))
    file_id = await gathered(tenant, gate, family, offices, family.mother)
    await decided(gate, family, offices, file_id, out=("Jordan", "Pickering"))
    file = await made(gate, family, offices, file_id)
    told = machine(file)
    fits(told, json.loads(SCHEMA.read_text()))
    page = page_of(file)
    for form in (page, json.dumps(told)):
        assert "Freya slept badly after" in form
        assert "She likes the blue cup" in form
        assert "Jordan" not in form
        assert "Pickering" not in form
        assert "Taken out: it is about somebody else" in form
    assert "Jordan" not in file
    for section in told["sections"]:
        assert section["title"] in page
        for entry in section["entries"]:
            assert entry["label"] in page


async def test_each_redaction_keeps_its_reason_and_who_decided(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    file_id = await gathered(tenant, gate, family, offices, family.mother)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "went through") as access:
        with pytest.raises(Invalid):
            await make(access, file_id)
    await decided(gate, family, offices, file_id, out=("Jordan",))
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "looked again") as access:
        rows = (await read_copy(access, file_id)).redactions
        assert any("Jordan" in one.words for one in rows)
        for one in rows:
            assert one.reason
            assert one.decided_by == offices.lead.id
            assert one.decided_at is not None


async def test_a_protected_address_is_not_given_to_whom_it_is_protected_from(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, family.child)
        child.address, child.postcode = SECRET, "WX3 9QR"
    await write(
        tenant,
        SharingRestriction(
            child_id=family.child,
            kind="protection",
            categories=["contact"],
            against=[family.father],
            from_on=date(2026, 9, 1),
            reason="He must not learn where they live",
        ),
        AuthorityHandover(
            child_id=family.child,
            direction="out",
            state="sent",
            authority_name="Southfield",
            identifier=new_id(),
            document='{"school": "Fernbank"}',
        ),
    )
    await happened(tenant, family, "They moved to 14 Tern Street in May.")
    file_id = await gathered(tenant, gate, family, offices, family.father)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "went through") as access:
        sure = [one for one in (await read_copy(access, file_id)).redactions if one.must_go]
        assert sure
        with pytest.raises(Invalid, match="another look"):
            await decide(access, sure[0].id, sure[0].version, None, "He may know it")
    await decided(gate, family, offices, file_id)
    file = await made(gate, family, offices, file_id)
    for leak in ("Tern", "WX3", "9QR", "must not learn", "protection", "Southfield", "Fernbank"):
        assert leak not in file
    assert "Taken out: the law lets us leave this out" in file

    mothers = await gathered(tenant, gate, family, offices, family.mother)
    await decided(gate, family, offices, mothers)
    hers = await made(gate, family, offices, mothers)
    assert "14 Tern Street" in hers
    assert "Southfield" in hers
    assert "Fernbank" not in hers, "What was sent is a copy itself, as it was made for others."


def test_what_another_of_the_family_said_of_the_plan_is_for_a_person_to_decide() -> None:
    mother, father = UUID(int=1), UUID(int=2)
    said = Piece(
        "plan_answer:1:words", "Plans", "own words", "", "", "He frightens me", "plan", str(mother)
    )
    for reader, because in ((father, [Because.ANOTHERS_WORDS]), (mother, [])):
        found = proposed([said], Reader(reader, {}, NoteContext()))
        assert [one.because for one in found] == because


async def test_what_another_of_the_family_said_is_for_a_person_to_decide(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    await write(
        tenant,
        FamilyWords(
            child_id=family.child,
            family_member_id=family.father,
            asked_on=TODAY,
            said_on=TODAY,
            text="I drink too much and want help.",
        ),
        FamilyWords(
            child_id=family.child,
            family_member_id=family.mother,
            asked_on=TODAY,
            said_on=TODAY,
            text="She sleeps in my bed.",
        ),
    )
    file_id = await gathered(tenant, gate, family, offices, family.mother)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "went through") as access:
        whole = [one.words for one in (await read_copy(access, file_id)).redactions if not one.end]
    assert "I drink too much and want help." in whole
    assert "She sleeps in my bed." not in whole


async def test_a_relative_without_parental_responsibility_is_not_given_it(
    tenant: Tenant, gate: Gate, family: Family
) -> None:
    assert await has_standing(tenant, family.child, family.mother)
    assert await has_standing(tenant, family.child, family.child)
    assert not await has_standing(tenant, family.child, family.grandmother)
    grandmother = Viewer(family.grandmother, ViewerKind.FAMILY)
    async with gate.open(family.child, grandmother, SUBJECT_ACCESS, "asked") as access:
        with pytest.raises(NotAllowed):
            await ask_as_family(access, RightKind.ACCESS, "")


async def test_serious_harm_is_left_out_only_when_a_second_person_agrees(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    file_id = await gathered(tenant, gate, family, offices, family.mother)
    await decided(gate, family, offices, file_id)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "went through") as access:
        read = await read_copy(access, file_id)
        piece = next(one.id for one in read.pieces if "blue cup" in one.text)
        await mark_by_hand(
            access, file_id, piece, "blue cup", Exemption.SERIOUS_HARM, "It would harm her"
        )
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "made it") as access:
        with pytest.raises(Invalid):
            await make(access, file_id)
        (mark,) = [
            one for one in (await read_copy(access, file_id)).redactions if one.words == "blue cup"
        ]
        with pytest.raises(NotAllowed):
            await give_second_look(access, mark.id, mark.version, "Me too", "agree")
    async with gate.open(
        family.child, offices.guardian, Purpose.SAFEGUARDING, "gave a second look"
    ) as access:
        await give_second_look(access, mark.id, mark.version, "The psychologist says so", "agree")
    file = await made(gate, family, offices, file_id)
    assert "blue cup" not in file
    with pytest.raises(NotFound):
        async with gate.open(family.child, offices.guardian, Purpose.SAFEGUARDING, "came back"):
            pass


async def test_the_copy_is_handed_out_once_and_that_is_a_disclosure_with_its_law(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices, looks: Looks
) -> None:
    file_id = await gathered(tenant, gate, family, offices, family.mother)
    await decided(gate, family, offices, file_id)
    await made(gate, family, offices, file_id)
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    father = Viewer(family.father, ViewerKind.FAMILY)
    await is_not_handed(gate, family, file_id, NotFound, father)
    async with gate.open(family.child, mother, SUBJECT_ACCESS, "was handed a copy") as access:
        assert "Freya" in await hand_out(access, file_id)
    await is_not_handed(gate, family, file_id, Gone, mother, offices.lead)
    (told,) = looks.ask(
        "SELECT purpose, decisions FROM access_event WHERE viewer_id = %s AND doing = %s",
        family.mother,
        "was handed a copy",
    )
    assert told[0] == "subject_access"
    assert told[1]["law"]
    (sealed,) = looks.ask("SELECT made, pieces FROM access_file")
    assert b"Freya" not in bytes(sealed[0]) + bytes(sealed[1])


async def test_who_asks_is_known_before_anything_is_gathered(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    right_id = await asked(tenant, gate, offices.lead)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "tried") as access:
        with pytest.raises(Invalid):
            await ask_for_copy(access, right_id, 1)
        with pytest.raises(Invalid):
            await identify(access, right_id, 1, offices.guardian.id, "Seen", TODAY)
        with pytest.raises(Invalid):
            await start_clock(access, right_id, 1, TODAY)
    assert await gather_waiting(gate) == 0


async def test_an_answered_request_ties_the_lead_to_nobody(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices, clock: FixedClock
) -> None:
    right_id = await known(tenant, gate, family, offices, family.mother)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "answered") as access:
        with pytest.raises(Invalid):
            await answer(access, right_id, await version_of(tenant, right_id), Outcome.REFUSED, "")
        await answer(access, right_id, await version_of(tenant, right_id), Outcome.DONE, "")
    clock.set(clock.now() + timedelta(days=1))
    with pytest.raises(NotFound):
        async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "came back") as access:
            access.may(Category.HEALTH)


async def test_only_the_lead_takes_a_request_in(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    taken = Taken("C-1001", RightKind.ACCESS, TODAY, "Somebody", "All")
    async with tenant.transaction(family.rosa.id) as session:
        with pytest.raises(NotAllowed):
            await take_in(session, gate, family.rosa, taken)
    async with tenant.transaction(offices.lead.id) as session:
        wrong = Taken("C-9999", RightKind.ACCESS, TODAY, "Somebody", "All")
        with pytest.raises(Invalid):
            await take_in(session, gate, offices.lead, wrong)


def protection(family: Family, against: UUID, *categories: str) -> SharingRestriction:
    return SharingRestriction(
        child_id=family.child,
        kind="protection",
        categories=list(categories),
        against=[against],
        from_on=date(2026, 9, 1),
        reason="He must not learn where they live",
    )


async def ready(tenant: Tenant, gate: Gate, family: Family, offices: Offices, person: UUID) -> UUID:
    file_id = await gathered(tenant, gate, family, offices, person)
    await decided(gate, family, offices, file_id)
    await made(gate, family, offices, file_id)
    return file_id


async def test_whom_a_protection_is_against_is_not_told_that_there_is_one(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices, clock: FixedClock
) -> None:
    await write(tenant, protection(family, family.father, "contact"))
    clock.set(clock.now() + timedelta(minutes=1))
    async with tenant.transaction(JOB) as session:
        row = (await session.scalars(select(SharingRestriction))).one()
        row.until_on = date(2027, 1, 1)
    file_id = await gathered(tenant, gate, family, offices, family.father)
    await decided(gate, family, offices, file_id)
    file = (await made(gate, family, offices, file_id)).casefold()
    assert "sharing restriction" not in file
    assert "protection" not in file


async def test_a_protection_that_came_after_gathering_keeps_the_copy_back(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, family.child)
        child.address, child.postcode = SECRET, "WX3 9QR"
    file_id = await ready(tenant, gate, family, offices, family.father)
    await write(tenant, protection(family, family.father, "contact"))
    father = Viewer(family.father, ViewerKind.FAMILY)
    await is_not_handed(gate, family, file_id, Gone, father, offices.lead)


async def test_who_lost_parental_responsibility_is_not_handed_the_copy(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    file_id = await ready(tenant, gate, family, offices, family.father)
    async with tenant.transaction(JOB) as session:
        link = (
            await session.scalars(
                select(FamilyLink).where(FamilyLink.family_member_id == family.father)
            )
        ).one()
        link.parental_responsibility, link.basis = False, None
        await session.flush()
        await rewrite_access(session, family.child)
    father = Viewer(family.father, ViewerKind.FAMILY)
    await is_not_handed(gate, family, file_id, NotAllowed, father, offices.lead)


async def test_a_copy_that_another_one_replaced_is_not_handed_out(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    file_id = await ready(tenant, gate, family, offices, family.mother)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "asked anew") as access:
        first = await access.session.get_one(AccessFile, file_id)
        await ask_for_copy(access, first.request_id, await version_of(tenant, first.request_id))
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    await is_not_handed(gate, family, file_id, Gone, mother)


async def test_what_another_asked_and_a_childs_own_words_wait_for_a_person(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    words = FamilyWords(child_id=family.child, asked_on=TODAY, text="I am scared at weekends.")
    await write(tenant, words)
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    async with gate.open(family.child, mother, SUBJECT_ACCESS, "asked") as access:
        await ask_as_family(access, RightKind.OBJECTION, "He must not see that we moved out.")
    file_id = await gathered(tenant, gate, family, offices, family.father)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "went through") as access:
        whole = [
            one.words
            for one in (await read_copy(access, file_id)).redactions
            if one.start is None and one.takes_out is None
        ]
    assert "He must not see that we moved out." in whole
    assert "I am scared at weekends." in whole


async def test_a_copy_of_a_refused_request_is_not_handed_out(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    file_id = await ready(tenant, gate, family, offices, family.mother)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "refused it") as access:
        right_id = (await access.session.get_one(AccessFile, file_id)).request_id
        version = await version_of(tenant, right_id)
        await answer(access, right_id, version, Outcome.REFUSED, "It was not her")
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    await is_not_handed(gate, family, file_id, Gone, mother)


def pdf(size: int) -> bytes:
    body = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n"
    return body + b"%" + b"x" * (size - len(body)) + b"\n%%EOF\n"


async def attached(tenant: Tenant, family: Family, name: str, content: bytes) -> None:
    async with tenant.transaction(JOB) as session:
        new = NewDocument(content, name, name, Category.HEALTH, family.rosa.id, family.health)
        await attach_for_import(session, family.child, new)


async def test_an_attached_file_goes_in_only_where_somebody_said_so_and_stands_in_it_once(
    tenant: Tenant, gate: Gate, family: Family, offices: Offices
) -> None:
    small, other, large = pdf(2_000), pdf(3_000), pdf(EMBEDDED_EACH)
    await attached(tenant, family, "Letter <b>.pdf", small)
    await attached(tenant, family, "Other.pdf", other)
    await attached(tenant, family, "Large.pdf", large)
    file_id = await gathered(tenant, gate, family, offices, family.mother)
    async with gate.open(family.child, offices.lead, SUBJECT_ACCESS, "went through") as access:
        read = await read_copy(access, file_id)
        marks = {one.words.partition(".")[0]: one for one in read.redactions if "PDF" in one.words}
        assert sorted(marks) == ["Large", "Letter b", "Other"]
        assert all(one.takes_out is None for one in marks.values())
        assert (await file_of_mark(access, marks["Letter b"].id)).content == small
        with pytest.raises(NotFound):
            words = next(
                one for one in read.redactions if one.id not in {m.id for m in marks.values()}
            )
            await file_of_mark(access, words.id)
    await decided(gate, family, offices, file_id, out=("Other.pdf, PDF",))
    file = await made(gate, family, offices, file_id)
    links = re.findall(
        r'id="(file-[^"]+)" download="([^"]+)" href="data:([^;]+);base64,([^"]+)"', file
    )
    ((element, name, media_type, data),) = links
    assert (name, media_type) == ("Letter b.pdf", "application/pdf")
    assert b64decode(data) == small
    told = machine(file)
    fits(told, json.loads(SCHEMA.read_text()))
    (entry,) = [part["file"] for part in parts(told) if "file" in part]
    assert entry == {"name": name, "media_type": media_type, "element": element}
    assert GIVEN_BESIDE in [part.get("text") for part in parts(told)]
    assert "Content-Security-Policy" in file
    assert b64encode(other).decode() not in file
    assert len(file) < len(large)


def parts(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        part
        for section in told["sections"]
        for entry in section["entries"]
        for part in entry["says"]
    ]
