"""The words of each change, and what counts as one: by hand, without a database."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from consent import Category
from panel.panels.change_facts import (
    ActionFact,
    AgreementFact,
    AssessmentFact,
    Changed,
    EventFact,
    InvolvementFact,
    LeadFact,
    LevelFact,
    OutcomeFact,
    PlanFact,
    RestrictionFact,
    ScoreFact,
    TransitionFact,
    Was,
    WordsFact,
)
from panel.panels.change_rules import Change, Kind, changes
from panel.panels.changes import ChangeLine, visible_to_all
from panel.platform.ids import new_id

CHILD, ROW, HEALTH, EDUCATION = new_id(), new_id(), new_id(), new_id()
TALKED = datetime(2026, 6, 4, 9, 40, tzinfo=UTC)
BEFORE, AFTER = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), datetime(2026, 10, 9, 9, 0, tzinfo=UTC)
TODAY = date(2026, 12, 3)


def told(*, school: str | None = None, was: tuple[Was, ...] = (), **facts: Any) -> list[Change]:
    parts = dict.fromkeys(
        one for one in Changed.__struct_fields__ if one not in ("school", "was")
    )  # fmt: skip
    return changes(Changed(school=school, was=was, **(parts | facts)), CHILD, TALKED, TODAY)


def words(found: list[Change]) -> list[str]:
    return [one.words for one in found]


def was(what: str, code: str | None, row: UUID = ROW, at: datetime = AFTER) -> Was:
    return Was(what, row, at, code)


def action(**given: Any) -> ActionFact:
    plain: dict[str, Any] = {
        "id": ROW, "at": BEFORE, "plan_state": "agreed", "with_plan": False, "agency_id": HEALTH,
        "met_on": None, "text": "00", "owner_agency": "Early years inclusion",
        "owner_words": None, "due_on": None, "state": "to_do", "done_on": None,
    }  # fmt: skip
    return ActionFact(**(plain | given))


def outcome(**given: Any) -> OutcomeFact:
    plain: dict[str, Any] = {
        "id": ROW, "at": BEFORE, "plan_state": "agreed", "with_plan": True, "agency_id": HEALTH,
        "text": "00", "state": "working_towards", "baseline": 2, "target": 5, "scores": None,
    }  # fmt: skip
    return OutcomeFact(**(plain | given))


def involvement(**given: Any) -> InvolvementFact:
    plain: dict[str, Any] = {
        "id": ROW, "at": AFTER, "agency_id": HEALTH, "agency": "Audiology", "part": "",
        "from_on": date(2026, 10, 9), "expected_from_on": None, "until_on": None,
    }  # fmt: skip
    return InvolvementFact(**(plain | given))


def agreement(**given: Any) -> AgreementFact:
    plain: dict[str, Any] = {
        "id": ROW, "at": AFTER, "given": True, "by_words": "her mother",
        "agencies": ("School nursing",), "level": None, "named": (Category.HEALTH,),
        "from_on": date(2026, 11, 1), "until_on": None, "withdrawn_at": None,
    }  # fmt: skip
    return AgreementFact(**(plain | given))


def test_nothing_changed() -> None:
    assert told() == []
    same = agreement(at=BEFORE, from_on=date(2026, 3, 2))
    assert told(actions=(action(),), outcomes=(outcome(),), agreements=(same,)) == []


# Actions ------------------------------------------------------------------------------------------


def test_an_action_is_overdue() -> None:
    (line,) = told(actions=(action(due_on=date(2026, 11, 12)),))
    assert line.words == "Action overdue 21 days: {text} (Early years inclusion)"
    assert (line.category, line.author_agency) == (Category.PLAN, HEALTH)


def test_one_that_was_overdue_then_is_no_news() -> None:
    assert told(actions=(action(due_on=date(2026, 6, 3)),)) == []


def test_one_due_on_the_day_of_the_panel_was_not_overdue_then() -> None:
    assert words(told(actions=(action(due_on=date(2026, 6, 4)),))) == [
        "Action overdue 182 days: {text} (Early years inclusion)"
    ]


def test_an_action_of_a_replaced_plan_waits_no_longer() -> None:
    assert told(actions=(action(due_on=date(2026, 11, 12), plan_state="replaced"),)) == []


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        ({"state": "done", "done_on": date(2026, 11, 2)}, "doing", "Action met: "),
        ({"state": "dropped"}, "to_do", "Action dropped: "),
        ({"state": "to_do"}, "done", "Action taken up again: "),
    ],
)
def test_an_action_changes_its_state(now: dict[str, Any], before: str, said: str) -> None:
    (line,) = told(actions=(action(**now),), was=(was("action.state", before),))
    assert line.words == f"{said}{{text}} (Early years inclusion)"


def test_what_changed_and_changed_back_did_not_change() -> None:
    there_and_back = (was("action.state", "to_do"), was("action.state", "done"))
    assert told(actions=(action(),), was=there_and_back) == []


def test_an_action_is_put_off_and_owned_by_somebody_in_words() -> None:
    (line,) = told(
        actions=(action(due_on=date(2027, 1, 8), owner_agency=None, owner_words="00"),),
        was=(was("action.due_on", "2026-12-01"),),
    )
    assert line.words == "Action put off from 1 December 2026 to 8 January 2027: {text} ({who})"


def test_a_new_action_is_news_unless_that_very_panel_asked_for_it() -> None:
    new = action(at=AFTER, due_on=date(2026, 12, 15))
    assert words(told(actions=(new,))) == [
        "New action, by 15 December 2026: {text} (Early years inclusion)"
    ]
    assert told(actions=(action(at=AFTER, met_on=date(2026, 6, 4)),)) == []
    assert told(actions=(action(at=AFTER, with_plan=True),)) == []


# Outcomes and plans -------------------------------------------------------------------------------


def test_an_outcome_is_reached() -> None:
    (line,) = told(
        outcomes=(outcome(state="reached"),),
        was=(was("desired_outcome.state", "working_towards"),),
    )
    assert (line.words, line.on) == ("Reached: “{text}”", date(2026, 10, 9))


def score(value: int, on: date, at: datetime) -> ScoreFact:
    return ScoreFact(id=new_id(), at=at, on=on, value=value)


def test_an_outcome_moves() -> None:
    scores = (score(3, date(2026, 5, 1), BEFORE), score(4, date(2026, 10, 9), AFTER))
    (line,) = told(outcomes=(outcome(scores=scores),))
    assert line.words == "“{text}” moved from 3 to 4 of 5 (aim 5)"


def test_a_first_score_moves_from_the_start_if_there_was_one() -> None:
    scores = (score(4, date(2026, 10, 9), AFTER),)
    assert words(told(outcomes=(outcome(scores=scores, target=None),))) == [
        "“{text}” moved from 2 to 4 of 5"
    ]
    assert words(told(outcomes=(outcome(scores=scores, baseline=None),))) == [
        "“{text}” now at 4 of 5 (aim 5)"
    ]


def test_a_score_entered_late_for_an_earlier_day_is_no_move() -> None:
    scores = (score(1, date(2026, 4, 1), AFTER), score(3, date(2026, 5, 1), BEFORE))
    assert told(outcomes=(outcome(scores=scores),)) == []


def plan(**given: Any) -> PlanFact:
    plain: dict[str, Any] = {
        "id": ROW, "at": AFTER, "number": 2, "state": "agreed", "agency_id": HEALTH,
        "started_on": date(2026, 10, 9), "agreed_on": date(2026, 10, 12), "replaced_on": None,
    }  # fmt: skip
    return PlanFact(**(plain | given))


def test_a_plan_is_agreed_or_begun_and_the_one_before_is_replaced() -> None:
    former = plan(
        id=CHILD, at=BEFORE, number=1, state="replaced", agreed_on=date(2026, 3, 2),
        replaced_on=date(2026, 10, 9),
    )  # fmt: skip
    found = told(plans=(former, plan()), was=(was("plan.state", "agreed", CHILD),))
    assert words(found) == [
        "New plan agreed on 12 October 2026",
        "The plan of 2 March 2026 was replaced",
    ]
    assert words(told(plans=(plan(number=1, state="draft", agreed_on=None),))) == [
        "Plan begun on 9 October 2026, not agreed yet"
    ]


def test_an_assessment_is_signed_off() -> None:
    one = AssessmentFact(
        id=ROW, at=AFTER, form="CAF", number=2, agency_id=HEALTH, agency="Health visiting",
        signed_off_on=date(2026, 10, 9),
    )  # fmt: skip
    assert words(told(assessments=(one,))) == [
        "CAF, version 2, signed off on 9 October 2026 by Health visiting"
    ]


# People and places --------------------------------------------------------------------------------


def test_an_agency_begins_ends_and_is_expected() -> None:
    assert words(told(involvements=(involvement(part="hearing tests"),))) == [
        "Audiology: hearing tests, involved since 9 October 2026"
    ]
    over = involvement(at=BEFORE, from_on=date(2026, 1, 5), until_on=date(2026, 11, 30))
    assert words(told(involvements=(over,))) == [
        "Audiology, no longer involved after 30 November 2026"
    ]
    coming = involvement(from_on=None, expected_from_on=date(2027, 3, 1))
    assert words(told(involvements=(coming,))) == ["Audiology, expected from 1 March 2027"]


def test_an_expected_agency_begins_by_itself_when_its_day_comes() -> None:
    assert words(told(involvements=(involvement(at=BEFORE),))) == [
        "Audiology, involved since 9 October 2026"
    ]


def test_the_part_of_the_lead_professional_is_told_by_their_own_line() -> None:
    assert told(involvements=(involvement(part="lead professional"),)) == []


def lead(**given: Any) -> LeadFact:
    plain: dict[str, Any] = {
        "id": ROW, "at": AFTER, "worker_id": new_id(), "agency_id": HEALTH,
        "agency": "Health visiting", "worker": "00", "state": "accepted",
        "offered_on": date(2026, 10, 7), "answered_on": date(2026, 10, 9),
        "from_on": date(2026, 10, 9), "until_on": None,
    }  # fmt: skip
    return LeadFact(**(plain | given))


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (lead(), "Lead professional since 9 October 2026: {who} (Health visiting)"),
        (
            lead(state="offered", answered_on=None, from_on=None),
            "Lead professional: {who} (Health visiting), offered on 7 October 2026, not answered yet",
        ),
        (
            lead(state="declined", from_on=None),
            "{who} (Health visiting), declined on 9 October 2026 to lead",
        ),
        (
            lead(state="ended", until_on=date(2026, 11, 2)),
            "{who} (Health visiting), lead professional until 2 November 2026",
        ),
    ],
)
def test_the_lead_professional_changes(one: LeadFact, said: str) -> None:
    (line,) = told(leads=(one,))
    assert (line.words, line.category, line.author_agency) == (said, Category.NETWORK, HEALTH)


def test_that_the_address_changed_is_said_and_no_address() -> None:
    changed = (was("child.postcode", None, CHILD), was("child.ward_code", None, CHILD))
    (line,) = told(was=changed)
    assert line.words == "The address changed on 9 October 2026"
    assert (line.category, line.text) == (Category.CONTACT, None)


def test_the_school_as_it_is_now() -> None:
    (line,) = told(school="Marlow {Primary}", was=(was("child.school", None, CHILD),))
    assert line.words.format(text="", who="") == (
        "School or nursery: Marlow {Primary}, since 9 October 2026"
    )
    assert line.category is Category.EDUCATION


def transition(on: date, **given: Any) -> TransitionFact:
    plain: dict[str, Any] = {
        "id": ROW, "at": BEFORE, "what": "Starts Reception.", "on": on,
        "referred_on": date(2026, 3, 2),
    }  # fmt: skip
    return TransitionFact(**(plain | given))


def test_a_transition_comes_near_comes_or_is_noted() -> None:
    assert words(told(transitions=(transition(date(2027, 3, 3)),))) == [
        "Near now: starts Reception, Wednesday 3 March 2027 (in 90 days)"
    ]
    assert told(transitions=(transition(date(2027, 3, 4)),)) == []
    assert words(told(transitions=(transition(date(2026, 9, 1)),))) == [
        "Starts Reception: that day was 1 September 2026"
    ]
    noted = (was("referral.transition_on", None),)
    assert words(told(transitions=(transition(date(2027, 9, 1)),), was=noted)) == [
        "Coming: starts Reception, Wednesday 1 September 2027 (in 272 days)"
    ]


# What was said and agreed -------------------------------------------------------------------------


def test_an_event_and_the_familys_words_keep_their_own_category_and_author() -> None:
    event = EventFact(
        id=ROW, at=AFTER, happened_on=date(2026, 10, 9), kind="diagnosis",
        category=Category.HEALTH, agency_id=HEALTH, text="00",
    )  # fmt: skip
    said = WordsFact(
        id=ROW, at=AFTER, said_on=date(2026, 11, 23), person_id=CHILD, agency_id=None,
        relationship="mother", text="00",
    )  # fmt: skip
    first, second = told(events=(event,), words=(said,))
    assert first.words == "Diagnosis, 9 October 2026: {text}"
    assert (first.category, first.author_agency) == (Category.HEALTH, HEALTH)
    assert second.words == "Mother: “{text}”"
    assert (second.category, second.author_person) == (Category.VIEWS, CHILD)


def test_an_asking_that_was_answered_is_news() -> None:
    asked = WordsFact(
        id=ROW, at=BEFORE, said_on=date(2026, 11, 23), person_id=None, agency_id=HEALTH,
        relationship=None, text="00",
    )  # fmt: skip
    (line,) = told(words=(asked,), was=(was("family_words.said_on", None),))
    assert line.words == "The family: “{text}”"
    assert told(words=(asked,)) == []


def level(judged: date, code: str, at: datetime) -> LevelFact:
    return LevelFact(id=new_id(), at=at, level=code, judged_on=judged, agency_id=HEALTH)


def test_the_level_of_need_with_the_one_before() -> None:
    before = level(date(2026, 3, 2), "early_help", BEFORE)
    (line,) = told(levels=(before, level(date(2026, 10, 9), "targeted", AFTER)))
    assert line.words == "Level of need judged on 9 October 2026: Targeted (before: Early help)"
    assert told(levels=(before,)) == []


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (
            agreement(),
            "Agreement: School nursing may see health since 1 November 2026 (her mother)",
        ),
        (
            agreement(at=BEFORE, level="basic", named=(), by_words="she"),
            "Agreement: School nursing may see basic information since 1 November 2026 (she)",
        ),
        (
            agreement(given=False, agencies=None, named=()),
            "Refusal: no agency may see anything since 1 November 2026 (her mother)",
        ),
        (
            agreement(from_on=date(2026, 12, 10)),
            "Agreement: School nursing may see health from 10 December 2026 (her mother)",
        ),
        (
            agreement(at=BEFORE, from_on=date(2026, 3, 2), withdrawn_at=AFTER),
            "Her mother no longer agrees to let School nursing see health, since 9 October 2026",
        ),
        (
            agreement(at=BEFORE, from_on=date(2026, 3, 2), until_on=date(2026, 9, 30)),
            "Ended on 30 September 2026: her mother agreed to let School nursing see health",
        ),
    ],
)
def test_agreements(one: AgreementFact, said: str) -> None:
    (line,) = told(agreements=(one,))
    assert (line.words, line.category) == (said, Category.NETWORK)


def test_what_was_agreed_and_taken_back_in_between_is_no_change() -> None:
    assert told(agreements=(agreement(withdrawn_at=AFTER),)) == []


def test_a_choice_is_told_with_whom_it_is_kept_from() -> None:
    choice = RestrictionFact(
        id=ROW, at=AFTER, by_words="her mother", categories=(Category.FINANCE,),
        against=("Portage",), is_person=True, from_on=date(2026, 10, 9), until_on=None,
    )  # fmt: skip
    assert words(told(restrictions=(choice,))) == [
        "Kept back by choice since 9 October 2026: money from Portage and a person (her mother)"
    ]


# What an import wrote -----------------------------------------------------------------------------


def test_an_imported_row_is_known_from_the_day_that_it_speaks_of() -> None:
    imported: dict[str, Any] = {"at": datetime(2026, 12, 1, 9, 0, tzinfo=UTC), "by_job": True}
    earlier = date(2026, 3, 2)
    assert told(plans=(plan(**imported, started_on=earlier, agreed_on=earlier),)) == []
    assert words(told(plans=(plan(**imported, started_on=earlier),))) == [
        "New plan agreed on 12 October 2026"
    ]
    assert told(involvements=(involvement(**imported, from_on=earlier),)) == []
    assert told(agreements=(agreement(**imported, from_on=earlier),)) == []
    assert told(leads=(lead(**imported, offered_on=earlier, from_on=earlier),)) == []
    assert words(told(leads=(lead(**imported, offered_on=earlier),))) == [
        "Lead professional since 9 October 2026: {who} (Health visiting)"
    ]
    met = action(**imported, with_plan=True, state="done", done_on=date(2026, 11, 2))
    assert words(told(actions=(met,))) == ["Action met: {text} (Early years inclusion)"]
    assert told(actions=(action(**imported, with_plan=True, state="done", done_on=earlier),)) == []


# In which order, and for whom ---------------------------------------------------------------------


def test_assessments_come_first_agreements_last_and_the_newest_before_the_older() -> None:
    found = told(
        agreements=(agreement(),),
        involvements=(involvement(), involvement(id=CHILD, from_on=date(2026, 11, 2))),
        outcomes=(outcome(at=AFTER, with_plan=False),),
    )
    assert [one.kind for one in found] == [
        Kind.OUTCOME_NEW, Kind.INVOLVED, Kind.INVOLVED, Kind.AGREEMENT,
    ]  # fmt: skip
    assert found[1].on > found[2].on


def test_a_shared_screen_shows_what_everybody_may_see() -> None:
    def line(category: Category, agency: UUID | None) -> ChangeLine:
        return ChangeLine("Something", Kind.EVENT, TODAY, category, agency, None)

    def health(category: Category, agency: UUID | None, _person: UUID | None) -> bool:
        return category is Category.PLAN or agency == HEALTH

    def education(category: Category, agency: UUID | None, _person: UUID | None) -> bool:
        return category is Category.PLAN or agency == EDUCATION

    lines = [line(Category.PLAN, None), line(Category.HEALTH, HEALTH)]
    assert visible_to_all(lines, [health]) == lines
    assert visible_to_all(lines, [health, education]) == lines[:1]
    assert visible_to_all(lines, []) == lines
