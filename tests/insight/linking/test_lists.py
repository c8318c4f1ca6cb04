"""Lists of other registers: brought in with their basis, linked, judged by a person, and said."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import psycopg
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select, text

from panel.insight.core.facts import Coverage
from panel.insight.feed import check, feed
from panel.insight.linking.lists import ListReport, NewList, bring_in
from panel.insight.linking.models import ListedChild, ListLink
from panel.insight.linking.pairs import decide
from panel.insight.storing import stored
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.erasure import DestroyedKeys, Order, destroy
from panel.platform.problems import Conflict, Invalid, NotFound
from panel.records.child_scoped import JOB
from panel.records.csv_rows import UnreadableCsv
from panel.records.restricted_use import ProcessingRestriction
from panel.register.children import index_child
from panel.register.marking import mark_those_without, marks_of_children
from panel.register.models import Child
from panel.sharing.models import SharingRestriction
from tests.conftest import SignIn
from tests.insight.conftest import add_child, house
from tests.panels.conftest import AddChild, House
from tests.sharing.restricted import hidden, plain

__all__ = ["add_child", "house"]
pytestmark = pytest.mark.database
Browser = AsyncTestClient[Litestar]

HEADER = "nhs_number,given_name,family_name,birth_date,sex,postcode,address,ward_code,need"
HOME = "WX1 2AB,12 Tessel Row,E05013749,Autism"
SEN = NewList("sen", "education", "cfa2014", date(2026, 9, 1), date(2026, 9, 2))
AFTER_TERM = datetime(2027, 1, 2, 9, 30, tzinfo=UTC)


def lines(*rows: str, header: str = HEADER) -> BytesIO:
    return BytesIO("\r\n".join((header, *rows)).encode())


def one(name: str, born: str = "2022-06-15", sex: str = "female", family: str = "Kestrel") -> str:
    return f",{name},{family},{born},{sex},{HOME}"


async def bring(house: House, *rows: str, new: NewList = SEN) -> ListReport:
    return await bring_in(house.tenant, lines(*rows), new)


async def states(house: House) -> list[tuple[str, str]]:
    """(who on the list, how it stands) of each pair, in the order of the file."""
    async with house.as_("job") as session:
        rows = await session.execute(
            select(ListedChild.line, ListLink.child_id, ListLink.state)
            .join(ListLink, ListLink.listed_child_id == ListedChild.id)
            .order_by(ListedChild.created_at, ListedChild.line, ListLink.number)
        )
        last = {(line, child): state for line, child, state in rows}
    return [(house.name_of(child), state) for (_, child), state in last.items()]


@pytest.fixture
async def known(house: House, add_child: AddChild) -> House:
    """Amina and Bea, born on one day in one house; and Carys, of another home."""
    for name in ("Amina", "Bea", "Carys"):
        await add_child(name)
    async with house.as_("job") as session:
        for name in ("Amina", "Bea", "Carys"):
            row = await session.get_one(Child, house.children[name])
            row.sex, row.postcode, row.address = "female", "WX1 2AB", "12 Tessel Row"
        row.family_name, row.birth_date, row.postcode = "Quill", date(2020, 2, 3), "WX7 1ZZ"
        await session.flush()
        for name in ("Amina", "Bea", "Carys"):
            await index_child(session, await session.get_one(Child, house.children[name]))
    return house


CARYS = ",Carys,Quill,2020-02-03,female,WX7 1ZZ,12 Tessel Row,E05013749,Autism"


async def test_what_is_plain_is_linked_and_twins_wait(known: House) -> None:
    report = await bring(known, CARYS, one("Amina"), one("Nobody", "2018-01-01", family="Else"))
    assert (report.taken, report.linked, report.to_look_at) == (3, 1, 2)
    assert not report.problems
    assert dict(await states(known)) == {
        "Carys": "linked", "Amina": "proposed", "Bea": "proposed",
    }  # fmt: skip
    async with known.as_("job") as session:
        rows = list(await session.execute(text("SELECT given_name, address FROM listed_child")))
        assert all(b"Amina" not in bytes(cell) for row in rows for cell in row), "it is sealed"
        keys = "SELECT count(DISTINCT d.wrapped) FROM listed_child l JOIN data_key d"
        count = await session.scalar(text(f"{keys} ON d.holder_id = l.id"))
        assert count == 3, "each with a key of its own"


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (NewList("sen", "education", "", SEN.as_of, SEN.as_of), "by what right"),
        (NewList("sen", "education", "published", SEN.as_of, SEN.as_of), "not published"),
        (NewList("health", "health", "s251", SEN.as_of, None), "national data opt-out was applied"),
        (NewList("health", "health", "s251", SEN.as_of, date(2027, 1, 1)), "is in the future"),
        (NewList("sen", "education", "cfa2014", date(2027, 1, 1), SEN.as_of), "is in the future"),
        (NewList("other", "education", "cfa2014", SEN.as_of, SEN.as_of), "what kind of list"),
        (NewList("sen", "nobodys", "cfa2014", SEN.as_of, SEN.as_of), "no agency of this key"),
    ],
)
async def test_no_list_without_its_basis(house: House, new: NewList, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        await bring_in(house.tenant, lines(one("Amina")), new)
    assert sentence in refused.value.errors[0].sentence


async def test_what_is_wrong_in_a_file_is_said_line_by_line(known: House) -> None:
    report = await bring(
        known,
        CARYS,
        one("Amina", "2022-02-31"),
        one("", "2022-06-15"),
        one("Dai", "2031-01-01"),
        one("Efa", "1990-01-01"),
        CARYS.upper().replace("FEMALE", "female").replace("AUTISM", "Autism"),
    )
    assert report.taken == 1
    assert [str(problem).split(": ", 1)[0] for problem in report.problems] == [
        "line 3, birth_date", "line 4, given_name", "line 5, birth_date", "line 6, birth_date",
        "line 7",
    ]  # fmt: skip
    assert "There is no such day" in str(report.problems[0])
    assert "stands on line 2 already" in str(report.problems[-1])
    with pytest.raises(UnreadableCsv, match="birth_date"):
        await bring_in(known.tenant, lines("Freya,Kestrel", header="given_name,family_name"), SEN)
    with pytest.raises(Invalid) as refused:
        await bring(known, one("Amina", "2022-02-31"))
    assert "no line in this file" in refused.value.errors[0].sentence


async def test_the_same_file_is_not_taken_twice(known: House) -> None:
    await bring(known, CARYS)
    with pytest.raises(Invalid) as refused:
        await bring(known, CARYS)
    assert "brought in on" in refused.value.errors[0].sentence
    assert len(await states(known)) == 1


async def test_counts_by_ward_name_nobody(house: House) -> None:
    dla = NewList("dla", "council", "published", date(2026, 8, 1))
    rows = ("E05013749,35", "E05013750,0", "E05013749,4", "E05013751,-1", "Here,3")
    report = await bring_in(house.tenant, lines(*rows, header="ward_code,children"), dla)
    assert report.taken == 2
    assert [one.line for one in report.problems] == [4, 5, 6]


# A person judges ----------------------------------------------------------------------------------


async def pair_of(house: House, name: str) -> tuple[str, ListLink]:
    """The address of the pair of a child here with its namesake on the list, and its first row."""
    async with house.as_("job") as session:
        rows = await session.scalars(
            select(ListLink)
            .where(ListLink.child_id == house.children[name], ListLink.number == 1)
            .order_by(ListLink.weight.desc())
        )
        row = rows.first()
        assert row is not None
        return f"/lists/pairs/{row.id}", row


async def test_a_person_links_parts_and_takes_back(
    client: Browser, sign_in: SignIn, known: House
) -> None:
    await bring(known, one("Amina"), CARYS)
    await sign_in(known.viewers["coordinator"].id)
    assert "SEN register" in plain(await client.get("/lists"))
    async with known.as_("job") as session:
        list_id = await session.scalar(text("SELECT id FROM register_list"))
    page = plain(await client.get(f"/lists/{list_id}"))
    assert "Amina Kestrel" in page
    assert "they may be twins" in page
    assert "Quill" not in page
    assert "Carys Quill" in plain(await client.get(f"/lists/{list_id}?shown=linked&page=nonsense"))

    address, row = await pair_of(known, "Amina")
    read = await client.get(address)
    assert "12 Tessel Row" in plain(read)
    assert "The rules" in plain(read)
    form = hidden(read) | {"version": "1", "answer": "linked"}
    wrong = await client.post(address, data=form | {"answer": "merged"})
    assert wrong.status_code == 422
    assert "Choose whether they are one child" in plain(wrong)
    for _ in range(2):
        assert (await client.post(address, data=form, follow_redirects=False)).status_code == 303
    assert dict(await states(known))["Amina"] == "linked"

    # Whoever read it before is told, and nothing is lost.
    late = hidden(await client.get(address)) | {"version": "1", "answer": "parted"}
    assert (await client.post(address, data=late)).status_code == 409
    # The same child of the list with another record: first take the link back.
    other, _ = await pair_of(known, "Bea")
    taken = hidden(await client.get(other)) | {"version": "1", "answer": "linked"}
    refused = await client.post(other, data=taken)
    assert refused.status_code == 422
    assert "linked with another record" in plain(refused)
    back = hidden(await client.get(address)) | {"version": "2", "answer": "proposed"}
    assert (await client.post(address, data=back, follow_redirects=False)).status_code == 303
    said = plain(await client.get(address))
    assert "A person took back what was said." in said
    assert "Ada Quill" in said
    assert dict(await states(known))["Amina"] == "proposed"
    async with known.as_("job") as session:
        kept = await session.scalar(
            text("SELECT count(*) FROM list_link WHERE child_id = :child"),
            {"child": row.child_id},
        )
    assert kept == 3, "nothing that was said is gone"


async def test_two_who_decide_at_once(known: House) -> None:
    await bring(known, one("Amina"))
    _, row = await pair_of(known, "Amina")

    async def says(state: str) -> None:
        async with known.opened("Amina", "coordinator") as access:
            await decide(access, row.id, 1, state)

    answers = await asyncio.gather(says("linked"), says("parted"), return_exceptions=True)
    assert sum(one is None for one in answers) == 1
    assert sum(isinstance(one, Conflict) for one in answers) == 1


async def test_who_does_not_reach_the_child_sees_no_name_of_the_list(
    client: Browser, sign_in: SignIn, known: House
) -> None:
    await bring(known, one("Amina"), CARYS)
    address, row = await pair_of(known, "Amina")
    async with known.as_("administrator") as session:
        for table in ("register_list", "list_count", "listed_child", "list_link"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    for who, page in (("lead", "/lists"), ("administrator", "/lists"), ("lead", address)):
        await sign_in(known.viewers[who].id)
        assert (await client.get(page)).status_code == 403
    with pytest.raises(NotFound):
        async with known.opened("Bea", "coordinator") as access:
            await decide(access, row.id, 1, "linked")


async def test_a_list_gives_no_protected_address_away(
    client: Browser, sign_in: SignIn, known: House
) -> None:
    """What may not be seen of the child is not seen of its namesake on the list."""
    await bring(known, one("Amina"), CARYS)
    coordinator = known.viewers["coordinator"]
    hides: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("contact", ("Tessel", "WX1 2AB")),
        ("identity", ("Amina", "15 June 2022")),
    )
    address, row = await pair_of(known, "Amina")
    await sign_in(coordinator.id)
    for category, words in hides:
        before = plain(await client.get(address))
        assert all(word in before for word in words), before
        async with known.as_("job") as session:
            session.add(
                SharingRestriction(
                    child_id=row.child_id,
                    kind="protection",
                    categories=[category],
                    against=[coordinator.id],
                    from_on=date(2026, 1, 1),
                )
            )
        page = plain(await client.get(address))
        assert "You may not see this" in page
        assert not [word for word in words if word in page]
    async with known.as_("job") as session:
        list_id = await session.scalar(text("SELECT id FROM register_list"))
    page = plain(await client.get(f"/lists/{list_id}"))
    assert "Amina" not in page, "nor beside her sister, whose name is not protected"
    assert "Somebody on the list beside C-1002" in page
    sisters = plain(await client.get((await pair_of(known, "Bea"))[0]))
    assert "Amina" not in sisters
    assert "Bea" in sisters


async def test_a_later_list_takes_over_what_a_person_decided(known: House) -> None:
    await bring(known, one("Amina"))
    for name, state in (("Amina", "linked"), ("Bea", "parted")):
        _, row = await pair_of(known, name)
        async with known.opened(name, "coordinator") as access:
            await decide(access, row.id, 1, state)
    later = NewList("sen", "education", "cfa2014", date(2026, 11, 1), date(2026, 11, 2))
    report = await bring(known, one("Amina"), CARYS, new=later)
    assert (report.linked, report.to_look_at) == (2, 0)


async def test_no_record_is_opened_to_compare_it(known: House, database_of_own: Cluster) -> None:
    """Names that nobody can read any more are compared all the same, and nobody looked at them."""
    async with known.as_("job") as session:
        before = await session.scalar(text("SELECT count(*) FROM access_event"))
        for column in ("given_name", "family_name", "postcode", "address"):
            await session.execute(text(f"UPDATE child SET {column} = '\\x00'"))
    report = await bring(known, CARYS, one("Amina"))
    assert (report.linked, report.to_look_at) == (1, 2)
    async with known.as_("job") as session:
        assert await session.scalar(text("SELECT count(*) FROM access_event")) == before


async def test_records_of_before_are_marked_once_and_restricted_ones_are_not_compared(
    known: House, database_of_own: Cluster, tmp_path: Path
) -> None:
    assert database_of_own.owner_url is not None
    with psycopg.connect(database_of_own.owner_url) as owner:
        owner.execute("SET search_path = authority_testshire")
        owner.execute("DELETE FROM child_mark")
    assert await mark_those_without(known.tenant) == len(known.children)
    assert await mark_those_without(known.tenant) == 0
    async with known.as_("job") as session:
        session.add(
            ProcessingRestriction(
                child_id=known.children["Carys"], from_on=date(2026, 1, 1), why="Asked"
            )
        )
        order = Order("a list", "the job")
        bea = known.children["Bea"]
        await destroy(session, known.tenant, DestroyedKeys(tmp_path), [bea], order)
    async with known.as_("job") as session:
        assert set(await marks_of_children(session)) == {
            child for name, child in known.children.items() if name not in {"Carys", "Bea"}
        }
        left = await session.scalar(
            text("SELECT count(*) FROM child_mark WHERE child_id = :child"), {"child": bea}
        )
        assert left == 0, "marks go with the key"


# Facts --------------------------------------------------------------------------------------------


async def test_facts_say_who_is_on_the_list_and_who_is_not(
    known: House, clock: FixedClock, tmp_path: Path
) -> None:
    """Amina waits, Bea is not on it, Carys is; somebody else is on it and nobody here."""
    await bring(known, one("Amina"), CARYS, one("Nobody", "2018-01-01", family="Else"))
    clock.set(AFTER_TERM)
    assert await coverage(known) == {(True, True): 1, (False, True): 2, (True, False): 2}
    _, row = await pair_of(known, "Amina")
    async with known.opened("Amina", "coordinator") as access:
        await decide(access, row.id, 1, "linked")
    assert await coverage(known) == {(True, True): 2, (False, True): 1, (True, False): 1}
    async with known.opened("Amina", "coordinator") as access:
        await decide(access, row.id, 2, "parted")
    assert await coverage(known) == {(True, True): 1, (False, True): 2, (True, False): 2}
    # Whose key is destroyed on the list is on it no more.
    async with known.as_("job") as session:
        gone = await session.scalar(text("SELECT id FROM listed_child WHERE line = 4"))
        order = Order("a list", "the job")
        await destroy(session, known.tenant, DestroyedKeys(tmp_path), [gone], order)
    assert await coverage(known) == {(True, True): 1, (False, True): 2, (True, False): 1}
    # The agency's next list ends this one, also for those who were on it and are nobody's here.
    later = NewList("sen", "education", "cfa2014", date(2026, 11, 1), date(2026, 11, 2))
    await bring(known, one("Dai", family="Else"), new=later)
    assert await coverage(known) == {(False, True): 3, (True, False): 1}


async def test_who_was_on_a_list_that_is_over_is_not_on_one_that_goes_on(
    known: House, clock: FixedClock
) -> None:
    """Carys was on one agency's list, which held a year; another's of the kind goes on longer."""
    await bring(known, CARYS, new=replace(SEN, as_of=date(2025, 12, 10)))
    others = replace(SEN, agency_key="health", as_of=date(2026, 6, 1))
    await bring(known, one("Dai", family="Else"), new=others)
    clock.set(AFTER_TERM)
    assert await coverage(known) == {(False, True): 3, (True, False): 1}


async def test_who_is_on_two_lists_and_nobody_here_is_one_person(
    known: House, clock: FixedClock, add_child: AddChild
) -> None:
    nobody = one("Nobody", "2018-01-01", family="Else")
    await bring(known, nobody)
    health = NewList("health", "health", "s251", date(2026, 10, 1), date(2026, 10, 1))
    await bring(known, nobody, one("Dai", family="Else"), new=health)
    await add_child("Efa")
    clock.set(AFTER_TERM)
    # Of each known child, the one who came after the lists too, it is said of each list.
    assert await coverage(known) == {(True, False): 3, (False, True): 8}
    async with known.tenant.transaction(JOB) as session:
        people = {
            fact.who.person
            async for fact in stored(session)
            if isinstance(fact, Coverage) and fact.listed
        }
        alone = [
            fact
            async for fact in stored(session)
            if isinstance(fact, Coverage) and fact.listed and not fact.elsewhere
        ]
    assert len(people) == 2
    assert [fact.list for fact in alone] == ["health"], "Dai, and on no other list"


async def coverage(house: House) -> dict[tuple[bool, bool], int]:
    """How many are (listed, known), once fed; facts are what history and rooms come to."""
    async with house.tenant.transaction(JOB) as session:
        await feed(session)
        assert (await check(session)).in_words() == ""
        found = [fact async for fact in stored(session) if isinstance(fact, Coverage)]
    counted: dict[tuple[bool, bool], int] = {}
    for fact in found:
        counted[fact.listed, fact.known] = counted.get((fact.listed, fact.known), 0) + 1
    return counted
