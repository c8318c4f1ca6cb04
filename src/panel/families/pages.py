"""What a family's pages say: short sentences, words that are used at home (reading age about 9)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from panel.allocation.letter_service import OwnLetter
from panel.casework.transition_rules import FAMILY_WORDS
from panel.casework.transitions import ComingForFamily
from panel.families.form_words import form_words
from panel.families.objection_words import objection_words
from panel.families.reading import ChildForFamily, ToRing
from panel.panels.note_answers import OwnNote
from panel.panels.note_rules import Answer
from panel.panels.telling import BeforePanel, OwnWords
from panel.plans.agreeing import Agrees
from panel.plans.rules import HIGHEST, Course, course, is_open, latest
from panel.plans.service import ActionReading, OutcomeReading, PlanReading
from panel.records.family_asks import FamilyAsk
from panel.web import words

_COURSE_WORDS = {
    Course.UNKNOWN: "Still to do",
    Course.REACHED: "Nearly there",
    Course.CLOSER: "Getting better",
    Course.SAME: "Still to do",
    Course.FURTHER: "Harder than before",
}
"""Whether it is done is for people to say together, whatever the numbers."""


@dataclass(frozen=True, slots=True)
class PersonToRing:
    """Who helps, and how to reach them; `tel` is the address of a link that rings."""

    who: str
    part: str
    phone: str
    tel: str
    sentence: str
    told: Sequence[str] = ()
    """Since when they lead, who stands in until when, who leads beside them."""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of the plan: what, and how far or by whom and when."""

    text: str
    state: str
    more: str
    judge_href: str = ""
    """Where the reader says how it is now; empty where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class ToldLine:
    """What somebody told the panel: when, for which meeting, and the words."""

    when: str
    more: str
    text: str


@dataclass(frozen=True, slots=True)
class NoteLink:
    """Notes from the panel that can be read: what they are called, where they are."""

    title: str
    href: str
    is_new: bool
    more: str


@dataclass(frozen=True, slots=True)
class ChildPage:
    """One child's part of the family's page."""

    anchor: str
    name: str
    notes: Sequence[NoteLink]
    next_step: str
    person: PersonToRing
    plan_words: str
    """Said in the place of the plan; empty where the plan is shown or is silently withheld."""
    outcomes: Sequence[PlanLine]
    actions: Sequence[PlanLine]
    done: Sequence[PlanLine]
    tell_words: str
    tell_href: str
    """Where to tell the panel something; empty where no panel is to talk about the child."""
    asked_words: str
    told: Sequence[ToldLine]
    sharing: Sequence[str] = ()
    """What is being decided, or was decided, about sharing."""
    happening: Sequence[str] = ()
    ask_href: str = ""
    """Where to ask for help; empty while the case is open."""
    choices_href: str = ""
    happened_href: str = ""
    changes: Sequence[tuple[str, str]] = ()
    """What changes soon: (what and when, who prepares it)."""
    looks_href: str = ""
    """Empty for who is not told who looked."""
    own_data_href: str = ""
    forms: Sequence[str] = ()
    """How far each form about the child is."""
    where: str = ""
    """Where the child is, where that is not CONTACTS."""
    meetings: Sequence[FamilyAsk] = ()
    """The meetings around them, and the minutes."""
    asks: Sequence[FamilyAsk] = ()
    """What they are asked, and what they answered."""
    agreed_words: str = ""
    """What they said of the plan as it was agreed; empty where nothing is agreed."""
    plan_href: str = ""
    contingency_href: str = ""


@dataclass(frozen=True, slots=True)
class TellPage:
    """The page on which somebody tells the panel something."""

    question: str
    when: str
    instead: str
    phone: str
    tel: str
    action: str


def child_page(child: ChildForFamily, today: date) -> ChildPage:
    """One child's part of the page."""
    plan = child.plan
    is_shown = isinstance(plan, PlanReading) and plan.state == "agreed"
    actions = plan.actions if isinstance(plan, PlanReading) and is_shown else ()
    outcomes = plan.outcomes if isinstance(plan, PlanReading) and is_shown else ()
    return ChildPage(
        anchor=f"child-{child.child_id}",
        name=child.name or ("You" if child.is_self else "Your child"),
        notes=[
            *(_letter_link(one) for one in child.letters),
            *(_note_link(one) for one in child.notes),
        ],
        next_step=_next_step(child, today),
        person=_helps_elsewhere() if child.is_elsewhere else _person(child.to_ring),
        plan_words="" if is_shown else _no_plan_words(child),
        outcomes=[
            replace(
                _outcome_line(one, _line_words(child, one)),
                judge_href=outcome_path(child, one) if may_judge(child, one) else "",
            )
            for one in outcomes
        ],
        actions=[
            _action_line(one, _line_words(child, one), today, names_workers=child.may_know_workers)
            for one in actions
            if is_open(one.state)
        ],
        done=[
            PlanLine(
                _line_words(child, one),
                f"Done on {words.short_day(one.done_on)}" if one.done_on else "Done",
                "",
            )
            for one in actions
            if one.state == "done"
        ],
        tell_words=_tell_words(child),
        tell_href=f"/family/{child.child_id}/tell" if child.before else "",
        asked_words=""
        if child.asked_on is None
        else f"We asked what you want to say on {words.day(child.asked_on)}.",
        told=[_told_line(one, child, today) for one in child.words],
        sharing=[objection_words(one) for one in child.objections],
        changes=[_change_line(one, child, today) for one in child.changes],
        choices_href=f"/family/{child.child_id}/choices",
        happened_href=f"/family/{child.child_id}/chronology",
        looks_href=f"/family/{child.child_id}/looks" if child.has_standing else "",
        own_data_href=f"/family/{child.child_id}/own-data",
        forms=[form_words(one) for one in child.forms],
        where=child.where,
        meetings=child.meetings,
        asks=child.asks,
        agreed_words=_agreed_words(child) if is_shown else "",
        plan_href=f"/family/{child.child_id}/plan" if is_shown and child.agreed else "",
        contingency_href=f"/family/{child.child_id}/if-things-go-wrong"
        if child.has_contingency
        else "",
        happening=child.happening,
        ask_href=f"/family/{child.child_id}/ask-for-help" if child.may_ask_for_help else "",
    )


