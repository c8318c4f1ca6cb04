"""Who could lead and why it is said; how many plans people hold, and the limit with its dates."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import Role, Viewer, ViewerKind
from panel.families.pages import person_words
from panel.families.reading import ToRing
from panel.plans import rules
from panel.plans.caseload import Load, caseload, limits_of, loads, set_limit
from panel.plans.lead_pages import caseload_page
from panel.plans.leads import Candidate, Terms, offer_lead
from panel.plans.service import hand_at_once
from panel.plans.suggesting import (
    Known,
    Wish,
    note_wish,
    suggestion,
    suggestions,
    wish_of_family,
)
from panel.platform.clock import FixedClock
from panel.platform.ids import new_id
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.web.paging import Asked

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def test_what_speaks_for_somebody_is_said_in_words() -> None:
    rosa = Candidate(
        new_id(),
        new_id(),
        "Rosa Whitlow",
        "Health visitor",
        "Health",
        in_team=True,
        leaves_on=None,
    )
    found = suggestion(
        rosa,
        Known(date(2024, 8, 30), assessments=1, actions_done=3, meetings=2, led_before=1),
        Load(plans=25, covers=1, offered=0, limit=25),
        Wish(rosa.worker_id, "Rosa", TODAY, "her mother", "Rosa knows us"),
        TODAY,
    )
    assert found.is_wished
    assert found.is_full
    assert found.reasons == (
        "The family would like them: “Rosa knows us”",
        "Works with the child since 30 August 2024 (2 years 2 months)",
        "Led for the child before",
        "Wrote 1 assessment",
        "Did 3 actions of the plan",
        "Spoke about the child at 2 meetings",
        "Holds 25 plans; the limit is 25, and covers for 1 more. One more needs a reason",
    )
    nobody = suggestion(rosa, Known(), None, None, TODAY)
    assert (nobody.reasons, nobody.is_full, nobody.is_wished) == ((), False, False)


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from(("", "She knows the family")))
def test_one_more_at_the_limit_needs_a_reason(held: int, limit: int, reason: str) -> None:
    assert bool(rules.limit_mistake(held, limit, reason)) == (held >= limit and not reason)
    assert rules.limit_mistake(held, None, "") == ""


@given(st.integers(-5, 5), st.integers(-5, 120))
def test_days_of_a_cover_are_in_order_and_not_too_many(first: int, length: int) -> None:
    from_on, until_on = TODAY + first * DAY, TODAY + (first + length) * DAY
    field, sentence = rules.cover_days_mistake(from_on, until_on, TODAY, None)
    right = first >= 0 and 0 <= length < rules.MOST_COVER_DAYS
    assert (field, sentence) == ("", "") if right else (field and sentence)


def test_each_wrong_input_has_a_sentence() -> None:
    assert "today or later" in rules.joint_mistake(TODAY - DAY, TODAY)
    assert "at most 56 days" in rules.joint_mistake(TODAY + 57 * DAY, TODAY)
    assert rules.joint_mistake(None, TODAY) == rules.joint_mistake(TODAY, TODAY) == ""
    assert "in their words" in rules.family_mistake("said", "")
    assert "could not be asked" in rules.family_mistake("could_not_ask", "")
    assert "Select" in rules.family_mistake("", "They agree")
    assert rules.family_mistake("asked", "") == rules.family_mistake("", "") == ""
    leaving = rules.cover_worker_mistake(TODAY + DAY, is_lead=False, leaves_on=TODAY)
    assert "They leave before" in leaving
    is_lead = rules.cover_worker_mistake(TODAY, is_lead=True, leaves_on=None)
    assert "lead professional" in is_lead
    field, sentence = rules.cover_days_mistake(TODAY, TODAY + 9 * DAY, TODAY, TODAY + DAY)
    assert (field, "Somebody else" in sentence) == ("until_on", True)


def test_a_family_reads_who_leads_and_who_stands_in() -> None:
    ringing = ToRing(
        "Tomas Reed", "Portage", "Portage", "01632 960001", date(2026, 3, 31), "Rosa Whitlow",
        date(2026, 12, 3), (("Beth Amory", date(2026, 12, 13)),),
    )  # fmt: skip
    assert person_words(ringing) == [
        "Rosa Whitlow has been your lead professional since Tuesday 31 March 2026.",
        "Tomas Reed stands in for Rosa Whitlow until Thursday 3 December 2026. Ring Tomas Reed.",
        "Beth Amory helps beside Rosa Whitlow until Sunday 13 December 2026.",
    ]


async def test_the_family_s_wish_comes_first(opened: Any, people: Any) -> None:
    async with opened(people.rosa) as access:
        before = await suggestions(access, {}, await wish_of_family(access))
        assert {one.candidate.name for one in before[:2]} == {"Rosa Whitlow", "Tomas Reed"}
        with pytest.raises(Invalid, match="another look"):
            await note_wish(
                access, worker_id=people.stranger.id, said_on=TODAY, said_by="Mum", words="Him"
            )
        await note_wish(
            access, worker_id=people.beth.id, said_on=TODAY, said_by="Mum", words="Beth, please"
        )
    async with opened(people.tomas) as access:
        wish = await wish_of_family(access)
        assert wish is not None
        assert (wish.worker, wish.said_by) == ("Beth Amory", "Mum")
        first = (await suggestions(access, {}, wish))[0]
    assert (first.candidate.name, first.is_wished) == ("Beth Amory", True)


async def test_a_caseload_counts_every_child_against_the_limit_of_the_day(
    opened: Any, people: Any, tenant: Tenant, clock: FixedClock, another_child: Any
) -> None:
    other = await another_child("C-2", "Theo", [people.rosa])
    async with tenant.transaction(JOB) as session:
        for child in (people.child, other):
            await hand_at_once(session, child, people.rosa.id, "")
        assert (await loads(session, [people.rosa.id]))[people.rosa.id] == Load(2, 0, 0, 25)
    manager = Viewer(
        people.ines.id, ViewerKind.WORKER, people.ines.agency, "health", frozenset({Role.MANAGER})
    )
    async with tenant.transaction(manager.id) as session:
        with pytest.raises(NotAllowed):
            await set_limit(session, people.rosa, 1, TODAY, "Ours")
        with pytest.raises(Invalid):
            await set_limit(session, manager, 1, TODAY - DAY, "Our policy")
        await set_limit(session, manager, 3, TODAY, "Our policy of May")
        await set_limit(session, manager, 1, TODAY + 2 * DAY, "Our policy of December")
        agencies = [people.ines.agency, people.beth.agency]
        now = await limits_of(session, agencies)
        assert [now[one] for one in agencies] == [3, 25]
    clock.set(clock.now() + 2 * DAY)
    async with tenant.transaction(JOB) as session:
        page = await caseload(session, people.ines.agency, Asked())
    assert [(one.name, one.load.plans, one.load.limit) for one in page.rows] == [
        ("Rosa Whitlow", 2, 1),
        ("Ines Marlow", 0, 1),
    ]
    shown = caseload_page(page, 1, TODAY, "/caseload")
    assert [one.tag for one in shown.rows] == ["1 over the limit", ""]


async def test_at_the_limit_an_offer_says_why(opened: Any, people: Any) -> None:
    full = {"plans_held": 25, "limit": 25}
    async with opened(people.rosa) as access:
        with pytest.raises(Invalid) as refused:
            await offer_lead(access, people.tomas.id, Terms(**full))
        offer = await offer_lead(
            access, people.tomas.id, Terms(over_limit="He knows her sister", **full)
        )
        assert offer.over_limit == "He knows her sister"
    (mistake,) = refused.value.errors
    assert (mistake.field, mistake.sentence) == (
        "over_limit",
        "They hold 25 plans and the limit is 25. Enter why it is right all the same",
    )
