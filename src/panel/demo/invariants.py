"""What must hold after each meeting, whoever held it: each a function that says what is wrong.

Read as scheduled work reads: references, dates and states, never what somebody wrote.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from panel.demo.crew import Crew
from panel.panels.agenda import Prepared, prepare
from panel.panels.attendance import quorum_of, table_of
from panel.panels.calendar import meeting_on, next_meeting_day, panel_rhythm, settings_of
from panel.panels.meeting_rules import quorum_over_time, quorum_words
from panel.panels.models import Meeting, Panel
from panel.panels.notes import notes_owed
from panel.panels.rules import Reason, notes_due_on, review_place
from panel.plans.service import days_without_lead
from panel.platform.tables import VIEWER
from panel.records.dates import months_after
from panel.web.words import short_day


class InvariantBroken(Exception):
    """Something that must hold does not; the sentences say what, and of which reference."""


@dataclass(frozen=True, slots=True)
class Now:
    """The panel at the moment at which it is looked at."""

    crew: Crew
    session: AsyncSession
    panel: Panel
    today: date
    coming: Prepared | None
    """The agenda of the next meeting as it stands; None past the end of the calendar."""

    async def rows(self, query: str, **given: object) -> Sequence[Any]:
        """What a query finds, with the panel and today at hand."""
        known = {"panel": self.panel.id, "today": self.today} | given
        asked = {name: value for name, value in known.items() if f":{name}" in query}
        return (await self.session.execute(text(query), asked)).all()

    @property
    def waiting(self) -> dict[str, list[str]]:
        """Where each reference stands before the next meeting."""
        places: dict[str, list[str]] = {}
        if self.coming is None:
            return places
        agenda = self.coming.agenda
        for name, found in (
            ("the agenda", [one.candidate for one in agenda.items]),
            ("those who are not ready", [one.candidate for one in agenda.not_ready]),
            ("those who wait", [one.candidate for one in agenda.rolled_over]),
            ("those who came late", list(agenda.came_late)),
        ):
            for one in found:
                places.setdefault(one.reference, []).append(name)
        return places


OPEN = """
SELECT c.reference, f.last_discussed_on, f.next_review_by, f.deferred_on, m.held_on AS review_on,
  m.state AS review_state, m.change_reason, i.review_by AS said_by
FROM referral f JOIN child c ON c.id = f.child_id
LEFT JOIN meeting m ON m.id = f.review_meeting_id
LEFT JOIN LATERAL (SELECT x.review_by FROM agenda_item x JOIN meeting h ON h.id = x.meeting_id
  WHERE x.child_id = f.child_id AND h.panel_id = f.panel_id AND h.held_on = f.last_discussed_on
    AND x.state = 'discussed' LIMIT 1) i ON true
