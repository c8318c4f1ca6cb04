"""Before an agreement ends every room says what changes: packs, agendas, and what waits to go.

What is foretold is held against what then happens.
"""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from consent import (
    Category,
    CourtOrder,
    Purpose,
    Restriction,
    RestrictionKind,
    State,
    Viewer,
    ViewerKind,
)
from panel.panels.agenda import prepare
from panel.panels.calendar import meeting_on
from panel.panels.consequences import ComingMeetings
from panel.panels.packs import pack_meeting, read_pack
from panel.panels.queued import QueuedMessages
from panel.panels.reading_age import reading_age
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.records.rehearsal import Consequence, Rehearsal, Turn
from panel.sharing.consequences import WhatWaits
from panel.sharing.models import SharingAgreement
from panel.sharing.reading import state_of_child
from panel.sharing.service import request_access
from panel.sharing.withdrawing import withdraw_from
from tests.conftest import SignIn
from tests.panels.conftest import AGENCIES, NEXT_MEETING, AddChild, House
from tests.panels.note_world import Client, Held, held_meeting, signed
from tests.panels.pack_world import (
    MEETING_DAY,
    MEMBERS,
    World,
    add_marked_child,
    agreed,
    make_world,
)

PURPOSES = (Purpose.PANEL, Purpose.SUPPORT)


def rehearsal(tenant: Tenant) -> Rehearsal:
    """The rooms as the site wires them."""
    return Rehearsal((ComingMeetings(tenant), QueuedMessages(tenant), WhatWaits()))


async def foretold(
    gate: Gate, child: UUID, viewer: Viewer, change: Callable[[State], State]
) -> tuple[Consequence, ...]:
    """What every room says would change."""
    async with gate.open(child, viewer, PURPOSES, "rehearsed it") as access:
        before = await state_of_child(access)
        return await rehearsal(gate.tenant).asked(access, Turn(before, change(before)))


def sentences(found: tuple[Consequence, ...]) -> list[str]:
    return [one.sentence for one in found]


def nothing_agreed(state: State) -> State:
    return replace(state, agreements=())


def without(agency: UUID) -> Callable[[State], State]:
    def changed(state: State) -> State:
        return replace(
            state,
            agreements=tuple(
                replace(one, agencies=one.agencies - {agency}) for one in state.agreements
            ),
        )

    return changed


async def shown(client: Client, page: str) -> str:
    answer = await client.get(page)
    assert answer.status_code == 200, answer.text
    plain = re.sub(r"<[^>]+>", " ", answer.text.split("<main", 1)[1])
    return re.sub(r"\s+", " ", html.unescape(plain))


async def hidden(client: Client, page: str) -> dict[str, str]:
    main = (await client.get(page)).text.split("<main", 1)[1]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', main))


def is_plain(said: str) -> bool:
    """Whether somebody of eleven reads it; the names of agencies are what they are."""
    names = {name for name, _ in (*MEMBERS.values(), *AGENCIES.values())}
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(name, "the school")
    return reading_age(said) <= 11


# Packs that are open ------------------------------------------------------------------------------


@pytest.fixture
async def world(tenant: Tenant, gate: Gate) -> World:
    made = await make_world(tenant, gate)
    await add_marked_child(made, 1, sharing=lambda c, m: [agreed(made, c, m)])
    return made


async def test_the_pack_shows_less_as_it_was_foretold(
    world: World, gate: Gate, client: Client, sign_in: SignIn
) -> None:
    child, school = world.children[0], world.agencies["education"].id
    member = world.agencies["education"].name
    coordinator = world.worker_viewer("council")
    found = await foretold(gate, child, coordinator, without(school))
    [pack] = [one for one in found if "the pack of" in one.sentence]
    assert pack.sentence.startswith(
        f"At the meeting of CONTACTS panel on 26 November 2026: the pack of {member} no longer"
        " shows "
    )
    assert "plan" in pack.sentence
    assert pack.sentence.endswith(", but for what they wrote.")
    assert (pack.look, pack.href) == ("Look at the agenda", f"/panels/contacts/{MEETING_DAY}")
    # And so it is.
    async with world.as_job() as session:
        [agreement] = await session.scalars(select(SharingAgreement))
        meeting = await pack_meeting(session, "contacts", MEETING_DAY)
    before = {one for one in world.markers if one in str(await pack_of(gate, meeting))}
    page = f"/children/{child}/sharing/agreements/{agreement.id}/withdraw"
    await sign_in(coordinator.id)
    whole = await shown(client, page)
    assert "See what changes if it ends for one agency alone" in whole
    said = await shown(client, f"{page}?agency={school}")
    assert f"End this agreement for {member}" in said
    assert "Where it shows first" in said
    assert pack.sentence in said
    fields = await hidden(client, f"{page}?agency={school}")
    assert fields["agency"] == str(school)
    answer = await client.post(page, data=fields, follow_redirects=False)
    assert answer.status_code == 303
    after = {one for one in world.markers if one in str(await pack_of(gate, meeting))}
    assert after < before
    lost = {world.markers[one].category for one in before - after}
    assert Category.PLAN not in {
        world.markers[one].category
        for one in after
        if world.markers[one].author_agency not in (school, None)
    }
    assert Category.HEALTH in lost


