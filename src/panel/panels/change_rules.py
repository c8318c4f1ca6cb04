"""What changed on a child's record between two moments: no database, no clock, no request.

What stood then is worked out from what stands now and from what each watched column was before it
changed; a row that was not written then was not there. What an import or a job wrote is known from
the day that it speaks of, so that an imported year is not all news. Days are Europe/London dates.
Source: PAGES.md, "The meeting"; DOMAIN.md, "Words".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from consent import Category
from consent.words import SECTION_WORDS
from panel.panels.change_facts import (
    ActionFact,
    AgreementFact,
    AssessmentFact,
    Changed,
    DocumentFact,
    EventFact,
    InvolvementFact,
    LeadFact,
    LevelFact,
    Made,
    OutcomeFact,
    PlanFact,
    RestrictionFact,
    ScoreFact,
    TransitionFact,
    Was,
    WordsFact,
)
from panel.panels.rules import TRANSITION_AHEAD_MONTHS
from panel.plans.service import PART as PART_OF_LEAD
from panel.plans.service import is_overdue
from panel.platform.clock import day_of
from panel.records.dates import months_after
from panel.register.service import EVENT_KINDS, LEVEL_WORDS
from panel.web import words
from panel.web.words import in_a_row, lower_first, plural, short_day, upper_first

HOW_MUCH = {"basic": "basic information", "additional": "basic and additional information"}


class Kind(StrEnum):
    """What kind of change a line tells, in the order in which a page shows them."""

    ASSESSMENT = "assessment"
    EVENT = "event"
    LEVEL = "level"
    DOCUMENT = "document"
    PLAN = "plan"
    OUTCOME_REACHED = "outcome_reached"
    OUTCOME_MOVED = "outcome_moved"
    OUTCOME_STOPPED = "outcome_stopped"
    OUTCOME_TAKEN_UP = "outcome_taken_up"
    OUTCOME_NEW = "outcome_new"
    ACTION_OVERDUE = "action_overdue"
    ACTION_MET = "action_met"
    ACTION_PUT_OFF = "action_put_off"
    ACTION_TAKEN_UP = "action_taken_up"
    ACTION_DROPPED = "action_dropped"
    ACTION_NEW = "action_new"
    LEAD = "lead"
    INVOLVED = "involved"
    NO_LONGER_INVOLVED = "no_longer_involved"
    EXPECTED = "expected"
    MOVED = "moved"
    SCHOOL = "school"
    TRANSITION = "transition"
    WORDS = "words"
    AGREEMENT = "agreement"
    RESTRICTION = "restriction"


@dataclass(frozen=True, slots=True)
class SealedText:
    """A text that is not opened yet. Without a holder it is the child's."""

    field: str
    row: UUID
    sealed: str
    """Hexadecimal."""
    holder: UUID | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One line: its words, with {text} and {who} where something sealed goes."""

    kind: Kind
    on: date
    row: UUID
    words: str
    category: Category
    author_agency: UUID | None = None
    author_person: UUID | None = None
    text: SealedText | None = None
    who: SealedText | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """From when until when changes are told, and what columns were before they changed."""

    moment: datetime
    today: date
    was: Sequence[Was] = ()

    @property
    def day(self) -> date:
        """The day of the moment, in London."""
        return day_of(self.moment)

    def knew(self, row: Made, day: date | None = None) -> bool:
        """Whether a row was there then; `day` is what an imported one speaks of."""
        return row.at <= self.moment or (row.by_job and day is not None and day <= self.day)

    def code(self, row: UUID, what: str, now: object) -> str | None:
        """What a watched column held then, as a code."""
        for one in self.was:
            if one.row_id == row and one.what == what:
                return one.from_code
        return None if now is None else str(now)

    def date_of(self, row: UUID, what: str, now: date | None) -> date | None:
        """What a watched day was then."""
        code = self.code(row, what, now)
        return None if code is None else date.fromisoformat(code)

    def last(self, row: UUID, *what: str) -> date | None:
        """The day of the last change of these columns, or None where none changed."""
        moments = [one.at for one in self.was if one.row_id == row and one.what in what]
        return day_of(max(moments)) if moments else None


def changes(facts: Changed, child: UUID, since: datetime, today: date) -> list[Change]:
    """Every change since a moment, in the order of `Kind`, the newest first within one."""
    then = Since(since, today, facts.was or ())
    found = [
        *_each(_assessment(one, then) for one in facts.assessments or ()),
        *_each(_plan(one, then) for one in facts.plans or ()),
        *_each(_outcome(one, then) for one in facts.outcomes or ()),
        *_each(_moved(one, then) for one in facts.outcomes or ()),
        *_each(_action(one, then) for one in facts.actions or ()),
        *_each(_involvement(one, then) for one in facts.involvements or ()),
        *_each(_lead(one, then) for one in facts.leads or ()),
        *_each(_event(one, then) for one in facts.events or ()),
        *_each([_level(facts.levels or (), then)]),
        *_each(_document(one, then) for one in facts.documents or ()),
        *_each(_family_words(one, then) for one in facts.words or ()),
        *_each(_agreement(one, then) for one in facts.agreements or ()),
        *_each(_restriction(one, then) for one in facts.restrictions or ()),
        *_each(_transition(one, then) for one in facts.transitions or ()),
        *_places(child, facts.school, then),
    ]
    order = list(Kind)
    return sorted(found, key=lambda one: (order.index(one.kind), -one.on.toordinal(), one.row))


def _each(found: Iterable[Change | None]) -> Iterator[Change]:
    return (one for one in found if one is not None)


# Assessment, plan and outcomes --------------------------------------------------------------------


def _assessment(one: AssessmentFact, since: Since) -> Change | None:
    if since.knew(one, one.signed_off_on) and (
        since.code(one.id, "assessment.state", "signed_off") == "signed_off"
    ):
        return None
    version = "" if one.number == 1 else f", version {one.number},"
    said = f"{_plain(one.form)}{version} signed off on {short_day(one.signed_off_on)}"
    return Change(
        Kind.ASSESSMENT,
        one.signed_off_on,
        one.id,
        f"{said} by {_plain(one.agency)}",
        Category.NETWORK,
        one.agency_id,
    )


def _plan_then(one: PlanFact, since: Since) -> str | None:
    if not since.knew(one, one.started_on):
        return None
    if one.by_job and one.agreed_on is not None and one.agreed_on > since.day:
        return "draft"
    if one.by_job and one.replaced_on is not None and one.replaced_on > since.day:
        return "agreed"
    return since.code(one.id, "plan.state", one.state)


def _plan(one: PlanFact, since: Since) -> Change | None:
    then = _plan_then(one, since)
    if one.state == then or (then is None and one.state in ("replaced", "ended")):
        return None
    new = "New plan" if one.number > 1 else "Plan"
    changed = since.last(one.id, "plan.state") or one.started_on
    on, said = {
        "draft": (one.started_on, f"{new} begun on {short_day(one.started_on)}, not agreed yet"),
        "agreed": (
            one.agreed_on or changed,
            f"{new} agreed on {short_day(one.agreed_on or changed)}",
        ),
        "replaced": (
            one.replaced_on or changed,
            f"The plan of {short_day(one.agreed_on or one.started_on)} was replaced",
        ),
        "ended": (changed, f"The plan of {short_day(one.agreed_on or one.started_on)} ended"),
    }[one.state]
    return Change(Kind.PLAN, on, one.id, said, Category.PLAN, one.agency_id)


_CURRENT = ("draft", "agreed", None)
"""States of a plan whose outcomes and actions count; None for an action that is in none."""


def _outcome(one: OutcomeFact, since: Since) -> Change | None:
    is_new = not since.knew(one) and not one.with_plan
    then = None if is_new else since.code(one.id, "desired_outcome.state", one.state)
    if one.state == then:
        return None
    on = since.last(one.id, "desired_outcome.state") or day_of(one.at)
    if one.state == "reached":
        return _of_outcome(one, Kind.OUTCOME_REACHED, on, "Reached: “{text}”")
    if one.state == "stopped":
        return None if is_new else _of_outcome(one, Kind.OUTCOME_STOPPED, on, "Stopped: “{text}”")
    if is_new:
        if one.plan_state not in _CURRENT:
            return None
        return _of_outcome(one, Kind.OUTCOME_NEW, on, "New desired outcome: “{text}”")
    return _of_outcome(one, Kind.OUTCOME_TAKEN_UP, on, "Worked towards again: “{text}”")


def _moved(one: OutcomeFact, since: Since) -> Change | None:
    """Another score than then, of an outcome that is still worked towards."""
    scores = one.scores or ()
    known = [score for score in scores if since.knew(score, score.on)]
    if one.state != "working_towards" or not scores or len(known) == len(scores):
        return None
    now = _latest(scores)
    baseline = since.code(one.id, "desired_outcome.baseline", one.baseline)
    before = _latest(known).value if known else None if baseline is None else int(baseline)
    if now.value == before:
        return None
    course = f"now at {now.value}" if before is None else f"moved from {before} to {now.value}"
    aim = "" if one.target is None else f" (aim {one.target})"
    return _of_outcome(one, Kind.OUTCOME_MOVED, now.on, f"“{{text}}” {course} of 5{aim}")


def _latest(scores: Sequence[ScoreFact]) -> ScoreFact:
    """Of several on one day the one written down last, as they come."""
    return max(reversed(scores), key=lambda score: score.on)


def _of_outcome(one: OutcomeFact, kind: Kind, on: date, said: str) -> Change:
    text = _sealed("desired_outcome.text", one.id, one.text)
    return Change(kind, on, one.id, said, Category.PLAN, one.agency_id, text=text)


# Actions ------------------------------------------------------------------------------------------

_OPEN = ("to_do", "doing")


def _action(one: ActionFact, since: Since) -> Change | None:
    is_new = not since.knew(one) and not one.with_plan
    then = None if is_new else _action_state_then(one, since)
    if one.state not in _OPEN:
        return _closed_action(one, then, since)
    # A plan that was replaced keeps its own; what was open in it goes on in the plan after it.
    return _open_action(one, then, since) if one.plan_state in _CURRENT else None


def _closed_action(one: ActionFact, then: str | None, since: Since) -> Change | None:
    on = since.last(one.id, "action.state") or day_of(one.at)
    if one.state == "done" and then != "done":
        return _of_action(one, Kind.ACTION_MET, one.done_on or on, "Action met: ")
    if one.state == "dropped" and then in _OPEN:
        return _of_action(one, Kind.ACTION_DROPPED, on, "Action dropped: ")
    return None


def _open_action(one: ActionFact, then: str | None, since: Since) -> Change | None:
    due_then = since.date_of(one.id, "action.due_on", one.due_on)
    if is_overdue(one.state, one.due_on, since.today) and one.due_on is not None:
        if then is not None and is_overdue(then, due_then, since.day):
            return None
        late = plural((since.today - one.due_on).days, "day")
        return _of_action(one, Kind.ACTION_OVERDUE, one.due_on, f"Action overdue {late}: ")
    if then is None:
        return None if one.met_on == since.day else _new_action(one)
    if then not in _OPEN:
        on = since.last(one.id, "action.state") or day_of(one.at)
        return _of_action(one, Kind.ACTION_TAKEN_UP, on, "Action taken up again: ")
    return _put_off(one, due_then, since)


def _new_action(one: ActionFact) -> Change:
    by = "" if one.due_on is None else f", by {short_day(one.due_on)}"
    return _of_action(one, Kind.ACTION_NEW, day_of(one.at), f"New action{by}: ")


def _put_off(one: ActionFact, due_then: date | None, since: Since) -> Change | None:
    if due_then is None or one.due_on is None or one.due_on <= due_then:
        return None
    on = since.last(one.id, "action.due_on") or day_of(one.at)
    said = f"Action put off from {short_day(due_then)} to {short_day(one.due_on)}: "
    return _of_action(one, Kind.ACTION_PUT_OFF, on, said)


def _action_state_then(one: ActionFact, since: Since) -> str | None:
    if one.by_job and one.done_on is not None and one.done_on > since.day:
        return "to_do"
    return since.code(one.id, "action.state", one.state)


def _of_action(one: ActionFact, kind: Kind, on: date, said: str) -> Change:
    owner = _plain(one.owner_agency or "")
    who = None if owner else _sealed("action.owner_words", one.id, one.owner_words)
    by = f" ({owner})" if owner else " ({who})" if who else ""
    return Change(
        kind,
        on,
        one.id,
        f"{said}{{text}}{by}",
        Category.PLAN,
        one.agency_id,
        text=_sealed("action.text", one.id, one.text),
        who=who,
    )


# People -------------------------------------------------------------------------------------------


class _Part(StrEnum):
    EXPECTED = "expected"
    INVOLVED = "involved"
    OVER = "over"


def _part(from_on: date | None, until_on: date | None, day: date) -> _Part:
    """What an agency's part is on a day."""
    if until_on is not None and until_on < day:
        return _Part.OVER
    return _Part.INVOLVED if from_on is not None and from_on <= day else _Part.EXPECTED


