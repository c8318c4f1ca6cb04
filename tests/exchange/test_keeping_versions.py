"""What entries were is kept by looking at what changed alone, and nothing that changed is missed.

The whole look is the oracle: after any run of the job it finds nothing more to keep.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TypeVar
from zlib import crc32

import psycopg
import pytest
from click.testing import CliRunner

from panel.cli import commands
from panel.exchange import history
from panel.exchange.history import keep_every_version, keep_versions
from panel.exchange.sources import IN_A_RECORD, SOURCES
from panel.platform.cluster import Cluster
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.exchange.connected import Connected

Thing = TypeVar("Thing")
Owner = psycopg.Connection[tuple[object, ...]]
_NAMED = re.compile(r"(?:^|FROM|JOIN) ?(\w+) (\w+)\b")
_AUTHOR = re.compile(r"\(SELECT aw\.agency_id FROM worker aw [^)]*\)")
STATES = {
    "plan": ("agreed", "draft", "ended"),
    "agenda_item": ("listed", "discussed"),
}
"""What of a row decides whether it is told at all."""
TOUCHED = (
    "child", "family_link", "family_member", "involvement", "episode", "assessment", "plan",
    "desired_outcome", "outcome_progress", "action", "service_request", "agenda_item", "meeting",
    "family_note", "note_delivery", "sharing_agreement",
)  # fmt: skip


ALWAYS_THERE = frozenset({"form", "worker", "panel"})
"""Joined to rows that could not be without them: no entry comes or changes by one of these."""


@pytest.fixture
def owner(database_of_own: Cluster, tenant: Tenant, connected: Connected) -> Iterator[Owner]:
    """Who writes behind everybody's back; `connected` is there, and was kept once."""
    assert database_of_own.owner_url is not None
    assert connected.content.rules
    with psycopg.connect(database_of_own.owner_url) as connection:
        connection.execute(f'SET search_path = "{tenant.record.schema_name}"')
        connection.commit()
        yield connection


def kept(owner: Owner) -> int:
    """How many states are kept."""
    [(count,)] = owner.execute("SELECT count(*) FROM resource_version").fetchall()
    owner.commit()
    assert isinstance(count, int)
    return count


async def keep(tenant: Tenant) -> None:
    """The job, once."""
    async with tenant.transaction(JOB) as session:
        await keep_versions(session, tenant.clock.now())


async def keep_all(tenant: Tenant) -> None:
    """All of it looked at."""
    async with tenant.transaction(JOB) as session:
        assert await keep_every_version(session)


class Play:
    """The same turns every time."""

    def __init__(self) -> None:
        self._turn = 0

    def number(self, below: int) -> int:
        """One from 0."""
        self._turn += 1
        return crc32(f"turn {self._turn}".encode()) % below

    def some(self, of: Sequence[Thing]) -> list[Thing]:
        """About half of them."""
        return [one for one in of if self.number(2)]


def touch(owner: Owner, table: str, play: Play) -> None:
    """A change of some rows of a table, in a savepoint, and at times of whether they are told."""
    owner.execute("SAVEPOINT here")
    rows = [row for (row,) in owner.execute(f'SELECT id FROM "{table}" ORDER BY id').fetchall()]
    later = timedelta(seconds=play.number(660) - 60)
    changed = "changed_at = changed_at + %s"
    if table in STATES and play.number(2):
        changed += f", state = '{STATES[table][play.number(len(STATES[table]))]}'"
    owner.execute(f'UPDATE "{table}" SET {changed} WHERE id = ANY (%s)', [later, play.some(rows)])
    owner.execute(f"{('ROLLBACK TO', 'RELEASE', 'RELEASE')[play.number(3)]} SAVEPOINT here")


