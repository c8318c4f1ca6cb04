"""A worker prepares a change, the family reads who does, and managers see what is missing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import pytest

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.models import Worker
from panel.accounts.service import give_role
from panel.casework.chronology import whole_chronology
from panel.casework.chronology_rules import words_of
from panel.casework.looking import coming_transitions, watch_list
from panel.casework.transition_rules import TransitionKind
from panel.casework.transitions import (
    Preparing,
    coming_for_family,
    finish,
    hand_over,
    prepare,
    transitions_of,
    write_down,
)
from panel.casework.watch import find_transitions, watch
from panel.platform.problems import Conflict, Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.service import open_episode
from panel.sharing.models import SharingRestriction
from panel.web.paging import Asked
from tests.accounts.signing_in import hidden
from tests.conftest import SignIn
from tests.families.conftest import SignInFamily
from tests.families.household import Client, Family, words
from tests.panels.conftest import AddChild, House

TODAY = date(2026, 11, 23)
JANUARY = date(2027, 1, 5)
K = TransitionKind


@contextmanager
def refused(sentence: str) -> Iterator[None]:
    """It is refused, and one of the sentences says so."""
    with pytest.raises(Invalid) as found:
        yield
    assert any(sentence in one.sentence for one in found.value.errors), found.value.errors


async def night(tenant: Tenant) -> None:
    """The watch of the night before today."""
    async with tenant.transaction(JOB) as session:
        await find_transitions(session, TODAY, 8)
        await watch(session, TODAY)


async def begun(house: House, child: UUID) -> None:
    """The child's case is open."""
    async with house.as_("job") as session:
        await open_episode(session, child, date(2026, 11, 6))


async def written(house: House, kind: K = K.NEW_SCHOOL) -> tuple[UUID, int]:
    """The lead professional writes a change down: its id and version."""
    async with house.opened("Amina", "lead") as access:
        row = await write_down(access, kind, JANUARY)
        return row.id, row.version


async def test_a_change_is_written_down_planned_handed_over_and_done(
    house: House, add_child: AddChild
) -> None:
    await add_child("Amina")
    one, version = await written(house)
    lead, education = house.viewers["lead"], house.agencies["education"]
    async with house.opened("Amina", "lead") as access:
        with refused("who prepares"):
            await prepare(access, one, version, Preparing(None, education, ""))
    async with house.opened("Amina", "lead") as access:
        said = Preparing(lead.id, None, "Two visits with her mother")
        version = (await prepare(access, one, version, said)).version
    async with house.opened("Amina", "lead") as access:
        with refused("Name the agency"):
            await hand_over(access, one, version)
    async with house.opened("Amina", "lead") as access:
        with pytest.raises(Conflict):
            await prepare(access, one, version - 1, Preparing(lead.id, education, "Other words"))
    async with house.opened("Amina", "lead") as access:
        said = Preparing(lead.id, education, "Two visits with her mother")
        version = (await prepare(access, one, version, said)).version
        with refused("not happened yet"):
            await finish(access, one, version, "done", "")
    async with house.opened("Amina", "lead") as access:
        version = (await hand_over(access, one, version)).version
    async with house.opened("Amina", "lead") as access:
        (read,) = (await transitions_of(access)).shown
        assert (read.state, read.handed_on, read.receiving) == (
            "handed", TODAY, "Early years inclusion",
        )  # fmt: skip
        assert read.plan == "Two visits with her mother"
        assert read.owner is not None
        assert read.owner.name == "Rosa Whitlow"
        await finish(access, one, version, "done", "")
    async with house.opened("Amina", "lead") as access:
        with refused("is over"):
            await finish(access, one, version + 1, "not_needed", "Changed our minds")
    async with house.opened("Amina", "lead") as access:
        moves = await whole_chronology(access, Asked(), order="newest", group="moves")
        assert {words_of(each.entry, "worker") for each in moves.page.rows} == {
            "Change done: A new school", "Handed over to Early years inclusion: A new school",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "on", "sentence"),
    [
        (K.RECEPTION, JANUARY, "by itself"),
        (K.NEW_SCHOOL, date(2025, 11, 1), "more than a year ago"),
        (K.NEW_SCHOOL, date(2047, 6, 15), "after the 25th birthday"),
        (K.NEW_GP, JANUARY, "on the list already"),
    ],
)
async def test_what_cannot_be_is_said_in_a_sentence(
    house: House, add_child: AddChild, kind: K, on: date, sentence: str
) -> None:
    await add_child("Amina")
    await written(house, K.NEW_GP)
    async with house.opened("Amina", "lead") as access:
        with refused(sentence):
            await write_down(access, kind, on)


