"""No path leaves an open case without a lead professional for a day.

A state machine over the real services on PostgreSQL: people offer, accept, decline, withdraw, ask
for cover and give it, hand over with days together, give back, leave at once or later and stay
after all; cases close and are opened again; days pass. After each step the database is asked, as
the nightly watch asks it, for days without anybody: past ones, today, and those of the next four
months as they stand. PANEL_SOAK makes the walks more and longer.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role, Viewer, ViewerKind
from panel.accounts.models import Agency, Worker
from panel.accounts.people_leaving import (
    leave_now,
    let_leavers_go,
    plan_leaving,
    stay_after_all,
)
from panel.accounts.service import add_agency, add_worker, give_role
from panel.casework.closing import end_case, last_closure, reopen
from panel.panels.calendar import add_panel
from panel.panels.leavers import CasesOfLeavers, whoever_runs_it
from panel.plans.covering import accept_cover, ask_for_cover, decline_cover, end_cover
from panel.plans.leads import (
    FamilySays,
    Terms,
    accept_offer,
    decline_offer,
    offer_lead,
    withdraw_offer,
)
from panel.plans.service import (
    begin_again,
    days_without_lead,
    give_back,
    hand_at_once,
    import_lead,
    lead_on,
    leads_on,
)
from panel.platform.clock import FixedClock, today
from panel.platform.problems import Problem
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.gate import Access, Gate
from panel.register.service import open_episode, open_episode_of
from tests.plans.conftest import SUPPORT, add_child, agreement

SOAK = "PANEL_SOAK" in os.environ
WALKS, STEPS = (150, 60) if SOAK else (10, 25)
A_DAY = timedelta(days=1)
AHEAD = timedelta(days=120)
CREW = (
    ("Rosa", "health", Role.PRACTITIONER),
    ("Mina", "health", Role.PRACTITIONER),
    ("Ines", "health", Role.MANAGER),
    ("Tomas", "portage", Role.PRACTITIONER),
    ("Beth", "portage", Role.PRACTITIONER),
    ("Petra", "portage", Role.MANAGER),
    ("Lew", "portage", Role.MANAGER),
)
WHO = st.integers(0, len(CREW) - 1)
SOON = st.integers(0, 12)
LENGTH = st.integers(0, 20)
STEPS_TAKEN = {
    "offers", "answers", "asks_for_cover", "answers_cover", "is_handed", "leaves", "hires", "closes",
    "opens_again", "days_pass",
}  # fmt: skip
MORE_STEPS = {"gives_back", "stays", "withdraws", "ends_cover", "is_imported"}
TWO_AT_ONCE = """
SELECT count(*) FROM lead_professional a JOIN lead_professional b ON b.child_id = a.child_id
  AND b.id > a.id AND b.role = 'main' AND b.state IN ('accepted', 'ended')
WHERE a.child_id = :child AND a.role = 'main' AND a.state IN ('accepted', 'ended')
  AND daterange(a.from_on, a.until_on, '[]') && daterange(b.from_on, b.until_on, '[]')
"""
COVERS_ASTRAY = """
SELECT count(*) FROM lead_cover v JOIN lead_professional l ON l.id = v.lead_id
JOIN worker w ON w.id = v.worker_id
WHERE v.child_id = :child AND v.state IN ('accepted', 'ended') AND (v.worker_id = l.worker_id
  OR l.state NOT IN ('accepted', 'ended') OR v.from_on < l.from_on OR v.until_on > l.until_on
  OR v.until_on > w.until_on)
"""
REACHES = """
SELECT EXISTS (SELECT 1 FROM child_access WHERE child_id = :child AND viewer_id = :who
  AND valid_from <= :now AND valid_until >= :now)