@pytest.mark.database
async def test_what_changed_is_kept_as_a_whole_look_would(tenant: Tenant, owner: Owner) -> None:
    play, first = Play(), kept(owner)
    await keep_all(tenant)
    assert kept(owner) == first
    for _ in range(12):
        for table in play.some(TOUCHED):
            touch(owner, table, play)
            if play.number(2):
                owner.commit()
        owner.commit()
        await keep(tenant)
        found = kept(owner)
        await keep_all(tenant)
        assert kept(owner) == found, "a whole look finds what the job missed"
    assert found > first


@pytest.mark.database
async def test_what_was_open_while_the_job_ran_is_found_after_it(
    tenant: Tenant, owner: Owner, database_of_own: Cluster, connected: Connected
) -> None:
    """Also in a savepoint, and though others wrote and were looked at meanwhile."""
    assert database_of_own.owner_url is not None
    other = psycopg.connect(database_of_own.owner_url, autocommit=True)
    with other:
        other.execute(f'SET search_path = "{tenant.record.schema_name}"')
        owner.execute("SELECT pg_current_xact_id()")
        owner.execute("SAVEPOINT here")
        touch_one = "UPDATE child SET changed_at = changed_at + interval '1 s' WHERE id = %s"
        owner.execute(touch_one, [connected.child])
        owner.execute("RELEASE SAVEPOINT here")
        for _ in range(2):
            other.execute("UPDATE child SET changed_at = now() WHERE id = %s", [connected.withheld])
            await keep(tenant)
        of_child = (
            "SELECT count(*) FROM resource_version WHERE resource = 'Patient' AND child_id = %s"
        )
        assert other.execute(of_child, [connected.child]).fetchall() == [(1,)]
        owner.commit()
        await keep(tenant)
        assert other.execute(of_child, [connected.child]).fetchall() == [(2,)]
        before = kept(owner)
        await keep_all(tenant)
        assert kept(owner) == before


@pytest.mark.database
async def test_only_what_changed_is_looked_at_until_a_restore(
    tenant: Tenant,
    owner: Owner,
    connected: Connected,
    for_commands: dict[str, str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is taken away behind its back it does not see, until it has to look at everything."""
    first = kept(owner)
    await keep(tenant)
    owner.execute("DELETE FROM resource_version")
    owner.execute("UPDATE plan SET version = version WHERE child_id = %s", [connected.child])
    owner.commit()
    # A run that comes to nothing leaves everything to the next.
    async with tenant.transaction(JOB) as session:
        await keep_versions(session, tenant.clock.now())
        await session.rollback()
    assert kept(owner) == 0
    await keep(tenant)
    whose = owner.execute("SELECT DISTINCT child_id FROM resource_version").fetchall()
    assert whose == [(connected.child,)]
    assert kept(owner) < first
    # Rows that were restored were all written by one transaction, and none that the mark names.
    owner.execute("UPDATE version_pass SET at = at")
    owner.commit()
    monkeypatch.setattr(history, "MOST_KEPT", 1)
    await keep(tenant)
    assert kept(owner) < first, "it keeps one of each type at a time here"
    done = await asyncio.to_thread(
        CliRunner(env=for_commands).invoke, commands, ["fhir", "keep-versions"]
    )
    assert (done.exit_code, done.stdout) == (0, "Everything that changed is kept.\n"), done.output
    assert kept(owner) == first


@pytest.mark.database
async def test_every_table_that_decides_of_an_entry_is_gone_through(owner: Owner) -> None:
    [(function,)] = owner.execute(
        "SELECT prosrc FROM pg_proc WHERE proname = 'children_written'"
    ).fetchall()
    looked_at = {
        table
        for table, alias in _NAMED.findall(str(function))
        if f"age({alias}.xmin)" in str(function)
    }
    for type_ in IN_A_RECORD:
        source = SOURCES[type_]
        deciding = f"{source.rows} ; {source.where} ; {source.changed}"
        named = {table for table, _ in _NAMED.findall(_AUTHOR.sub("", deciding))}
        unseen = named - looked_at - ALWAYS_THERE
        assert not unseen, (
            f"{type_} comes or changes by {unseen}, and the job that keeps what entries were does"
            " not see when: add it to the database's function children_written in a migration"
        )