async def test_a_refusal_that_is_written_down_says_the_same_before_it_is_kept(
    world: World, gate: Gate, client: Client, sign_in: SignIn
) -> None:
    child, school = world.children[0], world.agencies["education"]
    await sign_in(world.worker_viewer("council").id)
    page = f"/children/{child}/sharing/agreements"
    fields = await hidden(client, f"{page}/new")
    answer = await client.post(
        page,
        data=fields
        | {
            "decision": "refused", "by": str(world.mothers[child]), "share_with": str(school.id),
            "capacity": "parental_responsibility", "how_explained": "At home",
            "agreed_on-day": "23", "agreed_on-month": "11", "agreed_on-year": "2026",
        },
        follow_redirects=False,
    )  # fmt: skip
    assert answer.status_code == 200
    said = html.unescape(re.sub(r"<[^>]+>", " ", answer.text))
    assert "Where it shows first" in said
    assert (
        f"At the meeting of CONTACTS panel on 26 November 2026: the pack of {school.name} no"
        " longer shows" in said
    )
    async with world.as_job() as session:
        assert len(list(await session.scalars(select(SharingAgreement)))) == 1


async def pack_of(gate: Gate, meeting: Any) -> Any:
    return await read_pack(gate, meeting, meeting.agency("education"))


async def test_the_rest_of_the_agreement_goes_on_and_is_linked(
    world: World, gate: Gate, client: Client, sign_in: SignIn
) -> None:
    child, school = world.children[0], world.agencies["education"].id
    coordinator = world.worker_viewer("council")
    async with world.as_job() as session:
        [old] = await session.scalars(select(SharingAgreement))
    async with gate.open(child, coordinator, PURPOSES, "withdrew") as access:
        rest_id = await withdraw_from(access, old.id, school)
    async with world.as_job() as session:
        rows = {one.id: one for one in await session.scalars(select(SharingAgreement))}
        assert rest_id is not None
        kept, ended = rows[rest_id], rows[old.id]
    assert ended.withdrawn_at is not None
    assert kept.withdrawn_at is None
    assert kept.renews_id == old.id
    assert set(kept.agencies) == set(old.agencies) - {school}
    assert (kept.from_on, kept.until_on, kept.level) == (old.from_on, old.until_on, old.level)
    await sign_in(coordinator.id)
    page = await shown(client, f"/children/{child}/sharing")
    assert "Withdrawn in part" in page
    assert "Without Early years inclusion, from Monday 23 November 2026" in page
    stored = await client.post(
        f"/children/{child}/sharing/agreements/{old.id}/withdraw",
        data=await hidden(client, f"/children/{child}/sharing/agreements/{kept.id}/withdraw")
        | {"agency": str(school)},
        follow_redirects=False,
    )
    assert stored.status_code == 410
    odd = await client.get(
        f"/children/{child}/sharing/agreements/{kept.id}/withdraw?agency={school}"
    )
    assert odd.status_code == 404


async def test_a_child_of_whom_nothing_is_shared_stays_on_a_settled_agenda(
    world: World, gate: Gate
) -> None:
    found = await foretold(gate, world.children[0], world.worker_viewer("council"), nothing_agreed)
    [said] = [one for one in sentences(found) if "settled" in one]
    assert "so the child stays on it" in said


async def test_who_may_not_know_is_not_told(world: World, gate: Gate) -> None:
    child, mother = world.children[0], world.mothers[world.children[0]]
    parent = Viewer(mother, ViewerKind.FAMILY)
    told = await foretold(gate, child, parent, nothing_agreed)
    # The family's own page says who loses what; here is where it shows, in plain words.
    papers = [one for one in sentences(told) if "papers" in one]
    assert "The papers for the meeting on 26 November 2026 say less to Wexcombe Council." in papers
    assert all(not one.href for one in told)
    assert all(is_plain(one.sentence) for one in told), sentences(told)
    async with world.as_job() as session:
        await session.execute(
            text(
                "INSERT INTO sharing_restriction (id, child_id, kind, categories, against, from_on,"
                " silent, by_words, created_at, created_by, changed_at, changed_by, version)"
                " VALUES (gen_random_uuid(), :c, 'protection', '{network}', ARRAY[:m]::uuid[],"
                " '2026-01-01', true, '', now(), :c, now(), :c, 1)"
            ),
            {"c": child, "m": mother},
        )
    assert await foretold(gate, child, parent, nothing_agreed) == ()


# Agendas that are not settled ---------------------------------------------------------------------


