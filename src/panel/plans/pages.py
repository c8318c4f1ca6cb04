"""What the pages about plans and lead professionals say: read models turned into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from panel.plans import rules
from panel.plans.chasing import chased_words
from panel.plans.family_words import LineForFamily
from panel.plans.home import Draft, LeadHome, MyChild, NextAction, OfferToMe
from panel.plans.leads import Candidate, LeadLine, Offer
from panel.plans.leaving import ToHandOver
from panel.plans.measure_pages import NOTHING_MORE, OutcomeMore, PlanMore
from panel.plans.mine import MyAction
from panel.plans.reading import ActionReading, OutcomeReading, PlanLine, PlanReading
from panel.plans.rules import Course
from panel.plans.writing import STATE_WORDS
from panel.platform.clock import day_of
from panel.records.dates import age_words
from panel.records.gate import Withheld
from panel.web.paging import Page
from panel.web.words import (
    day,
    day_and_distance,
    in_a_row,
    plural,
    relative_day,
    short_day,
    upper_first,
)

NOBODY = "Nobody holds this plan yet."
NOTHING_FOUND: Mapping[UUID, LineForFamily] = {}
LONGEST_QUOTE = 240
"""Characters of the family's words in a list; the whole is on the child's page."""

STATE_COLOURS = {
    "working_towards": "teal",
    "reached": "green",
    "stopped": "grey",
    "to_do": "",
    "doing": "teal",
    "done": "green",
    "dropped": "grey",
}
COURSE_WORDS = {
    Course.UNKNOWN: "It is too early to say which way this goes.",
    Course.REACHED: "What we aim for is reached.",
    Course.CLOSER: "It is closer than at the start.",
    Course.SAME: "It stands where it stood at the start.",
    Course.FURTHER: "It is further away than at the start.",
}
SCALE = [(str(each), str(each)) for each in range(rules.LOWEST, rules.HIGHEST + 1)]
SCALE_HINT = "From 0, not at all, to 5, fully"
OUTCOME_STATES = [(state.value, STATE_WORDS[state]) for state in rules.OutcomeState]
ACTION_STATES = [(state.value, STATE_WORDS[state]) for state in rules.ActionState]


# The plan -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """A small bar: the same in words, how far, of how much."""

    id: str
    text: str
    value: int
    of: int


@dataclass(frozen=True, slots=True)
class ForFamily:
    """That the family does not read a line yet, and where to see to it; or why they do."""

    sentence: str
    href: str = ""
    """Where to see to it; empty where the family reads it."""


@dataclass(frozen=True, slots=True)
class OutcomeBlock:
    """A desired outcome as the page shows it; `history` is (day, score, note), newest first."""

    id: UUID
    number: int
    text: str
    measure: str
    state: str
    colour: str
    trend: str
    bar: Bar | None
    history: Sequence[tuple[str, str, str]]
    href: str
    for_family: ForFamily | None = None
    more: OutcomeMore | None = None


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action as the list shows it."""

    id: UUID
    text: str
    owner: str
    due: str
    overdue: str
    """"Overdue by 21 days", or empty."""
    state: str
    colour: str
    note: str
    outcome: str
    stored_state: str
    version: int
    href: str
    for_family: ForFamily | None = None
    service: str = ""
    """The service of the directory by which it is done."""


@dataclass(frozen=True, slots=True)
class PlanPage:
    """The plan of a child. `withheld` says why it is not shown, and then nothing else is."""

    title: str
    next_step: str
    tag: str
    colour: str
    facts: Sequence[tuple[str, str]]
    summary: str
    outcomes: Sequence[OutcomeBlock]
    actions: Sequence[ActionRow]
    finished: Sequence[ActionRow]
    former: Sequence[tuple[str, str]]
    withheld: str
    has_plan: bool
    may_change: bool
    may_agree: bool
    base: str
    lead_href: str
    states: Sequence[tuple[str, str]] = ()


