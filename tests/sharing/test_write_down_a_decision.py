"""A worker writes down what a family decided outside an assessment, and renews it."""

import html
import re
from datetime import date, timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import select

from consent import Capacity, Category, Finding, Purpose, RestrictionKind
from panel.platform.clock import FixedClock
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.models import SharingAgreement, SharingObjection
from panel.sharing.service import (
    ObjectionOutcome,
    Restriction,
    decide_objection,
    record_restriction,
)
from tests.sharing.family import (
    TODAY,
    Family,
    agreed,
    invented_family,
    record,
    referred,
    refused,
    sees,
)
from tests.sharing.restricted import confirm, hidden_of, plain, shown

Client = AsyncTestClient[Litestar]


@pytest.fixture
def page(family: Family) -> str:
    return f"/children/{family.child}/sharing"


def dated(name: str, day: date) -> dict[str, str]:
    return {
        f"{name}-day": str(day.day),
        f"{name}-month": str(day.month),
        f"{name}-year": str(day.year),
    }


def conversation(family: Family, **said: Any) -> dict[str, Any]:
    """The mother's yes to the school, as the form posts it."""
    words: dict[str, Any] = {
        "decision": "agreed",
        "by": str(family.mother),
        "capacity": "parental_responsibility",
        "share_with": [str(family.school)],
        "level": "additional",
        "purposes": ["support", "panel"],
        "how_explained": "Face to face, with the picture cards",
        "interpreter": "Polish",
        "reasons": "She wants the school to know about the hearing aids.",
    }
    words |= dated("agreed_on", TODAY) | dated("from", TODAY) | dated("until", date(2027, 11, 22))
    return words | said


def named(family: Family, said: dict[str, Any]) -> dict[str, Any]:
    """What was said, with the ids of those who are named: "@school"."""

    def one(value: Any) -> Any:
        if isinstance(value, list):
            return [one(each) for each in value]
        if not value or not str(value).startswith("@"):
            return value
        found = getattr(family, value[1:])
        return str(getattr(found, "id", found))

    return {key: one(value) for key, value in said.items()}


async def first_sent(client: Client, page: str, typed: dict[str, Any]) -> Any:
    """The form is posted as it was filled in."""
    fields = await hidden_of(client, f"{page}/agreements/new")
    sent = {key: value for key, value in typed.items() if value is not None}
    return await client.post(f"{page}/agreements", data=fields | sent, follow_redirects=False)


async def send(client: Client, page: str, typed: dict[str, Any]) -> Any:
    """And confirmed, where what it changes is shown first."""
    answer = await first_sent(client, page, typed)
    if answer.status_code != 200:
        return answer
    return await confirm(client, f"{page}/agreements", answer)


def wrong(answer: Any) -> str:
    assert answer.status_code == 422, (answer.status_code, answer.text[-3000:])
    found = re.search(r'govuk-error-summary__list">(.*?)</ul>', answer.text, re.DOTALL)
    assert found is not None
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[1])).split())


async def rows(tenant: Tenant, table: Any = SharingAgreement) -> list[Any]:
    async with tenant.transaction(JOB) as session:
        return list(await session.scalars(select(table).order_by(table.id)))


async def test_what_was_agreed_is_written_down_and_works_on_the_next_look(
    client: Client, family: Family, gate: Gate, tenant: Tenant, page: str, sign_in: Any
) -> None:
    await sign_in(family.rosa.id)
    form = await shown(client, f"{page}/agreements/new")
    assert "Her mother has parental responsibility and may act alone." in form
    assert "It is not recorded that her grandmother has parental responsibility." in form
    fields = await hidden_of(client, f"{page}/agreements/new")
    for _ in range(2):
        answer = await client.post(
            f"{page}/agreements", data=fields | conversation(family), follow_redirects=False
        )
        assert answer.status_code == 303, answer.text
    assert await sees(gate, family, family.tom)
    assert not await sees(gate, family, family.tom, Category.FINANCE)
    said = await shown(client, page)
    assert "Her mother, with parental responsibility (birth mother)" in said
    # What the family speaks is the family's: it is kept, and told to who may see that part.
    assert "Polish" not in said
    (row,) = await rows(tenant)
    assert row.interpreter == "Polish"
    await record(gate, family, agreed(family, agencies=frozenset({family.health})))
    assert "Interpreter Polish" in await shown(client, page)
    assert (row.basis, row.created_by, row.renews_id) == ("birth_mother", family.rosa.id, None)