def _involvement(one: InvolvementFact, since: Since) -> Change | None:
    if one.part == PART_OF_LEAD:
        return None  # the line about the lead professional says it
    now, then = _part(one.from_on, one.until_on, since.today), _part_then(one, since)
    if now is then:
        return None
    name = _plain(f"{one.agency}: {one.part}" if one.part else one.agency)
    coming = one.from_on or one.expected_from_on
    if now is _Part.INVOLVED and one.from_on is not None:
        return _of_part(
            one,
            Kind.INVOLVED,
            one.from_on,
            f"{name}, involved since {short_day(one.from_on)}",
        )
    if now is _Part.EXPECTED:
        when = "" if coming is None else f" from {short_day(coming)}"
        return _of_part(one, Kind.EXPECTED, day_of(one.at), f"{name}, expected{when}")
    if one.until_on is None or (then is None and one.until_on < since.day):
        return None
    was = "no longer involved" if then else "was involved for a while, and is no longer,"
    return _of_part(
        one,
        Kind.NO_LONGER_INVOLVED,
        one.until_on,
        f"{name}, {was} after {short_day(one.until_on)}",
    )


def _part_then(one: InvolvementFact, since: Since) -> _Part | None:
    if not since.knew(one, one.from_on or one.expected_from_on):
        return None
    return _part(
        since.date_of(one.id, "involvement.from_on", one.from_on),
        since.date_of(one.id, "involvement.until_on", one.until_on),
        since.day,
    )


