"""What changed since the panel last talked about a child, against full snapshots of the record.

For each seed a child is made with a plan, people and agreements; everything of theirs is read
plainly; some days pass in which real services change some of it; everything is read again. What
two readings differ by, worked out row by row, is what `changes_since` must say: nothing less and
nothing more.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Table, select, text

from consent import Capacity, Category, Level, Purpose, RestrictionKind, Viewer
from panel.assessments.models import Assessment
from panel.documents.service import NewDocument, attach
from panel.panels.change_rules import Kind
from panel.panels.changes import ChangeLine, changes_since
from panel.panels.models import Referral
from panel.panels.referrals import ask_family, record_words, set_transition
from panel.plans.models import Action, DesiredOutcome, LeadProfessional, Plan
from panel.plans.service import (
    ActionWords,
    OutcomeWords,
    accept_offer,
    add_action,
    add_outcome,
    add_progress,
    agree_plan,
    carry_over,
    change_action,
    change_outcome,
    decline_offer,
    offer_lead,
    opened_for_offer,
    start_plan,
    step_action,
    withdraw_offer,
)
from panel.platform.clock import LONDON, FixedClock
from panel.platform.crypto import Keys
from panel.platform.ids import new_id
from panel.platform.tables import KEYS, Base
from panel.platform.tenancy import load_keys
from panel.records.child_scoped import JOB, child_scoped_tables
from panel.records.gate import Access, rewrite_access
from panel.register.models import (
    Child,
    FamilyLink,
    FamilyMember,
    Involvement,
    LevelOfNeed,
)
from panel.register.service import (
    LEVEL_WORDS,
    add_involvement,
    change_child,
    child_details,
    end_involvement,
    judge_level,
    note_event,
    start_involvement,
)
from panel.sharing.models import SharingAgreement, SharingOrder
from panel.sharing.service import (
    Restriction,
    SharingDecision,
    record_agreement,
    record_restriction,
    withdraw_agreement,
)
from panel.web.words import short_day
from tests.panels.conftest import AGENCIES, PEOPLE, House

pytestmark = pytest.mark.database

SEEDS = 200
BEFORE = datetime(2026, 9, 14, 8, 0, tzinfo=UTC)
TALKED = datetime(2026, 10, 1, 8, 40, tzinfo=UTC)
PURPOSES = (Purpose.PANEL, Purpose.SUPPORT)
PDF = (
    b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count %d>>endobj\n"
    b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%%%EOF\n"
)

Row = dict[str, Any]
Snapshot = dict[str, dict[UUID, Row]]


# A child and what happens to them -----------------------------------------------------------------


@dataclass
class Life:
    """One child of one seed."""

    house: House
    clock: FixedClock
    random: Random
    child: UUID = field(default_factory=new_id)
    mother: UUID = JOB
    father: UUID = JOB
    said: int = 0

    def new_words(self) -> str:
        """A text that no other row has; a sealed text is recognised by it."""
        self.said += 1
        return f"{self.random.choice(('visit', 'ring', 'note', 'try {this}'))} number {self.said} q"

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(LONDON).date()

    def later(self, least: int, most: int) -> date:
        return self.today + timedelta(days=self.random.randint(least, most))

    def wait(self, most: int = 12) -> None:
        """Some days pass; every change has a moment of its own."""
        passed = timedelta(days=self.random.randint(0, most), minutes=self.random.randint(5, 50))
        self.clock.set(self.clock.now() + passed)

    @asynccontextmanager
    async def open(self, who: str = "coordinator") -> AsyncIterator[Access]:
        viewer = self.house.viewers[who]
        async with self.house.gate.open(self.child, viewer, PURPOSES, "tried it") as access:
            yield access

    async def some(self, access: Access, kind: type[Any], **where: object) -> Any:
        """One of the child's rows of a kind, at random; None where there is none."""
        rows = list(
            await access.session.scalars(
                select(kind).filter_by(child_id=self.child, **where).order_by(kind.id)
            )
        )
        return self.random.choice(rows) if rows else None