def plan_page(
    child_id: UUID,
    plan: PlanReading | Withheld | None,
    former: Sequence[PlanLine],
    today: date,
    *,
    may_write: bool,
    for_family: Mapping[UUID, LineForFamily] = NOTHING_FOUND,
    more: PlanMore = NOTHING_MORE,
) -> PlanPage:
    """The page of the current plan, or of there being none, or of its not being shown.

    `for_family`: the lines in which something is found that the family is not to read as it is.
    """
    base = f"/children/{child_id}/plan"
    lead_href = f"/children/{child_id}/lead-professional"
    lines = [(_plan_line(one), f"{base}/former/{one.id}") for one in former]
    if not isinstance(plan, PlanReading):
        return PlanPage(
            title="Plan",
            next_step="" if plan is not None or not may_write else "Start a plan with the family.",
            tag="",
            colour="",
            facts=(),
            summary="",
            outcomes=(),
            actions=(),
            finished=(),
            former=lines,
            withheld="" if plan is None else str(plan),
            has_plan=plan is not None,
            may_change=may_write and plan is None,
            may_agree=False,
            base=base,
            lead_href=lead_href,
        )
    is_current = plan.state in rules.CURRENT
    told = {line: _for_family(base, one) for line, one in for_family.items()}
    rows = [
        _action_row(base, plan, one, today, told.get(one.id), more.services) for one in plan.actions
    ]
    return PlanPage(
        title="Plan" if is_current else f"Plan {plan.number}, as it was",
        next_step=_next_step(plan, today, is_changed=more.is_changed) if is_current else "",
        tag={"draft": "Draft", "agreed": "Agreed", "replaced": "Replaced"}.get(plan.state, "Ended"),
        colour={"draft": "yellow", "agreed": "green"}.get(plan.state, "grey"),
        facts=_facts(plan),
        summary=plan.summary,
        outcomes=[
            _outcome_block(base, number, one, told.get(one.id), more.outcomes.get(one.id))
            for number, one in enumerate(plan.outcomes, start=1)
        ],
        actions=[row for row in rows if rules.is_open(row.stored_state)],
        finished=[row for row in rows if not rules.is_open(row.stored_state)],
        former=lines,
        withheld="",
        has_plan=True,
        may_change=may_write and is_current,
        may_agree=may_write
        and bool(plan.outcomes)
        and (plan.state == "draft" or (is_current and more.is_changed)),
        base=base,
        lead_href=lead_href,
        states=ACTION_STATES,
    )


def _next_step(plan: PlanReading, today: date, *, is_changed: bool) -> str:
    if not plan.outcomes:
        return "Add the first desired outcome: what should be different for the child?"
    if plan.state == "draft":
        return "Agree the plan with the family. The panel can take it up once it is agreed."
    if is_changed:
        return "The plan says something else than what was agreed last. Agree it again together."
    overdue = [one for one in plan.actions if rules.is_overdue(one.state, one.due_on, today)]
    if overdue:
        are = "action is" if len(overdue) == 1 else "actions are"
        return f"{len(overdue)} {are} overdue. Ask whoever does it, or set a new date."
    coming = [
        (one.due_on, one)
        for one in plan.actions
        if rules.is_open(one.state) and one.due_on is not None
    ]
    if coming:
        due_on, first = min(coming, key=lambda pair: pair[0])
        by = day_and_distance(due_on, today)
        return f"Next: {first.text.rstrip('.')}. {first.owner}, by {by}."
    return "No action is open."


def _facts(plan: PlanReading) -> list[tuple[str, str]]:
    facts = [("Started", f"{short_day(plan.started_on)} by {plan.author_agency}")]
    facts.append(("Agreed", "Not yet" if plan.agreed_on is None else short_day(plan.agreed_on)))
    if plan.replaced_on is not None:
        facts.append(("Replaced", short_day(plan.replaced_on)))
    return facts


