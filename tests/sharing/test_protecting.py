"""A protection: recorded after a rehearsal, felt by whom it names, ended with a reason."""

from typing import Any

import pytest
from sqlalchemy import text

from consent import Category, Purpose, Viewer, ViewerKind
from panel.platform.problems import NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.register.children import index_child
from panel.register.models import Child
from tests.sharing.family import Family, agreed, record, sees
from tests.sharing.restricted import (
    Client,
    Guardians,
    confirm,
    fill,
    hidden,
    plain,
    with_social_care,
)

ADDRESS = "9 Hiding Lane"
SEARCHES = ("Freya", "Kestrel", "C-1001", "9 March 2022")


@pytest.fixture
async def guardians(tenant: Tenant, family: Family, gate: Gate) -> Guardians:
    """Everybody's agencies may see everything additional; the child has an address."""
    made = await with_social_care(tenant, family)
    agencies = frozenset({family.school, family.health, made.social_care.agency})
    await record(gate, family, agreed(family, agencies=agencies))
    async with tenant.transaction(JOB) as session:
        child = await session.get_one(Child, family.child)
        child.address = ADDRESS
        await session.flush()
        await index_child(session, child)
    return made


@pytest.fixture
def page(family: Family) -> str:
    return f"/children/{family.child}/sharing/restrictions"


def contact_from(*whom: object, **typed: object) -> dict[str, Any]:
    return {
        "what": "contact",
        "against": [str(one) for one in whom],
        "told": "told",
        "reason": "He came to the door",
    } | typed


async def protect(client: Client, page: str, **typed: Any) -> None:
    address = f"{page}/protect"
    shown = await fill(client, address, **typed)
    answer = await confirm(client, address, shown)
    assert answer.status_code == 303, plain(answer)