async def begin(life: Life) -> None:
    """The child as the panel knew them: everything there is already, once."""
    viewers, agencies = life.house.viewers, life.house.agencies
    coordinator, lead = viewers["coordinator"], viewers["lead"]
    about: Row = {"child_id": life.child}
    async with life.house.tenant.transaction(coordinator.id) as session:
        await session.execute(text("SELECT open_child(:c)"), {"c": life.child})
        child = Child(
            id=life.child,
            reference=f"C-{life.child.hex[-12:]}",
            given_name="Amina",
            family_name="Kestrel",
            birth_date=date(2022, 6, 15),
            address="1 Old Road",
            school="Little Acorns",
        )
        mother, father = FamilyMember(name="Marta"), FamilyMember(name="Piet")
        session.add_all([child, mother, father])
        await session.flush()
        life.mother, life.father = mother.id, father.id
        session.add_all(
            FamilyLink(
                **about,
                family_member_id=one,
                relationship=relationship,
                parental_responsibility=True,
                basis=basis,
                from_on=date(2022, 6, 15),
            )
            for one, relationship, basis in (
                (mother.id, "mother", "birth_mother"),
                (father.id, "father", "father_by_marriage"),
            )
        )
        session.add(
            SharingOrder(
                **about,
                permits=True,
                categories=[one.value for one in Category],
                to=[coordinator.id],
                from_on=date(2026, 1, 5),
            )
        )
        for who in ("lead", "assessor"):
            one = viewers[who]
            session.add(
                Involvement(
                    **about, agency_id=one.agency, worker_id=one.id, from_on=date(2026, 2, 2)
                )
            )
        session.add(
            Involvement(
                **about,
                agency_id=agencies["social-care"],
                part="short breaks",
                expected_from_on=life.later(5, 60),
            )
        )
        session.add(
            LeadProfessional(
                **about,
                worker_id=lead.id,
                agency_id=lead.agency,
                state="accepted",
                offered_on=date(2026, 3, 2),
                offered_by=lead.id,
                from_on=date(2026, 3, 2),
            )
        )
        session.add(
            Assessment(
                **about,
                form_id=life.house.form_id,
                form_key="caf",
                author_id=lead.id,
                author_agency_id=lead.agency,
                started_on=life.today,
            )
        )
        session.add(
            LevelOfNeed(**about, level="early_help", judged_on=life.today, judged_by=lead.id)
        )
        session.add(
            Referral(
                **about,
                panel_id=life.house.panel_id,
                referred_on=date(2026, 3, 1),
                agency_id=lead.agency,
                last_discussed_on=date(2026, 10, 1),
                transition="starts Reception",
                transition_on=life.later(60, 140),
            )
        )
        await rewrite_access(session, life.child)
    life.wait(0)
    await new_plan(life)
    for change in (*BEFORE_THE_PANEL, outcome_state, action_step, action_step):
        life.wait(0)
        await change(life)
    life.wait(0)
    async with life.open() as access:
        plan = await life.some(access, Plan, state="draft")
        await agree_plan(access, plan.version, life.today)


async def new_plan(life: Life) -> None:
    async with life.open() as access:
        former = await life.some(access, Plan, state="agreed")
        made = await start_plan(access, life.new_words())
        if former is not None and life.random.random() < 0.7:
            await carry_over(access, made)


async def agreed(life: Life) -> None:
    async with life.open() as access:
        plan = await life.some(access, Plan, state="draft")
        outcomes = plan and await life.some(access, DesiredOutcome, plan_id=plan.id)
        if outcomes:
            await agree_plan(access, plan.version, life.today)


async def current(life: Life, access: Access) -> UUID:
    found = await access.session.scalar(
        text("SELECT id FROM plan WHERE child_id = :c AND state IN ('draft', 'agreed')"),
        {"c": life.child},
    )
    assert found is not None
    return cast("UUID", found)


async def outcome(life: Life) -> None:
    async with life.open() as access:
        await add_outcome(
            access,
            OutcomeWords(life.new_words(), baseline=life.random.choice((None, 1, 2)), target=4),
        )


async def outcome_state(life: Life) -> None:
    async with life.open() as access:
        one = await life.some(access, DesiredOutcome, plan_id=await current(life, access))
        if one is not None:
            await change_outcome(
                access,
                one.id,
                one.version,
                OutcomeWords(one.text, "", life.random.choice((one.baseline, 3)), one.target),
                life.random.choice(("reached", "stopped", "working_towards")),
            )


async def progress(life: Life) -> None:
    async with life.open() as access:
        one = await life.some(access, DesiredOutcome, plan_id=await current(life, access))
        if one is not None:
            value = life.random.choice((None, 0, 2, 3, 5))
            on = life.today - timedelta(days=life.random.choice((0, 0, 3, 40)))
            await add_progress(access, one.id, on=on, value=value, note="seen at home")