WHERE f.panel_id = :panel AND f.state <> 'closed' ORDER BY c.reference
"""


async def no_child_is_lost(now: Now) -> list[str]:
    """Each open referral is on the next agenda, waits, owes something, or has a review placed."""
    wrong = []
    waiting = now.waiting
    for one in await now.rows(OPEN):
        if one.reference in waiting:
            continue
        if one.next_review_by is None:
            wrong.append(f"{one.reference} is before the panel, and has no place and no review.")
        elif one.review_on is not None and one.review_on >= now.today:
            if one.review_state in ("held", "cancelled"):
                day = short_day(one.review_on)
                wrong.append(f"{one.reference} has a review at a meeting that is over: {day}.")
        elif await _could_be_placed(now, one.last_discussed_on, one.next_review_by):
            by = short_day(one.next_review_by)
            wrong.append(f"{one.reference} has a review due by {by} and no meeting for it.")
    return wrong


async def _could_be_placed(now: Now, last: date, due_by: date) -> bool:
    rhythm = await panel_rhythm(now.session, now.panel)
    return review_place(max(last, now.today), due_by, rhythm.all_dates).meeting is not None


async def who_owes_is_named(now: Now) -> list[str]:
    """Of each child who is not ready it is said what is missing, who owes it, and since when."""
    return [
        f"{one.candidate.reference} is not ready, and nobody is said to owe what is missing."
        for one in ([] if now.coming is None else now.coming.agenda.not_ready)
        if not one.missing or not all(debt.owed_by.strip() for debt in one.missing)
    ]


async def reviews_are_held_or_explained(now: Now) -> list[str]:
    """No review is set later than its limit unsaid; one that is overdue is shown as such."""
    wrong = []
    months = settings_of(now.panel).review_months
    items = {} if now.coming is None else _candidates(now.coming)
    for one in await now.rows(OPEN):
        if one.last_discussed_on is None or one.next_review_by is None:
            continue
        limit = one.said_by or months_after(one.last_discussed_on, months)
        if one.next_review_by > limit:
            by = short_day(one.next_review_by)
            wrong.append(f"{one.reference} has its review by {by}, after its limit.")
        if one.review_on and one.review_on > one.next_review_by and not one.change_reason:
            day = short_day(one.review_on)
            if await _could_be_placed(now, one.last_discussed_on, one.next_review_by):
                wrong.append(f"{one.reference} has its review on {day}, too late and unexplained.")
        if one.next_review_by < now.today:
            found = items.get(one.reference)
            if found is None or Reason.REVIEW_DUE not in {why.reason for why in found.whys}:
                by = short_day(one.next_review_by)
                wrong.append(f"{one.reference} is overdue since {by}, and no agenda shows it.")
    return wrong


def _candidates(prepared: Prepared) -> dict[str, Any]:
    agenda = prepared.agenda
    every = [
        *(one.candidate for one in agenda.items),
        *(one.candidate for one in agenda.not_ready),
        *(one.candidate for one in agenda.rolled_over),
        *agenda.came_late,
    ]
    return {one.reference: one for one in every}


async def every_item_is_settled(now: Now) -> list[str]:
    """Each item of a meeting that ended was discussed or not reached, and then rolled over."""
    found = await now.rows(
        """
        SELECT c.reference, m.held_on, i.state, f.id AS referral, f.deferred_on,
          f.last_discussed_on
        FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id JOIN child c ON c.id = i.child_id
        LEFT JOIN referral f ON f.child_id = i.child_id AND f.panel_id = m.panel_id
          AND f.state <> 'closed' AND f.referred_on <= m.held_on
        WHERE m.panel_id = :panel AND m.ended_at IS NOT NULL
          AND i.state IN ('listed', 'not_reached') ORDER BY m.held_on, c.reference
        """
    )
    wrong = []
    for one in found:
        day = short_day(one.held_on)
        if one.state == "listed":
            wrong.append(f"{one.reference} was on the agenda of {day}, and nobody says what came.")
        elif one.referral is not None and one.deferred_on is None:
            since = one.last_discussed_on
            if since is None or since <= one.held_on:
                wrong.append(f"{one.reference} was not reached on {day}, and does not wait.")
    waiting = now.waiting
    wrong += [
        f"{one.reference} was put off on {short_day(one.deferred_on)}, and is on no list."
        for one in await now.rows(OPEN)
        if one.deferred_on is not None and one.reference not in waiting and now.coming is not None
    ]
    return wrong


async def nobody_is_on_an_agenda_twice(now: Now) -> list[str]:
    """A child is once on an agenda, and on one agenda at a time."""
    wrong = [
        f"{reference} is there more than once: {', '.join(places)}."
        for reference, places in now.waiting.items()
        if len(places) > 1
    ]
    found = await now.rows(
        """
        SELECT c.reference FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id
        JOIN child c ON c.id = i.child_id
        WHERE m.panel_id = :panel AND i.state = 'listed' AND m.state IN ('planned', 'frozen')
          AND i.opens_at IS NOT NULL AND m.held_on >= :today
        GROUP BY c.reference HAVING count(*) > 1 ORDER BY c.reference
        """
    )
    return wrong + [f"{one.reference} is on two agendas that are settled." for one in found]


NOTES = """
SELECT c.reference, m.held_on, n.id AS note, n.state, n.signed_off_at, n.due_on
FROM agenda_item i JOIN meeting m ON m.id = i.meeting_id JOIN child c ON c.id = i.child_id
LEFT JOIN LATERAL (SELECT f.* FROM family_note f WHERE f.meeting_id = m.id
  AND f.child_id = i.child_id AND f.state <> 'draft' ORDER BY f.number DESC LIMIT 1) n ON true