"""


class Case:
    """One child's case and the people around it; as a machine does it, step by step."""

    def __init__(self, tenant: Tenant, gate: Gate, clock: FixedClock) -> None:
        self.tenant, self.gate, self.clock = tenant, gate, clock
        self.crew: list[Viewer] = []
        self.known: dict[UUID, Viewer] = {}
        self.admin: Viewer
        self.child: UUID
        self.agencies: dict[str, Agency] = {}
        self.is_open = False
        self.hired = 0

    @property
    def today(self) -> date:
        """The day."""
        return today(self.clock)

    @asynccontextmanager
    async def job(self) -> AsyncIterator[AsyncSession]:
        """A transaction of scheduled work."""
        async with self.tenant.transaction(JOB) as session:
            yield session

    @asynccontextmanager
    async def opened(self, who: Viewer) -> AsyncIterator[Access]:
        """The child's record as somebody."""
        async with self.gate.open(self.child, who, SUPPORT, "walked through a case") as access:
            yield access

    async def begins(self, number: int) -> None:
        """New agencies, people and a child with an open case."""
        tag = f"{number}-{os.getpid()}"
        async with self.job() as session:
            made = self.agencies
            for key, kind in (
                ("health", "health"),
                ("portage", "education"),
                ("council", "council"),
            ):
                made[key] = await add_agency(
                    session, key=f"{key}-{tag}", name=f"{key} {tag}", kind=kind
                )
            self.crew = [await self._hire(session, made[key], *_of(name, tag), role)
                         for name, key, role in CREW]  # fmt: skip
            self.admin = await self._hire(
                session, made["council"], *_of("Ada", tag), Role.ADMINISTRATOR
            )
            panel = await add_panel(
                session, key=f"panel-{tag}", kind="contacts", first_on=self.today
            )
            await self._hire(
                session, made["council"], *_of("Cora", tag), Role.COORDINATOR, panel.id
            )
            team = [self.crew[0], self.crew[3]]
            self.child = await add_child(session, f"C-{tag}", "Amina", team, self.today)
            session.add(agreement(self.child, team, self.today))
            await open_episode(session, self.child, self.today)
        self.is_open = True

    async def hires(self, place: int) -> None:
        """Somebody new in the place of one who left, or is leaving."""
        name, key, role = CREW[place]
        async with self.job() as session:
            if (await session.get_one(Worker, self.crew[place].id)).until_on is None:
                return
            self.hired += 1
            who = _of(name, f"{self.hired}-new-{os.getpid()}")
            self.crew[place] = await self._hire(session, self.agencies[key], *who, role)

    async def _hire(
        self,
        session: AsyncSession,
        agency: Agency,
        name: str,
        email: str,
        role: Role,
        panel: UUID | None = None,
    ) -> Viewer:
        worker = await add_worker(session, agency, name=name, email=email)
        await give_role(session, worker, role, panel)
        kind = ViewerKind.WORKER
        self.known[worker.id] = Viewer(worker.id, kind, agency.id, agency.kind, frozenset({role}))
        return self.known[worker.id]

    # What people do -------------------------------------------------------------------------------

    async def offers(self, by: Viewer, to: Viewer, together: int) -> None:
        terms = Terms(
            joint_until=self.today + together * A_DAY if together else None,
            family=FamilySays.SAID,
            family_words="We know her.",
        )
        async with self.opened(by) as access:
            await offer_lead(access, to.id, terms)

    async def answers(self, *, accepts: bool) -> None:
        async with self.job() as session:
            asked = await session.execute(
                text(
                    "SELECT id, worker_id FROM lead_professional"
                    " WHERE child_id = :child AND state = 'offered'"
                ),
                {"child": self.child},
            )
            row = asked.first()
        if row is None:
            return
        async with self.opened(self._viewer(row.worker_id)) as access:
            if accepts:
                await accept_offer(access, row.id)
            else:
                await decline_offer(access, row.id, "I hold enough")

    async def withdraws(self, by: Viewer) -> None:
        async with self.opened(by) as access:
            offer = await access.session.scalar(
                text("SELECT id FROM lead_professional WHERE child_id = :c AND state = 'offered'"),
                {"c": self.child},
            )
            if offer is not None:
                await withdraw_offer(access, offer)

    async def asks_for_cover(self, by: Viewer, to: Viewer, soon: int, length: int) -> None:
        first = self.today + soon * A_DAY
        async with self.opened(by) as access:
            await ask_for_cover(access, to.id, first, first + length * A_DAY)

    async def answers_cover(self, *, accepts: bool) -> None:
        async with self.job() as session:
            found = await session.execute(
                text(
                    "SELECT id, worker_id FROM lead_cover WHERE child_id = :child"
                    " AND state = 'offered' ORDER BY id LIMIT 1"
                ),
                {"child": self.child},
            )
            row = found.first()
        if row is None:
            return
        async with self.opened(self._viewer(row.worker_id)) as access:
            if accepts:
                await accept_cover(access, row.id)
            else:
                await decline_cover(access, row.id, "I am away too")

    async def ends_cover(self, by: Viewer) -> None:
        async with self.opened(by) as access:
            found = await access.session.execute(
                text(
                    "SELECT id, version FROM lead_cover WHERE child_id = :child"
                    " AND state IN ('offered', 'accepted') AND until_on >= :today ORDER BY id"
                ),
                {"child": self.child, "today": self.today},
            )
            row = found.first()
            if row is not None:
                await end_cover(access, row.id, row.version, "Back early")

    async def gives_back(self) -> None:
        async with self.job() as session:
            now = await lead_on(session, self.child, self.today)
        if now is not None:
            async with self.opened(self._viewer(now.holder_id)) as access:
                await give_back(access, "I cannot go on")

    async def is_handed(self, to: Viewer, soon: int) -> None:
        async with self.job() as session:
            await hand_at_once(
                session, self.child, to.id, "Moved by their manager", self.today + soon * A_DAY
            )

    async def leaves(self, who: Viewer, soon: int, *, at_once: bool) -> None:
        async with self.job() as session:
            version = (await session.get_one(Worker, who.id)).version
            if at_once:
                await leave_now(session, self.admin, who.id, version, CasesOfLeavers())
            else:
                day = self.today + soon * A_DAY
                await plan_leaving(session, self.admin, who.id, version, day, CasesOfLeavers())

    async def stays(self, who: Viewer) -> None:
        async with self.job() as session:
            version = (await session.get_one(Worker, who.id)).version
            await stay_after_all(session, self.admin, who.id, version)

    async def closes(self, ago: int = 0) -> None:
        """Today, or on the earlier day on which another authority took the child over."""
        async with self.job() as session:
            episode = await open_episode_of(session, self.child)
            assert episode is not None
            on = max(self.today - ago * A_DAY, episode.opened_on)
            reason = "moved_away" if ago else "needs_met"
            await end_case(session, self.child, on, reason=reason, what_next="Others go on")
        self.is_open = False

    async def opens_again(self, *, same: bool) -> None:
        """The same episode goes on, or a new one begins."""
        async with self.job() as session:
            closure = await last_closure(session, self.child)
            if same and closure is not None:
                await reopen(session, closure, "Things have changed")
            else:
                await open_episode(session, self.child, self.today)
                await begin_again(session, self.child, self.today, whoever_runs_it)
        self.is_open = True

    async def is_imported(self, who: Viewer, ago: int) -> None:
        async with self.job() as session:
            worker = await session.get_one(Worker, who.id)
            await import_lead(session, self.child, worker, self.today - ago * A_DAY)

    async def days_pass(self, days: int) -> None:
        self.clock.set(self.clock.now() + timedelta(days=days))
        async with self.job() as session:
            await let_leavers_go(session, CasesOfLeavers())

    def _viewer(self, worker_id: UUID) -> Viewer:
        """Somebody by their id; whoever was replaced is still somebody."""
        return self.known[worker_id]

    # What must hold -------------------------------------------------------------------------------

    async def holds(self) -> None:
        """No gap, nobody twice, no cover astray, and whoever is rung today reaches the child."""
        async with self.job() as session:
            gaps = await days_without_lead(session, self.today + AHEAD)
            assert [one for one in gaps if one.child_id == self.child] == []
            given = {"child": self.child}
            assert (await session.execute(text(TWO_AT_ONCE), given)).scalar_one() == 0
            assert (await session.execute(text(COVERS_ASTRAY), given)).scalar_one() == 0
            now = (await leads_on(session, [self.child], self.today)).get(self.child)
        if now is not None:
            asked = given | {"who": now.worker_id, "now": self.clock.now()}
            async with self.tenant.transaction(now.worker_id) as session:
                assert (await session.execute(text(REACHES), asked)).scalar_one()