async def action(life: Life) -> None:
    lead = life.house.viewers["lead"]
    async with life.open() as access:
        due = life.random.choice((None, life.later(-20, -1), life.later(0, 30), life.later(0, 90)))
        await add_action(
            access,
            life.random.choice(
                (
                    ActionWords(life.new_words(), owner_words="Mum", due_on=due),
                    ActionWords(life.new_words(), owner_worker_id=lead.id, due_on=due),
                )
            ),
        )


async def action_step(life: Life) -> None:
    async with life.open() as access:
        one = await life.some(access, Action, plan_id=await current(life, access))
        if one is not None:
            state = life.random.choice(("done", "done", "dropped", "doing", "to_do", "to_do"))
            await step_action(access, one.id, one.version, state=state, note="")


async def action_day(life: Life) -> None:
    async with life.open() as access:
        one = await life.some(access, Action, plan_id=await current(life, access))
        if one is not None:
            await change_action(
                access,
                one.id,
                one.version,
                ActionWords(
                    one.text, None, one.owner_worker_id, one.owner_words, life.later(-5, 60)
                ),
                state=one.state,
                note="",
            )


async def signed_off(life: Life) -> None:
    async with life.open("lead") as access:
        one = await life.some(access, Assessment, state="draft")
        if one is not None:
            # As the service's last lines: to fill in every section would take the test an hour.
            one.state, one.signed_off_on = "signed_off", access.today
            one.signed_off_by = access.viewer.id


async def involved(life: Life) -> None:
    agency = life.house.agencies[life.random.choice(("social-care", "council", "health"))]
    async with life.open() as access:
        from_on, coming = life.random.choice(
            ((life.later(-30, 0), None), (life.later(1, 30), None), (None, life.later(5, 90)))
        )
        await add_involvement(
            access.session,
            life.child,
            agency_id=agency,
            part=life.new_words(),
            from_on=from_on,
            expected_from_on=coming,
        )


async def involvement_begins(life: Life) -> None:
    async with life.open() as access:
        one = await life.some(access, Involvement, from_on=None)
        if one is not None:
            await start_involvement(
                access.session, life.child, one.id, from_on=life.later(-4, 4), worker_id=None
            )


async def involvement_ends(life: Life) -> None:
    async with life.open() as access:
        one = await life.some(access, Involvement, worker_id=None)
        if one is not None:
            least = max(one.from_on or one.expected_from_on or life.today, life.later(-3, 3))
            await end_involvement(access.session, life.child, one.id, least, one.version)


async def lead(life: Life) -> None:
    holder = {one.id: who for who, one in life.house.viewers.items()}
    async with life.open() as access:
        offered = await life.some(access, LeadProfessional, state="offered")
        now = await life.some(access, LeadProfessional, state="accepted")
        if offered is None:
            to = "assessor" if holder[now.worker_id] == "lead" else "lead"
            await offer_lead(access, life.house.viewers[to].id)
            return
        if life.random.random() < 0.2:
            await withdraw_offer(access, offered.id)
            return
        viewer: Viewer = life.house.viewers[holder[offered.worker_id]]
    async with opened_for_offer(life.house.gate, viewer, PURPOSES, offered.id, "answered") as mine:
        if life.random.random() < 0.3:
            await decline_offer(mine, offered.id, "too far away")
        else:
            await accept_offer(mine, offered.id)


async def moved(life: Life) -> None:
    async with life.open() as access:
        details = await child_details(access)
        change = life.random.choice(
            (
                {"address": life.new_words()},
                {"address": life.new_words(), "ward_code": life.new_words()},
                {"ward_code": life.new_words()},
                {"school": life.new_words()},
                {"phone": life.new_words()},
            )
        )
        await change_child(access, change, details.version)


async def agreement(life: Life) -> None:
    agencies = frozenset(life.random.sample(sorted(life.house.agencies.values()), 2))
    given = life.random.random() < 0.7
    from_on = life.random.choice((None, life.later(1, 40)))
    async with life.open() as access:
        await record_agreement(
            access,
            SharingDecision(
                by_person=life.random.choice((life.mother, life.father)),
                capacity=Capacity.PARENTAL_RESPONSIBILITY,
                given=given,
                agreed_on=life.today,
                agencies=agencies,
                level=life.random.choice((Level.BASIC, Level.ADDITIONAL)),
                purposes=frozenset({Purpose.PANEL}),
                from_on=from_on,
                until_on=life.random.choice((None, None, life.later(45, 70))),
            ),
        )