def _change_line(one: ComingForFamily, child: ChildForFamily, today: date) -> tuple[str, str]:
    when = words.day(one.due_on)
    was = " It was due then." if one.due_on < today else ""
    return f"{FAMILY_WORDS[one.kind]}: {when}.{was}", _who_prepares(one, child)


def _who_prepares(one: ComingForFamily, child: ChildForFamily) -> str:
    if one.state == "handed":
        return f"{one.receiving} took over." if one.receiving else "It is handed over."
    if one.owner is None:
        return (
            "Nobody prepares this yet. Ask the person to ring."
            if child.may_know_workers
            else "Ask the person who helps you who prepares this."
        )
    said = f"{one.owner.name}, {one.owner.agency}, prepares this with you."
    return f"{said} {one.receiving} takes over." if one.receiving else said


OWN_WORDS = {
    None: "You have not said yet if you agree.",
    Agrees.YES: "You said that you agree.",
    Agrees.NO: "You said that you do not agree.",
    Agrees.CANNOT_ANSWER: "You said that you cannot say if you agree.",
}


def _agreed_words(child: ChildForFamily) -> str:
    if child.agreed is None:
        return ""
    on = words.day(child.agreed.agreed_on)
    return f"The plan was agreed on {on}. {OWN_WORDS[child.agreed.agrees]}"


def person_to_ring(child: ChildForFamily) -> PersonToRing:
    """Who helps with a child, and how to reach them."""
    return _person(child.to_ring)


def tell_page(child: ChildForFamily) -> TellPage:
    """The page on which somebody tells the panel something."""
    person = _person(child.to_ring)
    return TellPage(
        question=f"What should the panel know about {_object(child)}?",
        when=_tell_words(child),
        instead=f"You can also tell {person.who}, who can write it down for you."
        if child.to_ring
        else "",
        phone=person.phone,
        tel=person.tel,
        action=f"/family/{child.child_id}/tell",
    )


def thanks(child: ChildForFamily) -> str:
    """What is said when the words are kept."""
    before = child.before
    if before is None or before.words_for is None or not child.may_know_panel:
        return "Thank you. We have kept your words for the panel."
    day = words.day(before.words_for)
    return f"Thank you. We have kept your words for the meeting on {day}."


HOW_IT_IS = (
    ("5", "It is as we want it"), ("4", "Nearly there"), ("3", "Half way"),
    ("2", "A little has changed"), ("1", "Hardly anything has changed"), ("0", "Not at all yet"),
)  # fmt: skip
"""The scale of outcomes (`plans.rules`) as a family reads it, the best first."""


