"""The access history says of each look on which basis it was and under which law, in one line."""

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from consent import Category, Purpose
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from panel.sharing.look_basis import NOTHING_OPENED, basis_line
from panel.sharing.reading import access_history
from panel.web.paging import Asked
from tests.conftest import SignIn
from tests.sharing.family import Family, agreed, hold_the_plan, record
from tests.sharing.restricted import shown

CARE = (
    "Public task (UK GDPR Article 6(1)(e)); special data for health or social care (Article"
    " 9(2)(h)); confidence lifted by the family’s agreement."
)


def test_several_bases_stand_in_one_line_each_with_its_law() -> None:
    line = basis_line(
        {
            "identity": "own_record",
            "health": "agreement",
            "network": "duty",
            "finance": "withheld: nothing",
            "law": {
                "own_record": "6(1)(e) 9(2)(h) direct_care",
                "agreement": "6(1)(e) 9(2)(h) agreement; ISA-7",
                "duty": "6(1)(e) 9(2)(g) statute children-act-2004-s10",
            },
        },
        {"children-act-2004-s10": "the duty to co-operate (Children Act 2004 section 10)"},
    )
    assert line == (
        "A duty opened it: the duty to co-operate (Children Act 2004 section 10). Public task (UK"
        " GDPR Article 6(1)(e)); special data for substantial public interest (Article 9(2)(g));"
        " confidence lifted by a statute. The family agreed to share it. Public task (UK GDPR"
        " Article 6(1)(e)); special data for health or social care (Article 9(2)(h)); confidence"
        " lifted by the family’s agreement; under the agencies’ agreement ISA-7. It was their own"
        " record. Public task (UK GDPR Article 6(1)(e)); confidence lifted by what a family expects"
        " of those who work with them."
    )


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        ({"refused": "no tie"}, ""),
        ({"health": "withheld: refusal"}, NOTHING_OPENED),
        ({}, NOTHING_OPENED),
        # An event from before the law was recorded.
        ({"health": "agreement"}, "The family agreed to share it."),
        ({"health": "something new"}, NOTHING_OPENED),
    ],
)
def test_what_was_refused_withheld_or_is_old(decisions: dict[str, str], said: str) -> None:
    assert basis_line(decisions, {}) == said


async def test_the_page_says_it_from_the_event(
    client: AsyncTestClient[Litestar],
    family: Family,
    gate: Gate,
    tenant: Tenant,
    sign_in: SignIn,
) -> None:
    both = frozenset({family.health, family.school})
    await record(gate, family, agreed(family, agencies=both))
    await hold_the_plan(tenant, family)
    async with gate.open(family.child, family.nia, Purpose.SUPPORT, "read the plan") as access:
        assert access.may(Category.PLAN)
    async with gate.open(family.child, family.rosa, Purpose.SUPPORT, "looked") as access:
        looks = (await access_history(access, Asked())).rows
    [nia] = [one for one in looks if one.who == "Nia Okafor"]
    assert f"The family agreed to share it. {CARE}" in nia.basis
    await sign_in(family.rosa.id)
    said = await shown(client, f"/children/{family.child}/sharing/history")
    assert "On which basis" in said
    assert CARE in said
