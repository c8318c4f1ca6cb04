"""Who may see what, on a page: asked for, ended, and who looked."""

import html
import re
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from consent import Category, Level, Purpose, RestrictionKind
from panel.platform.problems import Invalid, NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.service import note_event
from panel.sharing.explain_access import explain_access
from panel.sharing.reading import access_history, sharing_picture
from panel.sharing.service import (
    Restriction,
    lapse_requests,
    record_restriction,
    request_access,
    withdraw_agreement,
)
from panel.web.paging import Asked
from tests.sharing.family import TODAY, Family, agreed, hold_the_plan, record, refused, sees
from tests.sharing.restricted import Client, hidden_of, shown


@pytest.fixture
def page(family: Family) -> str:
    return f"/children/{family.child}/sharing"


async def test_the_table_says_who_sees_what_and_why(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any
) -> None:
    both = frozenset({family.school, family.health})
    await record(gate, family, agreed(family, agencies=both))
    await sign_in(family.rosa.id)
    said = await shown(client, page)
    assert "Health visiting (your agency) For working with the child" in said
    assert "Made-up School For working with the child" in said
    assert "Her mother agreed to share this with this agency until 22 November 2027." in said
    assert "Money and safeguarding Nobody who may agree has agreed" in said
    assert "Her mother agreed to share In force" in said
    assert "You cannot see the safeguarding section." in said


async def test_what_was_agreed_tells_nothing_of_the_family_to_who_may_not_see_it(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any
) -> None:
    basic = agreed(family, level=Level.BASIC, interpreter="British Sign Language")
    await record(gate, family, basic)
    await sign_in(family.tom.id)
    said = await shown(client, page)
    assert "Her mother agreed to share In force" in said
    assert "face to face" not in said
    assert "Sign Language" not in said
    # Nor the form of a new conversation about the same terms.
    address = re.findall(rf'href="({page}/agreements/[^"]*/renew)"', (await client.get(page)).text)
    assert "Sign Language" not in await shown(client, address[0])
    await record(gate, family, agreed(family))
    assert "British Sign Language" in await shown(client, page)


async def test_a_refusal_and_a_protection_are_said_and_a_silent_one_is_not(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any
) -> None:
    both = frozenset({family.school, family.health})
    await record(gate, family, agreed(family, agencies=both))
    await record(gate, family, refused(family, agencies=frozenset({family.school})))
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "wrote") as access:
        for silent, category in ((False, Category.FAMILY), (True, Category.CONTACT)):
            restriction = Restriction(
                RestrictionKind.PROTECTION,
                "A threat was made",
                categories=frozenset({category}),
                against=frozenset({family.school}),
                silent=silent,
            )
            await record_restriction(access, restriction)
    await sign_in(family.rosa.id)
    said = await shown(client, page)
    assert "Her mother refused to share Refusal in force" in said
    assert "Protected: family must not reach Made-up School" in said
    assert "contact details must not reach" not in said
    assert "A threat was made" not in said


async def test_what_is_withheld_is_asked_for_once(
    client: Client, family: Family, page: str, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(family.tom.id)
    fields = await hidden_of(client, page)
    empty = await client.post(f"{page}/requests", data=fields)
    assert empty.status_code == 422
    assert "Say why you need it" in html.unescape(empty.text)
    typed = fields | {"categories": "health", "reason": "To plan her day at school"}
    odd = await client.post(f"{page}/requests", data=typed | {"role": "admin"})
    assert odd.status_code == 422
    assert "To plan her day at school" in odd.text
    for _ in range(2):
        answer = await client.post(f"{page}/requests", data=typed, follow_redirects=False)
        assert answer.status_code == 303
    said = await shown(client, page)
    assert "Health: asked on 23 November 2026, waiting for an answer." in said
    async with tenant.transaction(JOB) as session:
        count = await session.scalar(text("SELECT count(*) FROM access_request"))
    assert count == 1


async def test_asking_needs_a_reason_and_names_nothing_silent(gate: Gate, family: Family) -> None:
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "asked") as access:
        with pytest.raises(Invalid):
            await request_access(access, [], " ")
        assert await request_access(access, [Category.IDENTITY], "I see it already") == ()
        first = await request_access(access, [Category.HEALTH], "To plan")
        assert await request_access(access, [Category.HEALTH], "To plan") == first


async def test_a_request_that_nobody_answers_lapses_after_ten_working_days(
    gate: Gate, family: Family, tenant: Tenant
) -> None:
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "asked") as access:
        await request_access(access, [Category.HEALTH], "To plan")
    # Asked on Monday 23 November 2026: the tenth working day after is Monday 7 December.
    for day, lapsed in ((date(2026, 12, 7), 0), (date(2026, 12, 8), 1), (date(2026, 12, 9), 0)):
        async with tenant.transaction(JOB) as session:
            assert await lapse_requests(session, day) == lapsed