async def test_not_needed_asks_for_a_reason_and_the_panel_reads_it_too(
    house: House, add_child: AddChild
) -> None:
    await add_child("Amina")
    one, version = await written(house)
    async with house.opened("Amina", "lead") as access:
        with refused("Enter why"):
            await finish(access, one, version, "not_needed", " ")
    async with house.opened("Amina", "coordinator") as access:
        (read,) = (await transitions_of(access)).shown
        assert read.kind is K.NEW_SCHOOL


async def test_the_lists_show_whom_one_may_know_of_and_count_no_other(
    house: House, add_child: AddChild, client: Client, sign_in: SignIn
) -> None:
    amina = await add_child("Amina", without=("plan",))
    unknown = await add_child("Bilal", without=("lead", "plan"), referred=False)
    await begun(house, amina)
    await begun(house, unknown)
    one, version = await written(house)
    async with house.opened("Amina", "lead") as access:
        said = Preparing(house.viewers["lead"].id, None, "Two visits")
        await prepare(access, one, version, said)
    await night(house.tenant)
    viewer = house.viewers["coordinator"]
    purposes = (Purpose.PANEL, Purpose.SUPPORT)
    async with house.as_("coordinator") as session:
        found = await watch_list(house.gate, session, viewer, purposes, "", Asked())
        coming = await coming_transitions(house.gate, session, viewer, purposes, "", Asked())
        mine = await coming_transitions(house.gate, session, viewer, purposes, "mine", Asked())
    assert {one.child_id for one in found.page.rows} == {amina}
    assert sum(number for _, number in found.counts) == len(found.page.rows)
    assert {one.child_id for one in coming.rows} == {amina}
    assert [each.owner for each in coming.rows if each.kind is K.NEW_SCHOOL] == ["Rosa Whitlow"]
    assert mine.rows == []
    await sign_in(viewer.id)
    page = await client.get("/watch?kind=no_plan")
    assert page.status_code == 200
    assert f'href="/children/{amina}/plan"' in page.text
    assert str(unknown) not in page.text
    assert "Amina Kestrel" in page.text
    assert "/watch?kind=referral_unanswered" in page.text
    other = await client.get("/watch?kind=no_lead")
    assert "Nothing is missing here" in other.text
    listed = await client.get("/transitions")
    assert "A new school" in listed.text
    assert str(unknown) not in listed.text


async def test_a_move_that_is_kept_from_somebody_is_neither_listed_nor_counted(
    house: House, add_child: AddChild
) -> None:
    amina = await add_child("Amina")
    await begun(house, amina)
    await written(house, K.NEW_AUTHORITY)
    await night(house.tenant)
    viewer, moves = house.viewers["coordinator"], "move_not_handed_over"

    async def looked() -> tuple[set[UUID], set[str]]:
        async with house.as_("coordinator") as session:
            found = await watch_list(house.gate, session, viewer, (Purpose.PANEL,), moves, Asked())
        return {one.child_id for one in found.page.rows}, {kind for kind, _ in found.counts}

    listed, counted = await looked()
    assert listed == {amina}
    assert moves in counted
    async with house.as_("job") as session:
        session.add(
            SharingRestriction(
                child_id=amina,
                kind="protection",
                categories=["contact"],
                against=[viewer.id],
                from_on=date(2026, 9, 1),
                silent=True,
                reason="A threat was made",
            )
        )
    assert await looked() == (set(), counted - {moves})