@dataclass(frozen=True, slots=True)
class OutcomePage:
    """The page on which somebody says how something is that they want to be different."""

    outcome: str
    now: str
    readers: str
    action: str


def may_judge(child: ChildForFamily, one: OutcomeReading) -> bool:
    """Whether the reader can say how it is: they read the words, and it is still worked towards."""
    return one.state == "working_towards" and one.id not in child.held


def outcome_path(child: ChildForFamily, one: OutcomeReading) -> str:
    """Where they say it."""
    return f"/family/{child.child_id}/outcomes/{one.id}"


def outcome_page(child: ChildForFamily, outcome_id: UUID) -> OutcomePage | None:
    """The page; None where there is nothing to judge."""
    plan = child.plan
    if not isinstance(plan, PlanReading) or plan.state != "agreed":
        return None
    one = next((each for each in plan.outcomes if each.id == outcome_id), None)
    if one is None or not may_judge(child, one):
        return None
    return OutcomePage(
        outcome=one.text,
        now=_outcome_line(one, one.text).more,
        readers=f"The people who help {_object(child)} see it in the plan.",
        action=outcome_path(child, one),
    )


def _letter_link(letter: OwnLetter) -> NoteLink:
    new = "New letter" if letter.is_new else "Letter"
    return NoteLink(
        f"{new} from the panel on {words.day(letter.written_on)}",
        f"/family/{letter.child_id}/letters/{letter.id}",
        letter.is_new,
        "",
    )


def _note_link(note: OwnNote) -> NoteLink:
    new = "New notes" if note.is_new else "Notes"
    return NoteLink(
        f"{new} from the panel on {words.day(note.held_on)}",
        f"/family/{note.child_id}/notes/{note.id}",
        note.is_new,
        "There is an answer for you." if note.replied else "",
    )


def thanks_for_answer(answer: str, *, panel_hears: bool) -> str:
    """What is said when an answer to notes is kept; whether the panel talks about the child again.

    A child who has left the panel has no next discussion to be opened with it.
    """
    if answer == Answer.QUESTION:
        return "Thank you. Somebody will answer you here."
    if answer == Answer.AGREE:
        return "Thank you for telling us."
    if panel_hears:
        return "Thank you for telling us. The panel hears it first, the next time it talks."
    return "Thank you for telling us. The people who wrote the notes read it."


def _object(child: ChildForFamily) -> str:
    return "you" if child.is_self else child.name or "your child"


def _next_step(child: ChildForFamily, today: date) -> str:
    whom = _object(child)
    # Whoever is invited knows of the meeting, whatever else they may know.
    meets = [one.on for one in child.meetings if one.on is not None]
    if meets and (child.before is None or child.before.on is None or min(meets) < child.before.on):
        day = words.day_and_distance(min(meets), today)
        return f"You meet with the people who help you on {day}."
    if not child.may_know_panel:
        return "If you want to know what happens next, ask the people you know who help."
    if child.before is None:
        return _next_in_plan(child, today) or f"No meeting about {whom} is planned."
    return _next_meeting(child.before, whom, today)


def _next_meeting(before: BeforePanel, whom: str, today: date) -> str:
    again = "for the first time" if before.first_time else "again"
    if before.on is None:
        return f"The panel will talk about {whom} {again}. The day is not set yet."
    day = words.day_and_distance(before.on, today)
    if before.certain:
        return f"The panel will talk about {whom} {again} on {day}."
    return f"The panel hopes to talk about {whom} {again} on {day}."


def _next_in_plan(child: ChildForFamily, today: date) -> str:
    if not isinstance(child.plan, PlanReading) or child.plan.state != "agreed":
        return ""
    coming = [
        one
        for one in child.plan.actions
        if is_open(one.state) and one.due_on is not None and one.due_on >= today
    ]
    first = min(coming, key=lambda one: one.due_on or today, default=None)
    if first is None or first.due_on is None:
        return ""
    if first.id in child.held:
        return f"The next part of the plan is for {words.day(first.due_on)}."
    return f"Next in the plan, by {words.day(first.due_on)}: {first.text}"


