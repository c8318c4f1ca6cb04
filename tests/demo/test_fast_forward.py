"""The demonstration's year goes on by itself, and what must hold is looked at."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import select, text

from panel.demo.crew import Crew
from panel.demo.forward import Told, fast_forward
from panel.demo.invariants import INVARIANTS, InvariantBroken, check
from panel.demo.places import PANEL_KEY
from panel.panels.models import Meeting, Panel
from panel.platform.clock import FixedClock
from panel.platform.cluster import Cluster
from panel.platform.database import Database
from panel.platform.masterkey import master_key
from panel.platform.tenancy import Tenant, authority_named, keyring
from panel.records.child_scoped import JOB
from panel.records.gate import Gate
from panel.sharing.state import SharingFacts
from panel.web.words import day as day_words
from tests.demo.year import MONDAY, database_from, write_demo

pytestmark = [pytest.mark.database, pytest.mark.crawl]

MEETINGS = 3
CHILDREN = 25
SITE = "http://testshire.localhost"


class Played:
    """A year that was written and went on, and everything that was said of it."""

    def __init__(self, gate: Gate, clock: FixedClock, owner_url: str) -> None:
        self.gate = gate
        self.owner_url = owner_url
        self.clock = clock
        self.lines: list[str] = []
        self.told = Told()

    @property
    def crew(self) -> Crew:
        return Crew(self.gate, self.clock, 1, SITE)

    async def forward(self, meetings: int) -> None:
        self.told = await fast_forward(
            self.gate,
            self.clock,
            seed=1,
            meetings=meetings,
            site_url=SITE,
            say=self.lines.append,
        )


@pytest.fixture(scope="module")
async def played(cluster: Cluster, template_database: str, data_dir: Path) -> AsyncIterator[Played]:
    """Three meetings of a small authority; the tests of this file look at what is there."""
    with database_from(cluster, template_database) as own:
        await write_demo(own, data_dir, seed=1, children=CHILDREN)
        database = Database(own.app_url, pool_size=2)
        try:
            record = authority_named(own.app_url, None)
            ring = keyring(record, master_key(None, data_dir / "keys" / "master.key"))
            clock = FixedClock(MONDAY)
            gate = Gate(Tenant(record, database, ring, clock), SharingFacts())
            assert own.owner_url is not None
            made = Played(gate, clock, own.owner_url)
            await made.forward(MEETINGS)
            yield made
        finally:
            await database.close()


LINE = re.compile(
    r"^\d+ \w+ 20\d\d: \d+ discussed, \d+ not reached; notes: \d+ sent, \d+ held back, \d+ read,"
    r" \d+ disagreed; reviews overdue: \d+$"
)


def test_one_line_is_said_of_each_meeting_and_the_figures_at_the_end(played: Played) -> None:
    lines = [line for line in played.lines if "moved to" not in line and "cancelled" not in line]
    assert len(lines) == MEETINGS
    assert all(LINE.match(line) for line in lines), lines
    first = played.told.meetings[0]
    assert first.discussed > 3
    assert first.copies_sent > first.discussed
    assert first.read > 3
    assert played.told.referred > 3
    assert played.told.actions_done > 3
    assert played.told.checked >= 2 * MEETINGS * len(INVARIANTS)
    assert played.told.lines()[-1] == f"Every invariant held: {played.told.checked} looks."


async def test_each_meeting_was_held_and_its_minutes_confirmed_at_the_next(played: Played) -> None:
    async with played.gate.tenant.transaction(JOB) as session:
        held = list(
            await session.scalars(
                select(Meeting)
                .join(Panel, Panel.id == Meeting.panel_id)
                .where(Panel.key == PANEL_KEY, Meeting.ended_at.is_not(None))
                .order_by(Meeting.held_on)
            )
        )
    assert [one.held_on for one in held] == [one.held_on for one in played.told.meetings]
    assert all(one.began_at and one.frozen_at and one.frozen_at < one.began_at for one in held)
    assert [one.confirmed_at is not None for one in held] == [True, True, False]


async def test_everybody_acted_through_the_gate_as_themselves(played: Played) -> None:
    async with played.gate.tenant.transaction(JOB) as session:
        found = await session.execute(
            text(
                "SELECT count(DISTINCT viewer_id) FROM access_event"
                " WHERE doing = 'wrote at the meeting of ' || :day"
            ),
            {"day": day_words(played.told.meetings[0].held_on)},
        )
        assert found.scalar_one() > 2
        by_job = await session.scalar(
            text("SELECT count(*) FROM discussion WHERE said_at IS NOT NULL AND created_by = :job"),
            {"job": JOB},
        )
        assert by_job == 0


# A look that cannot find anything proves nothing ------------------------------------------------


@contextmanager
def changed(played: Played, table: str, which: str, **values: object) -> Iterator[str]:
    """One row is changed behind everybody's back, and put back afterwards; the child's reference."""
    with psycopg.connect(played.owner_url, autocommit=True) as owner:
        owner.execute("SET search_path = authority_testshire")
        columns = ", ".join(values)
        row = owner.execute(
            f"SELECT x.id, (SELECT reference FROM child WHERE id = x.child_id), {columns}"
            f" FROM {table} x WHERE {which} ORDER BY x.id LIMIT 1"
        ).fetchone()
        assert row is not None, f"There is no {table} to change."
        names = ", ".join(f"{name} = %s" for name in values)
        update = f"UPDATE {table} SET {names} WHERE id = %s"
        owner.execute(update, [*values.values(), row[0]])
        try:
            yield row[1] or ""
        finally:
            owner.execute(update, [*row[2:], row[0]])


IN_PANEL = (
    "EXISTS (SELECT 1 FROM meeting m JOIN panel p ON p.id = m.panel_id WHERE m.id = x.meeting_id"
    f" AND m.ended_at IS NOT NULL AND p.key = '{PANEL_KEY}')"
)
OPEN = (
    "EXISTS (SELECT 1 FROM referral f WHERE f.child_id = x.child_id AND f.state <> 'closed'"
    " AND f.last_discussed_on IS NOT NULL)"
)
REVIEWED = (
    "state <> 'closed' AND last_discussed_on > '2026-12-01' AND next_review_by > '2027-05-01'"
)
BROKEN = [
    (
        "referral",
        f"{REVIEWED} AND escalated_on IS NULL AND transition_on IS NULL AND deferred_on IS NULL",
        {"next_review_by": None, "review_meeting_id": None},
        "has no place and no review",
    ),
    (
        "referral",
        REVIEWED,
        {"next_review_by": date(2028, 1, 1)},
        "after its limit",
    ),
    ("agenda_item", f"state = 'discussed' AND {IN_PANEL}", {"state": "listed"}, "nobody says what"),
    ("note_delivery", "state = 'sent'", {"state": "waiting", "sent_at": None}, "unsaid"),
    ("note_delivery", "state = 'opened'", {"person_id": JOB}, "has no copy"),
    (
        "action",
        f"{IN_PANEL} AND state = 'to_do'",
        {"owner_worker_id": None, "owner_words": None},
        "has no owner",
    ),
    (
        "lead_professional",
        f"state = 'accepted' AND from_on < '2026-12-20' AND {OPEN}",
        {"state": "ended", "until_on": date(2026, 12, 28)},
        "Nobody held the plan",
    ),
]


@pytest.mark.parametrize(("table", "which", "values", "said"), BROKEN)
async def test_what_does_not_hold_is_said_with_the_reference(
    played: Played, table: str, which: str, values: dict[str, object], said: str
) -> None:
    crew = played.crew
    await crew.come_to_work()
    with changed(played, table, which, **values) as reference:
        with pytest.raises(InvariantBroken) as broken:
            await check(crew)
        assert said in str(broken.value)
        assert reference
        assert reference in str(broken.value)
    assert await check(crew) == len(INVARIANTS)


async def test_a_note_that_left_twice_is_said(played: Played) -> None:
    crew = played.crew
    await crew.come_to_work()
    with psycopg.connect(played.owner_url, autocommit=True) as owner:
        owner.execute("SET search_path = authority_testshire")
        first, second = owner.execute(
            "SELECT id, facts FROM outbox_message WHERE facts ? 'delivery' AND sent_at IS NOT NULL"
            " ORDER BY id LIMIT 2"
        ).fetchall()
        update = "UPDATE outbox_message SET facts = %s WHERE id = %s"
        owner.execute(update, [Jsonb(second[1]), first[0]])
        try:
            with pytest.raises(InvariantBroken, match="left 2 times"):
                await check(crew)
        finally:
            owner.execute(update, [Jsonb(first[1]), first[0]])
    assert await check(crew) == len(INVARIANTS)