WHERE m.panel_id = :panel AND m.ended_at IS NOT NULL AND i.state = 'discussed'
ORDER BY m.held_on, c.reference
"""


async def notes_are_in_time_or_listed(now: Now) -> list[str]:
    """No note is later than its working days unless it is listed as late."""
    calendar = (await panel_rhythm(now.session, now.panel)).calendar
    days = settings_of(now.panel).notes_working_days
    late = [
        one
        for one in await now.rows(NOTES)
        if one.note is None and notes_due_on(one.held_on, days, calendar) < now.today
    ]
    if not late:
        return []
    owed: dict[date, int] = {}
    for who in (now.crew.coordinator, *now.crew.workers.values()):
        async with now.crew.tenant.transaction(who.viewer.id) as session:
            for line in await notes_owed(session, who.may_coordinate):
                owed[line.held_on] = max(owed.get(line.held_on, 0), line.unsigned)
    return [
        f"The note of {one.reference} of {short_day(one.held_on)} is late, and on nobody's list."
        for one in late
        if not owed.get(one.held_on)
    ]


async def every_note_is_accounted_for(now: Now) -> list[str]:
    """Each copy of a signed note was sent, is held back with its test, or says why it is not.

    What is signed off today goes out today.
    """
    found = await now.rows(
        """
        SELECT c.reference, m.held_on, d.state, d.sent_at, d.held_back_test,
          d.held_back_why IS NOT NULL AS why, d.failure, d.recalled_at
        FROM note_delivery d JOIN family_note n ON n.id = d.note_id
        JOIN meeting m ON m.id = n.meeting_id JOIN child c ON c.id = d.child_id
        WHERE m.panel_id = :panel AND (n.signed_off_at AT TIME ZONE 'Europe/London')::date < :today
        ORDER BY m.held_on, c.reference, d.id
        """
    )
    wrong = []
    for one in found:
        told = one.sent_at is not None or one.recalled_at is not None or bool(one.failure)
        held = one.state == "held_back" and one.held_back_test and one.why
        if not told and not held:
            day = short_day(one.held_on)
            wrong.append(f"A copy of the note of {one.reference} of {day} is {one.state}, unsaid.")
    without = await now.rows(
        """
        SELECT c.reference, m.held_on FROM family_note n JOIN meeting m ON m.id = n.meeting_id
        JOIN child c ON c.id = n.child_id WHERE m.panel_id = :panel AND n.state = 'signed_off'
          AND NOT EXISTS (SELECT 1 FROM note_delivery d WHERE d.note_id = n.id)
        ORDER BY m.held_on, c.reference
        """
    )
    return wrong + [
        f"The note of {one.reference} of {short_day(one.held_on)} goes to nobody."
        for one in without
    ]


async def each_gets_a_note_once(now: Now) -> list[str]:
    """A copy left once for its person: as often as it was sent on purpose, held back never."""
    found = await now.rows(
        """
        SELECT c.reference, m.held_on, d.state, d.sendings, count(o.id) AS put,
          count(o.id) FILTER (WHERE o.sent_at IS NOT NULL) AS sent
        FROM note_delivery d JOIN family_note n ON n.id = d.note_id
        JOIN meeting m ON m.id = n.meeting_id JOIN child c ON c.id = d.child_id
        LEFT JOIN outbox_message o ON o.facts ->> 'delivery' = d.id::text
        WHERE m.panel_id = :panel
        GROUP BY c.reference, m.held_on, d.id, d.state, d.sendings ORDER BY m.held_on, c.reference
        """
    )
    return [
        f"A copy of the note of {one.reference} of {short_day(one.held_on)} left {one.sent} times."
        for one in found
        if one.sent > 1 or one.put > one.sendings or (one.state == "held_back" and one.put)
    ]


async def everybody_responsible_is_told(now: Now) -> list[str]:
    """Each person with parental responsibility has a copy of a signed note, sent or held back."""
    found = await now.rows(
        """
        SELECT c.reference, m.held_on, l.relationship FROM family_note n
        JOIN meeting m ON m.id = n.meeting_id JOIN child c ON c.id = n.child_id
        JOIN family_link l ON l.child_id = c.id AND l.parental_responsibility
          AND l.basis IS NOT NULL AND l.until_on IS NULL
          AND l.from_on <= (n.signed_off_at AT TIME ZONE 'Europe/London')::date
        WHERE m.panel_id = :panel AND n.state = 'signed_off' AND NOT EXISTS (SELECT 1
          FROM note_delivery d WHERE d.note_id = n.id AND d.person_id = l.family_member_id)
        ORDER BY m.held_on, c.reference
        """
    )
    return [
        f"The {one.relationship} of {one.reference} has no copy of the note of"
        f" {short_day(one.held_on)}."
        for one in found
    ]


async def every_action_has_an_owner(now: Now) -> list[str]:
    """Whoever the panel asked is named, and finds the action among their own."""
    found = await now.rows(
        """
        SELECT x.id, c.reference, x.due_on, x.owner_worker_id AS worker,
          x.owner_words IS NOT NULL AS words
        FROM action x JOIN child c ON c.id = x.child_id JOIN meeting m ON m.id = x.meeting_id
        WHERE m.panel_id = :panel AND x.state IN ('to_do', 'doing')
        ORDER BY c.reference, x.due_on
        """
    )
    wrong = [
        f"An action for {one.reference} has no owner."
        for one in found
        if one.worker is None and not one.words
    ]
    listed: dict[Any, set[Any]] = {}
    for who in {one.worker for one in found} - {None}:
        if (worker := now.crew.worker(who)) is None:
            continue
        listed[who] = {one.id for one in await now.crew.asked_of(worker)}
    wrong += [
        f"An action for {one.reference} is on no page of its owner's."
        for one in found
        if one.worker in listed and one.id not in listed[one.worker]
    ]
    return wrong


async def no_day_is_without_a_lead(now: Now) -> list[str]:
    """Once somebody held a child's plan, somebody has held it every day since."""
    found = await now.rows(
        """
        SELECT reference, gap FROM (
          SELECT c.reference, l.until_on + 1 AS gap,
            lead(l.from_on) OVER (PARTITION BY l.child_id ORDER BY l.from_on) AS following
          FROM lead_professional l JOIN child c ON c.id = l.child_id
          WHERE l.role = 'main' AND l.state IN ('accepted', 'ended')
            AND EXISTS (SELECT 1 FROM referral f WHERE f.child_id = l.child_id
              AND f.panel_id = :panel AND f.state <> 'closed')) s
        WHERE gap IS NOT NULL AND gap <= :today AND (following IS NULL OR following > gap)
        ORDER BY reference
        """
    )
    return [f"Nobody held the plan of {one.reference} from {short_day(one.gap)}." for one in found]