def _plan_line(one: PlanLine) -> str:
    agreed = "never agreed" if one.agreed_on is None else f"agreed {short_day(one.agreed_on)}"
    ended = "" if one.replaced_on is None else f", replaced {short_day(one.replaced_on)}"
    return f"Plan {one.number}, {one.author_agency}: {agreed}{ended}"


def _for_family(base: str, one: LineForFamily) -> ForFamily:
    if one.cleared is None:
        said = in_a_row([f"“{found.words}”" for found in one.found])
        return ForFamily(f"The family cannot read this yet: {said}.", _family_href(base, one))
    by = one.cleared.by or "Somebody"
    on = short_day(day_of(one.cleared.at))
    return ForFamily(f"{by} said on {on} that the family may read it: {one.cleared.why}")


def _family_href(base: str, one: LineForFamily) -> str:
    return f"{base}/lines/{one.line.id}"


@dataclass(frozen=True, slots=True)
class LinePage:
    """A line that is held back from the family. `found` is (the words, why)."""

    words: str
    found: Sequence[tuple[str, str]]
    version: int
    action: str
    change_href: str
    comes_out: str
    """What nobody can say may be read, as a sentence; empty where there is nothing of the kind."""


def line_page(child_id: UUID, told: LineForFamily) -> LinePage:
    """What is held back of one line, and what can be done about it."""
    base = f"/children/{child_id}/plan"
    kind = "actions" if told.line.is_action else "outcomes"
    out = [f"“{one.words}”" for one in told.found if not one.may_be_read]
    return LinePage(
        words=told.line.words.replace("\nby ", "\nWho does this: "),
        found=[(one.words, one.why) for one in told.found],
        version=told.line.version,
        action=_family_href(base, told),
        change_href=f"{base}/{kind}/{told.line.id}",
        comes_out=f"Change the words: {in_a_row(out)} must come out." if out else "",
    )


def _outcome_block(
    base: str,
    number: int,
    one: OutcomeReading,
    for_family: ForFamily | None,
    more: OutcomeMore | None,
) -> OutcomeBlock:
    return OutcomeBlock(
        id=one.id,
        number=number,
        text=one.text,
        measure=one.measure,
        state=STATE_WORDS[one.state],
        colour=STATE_COLOURS[one.state],
        trend=trend_words(one),
        bar=_bar(one),
        history=[
            (
                short_day(each.on),
                "Not scored" if each.value is None else f"{each.value} of {rules.HIGHEST}",
                each.note,
            )
            for each in reversed(one.progress)
        ],
        href=f"{base}/outcomes/{one.id}",
        for_family=for_family,
        more=more,
    )


def trend_words(one: OutcomeReading) -> str:
    """Which way an outcome goes, in one sentence or two."""
    scores = one.scores
    newest = rules.latest(scores)
    if newest is None and one.baseline is None:
        return ""
    aim = "" if one.target is None else f", aiming for {one.target}"
    if newest is None:
        return f"At the start {one.baseline}{aim}. Nothing has been written down since."
    if one.baseline is not None:
        path = f"From {one.baseline} to {newest.value}{aim}."
    else:
        path = f"Now {newest.value}{aim}."
    return f"{path} {COURSE_WORDS[rules.course(one.baseline, one.target, scores)]}"


def _bar(one: OutcomeReading) -> Bar | None:
    newest = rules.latest(one.scores)
    value = one.baseline if newest is None else newest.value
    if value is None:
        return None
    when = "at the start" if newest is None else f"on {short_day(newest.on)}"
    return Bar(f"bar-{one.id}", f"{value} of {rules.HIGHEST} {when}", value, rules.HIGHEST)