def _of_part(one: InvolvementFact, kind: Kind, on: date, said: str) -> Change:
    return Change(kind, on, one.id, said, Category.NETWORK, one.agency_id)


def _lead(one: LeadFact, since: Since) -> Change | None:
    then = _lead_then(one, since)
    if one.state == then:
        return None
    answered = one.answered_on or since.last(one.id, "lead_professional.state") or since.today
    began = one.from_on or answered
    ended = one.until_on or answered
    said: dict[str, tuple[date, str]] = {
        "accepted": (began, f"Lead professional since {short_day(began)}: {{who}}"),
        "offered": (
            one.offered_on,
            f"Lead professional: {{who}}, offered on {short_day(one.offered_on)}, not answered yet",
        ),
        "declined": (answered, f"{{who}}, declined on {short_day(answered)} to lead"),
    }
    if then == "accepted" or ended >= since.day:
        said["ended"] = (ended, f"{{who}}, lead professional until {short_day(ended)}")
    if then == "offered":
        said["withdrawn"] = (answered, "Offer to lead taken back: {who}")
    return _of_lead(one, *said[one.state]) if one.state in said else None


def _lead_then(one: LeadFact, since: Since) -> str | None:
    if not since.knew(one, one.offered_on):
        return None
    if not one.by_job or since.last(one.id, "lead_professional.state"):
        return since.code(one.id, "lead_professional.state", one.state)
    if one.from_on is None or one.from_on > since.day:
        return "offered"
    return "accepted" if one.until_on is None or one.until_on >= since.day else "ended"