async def test_an_agreement_is_ended_after_its_rehearsal(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any
) -> None:
    recorded = await record(gate, family, agreed(family, agencies=frozenset({family.health})))
    await sign_in(family.rosa.id)
    address = f"{page}/agreements/{recorded.id}/withdraw"
    said = await shown(client, address)
    assert "Health visiting no longer sees contact details" in said
    assert await sees(gate, family, family.rosa)
    fields = await hidden_of(client, address)
    for _ in range(2):
        answer = await client.post(address, data=fields, follow_redirects=False)
        assert answer.status_code == 303
    assert not await sees(gate, family, family.rosa)
    assert "Withdrawn on Monday 23 November 2026" in await shown(client, page)
    await shown(client, address, status=404)


async def test_what_was_withdrawn_is_gone_from_the_next_page(
    client: Client, family: Family, gate: Gate, tenant: Tenant, page: str, sign_in: Any
) -> None:
    """An open session, and a link that was kept: both show nothing more from then on."""
    recorded = await record(gate, family, agreed(family))
    async with tenant.transaction(JOB) as session:
        await note_event(
            session,
            family.child,
            happened_on=TODAY,
            kind="health",
            category=Category.HEALTH,
            author_agency_id=family.health,
            text="Seen at the hearing clinic",
        )
    await sign_in(family.tom.id)
    kept = f"/children/{family.child}/chronology"
    first = f"/children/{family.child}"
    for address in (first, kept):
        assert "Seen at the hearing clinic" in await shown(client, address)
    async with gate.open(
        family.child, family.rosa, Purpose.SUPPORT, "recorded that an agreement ended"
    ) as access:
        await withdraw_agreement(access, recorded.id)
    for address in (first, kept):
        assert "Seen at the hearing clinic" not in await shown(client, address)
    assert "withdrew the agreement on 23 November 2026" in await shown(client, first)


async def test_the_history_is_for_those_who_answer_for_the_record(
    client: Client, family: Family, gate: Gate, page: str, tenant: Tenant, sign_in: Any
) -> None:
    for _ in range(60):
        await sees(gate, family, family.tom)
    await sign_in(family.rosa.id)
    await shown(client, f"{page}/history", status=403)
    await hold_the_plan(tenant, family)
    first = await client.get(f"{page}/history")
    assert first.status_code == 200
    assert "Tom Arden, Made-up School" in first.text
    assert "Read the record" in first.text
    older = html.unescape(re.findall(r'href="([^"]*)" rel="next"', first.text)[0])
    second = await client.get(older)
    assert 'rel="prev"' in second.text
    assert 'rel="next"' not in second.text
    back = html.unescape(re.findall(r'href="([^"]*)" rel="prev"', second.text)[0])
    assert "Tom Arden" in (await client.get(back)).text
    assert "no longer works" in await shown(client, f"{page}/history?page=nonsense")


async def test_the_history_counts_refused_attempts(
    gate: Gate, family: Family, tenant: Tenant
) -> None:
    await hold_the_plan(tenant, family)
    stranger = family.nia.__class__(UUID(int=5), family.nia.kind, family.school, "school")
    with pytest.raises(NotFound):
        async with gate.open(family.child, stranger, Purpose.SUPPORT, "read the record"):
            pass
    # A look is in the history once it is over: it is written with the end of its transaction.
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "looked"):
        pass
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "looked again") as access:
        looks = (await access_history(access, Asked())).rows
        assert {look.refused for look in looks} == {True, False}
    async with gate.open(family.child, family.tom, Purpose.SUPPORT, "looked") as access:
        with pytest.raises(NotAllowed):
            await access_history(access, Asked())
        assert not (await sharing_picture(access)).may_see_history


async def test_access_is_explained_for_the_command_line(gate: Gate, family: Family) -> None:
    await record(gate, family, agreed(family))
    told = await explain_access(gate, "C-1001", "tom@demo.example", "health", "support")
    assert told["permitted"] is True
    assert told["basis"] == "agreement"
    assert told["until"] == "2027-11-22"
    assert told["ties"] == ["team"]
    assert told["viewer"]["name"] == "Tom Arden"
    told = await explain_access(gate, "C-1001", "tom@demo.example", "social-care", "panel")
    assert told["permitted"] is False
    for reference, email, error in (
        ("C-9", "tom@demo.example", NotFound),
        ("C-1001", "nobody@demo.example", NotFound),
    ):
        with pytest.raises(error):
            await explain_access(gate, reference, email, "health", "support")
    with pytest.raises(Invalid):
        await explain_access(gate, "C-1001", "tom@demo.example", "gossip", "support")