def _action_row(
    base: str,
    plan: PlanReading,
    one: ActionReading,
    today: date,
    for_family: ForFamily | None,
    services: Mapping[UUID, str],
) -> ActionRow:
    numbers = {outcome.id: number for number, outcome in enumerate(plan.outcomes, start=1)}
    number = None if one.outcome_id is None else numbers.get(one.outcome_id)
    return ActionRow(
        id=one.id,
        text=one.text,
        owner=one.owner,
        due=_due_words(one, today),
        overdue=overdue_words(one.state, one.due_on, today),
        state=STATE_WORDS[one.state],
        colour=STATE_COLOURS[one.state],
        note=one.note,
        outcome="" if number is None else f"For outcome {number}",
        stored_state=one.state,
        version=one.version,
        href=f"{base}/actions/{one.id}",
        for_family=for_family,
        service="" if one.service_id is None else services.get(one.service_id, ""),
    )


def _due_words(one: ActionReading, today: date) -> str:
    if one.done_on is not None:
        return f"Done {short_day(one.done_on)}"
    if one.due_on is None:
        return "No date"
    return day_and_distance(one.due_on, today) if rules.is_open(one.state) else day(one.due_on)


def overdue_words(state: str, due_on: date | None, today: date) -> str:
    """ "Overdue by 21 days", or nothing."""
    if due_on is None or not rules.is_overdue(state, due_on, today):
        return ""
    return f"Overdue by {plural((today - due_on).days, 'day')}"


def owner_choices(
    people: Sequence[Candidate], action: ActionReading | None = None
) -> list[tuple[str, str]]:
    """Who can do an action, the team first; whoever has it now stays among them."""
    choices = [(str(one.worker_id), f"{one.name}, {one.agency}") for one in people]
    if action is not None and action.owner_worker_id is not None:
        now = str(action.owner_worker_id)
        if now not in {value for value, _ in choices}:
            choices.insert(0, (now, action.owner))
    return choices


def outcome_choices(plan: PlanReading) -> list[tuple[str, str]]:
    """The desired outcomes that an action can be for."""
    return [(str(one.id), shortened(one.text, 90)) for one in plan.outcomes]


def shortened(words: str, at_most: int) -> str:
    """The beginning of a longer text, ended at a word."""
    one_line = " ".join(words.split())
    if len(one_line) <= at_most:
        return one_line
    return one_line[: at_most - 1].rsplit(" ", 1)[0].rstrip(" ,.;") + "…"


# The lead professional ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Who holds the plan. `history` is (title, when, text) for a timeline."""

    now: str
    since: str
    next_step: str
    history: Sequence[tuple[str, str, str]]
    offer: str
    withdraw_href: str
    answer_href: str
    choices: Sequence[tuple[str, str]]
    may_offer: bool
    action: str
    plan_href: str


def lead_page(
    child_id: UUID,
    lines: Sequence[LeadLine],
    people: Sequence[Candidate],
    viewer_id: UUID,
    today: date,
    *,
    may_write: bool,
) -> LeadPage:
    """Who holds the plan since when, what is offered, and to whom it could be."""
    base = f"/children/{child_id}/lead-professional"
    now = next((one for one in lines if one.holds_on(today)), None)
    offered = next((one for one in lines if one.state == "offered"), None)
    choices = [
        (str(one.worker_id), candidate_words(one))
        for one in people
        if one.leaves_on is None and (now is None or one.worker_id != now.worker_id)
    ]
    return LeadPage(
        now=NOBODY if now is None else f"{now.name}, {now.agency}",
        since="" if now is None or now.from_on is None else f"Since {day(now.from_on)}",
        next_step=_lead_step(now, offered),
        history=[_history_line(one, today) for one in lines],
        offer="" if offered is None else _offered_words(offered, today),
        withdraw_href=f"{base}/offers/{offered.id}/withdraw" if offered and may_write else "",
        answer_href=(
            f"/lead-professional/offers/{offered.id}"
            if offered and offered.worker_id == viewer_id
            else ""
        ),
        choices=choices,
        may_offer=may_write and offered is None,
        action=f"{base}/offers",
        plan_href=f"/children/{child_id}/plan",
    )