async def test_the_system_of_an_agency_is_asked_about_by_itself(
    client: Client, family: Family, gate: Gate, tenant: Tenant, page: str, sign_in: Any
) -> None:
    await record(gate, family, agreed(family))
    await sign_in(family.rosa.id)
    form = (await client.get(f"{page}/agreements/new")).text
    (box,) = re.findall(r'<input[^>]*value="exchange"[^>]*>', form)
    assert "checked" not in box
    assert "who agrees to the people of an agency has not agreed to its system" in form
    fields = await hidden_of(client, f"{page}/agreements/new")
    said = fields | conversation(family, purposes=["exchange"], level="basic")
    answer = await client.post(f"{page}/agreements", data=said, follow_redirects=False)
    assert answer.status_code == 303, "it overlaps nothing that was agreed for people"
    people, system = await rows(tenant)
    assert "exchange" not in people.purposes
    assert (system.purposes, system.level, system.withdrawn_at) == (["exchange"], "basic", None)
    sharing = await shown(client, page)
    assert "For the agency’s own computer system" in sharing
    no = await client.post(
        f"{page}/agreements",
        data=fields | conversation(family, decision="refused", purposes=["exchange"], level=""),
    )
    assert "Made-up School no longer sees" in plain(no)
    assert "for the agency’s own computer system." in plain(no)
    assert "for working with the child." not in plain(no)


async def test_a_refusal_needs_no_agency_and_closes(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any
) -> None:
    await record(gate, family, agreed(family))
    await sign_in(family.rosa.id)
    no = conversation(
        family, decision="refused", share_with=[], level=None, purposes=[], **dated("until", TODAY)
    )
    for part in ("day", "month", "year"):
        no.pop(f"until-{part}")
    assert (await send(client, page, no)).status_code == 303
    assert not await sees(gate, family, family.tom)
    assert "They refused this already" in wrong(await send(client, page, no | {"reasons": "Again"}))


def refusal(family: Family, **said: Any) -> dict[str, Any]:
    """The mother's no to the school, without an end."""
    no = conversation(family, decision="refused", level=None, purposes=[], **said)
    return {key: value for key, value in no.items() if not key.startswith("until-")}


async def test_a_refusal_is_read_before_it_is_kept(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any, tenant: Tenant
) -> None:
    await record(gate, family, agreed(family))
    await sign_in(family.rosa.id)
    shown_first = await first_sent(client, page, refusal(family))
    said = plain(shown_first)
    assert "What they decided They refused to share Who decided Her mother" in said
    assert "From whom Made-up School How much Everything" in said
    assert re.search(r"Made-up School no longer sees [^.]*health[^.]*, for working with", said)
    assert "When From 23 November 2026 until somebody ends it" in said
    assert len(await rows(tenant)) == 1
    assert await sees(gate, family, family.tom)
    kept = await confirm(client, f"{page}/agreements", shown_first)
    assert kept.status_code == 303
    assert not await sees(gate, family, family.tom)
    assert [row.given for row in await rows(tenant)] == [True, False]


async def test_a_refusal_from_a_later_day_says_what_changes_then(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any, clock: FixedClock
) -> None:
    await record(gate, family, agreed(family))
    await sign_in(family.rosa.id)
    later = refusal(family) | dated("from", date(2026, 12, 1))
    answer = await first_sent(client, page, later)
    assert "When From 1 December 2026" in plain(answer)
    assert "Made-up School no longer sees" in plain(answer)
    assert (await confirm(client, f"{page}/agreements", answer)).status_code == 303
    assert await sees(gate, family, family.tom)
    clock.set(clock.now() + timedelta(days=8))
    assert not await sees(gate, family, family.tom)


async def test_a_no_to_what_the_other_parent_agreed_is_said_to_be_an_objection(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any, tenant: Tenant
) -> None:
    # What began before goes on until it is decided.
    began = date(2026, 11, 2)
    await record(gate, family, agreed(family, by_person=family.father, agreed_on=began))
    await sign_in(family.rosa.id)
    answer = await first_sent(client, page, refusal(family))
    assert "What it becomes An objection, because another parent agreed before" in plain(answer)
    assert "Nobody who works with the child now sees less" in plain(answer)
    assert await rows(tenant, SharingObjection) == []
    assert (await confirm(client, f"{page}/agreements", answer)).status_code == 303
    assert len(await rows(tenant, SharingObjection)) == 1