async def test_a_child_goes_to_the_not_ready_list_as_it_was_foretold(
    house: House, add_child: AddChild
) -> None:
    child = await add_child("Amina")
    coordinator = house.viewers["coordinator"]
    found = await foretold(house.gate, child, coordinator, nothing_agreed)
    [said] = [one for one in sentences(found) if "not ready" in one]
    assert said == (
        "At the meeting of CONTACTS panel on 3 December 2026: the child goes to the list of those"
        " who are not ready, because nothing may be shared with the panel any more."
    )
    # A rehearsal stores no meeting.
    async with house.as_("job") as session:
        assert await session.scalar(text("SELECT count(*) FROM meeting")) == 0
        await session.execute(text("UPDATE sharing_agreement SET withdrawn_at = '2026-11-20'"))
        panel = await house.panel(session)
        meeting = await meeting_on(session, panel, NEXT_MEETING)
        agenda = (await prepare(session, panel, meeting, JOB)).agenda
    assert [one.candidate.child_id for one in agenda.not_ready] == [child]

    # And back: it waits for nothing else.
    def back(state: State) -> State:
        return replace(
            state, agreements=tuple(replace(one, withdrawn=None) for one in state.agreements)
        )

    found = await foretold(house.gate, child, coordinator, back)
    assert any("the child is ready" in one for one in sentences(found))
    assert any("also shows" in one for one in sentences(found))


async def test_the_coming_packs_are_foretold_by_agency(house: House, add_child: AddChild) -> None:
    child = await add_child("Amina")
    found = await foretold(
        house.gate, child, house.viewers["lead"], without(house.agencies["education"])
    )
    [one] = found
    assert one.sentence.startswith(
        "At the meeting of CONTACTS panel on 3 December 2026: the pack of Early years inclusion"
        " no longer shows"
    )
    assert one.href == f"/children/{child}/panels"
    nobody_sits = await foretold(
        house.gate, child, house.viewers["lead"], without(house.agencies["council"])
    )
    assert nobody_sits == ()


# What waits to be sent ----------------------------------------------------------------------------


@pytest.fixture
async def held(house: House, add_child: AddChild) -> Held:
    return await held_meeting(house, add_child)


def protected(person: UUID, category: Category) -> Callable[[State], State]:
    def changed(state: State) -> State:
        fact = Restriction(RestrictionKind.PROTECTION, frozenset({category}), frozenset({person}))
        return replace(state, restrictions=(*state.restrictions, fact))

    return changed


async def test_a_message_that_would_not_go_is_foretold(held: Held) -> None:
    await signed(held)
    gate, coordinator = held.house.gate, held.house.viewers["coordinator"]
    found = await foretold(gate, held.child, coordinator, protected(held.mother, Category.PANEL))
    [one] = [one for one in found if "notes of" in one.sentence]
    assert one.sentence == (
        "The notes of 19 November 2026 that wait to go to their mother by e-mail would not go:"
        " something in them would be withheld."
    )
    assert one.href == held.page
    lesser = await foretold(gate, held.child, coordinator, protected(held.father, Category.NETWORK))
    [said] = [one for one in sentences(lesser) if "notes of" in one]
    assert "by letter would go without whom to ring" in said
    # Who of the family waits for what is not another's to know.
    mother = held.family(held.mother)
    own = await foretold(gate, held.child, mother, protected(held.mother, Category.PANEL))
    assert sentences(own) == ["The notes of 19 November 2026 will not come to you."]
    assert all(is_plain(one) for one in sentences(own))
    assert await foretold(gate, held.child, mother, protected(held.father, Category.PANEL)) == ()


async def test_what_does_not_change_what_goes_is_not_said(held: Held) -> None:
    await signed(held)
    coordinator = held.house.viewers["coordinator"]

    def ordered(state: State) -> State:
        lets = CourtOrder(
            permits=True, categories=frozenset({Category.PANEL}), to=frozenset({held.mother})
        )
        return replace(state, orders=(*state.orders, lets))

    found = await foretold(held.house.gate, held.child, coordinator, ordered)
    assert not [one for one in sentences(found) if "notes of" in one]


# Requests, and agencies that are expected ---------------------------------------------------------


async def test_requests_and_expected_agencies_are_foretold(world: World, gate: Gate) -> None:
    child, school = world.children[0], world.agencies["education"].id
    coordinator = world.worker_viewer("council")
    found = await foretold(gate, child, coordinator, without(school))
    [said] = [one for one in sentences(found) if "expected from" in one]
    assert said == (
        "Early years inclusion, expected from 1 September 2027, would not see people involved or"
        " plan then. A request is opened for it on that day."
    )
    async with gate.open(child, world.worker_viewer("health"), PURPOSES, "asked") as access:
        await request_access(access, [Category.SAFEGUARDING], "To plan", Purpose.SUPPORT)

    def agrees(state: State) -> State:
        [one] = state.agreements
        more = replace(one, id=child, named=one.named | {Category.SAFEGUARDING})
        return replace(state, agreements=(one, more))

    found = await foretold(gate, child, coordinator, agrees)
    [one] = [one for one in found if "asked on" in one.sentence]
    assert one.sentence == (
        "Health visiting asked on 23 November 2026 to see safeguarding: this answers it, yes."
    )
    assert one.href.startswith(f"/children/{child}/sharing/requests/")


async def test_a_change_of_nothing_asks_nobody(world: World, gate: Gate) -> None:
    found = await foretold(
        gate, world.children[0], world.worker_viewer("council"), lambda state: state
    )
    assert found == ()