def candidate_words(one: Candidate) -> str:
    """Who could lead, with what they do and where."""
    title = f", {one.job_title}" if one.job_title else ""
    return f"{one.name}{title}, {one.agency}{' (in the team)' if one.in_team else ''}"


def _lead_step(now: LeadLine | None, offered: LeadLine | None) -> str:
    if offered is not None:
        return f"{offered.name} has yet to answer."
    return "Offer it to somebody who works with the child." if now is None else ""


def _offered_words(offered: LeadLine, today: date) -> str:
    by = f" by {offered.offered_by}" if offered.offered_by else ""
    since = relative_day(offered.offered_on, today)
    return (
        f"Offered to {offered.name}, {offered.agency}{by} on {short_day(offered.offered_on)}"
        f" ({since}), not answered yet."
    )


def _history_line(one: LeadLine, today: date) -> tuple[str, str, str]:
    who = f"{one.name}, {one.agency}{' (beside)' if one.role == 'joint' else ''}"
    reason = " ".join(_handed_words(one))
    if one.state in ("accepted", "ended") and one.from_on is not None:
        begins = "From" if one.from_on > today else "Since"
        if one.until_on is None:
            return (who, f"{begins} {short_day(one.from_on)}", reason)
        return (who, f"{short_day(one.from_on)} to {short_day(one.until_on)}", reason)
    what = {"declined": "Declined", "withdrawn": "Withdrawn"}.get(one.state, "Offered")
    answered = "" if one.answered_on is None else f", {what.lower()} {short_day(one.answered_on)}"
    return (f"{what}: {who}", f"Offered {short_day(one.offered_on)}{answered}", reason)


def _handed_words(one: LeadLine) -> Sequence[str]:
    """Why it ended or was declined, what was handed over with it, and the family's word."""
    said = [one.reason or ""]
    if one.note:
        said.append(f"Handed over with: {one.note}")
    if one.family == "said" and one.family_words:
        said.append(f"The family: “{one.family_words}”")
    elif one.family == "asked":
        said.append("The family was asked and had not answered.")
    elif one.family == "could_not_ask" and one.family_words:
        said.append(f"The family could not be asked: {one.family_words}")
    if one.over_limit:
        said.append(f"Although at the limit: {one.over_limit}")
    return [line for line in said if line]


@dataclass(frozen=True, slots=True)
class OfferPage:
    """A question to whoever reads it: to lead for a child, or to cover for who does."""

    title: str
    facts: Sequence[tuple[str, str]]
    accept: str
    """What the button says."""
    accept_href: str
    decline_href: str
    read_by: str
    """Who reads why they decline."""
    meaning: str


def facts_of_child(offer: Offer, today: date) -> list[tuple[str, str]]:
    """Whom an offer is about, as far as its reader may know."""
    facts = [("Child", offer.given_name or offer.reference)]
    if offer.given_name:
        facts.append(("Reference", offer.reference))
    if offer.birth_date is not None and offer.birth_date <= today:
        facts.append(("Age", age_words(offer.birth_date, today)))
    return facts


def offer_page(offer: Offer, today: date) -> OfferPage:
    """Who offers, whom it is about as far as the reader may know, what it means."""
    by = offer.offered_by or "Somebody"
    if offer.offered_by_agency:
        by = f"{by}, {offer.offered_by_agency}"
    facts = facts_of_child(offer, today)
    facts.append(("Offered by", by))
    facts.append(("Offered", day_and_distance(offer.offered_on, today)))
    if offer.lead_now:
        facts.append(("Lead professional now", offer.lead_now))
    if offer.joint_until is not None:
        facts.append(("They stay beside you until", short_day(offer.joint_until)))
    base = f"/lead-professional/offers/{offer.id}"
    return OfferPage(
        title="Will you be lead professional?",
        facts=facts,
        accept="Yes, I take it on",
        read_by="Whoever offered it reads this",
        accept_href=f"{base}/accept",
        decline_href=f"{base}/decline",
        meaning=(
            "You hold the plan: you keep it up to date, bring people together and are the person"
            " whom the family rings. You begin today; whoever holds it now ends the day before."
        ),
    )


