"""A commissioner asks for a table in words; the information governance lead answers; all read it."""

import re
from collections.abc import Sequence
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from consent import Role
from panel.accounts.service import add_agency, add_worker, give_role
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.table import Measure
from panel.insight.core.words import Level
from panel.insight.wish_models import TableWish
from panel.insight.wishes import ABOUT, BY, ON_A_PAGE, NewWish, wrong_wish
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.conftest import SignIn
from tests.families.household import Family, household
from tests.hostile.conftest import hidden_of, said_wrong

Client = AsyncTestClient[Litestar]
LIST = "/commissioning/wishes"
TAKE_OUT = "Take it out, or select something else that is counted"
WISH: dict[str, str | list[str]] = {
    "question": "Where do <b>short breaks</b> at night lack?",
    "about": "Unmet",
    "dims": ["kind", "reason"],
    "level": "cluster",
    "decision": "Whether to open a night service in the north.",
}


def wish(about: str, *dims: str, level: Level = Level.AUTHORITY) -> NewWish:
    return NewWish("Who waits?", about, dims, level, "Whether to buy more.")


@pytest.mark.parametrize(
    ("new", "sentences"),
    [
        (wish("Unmet", "kind", "reason", "age"), []),
        (wish("Package", "payer"), []),
        (wish("OutcomeChange", "course", "need"), []),
        (wish("ChildTerm"), []),
        (wish("Capacity", "kind"), []),
        (wish("child"), ["Select what is counted"]),
        (wish("Unmet", "name", "birth_date"), ["2 of these are not known. Select again"]),
        (wish("Wait", "payer"), [
            f"Who pays: not known of waits. {TAKE_OUT}",
        ]),
        (wish("Capacity", "age", "need"), [
            f"Age and Need: not known of places of services. {TAKE_OUT}",
        ]),
        (wish("Unmet", "kind", "reason", "age", "sex"), [
            "Select at most 3: a finer table would say 0 to 4 nearly everywhere",
        ]),
        (wish("Capacity", "kind", level=Level.WARD), [
            "Places of services are known for the whole area alone. Select that",
        ]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_wish_is_said(new: NewWish, sentences: Sequence[str]) -> None:
    assert [one.sentence for one in wrong_wish(new)] == list(sentences)


def test_whatever_the_catalogue_has_can_be_asked_for() -> None:
    for table in CATALOGUE.values():
        dims = [dim for dim in table.dims if dim in BY]
        if table.fact.__name__ in ABOUT and table.measure is not Measure.INDEX:
            new = wish(table.fact.__name__, *dims, level=table.level)
            assert wrong_wish(new) == [], table.key


@pytest.fixture
async def family(tenant: Tenant) -> Family:
    return await household(tenant)


@pytest.fixture
async def others(tenant: Tenant, family: Family) -> dict[Role, UUID]:
    """The lead for information governance, and the representative of parents."""
    found = {}
    async with tenant.transaction(JOB) as session:
        office = await add_agency(session, key="office", name="Testshire Council", kind="council")
        for name, role in (
            ("Ngozi Hart", Role.GOVERNANCE_LEAD), ("Una Fell", Role.PARENTS_REPRESENTATIVE),
        ):  # fmt: skip
            email = f"{name.split()[0].lower()}@office.example"
            worker = await add_worker(session, office, name=name, email=email)
            await give_role(session, worker, role)
            found[role] = worker.id
    return found


async def posted(client: Client, page: str, **fields: str | list[str]) -> tuple[int, str]:
    hidden = hidden_of(await client.get(page))
    answer = await client.post(page, data=hidden | fields, follow_redirects=False)
    return answer.status_code, said_wrong(answer)


@pytest.mark.database
async def test_a_wish_is_asked_answered_and_read_by_all(
    client: Client, tenant: Tenant, sign_in: SignIn, family: Family, others: dict[Role, UUID]
) -> None:
    await sign_in(family.commissioner)
    assert "Nobody has asked for a table yet." in (await client.get(LIST)).text
    status, wrong = await posted(client, f"{LIST}/new", question="  ", dims=["payer"])
    assert status == 422
    for sentence in (
        "Enter the question", "Select what is counted", "Select how big", "Say what decision",
    ):  # fmt: skip
        assert sentence in wrong
    status, wrong = await posted(client, f"{LIST}/new", **(WISH | {"dims": ["payer"]}))
    assert (status, "Who pays: not known of needs that are not met" in wrong) == (422, True)

    # Sent twice, it is asked once.
    hidden = hidden_of(await client.get(f"{LIST}/new"))
    for _ in range(2):
        sent = await client.post(f"{LIST}/new", data=hidden | WISH, follow_redirects=False)
        assert (sent.status_code, sent.headers["location"]) == (303, LIST)
    page = (await client.get(LIST)).text
    assert page.count("Where do &lt;b&gt;short breaks") == 1
    found = re.search(rf'href="({LIST}/[0-9a-f-]{{36}})"', page)
    assert found is not None
    here = found[1]
    shown = (await client.get(here)).text
    for words in ("Needs that are not met", "Kind of service and Why it is unmet", "Ed Mint",
                  "By group of wards", "Whether to open a night service", "not answered yet"):  # fmt: skip
        assert words in shown
    assert "/answer" not in shown
    assert (await client.get(f"{here}/answer")).status_code == 403
    assert (await client.post(f"{here}/answer", data=hidden)).status_code == 403

    await sign_in(others[Role.GOVERNANCE_LEAD])
    assert f"{LIST}/new" not in (await client.get(LIST)).text
    assert (await client.get(f"{LIST}/new")).status_code == 403
    stale = hidden_of(await client.get(f"{here}/answer"))
    for fields, sentence in (
        ({}, "Select what becomes of it"),
        ({"state": "joins"}, "Enter the version"),
        ({"state": "declined"}, "Say why it is not made"),
        ({"state": "declined", "reason": "Too fine.", "joins_in": "2027.1"}, "Leave this empty"),
    ):  # fmt: skip
        status, wrong = await posted(client, f"{here}/answer", **fields)
        assert (status, sentence in wrong) == (422, True), wrong
    assert (await posted(client, f"{here}/answer", state="joins", joins_in="2027.1"))[0] == 303
    overtaken = await client.post(
        f"{here}/answer", data=stale | {"state": "declined", "reason": "Far too fine."}
    )
    assert overtaken.status_code == 409
    for words in ("Far too fine.", "Not made", "Joins the catalogue", "2027.1"):
        assert words in overtaken.text, "neither answer is lost"
    nowhere = f"{LIST}/0198c2a0-0000-7000-8000-000000000000"
    assert (await client.get(nowhere)).status_code == 404
    assert (await client.get(f"{nowhere}/answer")).status_code == 404

    await sign_in(others[Role.PARENTS_REPRESENTATIVE])
    assert "Joins the catalogue, version 2027.1" in (await client.get(LIST)).text
    shown = (await client.get(here)).text
    assert "Ngozi Hart" in shown
    assert "/answer" not in shown
    assert (await client.get(f"{LIST}/new")).status_code == 403
    await sign_in(family.coordinator)
    assert (await client.get(LIST)).status_code == 403
    assert (await client.get(here)).status_code == 403


@pytest.mark.database
async def test_the_database_holds_to_it_and_the_list_pages_by_key(
    client: Client, tenant: Tenant, sign_in: SignIn, family: Family, others: dict[Role, UUID]
) -> None:
    async with tenant.transaction(family.commissioner) as session:
        session.add_all(
            TableWish(
                question=f"Question {n:02}", about="Unmet", dims=[], level="ward", decision="One.",
            )
            for n in range(ON_A_PAGE + 3)
        )  # fmt: skip
    lead = others[Role.GOVERNANCE_LEAD]
    for viewer, sees, changes in (
        (family.commissioner, 28, 0), (lead, 28, 28),
        (others[Role.PARENTS_REPRESENTATIVE], 28, 0), (family.coordinator, 0, 0),
    ):  # fmt: skip
        async with tenant.transaction(viewer) as session:
            assert await session.scalar(text("SELECT count(*) FROM table_wish")) == sees
            done = await session.execute(text("UPDATE table_wish SET decision = 'Two.'"))
            assert getattr(done, "rowcount", None) == changes

    await sign_in(family.commissioner)
    first = (await client.get(LIST)).text
    onward = re.search(r'href="([^"]+)"[^>]*rel="next"', first)
    assert onward is not None
    second = (await client.get(onward[1])).text
    both = re.findall(r"Question \d\d", first) + re.findall(r"Question \d\d", second)
    assert len(both) == len(set(both)) == ON_A_PAGE + 3
    assert "no longer works" in (await client.get(f"{LIST}?page=nonsense")).text