def _of_lead(one: LeadFact, on: date, said: str) -> Change:
    who = None
    if one.worker is not None:
        who = SealedText("worker.name", one.worker_id, one.worker, one.agency_id)
    return Change(
        Kind.LEAD,
        on,
        one.id,
        said.replace("{who}", f"{{who}} ({_plain(one.agency)})" if who else _plain(one.agency)),
        Category.NETWORK,
        one.agency_id,
        who=who,
    )


# What happened, and what was added ----------------------------------------------------------------


def _event(one: EventFact, since: Since) -> Change | None:
    if since.knew(one, one.happened_on):
        return None
    kind = EVENT_KINDS.get(one.kind, "Event")
    return Change(
        Kind.EVENT,
        one.happened_on,
        one.id,
        f"{kind}, {short_day(one.happened_on)}: {{text}}",
        one.category,
        one.agency_id,
        text=_sealed("significant_event.text", one.id, one.text),
    )


def _level(levels: Sequence[LevelFact], since: Since) -> Change | None:
    """The judgement that holds now, where it was not known then."""
    if not levels or since.knew(levels[-1], levels[-1].judged_on):
        return None
    now = levels[-1]
    known = [one.level for one in levels if since.knew(one, one.judged_on)]
    before = ""
    if known:
        before = " again" if known[-1] == now.level else f" (before: {LEVEL_WORDS[known[-1]]})"
    return Change(
        Kind.LEVEL,
        now.judged_on,
        now.id,
        f"Level of need judged on {short_day(now.judged_on)}: {LEVEL_WORDS[now.level]}{before}",
        Category.PLAN,
        now.agency_id,
    )