# The lead professional's home ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActionLine:
    """The next action of a child's, with the way to say that it is done."""

    text: str
    about: str
    overdue: str
    href: str
    done_href: str


@dataclass(frozen=True, slots=True)
class ChildRow:
    """One child of a lead professional's."""

    name: str
    reference: str
    """Empty where it stands for the name."""
    href: str
    next_words: str
    next_tag: str
    notices: Sequence[tuple[str, str]]
    """What is owed or overdue: (words, address)."""
    action: ActionLine | None
    said: str
    said_on: str


@dataclass(frozen=True, slots=True)
class LeadHomePage:
    """The lead professional's first page."""

    title: str
    lead: str
    figures: Sequence[tuple[int, str, str]]
    offers: Sequence[tuple[str, str, str, str]]
    """(whom it is about, who offers, since when, address)."""
    children: Sequence[ChildRow]
    drafts: Sequence[tuple[str, str, str, str]]
    """(form, child, since when, address)."""
    previous: str | None
    next: str | None
    note: str


@dataclass(frozen=True, slots=True)
class MyActionRow:
    """One action that the reader is asked to do."""

    name: str
    is_named: bool
    text: str
    due: str
    overdue: str
    """"Overdue by 21 days", or empty."""
    href: str
    more: str = ""
    """Whose it is where it was passed on, and who was reminded when."""


@dataclass(frozen=True, slots=True)
class MyActionsPart:
    """What the reader is asked to do, as a part of their first page; addresses None at an end."""

    rows: Sequence[MyActionRow]
    previous: str | None
    next: str | None
    note: str


def my_actions_part(actions: Page[MyAction], today: date) -> MyActionsPart:
    """What the reader is asked to do, in words."""
    return MyActionsPart(
        _my_action_rows(actions.rows, today),
        _to_actions(actions.previous),
        _to_actions(actions.next),
        actions.note,
    )


def _to_actions(cursor: str | None) -> str | None:
    return None if cursor is None else f"/?actions={cursor}#my-actions"


def _my_action_rows(actions: Sequence[MyAction], today: date) -> list[MyActionRow]:
    return [
        MyActionRow(
            one.name or one.reference,
            bool(one.name),
            "An action that is not shared with your agency: ask the coordinator"
            if one.text is None
            else one.text,
            "No date" if one.due_on is None else day_and_distance(one.due_on, today),
            f"Overdue by {plural((today - one.due_on).days, 'day')}"
            if one.due_on is not None and one.due_on < today
            else "",
            f"/children/{one.child_id}/plan#actions",
            upper_first(", ".join(part for part in (one.owner, chased_words(one.chased)) if part)),
        )
        for one in actions
    ]


@dataclass(frozen=True, slots=True)
class HandOverRow:
    """A plan that came to the reader because somebody left, or will."""

    name: str
    is_named: bool
    since: str
    href: str


def hand_over_rows(cases: Sequence[ToHandOver], today: date) -> list[HandOverRow]:
    """What waits for its handover, in words."""
    return [
        HandOverRow(
            one.name or one.reference,
            bool(one.name),
            f"{'From' if one.from_on > today else 'Since'} {day(one.from_on)}",
            f"/children/{one.child_id}/lead-professional",
        )
        for one in cases
    ]