async def withdrawn(life: Life) -> None:
    async with life.open() as access:
        one = await life.some(access, SharingAgreement, withdrawn_at=None, given=True)
        if one is not None:
            await withdraw_agreement(access, one.id)


async def restricted(life: Life) -> None:
    async with life.open() as access:
        await record_restriction(
            access,
            Restriction(
                life.random.choice(list(RestrictionKind)),
                "She asked for it.",
                frozenset({Category.HEALTH}),
                frozenset({life.house.agencies["education"]}),
                from_on=life.later(0, 10),
                until_on=life.random.choice((None, life.later(10, 20))),
                silent=life.random.random() < 0.3,
                by_words="her mother",
            ),
        )


async def asked(life: Life) -> None:
    async with life.open() as access:
        await ask_family(access, family_member_id=life.mother, how="visit")


async def words(life: Life) -> None:
    async with life.open() as access:
        person = life.random.choice((life.mother, life.father, None))
        await record_words(access, said=f"{life.new_words()}.", family_member_id=person)


async def event(life: Life) -> None:
    async with life.open() as access:
        await note_event(
            access.session,
            life.child,
            happened_on=life.later(-40, 0),
            kind=life.random.choice(("diagnosis", "hospital", "school")),
            category=life.random.choice(list(Category)),
            author_agency_id=life.random.choice(sorted(life.house.agencies.values())),
            text=f"{life.new_words()}.",
        )


async def level(life: Life) -> None:
    async with life.open() as access:
        await judge_level(
            access.session,
            life.child,
            level=life.random.choice(list(LEVEL_WORDS)),
            judged_on=life.later(-30, 0),
            judged_by=life.house.viewers["lead"].id,
        )


async def transition(life: Life) -> None:
    async with life.open() as access:
        one = await life.some(access, Referral)
        what, on = life.random.choice((("moves to Wexmouth", life.later(1, 200)), ("", None)))
        await set_transition(access, one.id, what, on, one.version)


async def document(life: Life) -> None:
    lead = life.house.viewers["lead"]
    assert lead.agency is not None
    async with life.open() as access:
        title = life.new_words()
        category = life.random.choice(list(Category))
        content = PDF % life.said
        await attach(
            access, NewDocument(content, "letter.pdf", title, category, lead.id, lead.agency)
        )


CHANGES: tuple[Callable[[Life], Awaitable[None]], ...] = (
    new_plan,
    agreed,
    outcome,
    outcome_state,
    outcome_state,
    progress,
    progress,
    action,
    action_step,
    action_step,
    action_day,
    signed_off,
    involved,
    involvement_begins,
    involvement_ends,
    lead,
    lead,
    moved,
    agreement,
    withdrawn,
    restricted,
    asked,
    words,
    event,
    level,
    transition,
    document,
)


BEFORE_THE_PANEL = (outcome, outcome, action, action, action, progress, agreement, asked, event)


# Two readings of everything -----------------------------------------------------------------------


async def snapshot(life: Life) -> Snapshot:
    """Every row of the child's in every table, its sealed texts opened."""
    sealed = {
        cast("Table", mapper.local_table).name: mapper.class_.__sealed__
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Base)
    }
    read: Snapshot = {}
    async with life.house.tenant.transaction(JOB) as session:
        await load_keys(session, {life.child})
        keys = cast("Keys", session.info[KEYS])
        for table in (*child_scoped_tables(), cast("Table", Child.__table__)):
            if table.name in ("record_change", "document_content"):
                continue
            whose = "id" if table.name == "child" else "child_id"
            rows = await session.execute(
                text(f"SELECT * FROM {table.name} WHERE {whose} = :child"), {"child": life.child}
            )
            read[table.name] = {}
            for row in rows.mappings():
                opened: Row = dict(row)
                for one in sealed[table.name]:
                    blob = opened[one.name]
                    opened[one.name] = (
                        None
                        if blob is None
                        else keys.open(life.child, f"{table.name}.{one.name}", row["id"], blob)
                    )
                read[table.name][row["id"]] = opened
    return read