def _of(name: str, tag: str) -> tuple[str, str]:
    return name, f"{name.lower()}-{tag}@demo.example"


def machine_of(
    case: Case, loop: asyncio.AbstractEventLoop, done: Counter[str]
) -> type[RuleBasedStateMachine]:
    """The walks, which count in `done` the steps that were not refused; each step runs in the loop of the test, whose connections they share."""
    walks = iter(range(1_000_000))

    class NeverWithoutLead(RuleBasedStateMachine):
        """A case as people work on it."""

        def do(self, name: str, work: Coroutine[Any, Any, None]) -> None:
            """One step; what the services refuse with a sentence leaves all as it was."""
            try:
                asyncio.run_coroutine_threadsafe(work, loop).result(60)
            except Problem:
                return
            done[name] += 1

        @initialize()
        def a_case(self) -> None:
            asyncio.run_coroutine_threadsafe(case.begins(next(walks)), loop).result(60)
            self.do("offers", case.offers(case.crew[0], case.crew[0], 0))
            self.do("answers", case.answers(accepts=True))

        @rule(by=WHO, to=WHO, together=SOON)
        def offer(self, by: int, to: int, together: int) -> None:
            self.do("offers", case.offers(case.crew[by], case.crew[to], together))

        @rule(accepts=st.sampled_from((True, True, False)))
        def answer(self, *, accepts: bool) -> None:
            self.do("answers", case.answers(accepts=accepts))

        @rule(by=WHO)
        def withdraw(self, by: int) -> None:
            self.do("withdraws", case.withdraws(case.crew[by]))

        @rule(by=WHO, to=WHO, soon=SOON, length=LENGTH)
        def ask_for_cover(self, by: int, to: int, soon: int, length: int) -> None:
            self.do(
                "asks_for_cover", case.asks_for_cover(case.crew[by], case.crew[to], soon, length)
            )

        @rule(accepts=st.sampled_from((True, True, False)))
        def answer_cover(self, *, accepts: bool) -> None:
            self.do("answers_cover", case.answers_cover(accepts=accepts))

        @rule(by=WHO)
        def end_cover(self, by: int) -> None:
            self.do("ends_cover", case.ends_cover(case.crew[by]))

        @rule()
        def give_back(self) -> None:
            self.do("gives_back", case.gives_back())

        @rule(to=WHO, soon=SOON)
        def hand_over(self, to: int, soon: int) -> None:
            self.do("is_handed", case.is_handed(case.crew[to], soon))

        @rule(who=WHO, soon=SOON, at_once=st.booleans())
        def leave(self, who: int, soon: int, *, at_once: bool) -> None:
            self.do("leaves", case.leaves(case.crew[who], soon, at_once=at_once))

        @rule(place=WHO)
        def hire(self, place: int) -> None:
            self.do("hires", case.hires(place))

        @rule(who=WHO)
        def stay(self, who: int) -> None:
            self.do("stays", case.stays(case.crew[who]))

        @precondition(lambda _: case.is_open)
        @rule(ago=st.sampled_from((0, 0, 1, 3)))
        def close(self, ago: int) -> None:
            self.do("closes", case.closes(ago))

        @precondition(lambda _: not case.is_open)
        @rule(same=st.booleans())
        def open_again(self, *, same: bool) -> None:
            self.do("opens_again", case.opens_again(same=same))

        @rule(who=WHO, ago=SOON)
        def import_it(self, who: int, ago: int) -> None:
            self.do("is_imported", case.is_imported(case.crew[who], ago))

        @rule(days=st.integers(1, 15))
        def days_pass(self, days: int) -> None:
            self.do("days_pass", case.days_pass(days))

        @invariant()
        def nobody_is_missing(self) -> None:
            if hasattr(case, "child"):
                asyncio.run_coroutine_threadsafe(case.holds(), loop).result(60)

    return NeverWithoutLead


async def test_no_open_case_is_without_a_lead_for_a_day(
    tenant: Tenant, gate: Gate, clock: FixedClock
) -> None:
    """Whatever people do in whatever order."""
    done: Counter[str] = Counter()
    machine = machine_of(Case(tenant, gate, clock), asyncio.get_running_loop(), done)
    walked = settings(
        max_examples=WALKS,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=not SOAK,
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=walked)
    assert set(done) >= STEPS_TAKEN, "each kind of step was taken, and not only refused"