def _person(to_ring: ToRing | None) -> PersonToRing:
    if to_ring is None:
        return PersonToRing(
            "", "", "", "", "Nobody is named yet. Until then, ask the person who helps you most."
        )
    part = ", ".join(part for part in (to_ring.job_title, to_ring.agency) if part)
    tel = "".join(sign for sign in to_ring.phone if sign.isdigit() or sign == "+")
    return PersonToRing(
        to_ring.name,
        part,
        to_ring.phone,
        f"tel:{tel}" if tel else "",
        ""
        if tel
        else f"There is no number here yet. Ask for {to_ring.name} when you ring {to_ring.agency}.",
        person_words(to_ring),
    )


def _helps_elsewhere() -> PersonToRing:
    said = "You moved. Another authority works with you now: here it says whom to ask for."
    return PersonToRing("", "", "", "", said)


def person_words(to_ring: ToRing) -> Sequence[str]:
    """Who the lead professional is, since when; who stands in, who helps beside, until when."""
    lead, told = to_ring.stands_in_for or to_ring.name, []
    if to_ring.since is not None:
        told.append(f"{lead} has been your lead professional since {words.day(to_ring.since)}.")
    if to_ring.stands_in_for and to_ring.until is not None:
        last = words.day(to_ring.until)
        told.append(f"{to_ring.name} stands in for {lead} until {last}. Ring {to_ring.name}.")
    told += [
        f"{name} helps beside {lead} until {words.day(last)}." for name, last in to_ring.beside
    ]
    return told


def _no_plan_words(child: ChildForFamily) -> str:
    if child.plan is None:
        return "There is no plan yet. It will be here when you have made one together."
    if isinstance(child.plan, PlanReading):
        return "The plan is being written. It will be here when you have agreed it together."
    if not str(child.plan):
        return ""
    person = _person(child.to_ring)
    ask = f"Ring {person.who} to ask." if person.tel else "Ask the person who helps you."
    return f"{child.plan} {ask}"


def _line_words(child: ChildForFamily, one: OutcomeReading | ActionReading) -> str:
    """What a line of the plan says; in the place of words that are held back, a sentence.

    It does not say what was found: it may be an address that is protected from who reads this.
    """
    if one.id not in child.held:
        return one.text
    who = child.to_ring.name if child.to_ring else "Somebody who helps you"
    return (
        f"This part of the plan may be about somebody else. {who} checks the words before you can"
        " read it."
    )


def _outcome_line(one: OutcomeReading, said: str) -> PlanLine:
    if one.state == "reached":
        return PlanLine(said, "Done", "")
    if one.state == "stopped":
        return PlanLine(said, "Stopped", "")
    how = _COURSE_WORDS[course(one.baseline, one.target, one.scores)]
    now = latest(one.scores)
    if now is None:
        return PlanLine(said, how, "")
    start = "" if one.baseline is None else f" It was {one.baseline} at the start."
    return PlanLine(said, how, f"It is now {now.value} out of {HIGHEST}.{start}")


def _action_line(one: ActionReading, said: str, today: date, *, names_workers: bool) -> PlanLine:
    who = one.owner if names_workers or one.owner_worker_id is None else ""
    if one.due_on is None:
        return PlanLine(said, who, "")
    day = words.day(one.due_on)
    return PlanLine(
        said, who, f"This is late. It was for {day}." if one.due_on < today else f"By {day}"
    )


def _tell_words(child: ChildForFamily) -> str:
    before = child.before
    if before is None:
        return (
            "When the panel is going to talk about "
            f"{_object(child)}, you can tell it here what it should know."
        )
    if before.words_for is None or before.papers_close is None or not child.may_know_panel:
        return "We keep it for the next time the panel meets."
    if before.too_late and before.on is not None:
        return (
            f"It is too late for the meeting on {words.day(before.on)}. "
            f"What you write now goes to the next one, on {words.day(before.words_for)}."
        )
    return (
        f"Do it by {words.day(before.papers_close)}. "
        f"Then people can read it before they meet on {words.day(before.words_for)}."
    )


def _told_line(one: OwnWords, child: ChildForFamily, today: date) -> ToldLine:
    when = "Today" if one.said_on == today else words.day(one.said_on)
    more = [
        f"{one.written_by} wrote it down." if one.written_by else "",
        f"For the meeting on {words.short_day(one.meeting_on)}."
        if one.meeting_on and child.may_know_panel
        else "",
    ]
    return ToldLine(when, " ".join(part for part in more if part), one.text)