@dataclass(frozen=True)
class Expected:
    """One line that must be there: its kind, its day where two readings tell it, what it says."""

    kind: Kind
    on: date | None
    says: tuple[str, ...]

    def is_met_by(self, line: ChangeLine) -> bool:
        return (
            line.kind is self.kind
            and self.on in (None, line.on)
            and all(part in line.sentence for part in self.says)
        )


@dataclass
class Difference:
    """Two snapshots and their days: what a patient person would find by laying them side by side."""

    before: Snapshot
    after: Snapshot
    then: date
    now: date
    names: dict[UUID, str]
    """Of workers and agencies."""

    def pairs(self, table: str) -> Iterator[tuple[Row | None, Row]]:
        for row_id, after in self.after[table].items():
            yield self.before[table].get(row_id), after

    def all(self) -> list[Expected]:
        return [
            *self.assessments(),
            *self.plans(),
            *self.outcomes(),
            *self.scores(),
            *self.actions(),
            *self.involvements(),
            *self.leads(),
            *self.added(),
            *self.levels(),
            *self.words(),
            *self.places(),
            *self.transitions(),
            *self.agreements(),
            *self.restrictions(),
        ]

    def assessments(self) -> Iterator[Expected]:
        for was, now in self.pairs("assessment"):
            if now["state"] == "signed_off" and (was is None or was["state"] != "signed_off"):
                on = now["signed_off_on"]
                yield Expected(Kind.ASSESSMENT, on, ("CAF signed off", short_day(on), "Health"))

    def plans(self) -> Iterator[Expected]:
        for was, now in self.pairs("plan"):
            before, after = was and was["state"], now["state"]
            if before == after:
                continue
            if after == "draft":
                yield Expected(Kind.PLAN, now["started_on"], ("begun", "not agreed yet"))
            elif after == "agreed":
                yield Expected(Kind.PLAN, now["agreed_on"], ("agreed", short_day(now["agreed_on"])))
            elif before is not None:
                yield Expected(Kind.PLAN, now["replaced_on"], ("was replaced",))

    def from_the_start(self, row: Row) -> bool:
        """Whether something was written with its plan, so that it is no news beside it."""
        plan = self.after["plan"].get(row["plan_id"])
        return plan is not None and plan["created_at"] == row["created_at"]

    def is_current(self, row: Row) -> bool:
        plan = self.after["plan"].get(row["plan_id"])
        return plan is None or plan["state"] in ("draft", "agreed")

    def outcomes(self) -> Iterator[Expected]:
        for was, now in self.pairs("desired_outcome"):
            with_plan = was is None and self.from_the_start(now)
            before = "working_towards" if with_plan else was and was["state"]
            after = now["state"]
            if after == before:
                continue
            if after == "reached":
                yield Expected(Kind.OUTCOME_REACHED, None, ("Reached", now["text"]))
            elif after == "stopped" and before is not None:
                yield Expected(Kind.OUTCOME_STOPPED, None, ("Stopped", now["text"]))
            elif after == "working_towards" and before is not None:
                yield Expected(Kind.OUTCOME_TAKEN_UP, None, (now["text"],))
            elif after == "working_towards" and self.is_current(now):
                yield Expected(Kind.OUTCOME_NEW, _day(now["created_at"]), (now["text"],))

    def scores(self) -> Iterator[Expected]:
        for was, now in self.pairs("desired_outcome"):
            after = self.score(self.after, now)
            if now["state"] != "working_towards" or after is None:
                continue
            before = self.score(self.before, now)
            start = before["value"] if before else (was or now)["baseline"]
            is_newer = before is None or after["id"] != before["id"]
            if is_newer and after["value"] != start:
                moved = "now at" if start is None else f"from {start} to"
                yield Expected(
                    Kind.OUTCOME_MOVED, after["on"], (now["text"], f"{moved} {after['value']} of 5")
                )

    @staticmethod
    def score(read: Snapshot, outcome: Row) -> Row | None:
        scores = [
            one
            for one in read["outcome_progress"].values()
            if one["outcome_id"] == outcome["id"] and one["value"] is not None
        ]
        return max(scores, key=lambda one: (one["on"], one["id"]), default=None)

    def actions(self) -> Iterator[Expected]:
        for was, now in self.pairs("action"):
            start = now | {"state": "to_do"}
            before = start if was is None and self.from_the_start(now) else was
            if (line := self.action(before, now)) is not None:
                yield line

    def action(self, was: Row | None, now: Row) -> Expected | None:
        said, before = (now["text"],), _how_far(was, self.then)
        after = _how_far(now, self.now)
        due, due_before = now["due_on"], was and was["due_on"]
        kind, on, more = None, None, ""
        if after == "done" and before != "done":
            kind, on = Kind.ACTION_MET, now["done_on"]
        elif after == "dropped" and before in ("open", "overdue"):
            kind = Kind.ACTION_DROPPED
        elif not self.is_current(now) or after in ("done", "dropped"):
            pass
        elif after == "overdue" and before != "overdue":
            kind, on, more = Kind.ACTION_OVERDUE, due, f"overdue {(self.now - due).days} day"
        elif after == "open" and before == "absent":
            kind, on = Kind.ACTION_NEW, _day(now["created_at"])
        elif after == "open" and before in ("done", "dropped"):
            kind = Kind.ACTION_TAKEN_UP
        elif after == "open" and due and due_before and due > due_before:
            kind, more = Kind.ACTION_PUT_OFF, f"{short_day(due_before)} to {short_day(due)}"
        return None if kind is None else Expected(kind, on, (*said, more))

    @staticmethod
    def part(row: Row | None, day: date) -> str:
        if row is None:
            return "absent"
        if row["until_on"] is not None and row["until_on"] < day:
            return "over"
        return "involved" if row["from_on"] is not None and row["from_on"] <= day else "expected"

    def involvements(self) -> Iterator[Expected]:
        for was, now in self.pairs("involvement"):
            before, after = self.part(was, self.then), self.part(now, self.now)
            if before == after or now["part"] == "lead professional":
                continue
            said = (now["part"],)
            if after == "involved":
                yield Expected(Kind.INVOLVED, now["from_on"], said)
            elif after == "expected":
                yield Expected(Kind.EXPECTED, _day(now["created_at"]), said)
            elif before != "absent" or now["until_on"] >= self.then:
                yield Expected(Kind.NO_LONGER_INVOLVED, now["until_on"], said)

    def leads(self) -> Iterator[Expected]:
        for was, now in self.pairs("lead_professional"):
            before, after = was and was["state"], now["state"]
            if before == after:
                continue
            name = self.names[now["worker_id"]]
            if after == "accepted":
                yield Expected(Kind.LEAD, now["from_on"], (name, "Lead professional since"))
            elif after == "offered":
                yield Expected(Kind.LEAD, now["offered_on"], (name, "not answered yet"))
            elif after == "declined":
                yield Expected(Kind.LEAD, now["answered_on"], (name, "declined"))
            elif after == "ended" and (before == "accepted" or now["until_on"] >= self.then):
                yield Expected(Kind.LEAD, now["until_on"], (name, "lead professional until"))
            elif after == "withdrawn" and before == "offered":
                yield Expected(Kind.LEAD, now["answered_on"], (name, "taken back"))

    def added(self) -> Iterator[Expected]:
        for was, now in self.pairs("significant_event"):
            if was is None:
                yield Expected(Kind.EVENT, now["happened_on"], (now["text"].rstrip("."),))
        for was, now in self.pairs("document"):
            if was is None:
                yield Expected(Kind.DOCUMENT, _day(now["created_at"]), (now["title"],))

    def levels(self) -> Iterator[Expected]:
        def latest(read: Snapshot) -> Row:
            return max(
                read["level_of_need"].values(), key=lambda one: (one["judged_on"], one["id"])
            )

        before, after = latest(self.before), latest(self.after)
        if before["id"] != after["id"]:
            same = before["level"] == after["level"]
            yield Expected(
                Kind.LEVEL,
                after["judged_on"],
                (LEVEL_WORDS[after["level"]], "again" if same else LEVEL_WORDS[before["level"]]),
            )

    def words(self) -> Iterator[Expected]:
        people = {
            row["family_member_id"]: row["relationship"].capitalize()
            for row in self.after["family_link"].values()
        }
        for was, now in self.pairs("family_words"):
            if now["said_on"] is not None and (was is None or was["said_on"] is None):
                who = people.get(now["family_member_id"], "The family")
                yield Expected(Kind.WORDS, now["said_on"], (f"{who}: “{now['text']}”",))

    def places(self) -> Iterator[Expected]:
        ((was, now),) = self.pairs("child")
        assert was is not None
        if was["address"] != now["address"]:
            yield Expected(Kind.MOVED, None, ("The address changed",))
        elif was["ward_code"] != now["ward_code"]:
            yield Expected(Kind.MOVED, None, ("ward",))
        if was["school"] != now["school"]:
            yield Expected(Kind.SCHOOL, None, (now["school"],))

    def transitions(self) -> Iterator[Expected]:
        for was, now in self.pairs("referral"):
            on = now["transition_on"]
            if on is None:
                continue
            before = was and was["transition_on"]
            if on < self.now:
                if on >= self.then:
                    yield Expected(Kind.TRANSITION, on, ("that day was",))
            elif before != on:
                yield Expected(Kind.TRANSITION, on, ("Coming",))
            elif _is_near(on, self.now) and not _is_near(on, self.then):
                yield Expected(Kind.TRANSITION, on, ("Near now",))

    @staticmethod
    def force(row: Row | None, day: date) -> str:
        if row is None:
            return "absent"
        if row.get("withdrawn_at") is not None:
            return "withdrawn"
        if row["from_on"] > day:
            return "to come"
        is_over = row["until_on"] is not None and row["until_on"] < day
        return "over" if is_over else "in force"

    def agreements(self) -> Iterator[Expected]:
        for was, now in self.pairs("sharing_agreement"):
            before, after = self.force(was, self.then), self.force(now, self.now)
            if before == after:
                continue
            may = "may see" if now["given"] else "may not see"
            whom = (now["by_words"][1:], *(self.names[one] for one in now["agencies"]))
            if after in ("in force", "to come"):
                on = now["from_on"]
                yield Expected(Kind.AGREEMENT, on, (may, short_day(on), *whom))
            elif before in ("in force", "to come"):
                on = now["until_on"] if after == "over" else _day(now["withdrawn_at"])
                yield Expected(Kind.AGREEMENT, on, (short_day(on), *whom))

    def restrictions(self) -> Iterator[Expected]:
        for was, now in self.pairs("sharing_restriction"):
            before, after = self.force(was, self.then), self.force(now, self.now)
            is_told = now["kind"] == "choice" and not now["silent"]
            if not is_told or before == after or (before == "absent" and after == "over"):
                continue
            on = now["until_on"] if after == "over" else now["from_on"]
            yield Expected(Kind.RESTRICTION, on, ("health from Early years inclusion",))