async def no_open_case_is_without_a_lead(now: Now) -> list[str]:
    """Of an open case that somebody led once, somebody who works here leads on every day."""
    gaps = await days_without_lead(now.session, now.today)
    found = await now.rows(
        "SELECT id, reference FROM child WHERE id = ANY(:children)",
        children=[one.child_id for one in gaps],
    )
    named = {one.id: one.reference for one in found}
    return [
        f"{named[one.child_id]} had no lead professional from {short_day(one.from_on)} until"
        f" {short_day(one.until_on)}."
        for one in gaps
    ]


async def the_quorum_is_said(now: Now) -> list[str]:
    """Of the meeting that ended last it is said whether there was a quorum, or what was missing."""
    found = await now.rows(
        "SELECT id FROM meeting WHERE panel_id = :panel AND ended_at IS NOT NULL"
        " ORDER BY held_on DESC LIMIT 1"
    )
    wrong = []
    for one in found:
        meeting = await now.session.get_one(Meeting, one.id)
        table = await table_of(now.session, now.panel, meeting)
        judge = partial(quorum_of, now.panel)
        began = meeting.began_at
        said = [] if began is None else quorum_words(quorum_over_time(table.people, began, judge))
        if not said or not all(line.strip() for line in said):
            day = short_day(meeting.held_on)
            wrong.append(f"The minutes of {day} do not say whether there was a quorum.")
    return wrong


