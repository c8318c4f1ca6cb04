"""A family reads who looked at its own child's record: when, who, why, on what it rested."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import msgspec
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from consent import Basis, Category, Purpose, RestrictionKind, Viewer, ViewerKind
from panel.panels.reading_age import reading_age
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.ids import new_id
from panel.platform.problems import NotAllowed, NotFound
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate, Withheld
from panel.sharing.family_history import (
    BASIS_WORDS,
    WHY_WORDS,
    FamilyLook,
    basis_words,
    looks_for_family,
)
from panel.sharing.models import SharingRestriction
from panel.web.paging import Asked, Page, read_cursor
from tests.sharing.family import Family, agreed, invented_family, record, sees

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def own(person: UUID) -> Viewer:
    return Viewer(person, ViewerKind.FAMILY)


async def told(
    gate: Gate, family: Family, person: UUID, asked: Asked | None = None
) -> Page[FamilyLook] | Withheld:
    viewer = own(person)
    async with gate.open(family.child, viewer, Purpose.SUPPORT, "read who looked") as access:
        return await looks_for_family(access, asked or Asked())


async def lines(gate: Gate, family: Family, person: UUID) -> list[str]:
    page = await told(gate, family, person)
    assert isinstance(page, Page)
    return [look.line for look in page.rows]


async def hold_back(
    tenant: Tenant, family: Family, category: Category, against: UUID, *, silent: bool = False
) -> None:
    async with tenant.transaction(JOB) as session:
        session.add(
            SharingRestriction(
                child_id=family.child,
                kind=RestrictionKind.PROTECTION.value,
                categories=[category.value],
                against=[against],
                from_on=date(2026, 9, 1),
                silent=silent,
                reason="A threat was made",
            )
        )


async def test_each_look_is_one_plain_line(gate: Gate, family: Family, clock: FixedClock) -> None:
    await record(gate, family, agreed(family))
    assert await sees(gate, family, family.tom)
    clock.set(MONDAY + timedelta(minutes=5))
    said = await lines(gate, family, family.mother)
    at_half_past = "23 November 2026 at 9:30: "
    could = ". They could, because they or their agency wrote it"
    agreed_words = "you or your family agreed to share it"
    assert said == [
        f"{at_half_past}Tom Arden, Made-up School, looked to help{could} and {agreed_words}.",
        f"{at_half_past}Rosa Whitlow, Health visiting, looked to help{could}.",
    ]
    assert not any("asked the family" in line for line in said), "what they did is not told"


async def test_an_attempt_is_told_as_one(gate: Gate, family: Family, clock: FixedClock) -> None:
    stranger = Viewer(new_id(), ViewerKind.WORKER, family.school, "school")
    with pytest.raises(NotFound):
        await sees(gate, family, stranger)
    (line,) = await lines(gate, family, family.mother)
    assert line.endswith("tried to look to help. They were not let in.")
    assert "Made-up School" in line


async def test_a_look_of_a_system_is_one_of_its_agency(gate: Gate, family: Family) -> None:
    system = Viewer(new_id(), ViewerKind.CLIENT, family.school, "school")
    with pytest.raises(NotFound):
        async with gate.open(family.child, system, Purpose.EXCHANGE, "asked for a plan"):
            pass
    (line,) = await lines(gate, family, family.mother)
    assert line == (
        "23 November 2026 at 9:30: The computer of Made-up School tried to look to keep its own"
        " notes up to date. They were not let in."
    )


async def test_looks_of_the_family_are_nobody_elses_business(gate: Gate, family: Family) -> None:
    await told(gate, family, family.father)
    assert await lines(gate, family, family.mother) == []


@pytest.mark.parametrize("born", [date(2010, 11, 1), date(2022, 3, 9)])
async def test_who_has_standing(gate: Gate, tenant: Tenant, born: date) -> None:
    family = await invented_family(tenant, born)
    assert await sees(gate, family, family.rosa) in (True, False)
    for person in (family.mother, family.father, family.child):
        assert len(await lines(gate, family, person)) == 1
    with pytest.raises(NotAllowed):
        await told(gate, family, family.grandmother)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "read") as access:
        with pytest.raises(NotAllowed):
            await looks_for_family(access, Asked())
    with pytest.raises(NotFound):
        await told(gate, family, new_id())


async def test_a_parent_of_somebody_of_18_is_told_nothing(gate: Gate, tenant: Tenant) -> None:
    family = await invented_family(tenant, date(2008, 11, 1))
    with pytest.raises(NotAllowed):
        await told(gate, family, family.mother)
    assert await lines(gate, family, family.child) == []


async def test_who_may_not_know_the_team_is_told_that(
    gate: Gate, tenant: Tenant, family: Family
) -> None:
    await sees(gate, family, family.tom)
    await hold_back(tenant, family, Category.NETWORK, family.father)
    withheld = await told(gate, family, family.father)
    assert isinstance(withheld, Withheld)
    assert len(await lines(gate, family, family.mother)) == 1


@pytest.mark.parametrize("silent", [True, False])
async def test_a_protected_whereabouts_is_not_told_by_a_schools_name(
    gate: Gate, tenant: Tenant, family: Family, *, silent: bool
) -> None:
    await sees(gate, family, family.tom)
    await hold_back(tenant, family, Category.CONTACT, family.father, silent=silent)
    (line,) = await lines(gate, family, family.father)
    assert "Somebody who works with your family looked to help" in line
    assert "School" not in line
    assert "Arden" not in line
    assert "Made-up School" in (await lines(gate, family, family.mother))[0]


Write = Callable[..., None]


@pytest.fixture
def write(database_of_own: Cluster, tenant: Tenant, family: Family) -> Write:
    """Write a look down as the owner, at a moment and with decisions of its own."""

    def wrote(viewer: Viewer, at: datetime, decisions: dict[str, object], *more: str) -> None:
        assert database_of_own.owner_url is not None
        with psycopg.connect(database_of_own.owner_url) as owner:
            schema = sql.Identifier(tenant.record.schema_name)
            owner.execute(sql.SQL("SET search_path = {}").format(schema))
            for statement in more:
                owner.execute(statement.encode())
            owner.execute(
                "INSERT INTO access_event VALUES (%s, %s, %s, %s, %s, %s, 'support', 'x', %s)",
                [
                    new_id(), family.child, at, viewer.id, viewer.kind.value, viewer.agency,
                    msgspec.json.encode(decisions).decode(),
                ],
            )  # fmt: skip

    return wrote


async def test_an_override_is_told_unless_that_puts_somebody_at_risk(
    gate: Gate, tenant: Tenant, family: Family, write: Write
) -> None:
    looked = {"identity": "own_record", "health": "safeguarding"}
    async with tenant.transaction(JOB) as session:
        await session.execute(
            text(
                "INSERT INTO sharing_override (id, child_id, to_id, categories, starts_at, ends_at,"
                " created_at, created_by, changed_at, changed_by, version) SELECT :id, :child, :to,"
                " '{}', :at, :until, :at, :to, :at, :to, 1"
            ),
            {
                "id": new_id(), "child": family.child, "to": family.tom.id,
                "at": MONDAY - timedelta(days=2), "until": MONDAY - timedelta(days=1),
            },
        )  # fmt: skip
    write(family.tom, MONDAY - timedelta(days=2, hours=-1), looked)
    (line,) = await lines(gate, family, family.mother)
    assert line.endswith("or their agency wrote it and it was needed to keep somebody safe.")
    write(
        family.tom,
        MONDAY - timedelta(hours=3),
        {"identity": "agreement"},
        "ALTER TABLE sharing_override ADD COLUMN IF NOT EXISTS kept_from_family boolean",
        "UPDATE sharing_override SET kept_from_family = true",
    )
    (line,) = await lines(gate, family, family.mother)
    assert line.endswith("because you or your family agreed to share it.")


async def test_it_is_paged_by_key_both_ways(gate: Gate, family: Family, write: Write) -> None:
    moments = [MONDAY - timedelta(hours=n + 1) for n in range(45)]
    for at in moments:
        write(family.tom, at, {"identity": "agreement"})
    asked, seen, pages = Asked(), [], []
    while True:
        page = await told(gate, family, family.mother, asked)
        assert isinstance(page, Page)
        seen += [look.at for look in page.rows]
        pages.append(page)
        if page.next is None:
            break
        asked = read_cursor(page.next, (datetime, UUID))
    assert seen == moments
    back = await told(
        gate, family, family.mother, read_cursor(pages[-1].previous, (datetime, UUID))
    )
    assert isinstance(back, Page)
    assert [look.at for look in back.rows] == [look.at for look in pages[-2].rows]


def test_the_basis_is_read_from_the_decisions_whatever_else_stands_there() -> None:
    decisions = {
        "identity": "own_record",
        "health": "agreement",
        "finance": "withheld: nothing",
        "law": {"agreement": "6(1)(e) 9(2)(h) agreement"},
    }
    assert basis_words(decisions) == (
        "they or their agency wrote it and you or your family agreed to share it"
    )
    assert basis_words({}) == ""
    assert basis_words({"refused": "no tie"}) == ""
    permitting = set(Basis) - {
        Basis.PROTECTION, Basis.USE_RESTRICTED, Basis.REFUSAL, Basis.NOTHING, Basis.NO_TIE,
    }  # fmt: skip
    assert set(BASIS_WORDS) == permitting


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("basis", list(BASIS_WORDS))
def test_a_line_is_read_by_somebody_of_ten(purpose: Purpose, basis: str) -> None:
    look = FamilyLook(
        new_id(), MONDAY, "Tom Arden, the school,", WHY_WORDS[purpose], BASIS_WORDS[basis],
        refused=False,
    )  # fmt: skip
    assert reading_age(look.line) <= 10, look.line