async def test_a_no_to_a_system_that_the_other_parent_agreed_to_objects_to_it_alone(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any, tenant: Tenant
) -> None:
    began = date(2026, 11, 2)
    both = frozenset({Purpose.SUPPORT, Purpose.EXCHANGE})
    yes = agreed(family, by_person=family.father, agreed_on=began, purposes=both)
    await record(gate, family, yes)
    coordinator = await referred(tenant, family)
    await sign_in(family.rosa.id)
    no = refusal(family) | {"purposes": ["exchange"]}
    answer = await first_sent(client, page, no)
    assert "An objection to the agency’s own computer system alone" in plain(answer)
    assert (await confirm(client, f"{page}/agreements", answer)).status_code == 303
    (objection,) = await rows(tenant, SharingObjection)
    assert objection.purposes == ["exchange"]
    told = await shown(client, page)
    alone = "with Made-up School, for the agency’s own computer system alone."
    assert f"Her mother objected on 23 November 2026 to sharing anything {alone}" in told
    one = f"{page}/objections/{objection.id}"
    assert "For The agency’s own computer system, and nothing else" in await shown(client, one)
    await sign_in(coordinator.id)
    told = await shown(client, one)
    assert "for the agency’s own computer system." in told
    assert "for working with the child." not in told, "its people see on, whatever is decided"
    async with gate.open(family.child, coordinator, Purpose.PANEL, "decided") as access:
        await decide_objection(access, objection.id, ObjectionOutcome.UPHELD, "Both were heard")
    assert await sees(gate, family, family.tom)
    await record(gate, family, agreed(family, by_person=family.father, purposes=both))
    assert await sees(gate, family, family.tom)