async def a_disagreement_opens_the_next_discussion(now: Now) -> list[str]:
    """What a parent does not agree with waits for the child's next discussion, in their words."""
    found = await now.rows(
        """
        SELECT c.reference, m.held_on FROM note_answer a JOIN family_note n ON n.id = a.note_id
        JOIN meeting m ON m.id = n.meeting_id JOIN child c ON c.id = a.child_id
        WHERE m.panel_id = :panel AND a.answer IN ('disagree', 'could_not_say')
          AND EXISTS (SELECT 1 FROM referral f WHERE f.child_id = a.child_id
            AND f.panel_id = :panel AND f.state <> 'closed' AND f.referred_on <= m.held_on)
          AND NOT EXISTS (SELECT 1 FROM family_words w WHERE w.child_id = a.child_id
            AND w.family_member_id = a.person_id
            AND w.said_on >= (a.said_at AT TIME ZONE 'Europe/London')::date)
        ORDER BY m.held_on, c.reference
        """
    )
    return [
        f"What the family of {one.reference} says against {short_day(one.held_on)} opens nothing."
        for one in found
    ]


INVARIANTS: tuple[Callable[[Now], Awaitable[list[str]]], ...] = (
    no_child_is_lost,
    who_owes_is_named,
    reviews_are_held_or_explained,
    every_item_is_settled,
    nobody_is_on_an_agenda_twice,
    notes_are_in_time_or_listed,
    every_note_is_accounted_for,
    each_gets_a_note_once,
    everybody_responsible_is_told,
    every_action_has_an_owner,
    no_day_is_without_a_lead,
    no_open_case_is_without_a_lead,
    the_quorum_is_said,
    a_disagreement_opens_the_next_discussion,
)


async def check(crew: Crew) -> int:
    """Look at all of it; how many were looked at. Raises InvariantBroken with every sentence."""
    wrong: list[str] = []
    async with crew.as_job() as (session, panel):
        found = await next_meeting_day(session, panel, crew.today)
        coming = None
        if found is not None:
            meeting = await meeting_on(session, panel, found.held_on)
            coming = await prepare(session, panel, meeting, session.info[VIEWER])
        now = Now(crew, session, panel, crew.today, coming)
        for invariant in INVARIANTS:
            wrong += await invariant(now)
    if wrong:
        raise InvariantBroken(" ".join(wrong))
    return len(INVARIANTS)


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is to say of one meeting in numbers."""

    held_on: date
    discussed: int
    not_reached: int
    copies_sent: int
    held_back: int
    not_delivered: int
    read: int
    disagreed: int
    reviews_overdue: int
    """Open reviews that are past their day."""


_FIGURES = """
SELECT
 (SELECT count(*) FROM agenda_item i WHERE i.meeting_id = m.id AND i.state = 'discussed')
   AS discussed,
 (SELECT count(*) FROM agenda_item i WHERE i.meeting_id = m.id AND i.state = 'not_reached')
   AS not_reached,
 count(d.id) FILTER (WHERE d.sent_at IS NOT NULL) AS sent,
 count(d.id) FILTER (WHERE d.state = 'held_back') AS held_back,
 count(d.id) FILTER (WHERE d.state <> 'held_back' AND d.sent_at IS NULL) AS not_delivered,
 count(d.id) FILTER (WHERE d.opened_at IS NOT NULL) AS read,
 (SELECT count(*) FROM note_answer a JOIN family_note n ON n.id = a.note_id
   WHERE n.meeting_id = m.id AND a.answer = 'disagree') AS disagreed,
 (SELECT count(*) FROM referral f WHERE f.panel_id = m.panel_id AND f.state <> 'closed'
   AND f.next_review_by < :today) AS overdue
FROM meeting m LEFT JOIN family_note o ON o.meeting_id = m.id
LEFT JOIN note_delivery d ON d.note_id = o.id
WHERE m.panel_id = :panel AND m.held_on = :day GROUP BY m.id
"""


async def figures_of(crew: Crew, day: date) -> Figures:
    """One meeting of the panel in numbers, as things stand."""
    async with crew.as_job() as (session, panel):
        found = await session.execute(
            text(_FIGURES), {"panel": panel.id, "day": day, "today": crew.today}
        )
        row = found.one()
    return Figures(
        day, row.discussed, row.not_reached, row.sent, row.held_back, row.not_delivered,
        row.read, row.disagreed, row.overdue,
    )  # fmt: skip
