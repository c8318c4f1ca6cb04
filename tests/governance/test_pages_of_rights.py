"""Requests, copies, holds and disposal lists by their pages."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from panel.governance.disposals import propose
from panel.governance.retention_rules import WITH_THE_CHILD, Rule
from panel.governance.retention_service import set_kept_for
from panel.governance.rights_copies import gather_waiting
from panel.governance.rights_telling import tell_of_corrections
from panel.platform.clock import FixedClock
from panel.platform.sessions import PROOF_LASTS, Way, start
from panel.platform.tables import today_of
from panel.platform.tenancy import Tenant
from panel.platform.work_tables import OutboxMessage
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from tests.governance.conftest import Offices
from tests.governance.rights import closed, duties, gathered, happened
from tests.sharing.family import Family, hold_the_plan
from tests.sharing.restricted import hidden_of, plain, shown

Client = AsyncTestClient[Litestar]
REQUESTS = "/governance/requests"


@pytest.fixture(autouse=True)
async def _law(tenant: Tenant, family: Family, offices: Offices) -> None:
    await duties(tenant)
    await happened(tenant, family, "Jordan Pickering from next door shouted.")


async def as_family(
    client: Client, tenant: Tenant, clock: FixedClock, person: UUID, way: Way = Way.FAMILY_CODE
) -> None:
    async with tenant.transaction() as session:
        token = await start(session, person, "family", clock.now(), way=way)
        client.cookies.set("panel_session", token)


async def sent(client: Client, page: str, to: str = "", **typed: str) -> httpx.Response:
    shown_first = {
        name: value[0] if isinstance(value, list) else value
        for name, value in (await hidden_of(client, page)).items()
    }
    fields = shown_first | typed
    return await client.post(to or page, data=fields, follow_redirects=False)


def day(name: str) -> dict[str, str]:
    return {f"{name}-day": "23", f"{name}-month": "11", f"{name}-year": "2026"}


def links(answer: httpx.Response, part: str) -> list[str]:
    return re.findall(rf'href="([^"]*{part}[^"]*)"', answer.text)


async def told_of_corrections(tenant: Tenant) -> list[str]:
    """To whom the notices went in that the job puts in now."""
    async with tenant.transaction(JOB) as session:
        before = set(await session.scalars(select(OutboxMessage.id)))
        await tell_of_corrections(session, today_of(session), "https://panel.example")
        added = [
            one for one in await session.scalars(select(OutboxMessage)) if one.id not in before
        ]
        assert not any("Freya" in f"{one.subject} {one.body}" for one in added)
        return sorted(one.address for one in added)


async def test_from_a_letter_to_the_copy(
    client: Client, gate: Gate, family: Family, offices: Offices, sign_in: Any, clock: FixedClock
) -> None:
    await sign_in(offices.lead.id)
    unknown = await sent(client, f"{REQUESTS}/new", reference="C-9999", kind="access", who="She")
    assert unknown.status_code == 422
    taken = await sent(
        client, f"{REQUESTS}/new", reference="c-1001", kind="access", who="Her mother",
        about="All of it", **day("received_on"),
    )  # fmt: skip
    assert taken.status_code == 303
    assert "The clock stands" in await shown(client, REQUESTS)
    (page,) = links(await client.get(REQUESTS), f"{REQUESTS}/[0-9a-f]")
    early = await sent(client, f"{page}/steps/copy")
    assert early.status_code == 422
    unseen = await sent(client, f"{page}/steps/who", asker=str(family.mother), proof=" ")
    assert "Write how you know who they are" in plain(unseen)
    known = await sent(
        client, f"{page}/steps/who", asker=str(family.mother), proof="Passport",
        **day("proved_on"),
    )  # fmt: skip
    assert known.status_code == 303
    assert "30 days left, until 23 Dec" in await shown(client, page)
    assert (await sent(client, f"{page}/steps/copy")).status_code == 303
    await gather_waiting(gate)
    (copy,) = links(await client.get(page), "/copies/")
    assert "to decide about" in await shown(client, copy)
    assert (await client.get(f"{page}/steps/nonsense")).status_code == 404
    for mark in links(await client.get(copy), "/marks/"):
        if "To be decided" in await shown(client, mark):
            done = await sent(client, mark, decision="somebody_else", reason="Not hers to read")
            assert done.status_code == 303
    assert (await sent(client, copy, f"{copy}/make")).status_code == 303
    assert "Ready to be handed out" in await shown(client, copy)
    clock.set(clock.now() + PROOF_LASTS)
    assert "show again who you are" in plain(await sent(client, copy, f"{copy}/hand-out"))
    await sign_in(offices.lead.id)
    file = await sent(client, copy, f"{copy}/hand-out")
    assert file.status_code == 200
    assert "attachment" in file.headers["content-disposition"]
    assert "Jordan" not in file.text
    assert (await client.post(f"{copy}/hand-out", data={})).status_code == 403
    answer = f"{page}/steps/answer"
    form = await hidden_of(client, answer)
    other = await hidden_of(client, answer)
    for fields in (form, form, other):
        answered = await client.post(
            answer, data=fields | {"outcome": "done", "why": ""}, follow_redirects=False
        )
        assert answered.status_code == 303
    overtaken = await client.post(answer, data=other | {"outcome": "refused", "why": "No"})
    assert overtaken.status_code == 410
    assert "answered on Monday 23 November 2026, so nothing was changed" in plain(overtaken)
    assert "Answered on 23 Nov" in await shown(client, page)
    assert (await client.get(answer)).status_code == 410
    clock.set(clock.now() + timedelta(days=1))
    await sign_in(offices.lead.id)
    fields = await hidden_of(client, f"{REQUESTS}/new")
    late = await client.post(answer, data=fields | {"version": "1", "outcome": "done", "why": ""})
    assert late.status_code == 410


async def test_a_request_opens_no_page_of_the_record(
    client: Client, gate: Gate, family: Family, offices: Offices, sign_in: Any, tenant: Tenant
) -> None:
    await gathered(tenant, gate, family, offices, family.mother)
    await sign_in(offices.lead.id)
    first = await client.get(f"/children/{family.child}")
    assert "Freya" not in first.text
    for page in ("/panels", "/plan", "/people", "/chronology", "/corrections"):
        assert (await client.get(f"/children/{family.child}{page}")).status_code == 403


async def test_a_parent_asks_and_fetches_the_copy_once(
    client: Client, gate: Gate, family: Family, offices: Offices, sign_in: Any, tenant: Tenant,
    clock: FixedClock,
) -> None:  # fmt: skip
    await as_family(client, tenant, clock, family.mother)
    own = f"/family/{family.child}/own-data"
    assert own in (await client.get("/family")).text
    assert (await sent(client, own, about="x")).status_code == 422
    assert (await sent(client, own, kind="access", about="")).status_code == 303
    assert (await sent(client, own, kind="access", about="")).status_code == 422
    assert "You hear from us by Wednesday 23 December 2026" in await shown(client, own)
    await sign_in(offices.lead.id)
    (page,) = links(await client.get(REQUESTS), f"{REQUESTS}/[0-9a-f]")
    await sent(client, f"{page}/steps/copy")
    await gather_waiting(gate)
    (copy,) = links(await client.get(page), "/copies/")
    for mark in links(await client.get(copy), "/marks/"):
        await sent(client, mark, decision="keep", reason="She was there")
    await sent(client, copy, f"{copy}/make")
    await as_family(client, tenant, clock, family.father)
    assert "Your copy is ready" not in await shown(client, own)
    await as_family(client, tenant, clock, family.mother)
    (action,) = re.findall(rf'action="({own}/[^"]+)"', (await client.get(own)).text)
    # At a computer that she left open a while ago, she is asked for a code first.
    await as_family(client, tenant, clock, family.mother, Way.LINK)
    asked = await client.post(action, data=await hidden_of(client, own), follow_redirects=False)
    assert asked.headers["location"] == f"/family/sign-in?again=yes&next={own}"
    assert "we send you another code first" in (await client.get(asked.headers["location"])).text
    await as_family(client, tenant, clock, family.mother)
    fields = await hidden_of(client, own)
    assert "Freya" in (await client.post(action, data=fields)).text
    assert (await client.post(action, data=fields)).status_code == 410
    assert "Get my copy" not in await shown(client, own)


async def test_the_lead_professional_puts_it_right_and_both_versions_stay(
    client: Client, family: Family, offices: Offices, sign_in: Any, tenant: Tenant,
    clock: FixedClock,
) -> None:  # fmt: skip
    await hold_the_plan(tenant, family)
    await as_family(client, tenant, clock, family.mother)
    own = f"/family/{family.child}/own-data"
    assert f"{own}?kind=rectification" in (await client.get("/family")).text
    assert re.search(
        r'value="rectification"[^>]* checked', (await client.get(f"{own}?kind=rectification")).text
    )
    await sent(client, own, kind="rectification", about="It was Sam who shouted")
    assert await told_of_corrections(tenant) == ["rosa@demo.example"]
    page = f"/children/{family.child}/corrections"
    await sign_in(family.nia.id)
    assert (await client.get(page)).status_code == 403
    assert page not in (await client.get(f"/children/{family.child}")).text
    await sign_in(family.rosa.id)
    assert page in (await client.get(f"/children/{family.child}")).text
    assert "It was Sam who shouted" in await shown(client, page)
    (one,) = links(await client.get(page), f"{page}/")
    where = re.findall(r'value="(significant_event.text:[^"]+)"', (await client.get(one)).text)[0]
    missing = await sent(client, one, where=where, answer="corrected", reason="She was there")
    assert "Write the text as it should be" in plain(missing)
    done = await sent(
        client, one, where=where, answer="corrected", reason="She was there",
        after="Sam from next door shouted.",
    )  # fmt: skip
    assert done.status_code == 303
    said = await shown(client, page)
    assert "Jordan Pickering from next door shouted." in said
    assert "Sam from next door shouted." in said
    assert await told_of_corrections(tenant) == ["ngozi@office.example", "piers@office.example"]
    assert await told_of_corrections(tenant) == []
    await as_family(client, tenant, clock, family.mother)
    answered = await shown(client, own)
    assert "We put it right. This is why: She was there" in answered
    assert "Jordan" not in answered


async def test_a_restricted_record_says_so_and_is_not_changed(
    client: Client, family: Family, offices: Offices, sign_in: Any
) -> None:
    await sign_in(offices.lead.id)
    await sent(
        client, f"{REQUESTS}/new", reference="C-1001", kind="restriction", who="Her mother",
        about="Not until it is put right", **day("received_on"),
    )  # fmt: skip
    (page,) = links(await client.get(REQUESTS), f"{REQUESTS}/[0-9a-f]")
    assert (await sent(client, f"{page}/steps/restrict", why="Disputed")).status_code == 303
    await sign_in(family.rosa.id)
    child = f"/children/{family.child}"
    told = await shown(client, child)
    assert "Restricted since 23 Nov" in told
    assert "It is kept, and read only where the law needs it." in told
    levels = f"{child}/level-of-need"
    fields = await hidden_of(client, f"{child}/edit")
    fields.pop("version", None)
    refused = await client.post(
        levels, data=fields | {"level": "early_help"} | day("judged_on"), follow_redirects=False
    )
    assert refused.status_code == 403
    assert "restricted since Monday 23 November 2026" in plain(refused)
    await sign_in(offices.lead.id)
    end = f"{page}/steps/unrestrict"
    form, other = await hidden_of(client, end), await hidden_of(client, end)
    for fields in (form, form, other):
        ended = await client.post(end, data=fields | {"why": "Put right"}, follow_redirects=False)
        assert ended.status_code == 303
    overtaken = await client.post(end, data=other | {"why": "It was wrong"})
    assert overtaken.status_code == 410
    assert "ended on Monday 23 November 2026, so nothing was changed" in plain(overtaken)
    await sign_in(family.rosa.id)
    assert "Restricted since" not in await shown(client, child)


async def test_holds_and_how_long_by_their_pages(
    client: Client, family: Family, offices: Offices, sign_in: Any
) -> None:
    await sign_in(offices.lead.id)
    kept = "/governance/retention"
    assert "Nothing is proposed" in await shown(client, kept)
    typed = {"kind": "child_record", "years": "6", "birthday": "25", "source": "The schedule"}
    assert (await sent(client, kept, **typed | {"years": "101"})).status_code == 422
    old = await hidden_of(client, kept)
    assert (await sent(client, kept, **typed)).status_code == 303
    assert "Until the 25th birthday" in await shown(client, kept)
    assert (await client.post(kept, data=old | typed | {"years": "7"})).status_code == 409
    held = "/governance/holds"
    done = await sent(client, f"{held}/new", reference="C-1001", why="A claim", **day("from_on"))
    assert done.status_code == 303
    (one,) = [link for link in links(await client.get(held), f"{held}/") if "new" not in link]
    assert (await sent(client, one, why="")).status_code == 422
    assert (await sent(client, one, why="Settled")).status_code == 303
    assert (await client.post(one, data=await hidden_of(client, held))).status_code in (403, 422)
    assert "Released on 23 Nov" in await shown(client, held)


async def test_a_list_takes_two_people(
    client: Client, family: Family, offices: Offices, sign_in: Any, tenant: Tenant,
    clock: FixedClock,
) -> None:  # fmt: skip
    await closed(tenant, family.child, date(2018, 7, 20), date(2000, 3, 9))
    async with tenant.transaction(offices.lead.id) as session:
        for version, kind in enumerate(WITH_THE_CHILD):
            await set_kept_for(session, kind, Rule(6, 25), version, "The schedule")
    async with tenant.transaction(JOB) as session:
        assert await propose(session) is not None
    lists = "/governance/disposals"
    await sign_in(offices.lead.id)
    (one,) = links(await client.get(lists), f"{lists}/")
    (line,) = links(await client.get(one), "/lines/")
    assert "C-1001" in await shown(client, line)
    assert (await sent(client, line, decision="keep", why=" ")).status_code == 422
    assert (await sent(client, line, decision="dispose", why="")).status_code == 303
    assert (await sent(client, one, f"{one}/review")).status_code == 303
    assert "somebody else approves it" in await shown(client, one)
    own = await client.post(
        f"{one}/approve", data=await hidden_of(client, lists) | {"version": "2"}
    )
    assert own.status_code == 403
    await sign_in(offices.guardian.id)
    assert (await client.get(line)).status_code == 403
    clock.set(clock.now() + PROOF_LASTS)
    assert "show again who you are" in plain(await sent(client, one, f"{one}/approve"))
    await sign_in(offices.guardian.id)
    assert (await sent(client, one, f"{one}/approve")).status_code == 303
    assert "Approved" in await shown(client, one)
    assert "Freya" not in (await client.get(one)).text


async def test_the_guardian_gives_the_second_look(
    client: Client, gate: Gate, family: Family, offices: Offices, sign_in: Any, tenant: Tenant
) -> None:
    file_id = await gathered(tenant, gate, family, offices, family.mother)
    await sign_in(offices.lead.id)
    (page,) = links(await client.get(REQUESTS), f"{REQUESTS}/[0-9a-f]")
    copy = f"{page}/copies/{file_id}"
    entry = ""
    for link in links(await client.get(copy), "/entries/"):
        if "next door" in (await client.get(link)).text:
            entry = link
    out = {"exemption": "serious_harm", "reason": "It would harm her"}
    assert (await sent(client, entry, words="not there", **out)).status_code == 422
    assert (await sent(client, entry, words="next door", **out)).status_code == 303
    looks = "/governance/second-looks"
    assert (await client.get(looks)).status_code == 403
    await sign_in(offices.guardian.id)
    (one,) = links(await client.get(looks), f"{looks}/")
    assert "It would harm her" in await shown(client, one)
    assert (await sent(client, one, answer="agree", note=" ")).status_code == 422
    assert (await sent(client, one, answer="disagree", note="She knows")).status_code == 303
    assert "Nothing waits for you" in await shown(client, looks)
    assert (await client.get(one)).status_code == 404
    await sign_in(offices.lead.id)
    assert "Stays in, after a second look" in await shown(client, copy)


@pytest.mark.parametrize(
    "page",
    ["requests", "requests/new", "retention", "holds", "holds/new", "disposals", "certificates"],
)
async def test_workers_do_not_come_here(
    client: Client, family: Family, offices: Offices, sign_in: Any, page: str
) -> None:
    await sign_in(family.rosa.id)
    assert (await client.get(f"/governance/{page}")).status_code == 403