def _document(one: DocumentFact, since: Since) -> Change | None:
    if since.knew(one):
        return None
    return Change(
        Kind.DOCUMENT,
        day_of(one.at),
        one.id,
        "Document added: “{text}”",
        one.category,
        one.agency_id,
        text=_sealed("document.title", one.id, one.title),
    )


def _family_words(one: WordsFact, since: Since) -> Change | None:
    if since.knew(one, one.said_on) and since.code(one.id, "family_words.said_on", one.said_on):
        return None
    who = upper_first(_plain(one.relationship or "the family"))
    return Change(
        Kind.WORDS,
        one.said_on,
        one.id,
        f"{who}: “{{text}}”",
        Category.VIEWS,
        one.agency_id,
        one.person_id,
        text=_sealed("family_words.text", one.id, one.text),
    )


# Places -------------------------------------------------------------------------------------------

_HOME = ("child.address", "child.postcode")


def _places(child: UUID, school: str | None, since: Since) -> Iterator[Change]:
    """That the address changed, never what it was or is; and which school it is now."""
    if on := since.last(child, *_HOME):
        yield Change(
            Kind.MOVED, on, child, f"The address changed on {short_day(on)}", Category.CONTACT
        )
    elif on := since.last(child, "child.ward_code"):
        yield Change(Kind.MOVED, on, child, "The ward that they live in changed", Category.CONTACT)
    if on := since.last(child, "child.school"):
        said = f"School or nursery: {_plain(school)}" if school else "No school or nursery any more"
        yield Change(Kind.SCHOOL, on, child, f"{said}, since {short_day(on)}", Category.EDUCATION)


def _transition(one: TransitionFact, since: Since) -> Change | None:
    """A change that is newly noted, that has come near, or that has come."""
    if one.on is None or not one.what:
        return None
    then = since.date_of(one.id, "referral.transition_on", one.on)
    if not since.knew(one, one.referred_on):
        then = None
    what = upper_first(_plain(one.what.strip().rstrip(".")))
    near_from = months_after(one.on, -TRANSITION_AHEAD_MONTHS)
    if one.on < since.today:
        if one.on < since.day:
            return None
        said = f"{what}: that day was {short_day(one.on)}"
    elif then != one.on:
        said = f"Coming: {lower_first(what)}, {words.day_and_distance(one.on, since.today)}"
    elif since.day < near_from <= since.today:
        said = f"Near now: {lower_first(what)}, {words.day_and_distance(one.on, since.today)}"
    else:
        return None
    return Change(Kind.TRANSITION, one.on, one.id, said, Category.PANEL)


# Agreement and choice -----------------------------------------------------------------------------


class _Force(StrEnum):
    TO_COME = "to come"
    IN_FORCE = "in force"
    OVER = "over"
    WITHDRAWN = "withdrawn"


def _force(from_on: date, until_on: date | None, day: date) -> _Force:
    """Whether something dated counts on a day."""
    if from_on > day:
        return _Force.TO_COME
    return _Force.OVER if until_on is not None and until_on < day else _Force.IN_FORCE