async def test_an_address_is_withheld_from_a_named_adult_after_a_rehearsal(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(guardians.social_care.id)
    shown = await fill(client, f"{page}/protect", **contact_from(family.school, told="silent"))
    said = plain(shown)
    assert "Made-up School no longer sees contact details." in said
    assert "Health visiting" not in said
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM sharing_restriction")) == 0
    await protect(client, page, **contact_from(family.father))
    said = plain(await client.get(page))
    assert "Contact details withheld In force From whom Her father, Ben Kestrel" in said
    assert "He came to the door" in said
    assert "Recorded by Sal Quint" in said


async def test_the_same_post_twice_is_one_restriction(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(guardians.social_care.id)
    shown = await fill(client, f"{page}/protect", **contact_from(family.father))
    for _ in range(2):
        assert (await confirm(client, f"{page}/protect", shown)).status_code == 303
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM sharing_restriction")) == 1


async def test_it_is_felt_by_the_named_agency_on_every_page_and_ends_with_a_reason(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate
) -> None:
    await sign_in(guardians.social_care.id)
    await protect(client, page, **contact_from(family.school))
    await sign_in(family.tom.id)
    for part in ("", "/people", "/edit", "/sharing"):
        answer = await client.get(f"/children/{family.child}{part}")
        assert ADDRESS not in answer.text, part
    assert "It is protected, and only a court can open it." in plain(
        await client.get(f"/children/{family.child}/people")
    )
    await sign_in(family.rosa.id)
    assert ADDRESS in (await client.get(f"/children/{family.child}/people")).text
    await sign_in(guardians.social_care.id)
    listed = await client.get(page)
    end = listed.text.split(f'href="{page}/', 1)[1]
    end = f"{page}/" + next(
        part.split('"')[0] for part in listed.text.split(f'href="{page}/') if "/end" in part[:60]
    )
    opened = await client.get(end)
    assert "Made-up School sees contact details." in plain(opened)
    fields = hidden(opened)
    empty = await client.post(end, data=fields | {"reason": " "})
    assert empty.status_code == 422
    assert "Say why it ends" in plain(empty)
    stale = await client.post(end, data=fields | {"version": "77", "reason": "They moved"})
    assert stale.status_code == 409
    done = await client.post(end, data=fields | {"reason": "They moved"}, follow_redirects=False)
    assert done.status_code == 303
    said = plain(await client.get(page))
    assert "Over" in said
    assert "They moved" in said
    assert await sees(gate, family, family.tom, Category.CONTACT)
    assert (await client.get(end)).status_code == 410


async def test_a_silent_one_is_not_said_to_whom_it_is_against(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate
) -> None:
    await sign_in(guardians.social_care.id)
    await protect(client, page, **contact_from(family.school, told="silent"))
    await sign_in(family.tom.id)
    said = plain(await client.get(f"/children/{family.child}/people"))
    assert ADDRESS not in said
    assert "protected" not in said
    assert "contact details section" not in said
    said = plain(await client.get(f"/children/{family.child}/sharing"))
    assert "Contact details" not in said.split("What you cannot see", 1)[1]


async def test_a_sealed_record_is_no_record_for_whom_it_names(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate,
    tenant: Tenant,
) -> None:  # fmt: skip
    await sign_in(family.tom.id)
    for search in SEARCHES:
        assert "C-1001" in (await client.get("/children", params={"q": search})).text, search
    await sign_in(guardians.social_care.id)
    sealed = contact_from(family.school, what="everything", told="silent")
    await protect(client, page, **sealed)
    await sign_in(family.tom.id)
    unknown = "/children/0199aaaa-0000-7000-8000-000000000000"
    for part in ("", "/people", "/sharing", "/plan", "/documents", "/chronology"):
        theirs = await client.get(f"/children/{family.child}{part}")
        nobodys = await client.get(f"{unknown}{part}")
        assert theirs.status_code == nobodys.status_code == 404, part
        assert plain(theirs) == plain(nobodys)
    for search in SEARCHES:
        answer = await client.get("/children", params={"q": search})
        assert answer.status_code == 200
        assert str(family.child) not in answer.text, search
    assert str(family.child) not in (await client.get("/children")).text
    with pytest.raises(NotFound):
        async with gate.open(family.child, family.tom, Purpose.SUPPORT, "read"):
            pass
    async with tenant.transaction(family.tom.id) as session:
        rows = await session.scalar(text("SELECT count(*) FROM involvement"))
        assert rows == 0, "the second fence lets a sealed record through"
    assert await sees(gate, family, family.rosa)


async def test_a_sealed_record_opens_again_when_it_ends(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate
) -> None:
    await sign_in(guardians.social_care.id)
    await protect(client, page, **contact_from(family.father, what="everything"))
    father = Viewer(family.father, ViewerKind.FAMILY)
    with pytest.raises(NotFound):
        async with gate.open(family.child, father, Purpose.SUPPORT, "read"):
            pass
    listed = await client.get(page)
    end = f"{page}/" + next(
        part.split('"')[0] for part in listed.text.split(f'href="{page}/') if "/end" in part[:60]
    )
    done = await fill(client, end, reason="The order ended")
    assert done.status_code == 303
    async with gate.open(family.child, father, Purpose.SUPPORT, "read"):
        pass


async def test_everyone_is_sealed_out_and_it_can_still_be_ended(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, gate: Gate
) -> None:
    await sign_in(guardians.social_care.id)
    await protect(client, page, **contact_from("everyone", what="everything"))
    for viewer in (family.rosa, family.tom, guardians.social_care):
        for category in Category:
            assert not await sees(gate, family, viewer, category)
    answer = await client.get(f"/children/{family.child}")
    assert "Freya" not in answer.text
    assert "The whole record withheld In force From whom Everyone" in plain(await client.get(page))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"what": []}, "Select what is withheld"),
        ({"what": "gossip"}, "Select what is withheld"),
        ({"against": []}, "Select from whom it is withheld"),
        ({"against": "0199aaaa-0000-7000-8000-000000000000"}, "Select from whom"),
        ({"worker_email": "nobody@demo.example"}, "No worker here has this e-mail address"),
        ({"told": "whispered"}, "Select"),
        ({"reason": " "}, "Say why it is withheld"),
        ({"from_on-day": "1", "from_on-month": "1", "from_on-year": "2020"}, "from today on"),
        ({"until_on-day": "1", "until_on-month": "1", "until_on-year": "2020"}, "before the beg"),
        (
            {
                "what": "everything",
                "until_on-day": "1",
                "until_on-month": "1",
                "until_on-year": "2030",
            },
            "Leave the end empty",
        ),
        ({"from_on-day": "31", "from_on-month": "2", "from_on-year": "2027"}, "From must be"),
        ({"role": "admin"}, "Nothing was saved"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence(
    client: Client,
    family: Family,
    guardians: Guardians,
    page: str,
    sign_in: Any,
    tenant: Tenant,
    typed: dict[str, Any],
    said: str,
) -> None:
    await sign_in(guardians.social_care.id)
    for confirmed in ({}, {"confirmed": "yes"}):
        answer = await fill(
            client, f"{page}/protect", **(contact_from(family.father) | typed | confirmed)
        )
        assert answer.status_code == 422, plain(answer)
        assert said in plain(answer)
        assert "There is a problem" in plain(answer)
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM sharing_restriction")) == 0


async def test_nobody_locks_themselves_out(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any
) -> None:
    await sign_in(guardians.social_care.id)
    sealed = contact_from(guardians.social_care.agency, what="everything")
    answer = await fill(client, f"{page}/protect", **sealed)
    assert answer.status_code == 422
    assert "You could not open the record yourself any more" in plain(answer)
    await protect(client, page, **contact_from(family.father))
    answer = await fill(client, f"{page}/protect", **contact_from(family.father))
    assert "This is withheld from them already" in plain(answer)


async def test_it_is_not_for_everybody_to_record(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant
) -> None:
    for viewer in (family.rosa, family.tom):
        await sign_in(viewer.id)
        for part in ("", "/protect", "/choose", "/former-name"):
            assert (await client.get(page + part)).status_code == 403
        assert page not in (await client.get(f"/children/{family.child}/sharing")).text
    await sign_in(guardians.lead.id)
    assert (await client.get(page)).status_code == 404


async def test_a_name_is_withheld_from_one_worker_on_header_list_and_search(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any
) -> None:
    await sign_in(guardians.social_care.id)
    named = contact_from(what="identity", against=[], worker_email="nia@demo.example")
    await protect(client, page, **named)
    assert "Nia Okafor, Health visiting" in plain(await client.get(page))
    await sign_in(family.nia.id)
    for address in (f"/children/{family.child}", "/children", f"/children/{family.child}/people"):
        answer = await client.get(address)
        assert answer.status_code == 200
        assert "C-1001" in answer.text, address
        assert "Freya" not in answer.text, address
        if "people" not in address:  # there it is since when her father is responsible
            assert "9 March 2022" not in answer.text, address
    for search in SEARCHES:
        answer = await client.get("/children", params={"q": search})
        found = str(family.child) in answer.text
        assert found is (search == "C-1001"), search
        assert "Freya" not in answer.text.replace('value="Freya"', ""), search
    await sign_in(family.rosa.id)
    assert "Freya" in (await client.get(f"/children/{family.child}")).text


async def test_two_who_end_the_same_one_at_once_are_told(
    client: Client, family: Family, guardians: Guardians, page: str, sign_in: Any, tenant: Tenant
) -> None:
    await sign_in(guardians.social_care.id)
    await protect(client, page, **contact_from(family.father))
    async with tenant.transaction(JOB) as session:
        made = await session.scalar(text("SELECT id FROM sharing_restriction"))
    first, second = [await client.get(f"{page}/{made}/end") for _ in range(2)]
    for opened, status in ((first, 303), (second, 410)):
        answer = await client.post(
            f"{page}/{made}/end",
            data=hidden(opened) | {"reason": "They moved"},
            follow_redirects=False,
        )
        assert answer.status_code == status
    async with tenant.transaction(JOB) as session:
        assert await session.scalar(text("SELECT count(*) FROM sharing_restriction")) == 1