def lead_home(home: LeadHome, path: str = "/") -> LeadHomePage:
    """My children with what is next; offers first, since somebody waits for an answer.

    `path` is the page's own address: its neighbours are `path?page=…`.
    """
    figures = [
        (home.number_of_children, _noun(home.number_of_children, "child", "children"), "#children"),
        (home.overdue_reviews, _noun(home.overdue_reviews, "review overdue", "reviews overdue"),
         "#children"),
        (home.overdue_actions, _noun(home.overdue_actions, "action overdue", "actions overdue"),
         "#children"),
    ]  # fmt: skip
    return LeadHomePage(
        title="My children",
        lead=_home_lead(home),
        figures=figures,
        offers=[_offer_line(one, home.today) for one in home.offers],
        children=[_child_row(one, home.today) for one in home.children.rows],
        drafts=[_draft_line(one, home.today) for one in home.drafts],
        previous=_at(path, home.children.previous),
        next=_at(path, home.children.next),
        note=home.children.note,
    )


def _noun(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _at(path: str, cursor: str | None) -> str | None:
    return None if cursor is None else f"{path}?page={cursor}"


def _home_lead(home: LeadHome) -> str:
    if home.offers:
        waits = _noun(len(home.offers), "waits", "wait")
        return f"{plural(len(home.offers), 'offer').capitalize()} {waits} for your answer."
    if home.overdue_reviews or home.overdue_actions:
        return "Begin with what is overdue."
    return "Nothing is overdue." if home.number_of_children else ""


def _offer_line(one: OfferToMe, today: date) -> tuple[str, str, str, str]:
    name = one.name or one.reference
    return (
        f"{name}, to cover" if one.covers else name,
        one.offered_by,
        day_and_distance(one.offered_on, today),
        f"/lead-professional/{'cover' if one.covers else 'offers'}/{one.id}",
    )


def _draft_line(one: Draft, today: date) -> tuple[str, str, str, str]:
    return (
        one.form,
        one.name or one.reference,
        f"Started {relative_day(one.started_on, today)}",
        f"/children/{one.child_id}/assessments/{one.assessment_id}",
    )


def _child_row(one: MyChild, today: date) -> ChildRow:
    base = f"/children/{one.child_id}"
    return ChildRow(
        name=one.name or one.reference,
        reference=one.reference if one.name else "",
        href=base,
        next_words=_next_words(one, today),
        next_tag="Review overdue" if one.review_by and one.review_by < today else "",
        notices=_notices(one, base, today),
        action=None if one.action is None else _action_line(one.action, base, today),
        said="" if one.said is None else shortened(one.said.text, LONGEST_QUOTE),
        said_on="" if one.said is None else short_day(one.said.on),
    )


def _next_words(one: MyChild, today: date) -> str:
    if one.next_on is None:
        return "No date yet"
    what = "Panel" if one.next_on == one.meeting_on else "Review by"
    return f"{what} {day_and_distance(one.next_on, today)}"


def _notices(one: MyChild, base: str, today: date) -> list[tuple[str, str]]:
    notices = []
    if one.overdue_actions:
        words = plural(one.overdue_actions, "action")
        notices.append((f"{words} overdue", f"{base}/plan#actions"))
    if one.plan_state is None:
        notices.append(("No plan yet", f"{base}/plan"))
    elif one.plan_state == "draft":
        notices.append(("Plan not agreed yet", f"{base}/plan"))
    if one.offered_on is not None:
        since = relative_day(one.offered_on, today)
        notices.append(
            (f"Handover offered to {one.offered_to} {since}", f"{base}/lead-professional")
        )
    return notices


def _action_line(one: NextAction, base: str, today: date) -> ActionLine:
    owner = "You" if one.is_mine else one.owner
    due = "no date" if one.due_on is None else f"by {short_day(one.due_on)}"
    return ActionLine(
        text="You cannot see what this action says." if one.text is None else one.text,
        about=f"{owner}, {due}" if owner else due.capitalize(),
        overdue=overdue_words("to_do", one.due_on, today),
        href=f"{base}/plan/actions/{one.id}" if one.text is not None else f"{base}/sharing#ask",
        done_href=f"{base}/plan/actions/{one.id}/done" if one.text is not None else "",
    )