def _agreement(one: AgreementFact, since: Since) -> Change | None:
    now = _force(one.from_on, one.until_on, since.today)
    if one.withdrawn_at is not None:
        now = _Force.WITHDRAWN
    then = _agreement_then(one, since)
    if now is then:
        return None
    if now in (_Force.TO_COME, _Force.IN_FORCE):
        # What was agreed for later is told when it is agreed, and again when it begins.
        return None if then and now is _Force.TO_COME else _begun(one, since)
    if then not in (_Force.TO_COME, _Force.IN_FORCE):
        return None
    return _ended(one, since)


def _begun(one: AgreementFact, since: Since) -> Change:
    by, agencies, much = _plain(one.by_words), _agencies(one), _how_much(one)
    if one.given:
        said = f"Agreement: {agencies} may see {much}"
    else:
        whom = f"{agencies} may not see" if agencies else "no agency may see"
        said = f"Refusal: {whom} {much}"
    return _of_agreement(one, one.from_on, f"{said} {_from(one.from_on, since.today)} ({by})")


def _ended(one: AgreementFact, since: Since) -> Change:
    by = _plain(one.by_words)
    what = f"to let {_agencies(one) or 'any agency'} see {_how_much(one)}"
    if one.withdrawn_at is None:
        on = one.until_on or since.today
        word = "agreed" if one.given else "refused"
        return _of_agreement(one, on, f"Ended on {short_day(on)}: {by} {word} {what}")
    on, word = day_of(one.withdrawn_at), "agrees" if one.given else "refuses"
    said = f"{upper_first(by)} no longer {word} {what}, since {short_day(on)}"
    return _of_agreement(one, on, said)


def _agreement_then(one: AgreementFact, since: Since) -> _Force | None:
    if not since.knew(one, one.from_on):
        return None
    if one.withdrawn_at is not None and one.withdrawn_at <= since.moment:
        return _Force.WITHDRAWN
    until_on = since.date_of(one.id, "sharing_agreement.until_on", one.until_on)
    return _force(one.from_on, until_on, since.day)


def _agencies(one: AgreementFact) -> str:
    return in_a_row(map(_plain, one.agencies or ()))


def _how_much(one: AgreementFact) -> str:
    """What it is about; a refusal that names nothing is about everything."""
    named = [SECTION_WORDS[category] for category in one.named]
    return in_a_row([*([HOW_MUCH[one.level]] if one.level else []), *named]) or "anything"


def _from(from_on: date, today: date) -> str:
    return f"{'since' if from_on <= today else 'from'} {short_day(from_on)}"


def _of_agreement(one: AgreementFact, on: date, said: str) -> Change:
    return Change(Kind.AGREEMENT, on, one.id, said, Category.NETWORK)


def _restriction(one: RestrictionFact, since: Since) -> Change | None:
    now = _force(one.from_on, one.until_on, since.today)
    then = None
    if since.knew(one, one.from_on):
        until_on = since.date_of(one.id, "sharing_restriction.until_on", one.until_on)
        then = _force(one.from_on, until_on, since.day)
    if now is then or (then is None and now is _Force.OVER):
        return None
    agencies = [*map(_plain, one.against or ()), *(["a person"] if one.is_person else [])]
    kept = in_a_row(SECTION_WORDS[category] for category in one.categories) or "everything"
    of_whom = f" ({_plain(one.by_words)})" if one.by_words else ""
    what = f"{kept} from {in_a_row(agencies) or 'everyone'}"
    if now is _Force.OVER and one.until_on is not None:
        said = f"No longer kept back by choice since {short_day(one.until_on)}: {what}{of_whom}"
        return Change(Kind.RESTRICTION, one.until_on, one.id, said, Category.NETWORK)
    said = f"Kept back by choice {_from(one.from_on, since.today)}: {what}{of_whom}"
    return Change(Kind.RESTRICTION, one.from_on, one.id, said, Category.NETWORK)


# Words --------------------------------------------------------------------------------------------


def _sealed(field: str, row: UUID, sealed: str | None) -> SealedText | None:
    return None if sealed is None else SealedText(field, row, sealed)


def _plain(said: str) -> str:
    """Somebody's own words inside a line: a brace in them is no place for a text."""
    return said.replace("{", "{{").replace("}", "}}")