def _day(moment: datetime) -> date:
    return moment.astimezone(LONDON).date()


def _how_far(action: Row | None, day: date) -> str:
    """Where an action stands on a day."""
    if action is None:
        return "absent"
    if action["state"] in ("done", "dropped"):
        return cast("str", action["state"])
    return "overdue" if action["due_on"] is not None and action["due_on"] < day else "open"


def _is_near(on: date, day: date) -> bool:
    """Whether a transition comes within three calendar months."""
    months = (on.year - day.year) * 12 + on.month - day.month
    return months < 3 or (months == 3 and on.day <= day.day)


def unmatched(
    lines: list[ChangeLine], expected: list[Expected]
) -> tuple[list[Expected], list[ChangeLine]]:
    """What should be said and is not, and what is said and should not be."""
    left, missing = list(lines), []
    for one in expected:
        found = next((line for line in left if one.is_met_by(line)), None)
        if found is None:
            missing.append(one)
        else:
            left.remove(found)
    return missing, left


async def test_every_change_is_told_once_and_nothing_else(
    house: House, clock: FixedClock, subtests: pytest.Subtests
) -> None:
    told: set[Kind] = set()
    names = {house.agencies[key]: name for key, (name, _kind) in AGENCIES.items()}
    names |= {house.viewers[who].id: name for who, (_key, name, _roles) in PEOPLE.items()}
    for seed in range(SEEDS):
        clock.set(BEFORE)
        life = Life(house, clock, Random(seed))  # noqa: S311
        await begin(life)
        clock.set(TALKED)
        before = await snapshot(life)
        async with life.open() as access:
            at_once = await changes_since(access, TALKED)
        for _ in range(life.random.randint(3, 8)):
            life.wait()
            await life.random.choice(CHANGES)(life)
        life.wait(10)
        after = await snapshot(life)
        async with life.open() as access:
            lines = list(await changes_since(access, TALKED))
        expected = Difference(before, after, _day(TALKED), life.today, names).all()
        missing, left = unmatched(lines, expected)
        told |= {line.kind for line in lines}
        with subtests.test(seed=seed):
            assert at_once == []
            assert missing == [], f"not told, of {[one.sentence for one in lines]}"
            assert left == [], "told and not so"
    assert told == set(Kind)