async def test_a_refusal_tells_nothing_of_what_is_withheld_in_silence(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any
) -> None:
    both = frozenset({family.health, family.school})
    await record(gate, family, agreed(family, agencies=both))
    await sign_in(family.rosa.id)
    no = refusal(family, share_with=[])
    before = plain(await first_sent(client, page, no))
    async with gate.open(family.child, family.nia, Purpose.SUPPORT, "protected") as access:
        restriction = Restriction(
            RestrictionKind.PROTECTION,
            "A threat was made",
            categories=frozenset({Category.HEALTH}),
            against=frozenset({family.health}),
            silent=True,
        )
        await record_restriction(access, restriction)
    assert plain(await first_sent(client, page, no)) == before


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"by": "@grandmother"}, "her grandmother has parental responsibility"),
        ({"by": "@rosa"}, "This person is not on the child's record"),
        ({"not_share_with": ["@school"]}, "both to share with and not to share with"),
        (dated("until", date(2026, 11, 1)), "The end is before the beginning"),
        (
            dated("from", date(2026, 11, 1)),
            "Sharing cannot start before the conversation",
        ),
        (dated("agreed_on", date(2026, 12, 1)), "is in the future"),
        (dated("until", date(2041, 1, 1)), "From 18 nobody has parental responsibility"),
        ({"share_with": []}, "Choose at least one agency"),
        ({"share_with": ["@mother"]}, "Choose agencies from the list"),
        ({"purposes": []}, "Choose what it may be used for"),
        ({"level": None}, "Choose how much may be shared"),
        ({"how_explained": " "}, "Say how you explained what it means"),
        ({"by": "@child", "capacity": "own"}, "Under 16: first record whether"),
        ({"capacity": "best_interests"}, "for young people from 16"),
        ({"capacity": "deputy_or_attorney"}, "Deputies and attorneys decide from 18"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence_and_nothing_is_kept(
    client: Client,
    family: Family,
    tenant: Tenant,
    page: str,
    sign_in: Any,
    bad: dict[str, Any],
    sentence: str,
) -> None:
    await sign_in(family.rosa.id)
    answer = await send(client, page, conversation(family) | named(family, bad))
    assert sentence in wrong(answer)
    assert "Polish" in answer.text, "what was typed is not lost"
    assert await rows(tenant) == []
    assert await rows(tenant, SharingObjection) == []


async def test_no_end_is_no_agreement(
    client: Client, family: Family, page: str, sign_in: Any
) -> None:
    await sign_in(family.rosa.id)
    endless = {k: v for k, v in conversation(family).items() if not k.startswith("until")}
    assert "Enter the last day" in wrong(await send(client, page, endless))


async def test_what_overlaps_is_refused_until_it_is_said_to_replace(
    client: Client, family: Family, gate: Gate, tenant: Tenant, page: str, sign_in: Any
) -> None:
    both = frozenset({family.school, family.health})
    await record(gate, family, agreed(family, agencies=both))
    await sign_in(family.rosa.id)
    basic = conversation(family, level="basic")
    assert (
        "Her mother agreed to share with Made-up School before, from 23 November 2026. Tick that"
        " this replaces it" in wrong(await send(client, page, basic))
    )
    assert len(await rows(tenant)) == 1
    assert (await send(client, page, basic | {"replaces": "yes"})).status_code == 303
    assert not await sees(gate, family, family.tom), "only basic information now"
    assert await sees(gate, family, family.tom, Category.PLAN)
    assert await sees(gate, family, family.rosa), "the other agency keeps what was agreed"


async def test_a_replacement_that_begins_later_leaves_no_gap(
    client: Client, family: Family, gate: Gate, page: str, clock: FixedClock, sign_in: Any
) -> None:
    await record(gate, family, agreed(family))
    await sign_in(family.rosa.id)
    later = conversation(family, level="basic", replaces="yes") | dated("from", date(2026, 12, 1))
    assert (await send(client, page, later)).status_code == 303
    assert await sees(gate, family, family.tom), "until it begins, the earlier one holds"
    clock.set(clock.now() + timedelta(days=8))
    assert not await sees(gate, family, family.tom)
    assert await sees(gate, family, family.tom, Category.PLAN)


async def test_the_same_again_is_renewed_and_not_repeated(
    client: Client, family: Family, page: str, sign_in: Any
) -> None:
    await sign_in(family.rosa.id)
    assert (await send(client, page, conversation(family))).status_code == 303
    again = conversation(family, reasons="She said so again.")
    assert "renew that agreement" in wrong(await send(client, page, again))


async def test_naming_an_agency_that_the_other_parent_agreed_to_is_an_objection(
    client: Client,
    family: Family,
    gate: Gate,
    tenant: Tenant,
    page: str,
    clock: FixedClock,
    sign_in: Any,
) -> None:
    await record(gate, family, agreed(family, by_person=family.father))
    clock.set(clock.now() + timedelta(days=1))
    await sign_in(family.rosa.id)
    said = (
        conversation(family, share_with=[str(family.health)], not_share_with=[str(family.school)])
        | dated("agreed_on", TODAY + timedelta(days=1))
        | dated("from", TODAY + timedelta(days=1))
    )
    assert (await send(client, page, said)).status_code == 303
    assert await sees(gate, family, family.tom), "neither a veto nor ignored"
    (objection,) = await rows(tenant, SharingObjection)
    assert objection.agencies == [family.school]
    told = await shown(client, page)
    assert (
        "Her mother objected on 24 November 2026. A decision is due by Tuesday 1 December 2026"
        in told
    )


async def test_an_agreement_is_renewed_with_its_terms_and_stays_in_the_history(
    client: Client,
    family: Family,
    gate: Gate,
    tenant: Tenant,
    page: str,
    clock: FixedClock,
    sign_in: Any,
) -> None:
    old = await record(gate, family, agreed(family))
    clock.set(clock.now() + timedelta(days=350))
    await sign_in(family.rosa.id)
    assert "ends on Monday 22 November 2027 (in 14 days)" in await shown(client, page)
    address = f"{page}/agreements/{old.id}/renew"
    today = clock.now().date()
    typed = dated("agreed_on", today) | {"how_explained": "By telephone"}
    early = await client.post(
        address, data=await hidden_of(client, address) | typed | dated("until", date(2027, 11, 20))
    )
    assert "The new end must be after the old one" in wrong(early)
    fields = await hidden_of(client, address)
    for _ in range(2):
        answer = await client.post(
            address,
            data=fields | typed | dated("until", date(2028, 11, 20)),
            follow_redirects=False,
        )
        assert answer.status_code == 303, answer.text
    first, second = await rows(tenant)
    assert (second.renews_id, second.level, second.agencies) == (
        first.id,
        first.level,
        first.agencies,
    )
    assert second.until_on == date(2028, 11, 20)
    clock.set(clock.now() + timedelta(days=300))
    await sign_in(family.rosa.id)
    assert await sees(gate, family, family.tom)
    said = await shown(client, page)
    assert "Her mother agreed to share Renewed" in said
    assert (await client.get(address)).status_code == 410


async def test_a_parent_renews_nothing_from_16(
    client: Client, tenant: Tenant, gate: Gate, clock: FixedClock, sign_in: Any
) -> None:
    family = await invented_family(tenant, born=date(2010, 12, 1))
    old = await record(gate, family, agreed(family))
    clock.set(clock.now() + timedelta(days=30))
    await sign_in(family.rosa.id)
    address = f"/children/{family.child}/sharing/agreements/{old.id}/renew"
    typed = dated("agreed_on", clock.now().date()) | dated("until", date(2028, 1, 1))
    answer = await client.post(
        address, data=await hidden_of(client, address) | typed | {"how_explained": "By telephone"}
    )
    assert "From 16 the young person decides alone." in wrong(answer)
    assert await sees(gate, family, family.tom), "what was agreed for them goes on"
    assert len(await rows(tenant)) == 1


async def test_nothing_is_renewed_while_an_objection_is_open(
    client: Client, family: Family, gate: Gate, page: str, clock: FixedClock, sign_in: Any
) -> None:
    old = await record(gate, family, agreed(family))
    clock.set(clock.now() + timedelta(days=1))
    await record(gate, family, refused(family, by_person=family.father))
    await sign_in(family.rosa.id)
    address = f"{page}/agreements/{old.id}/renew"
    typed = dated("agreed_on", TODAY) | dated("until", date(2028, 1, 1)) | {"how_explained": "Yes"}
    answer = await client.post(address, data=await hidden_of(client, address) | typed)
    assert "renew it when the objection is decided" in wrong(answer)
    assert await sees(gate, family, family.tom)


async def test_who_only_reads_writes_nothing_down(
    client: Client, family: Family, gate: Gate, page: str, sign_in: Any
) -> None:
    await sign_in(family.mother)
    assert (await client.get(f"{page}/agreements/new")).status_code in {401, 403, 404}


async def test_a_best_interests_decision_is_recorded_and_shares(
    client: Client, tenant: Tenant, gate: Gate, sign_in: Any
) -> None:
    family = await invented_family(tenant, born=date(2010, 11, 1))
    page = f"/children/{family.child}/sharing"
    await sign_in(family.rosa.id)
    own = conversation(family, by=str(family.child), capacity="best_interests")
    assert "presumed able to decide" in wrong(await send(client, page, own))
    address = f"{page}/judgements/new"
    judged = {"finding": "best_interests", "why": "She could not weigh it up, with pictures too."}
    fields = await hidden_of(client, address)
    alone = await client.post(f"{page}/judgements", data=fields | judged | dated("made_on", TODAY))
    assert "Say who was consulted" in wrong(alone)
    young = await client.post(
        f"{page}/judgements",
        data=fields | {"finding": "competent", "why": "x"} | dated("made_on", TODAY),
    )
    assert "On that day they were 16 or over" in wrong(young)
    consulted = judged | {"consulted": "Freya, her mother, her teacher"} | dated("made_on", TODAY)
    kept = await client.post(f"{page}/judgements", data=fields | consulted, follow_redirects=False)
    assert kept.status_code == 303, kept.text
    said = await shown(client, page)
    assert "Sharing was judged to be in their best interests Judged by Rosa Whitlow" in said
    assert "Freya, her mother, her teacher" in said
    assert (await send(client, page, own)).status_code == 303
    assert await sees(gate, family, family.tom)
    said = await shown(client, page)
    assert "Those who decide in her best interests agreed to share In force" in said


async def test_an_own_refusal_is_not_overridden_by_best_interests(
    gate: Gate, tenant: Tenant
) -> None:
    family = await invented_family(tenant, born=date(2010, 11, 1))
    await record(gate, family, refused(family, by_person=family.child, capacity=Capacity.SELF))
    await record(
        gate,
        family,
        agreed(
            family,
            by_person=family.child,
            capacity=Capacity.BEST_INTERESTS,
            judged=frozenset({Finding.LACKS_CAPACITY, Finding.BEST_INTERESTS}),
            evidence="Judged by Rosa",
        ),
    )
    assert not await sees(gate, family, family.tom)