async def test_a_manager_sees_their_own_agencys_and_nobody_else_sees_the_watch(
    house: House, add_child: AddChild, client: Client, sign_in: SignIn
) -> None:
    amina = await add_child("Amina", without=("plan",))
    await begun(house, amina)
    async with house.as_("job") as session:
        manager = await session.get_one(Worker, house.viewers["lead"].id)
        await give_role(session, manager, Role.MANAGER)
    await night(house.tenant)
    await sign_in(house.viewers["lead"].id)
    page = await client.get("/watch")
    assert "No plan" in page.text
    # A referral that is not answered is the panel's to answer, and no agency's.
    assert "/watch?kind=referral_unanswered" not in page.text
    await sign_in(house.viewers["assessor"].id)
    assert (await client.get("/watch")).status_code == 403
    await sign_in(house.viewers["administrator"].id)
    assert (await client.get("/transitions")).status_code == 403


async def test_pages_take_a_change_from_the_list_to_the_plan(
    house: House, add_child: AddChild, client: Client, sign_in: SignIn
) -> None:
    child = await add_child("Amina")
    await sign_in(house.viewers["lead"].id)
    address = f"/children/{child}/transitions"
    blank = await client.get(address)
    assert "No change is known" in blank.text
    refused = await client.post(address, data=hidden(blank, address) | {"kind": "new_school"})
    assert refused.status_code == 422
    assert "Enter the day on which it happens" in refused.text
    day = {"due_on-day": "5", "due_on-month": "1", "due_on-year": "2027"}
    sent = hidden(blank, address) | {"kind": "new_school"} | day
    listed = await client.post(address, data=sent, follow_redirects=True)
    assert listed.status_code == 200
    assert "A new school" in listed.text
    one = listed.text.split(f'href="{address}/')[1].split('"')[0]
    page = await client.get(f"{address}/{one}")
    sent = hidden(page, f"{address}/{one}") | {
        "owner_worker_id": str(house.viewers["lead"].id),
        "receiving_agency_id": str(house.agencies["education"]),
        "plan": "Two visits first",
    }
    planned = await client.post(f"{address}/{one}", data=sent, follow_redirects=True)
    assert "Two visits first" in planned.text
    assert "It is handed over" in planned.text
    handed = await client.post(
        f"{address}/{one}/hand-over",
        data=hidden(planned, f"{address}/{one}/hand-over"),
        follow_redirects=True,
    )
    assert "Handed over" in handed.text
    refused = await client.post(
        f"{address}/{one}/finish",
        data=hidden(handed, f"{address}/{one}/finish") | {"state": "not_needed", "reason": ""},
    )
    assert refused.status_code == 422
    assert "Enter why nobody needs to prepare it" in refused.text
    done = await client.post(
        f"{address}/{one}/finish",
        data=hidden(refused, f"{address}/{one}/finish") | {"state": "done", "reason": ""},
        follow_redirects=True,
    )
    assert done.status_code == 200


async def test_the_family_reads_what_changes_and_who_prepares_it(
    tenant: Tenant, gate: Gate, family: Family, client: Client, sign_in_family: SignInFamily
) -> None:
    rosa = Viewer(
        family.rosa, ViewerKind.WORKER, family.agency, "health", frozenset({Role.PRACTITIONER})
    )
    async with gate.open(family.child, rosa, Purpose.SUPPORT, "wrote") as access:
        row = await write_down(access, K.NEW_SCHOOL, JANUARY)
        one, version = row.id, row.version
    await sign_in_family(family.mother)
    said = words((await client.get("/family")).text)
    assert "A new school: Tuesday 5 January 2027. Nobody prepares this yet." in said
    async with gate.open(family.child, rosa, Purpose.SUPPORT, "wrote") as access:
        await prepare(access, one, version, Preparing(rosa.id, None, "ZQPLAN"))
    page = await client.get("/family")
    assert "Rosa Whitlow, Health visiting, prepares this with you." in words(page.text)
    assert "ZQPLAN" not in page.text
    mother = Viewer(family.mother, ViewerKind.FAMILY)
    async with gate.open(family.child, mother, Purpose.SUPPORT, "read") as access:
        (coming,) = await coming_for_family(access)
        assert coming.owner is not None
        with pytest.raises(NotAllowed):
            await prepare(access, one, version + 1, Preparing(rosa.id, None, "Mine"))
