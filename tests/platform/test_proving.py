"""`panel audit verify` finds whatever was done to the history, and names the event.

10,000 events here; a million in `make soak`, where how long it takes is printed.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from panel.platform.audit_check import Finding, Proof, prove, public_keys
from panel.platform.cluster import Cluster, copy_database, drop_database
from panel.platform.ids import new_id
from panel.platform.sealing import seal_events
from panel.platform.seals import GUARDED, SOURCES
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from tests.demo.year import tenant_of
from tests.platform.sealed_year import fill, owner_of

SOAK = bool(os.environ.get("PANEL_SOAK"))
EVENTS = 1_000_000 if SOAK else 10_000
AUTHORITY = "testshire"
LOOKS, OTHERS, _ = SOURCES


@pytest.fixture(scope="module")
async def sealed_database(cluster: Cluster, template_database: str, data_dir: Path) -> Any:
    """Events in many seals, and twenty that wait."""
    own = copy_database(cluster, f"panel_test_{new_id().hex[-12:]}", template_database)
    tenant = tenant_of(own, data_dir)
    with owner_of(own.owner_url, tenant.record.schema_name) as owner:
        looks = EVENTS * 20 // 21
        fill(owner, 1, looks // 2)
        await _seal(tenant, at_most=EVENTS // 10)
        fill(owner, looks // 2 + 1, looks - 40)
        await _seal(tenant, at_most=EVENTS // 10)
        fill(owner, looks - 39, looks - 20)
        await _seal(tenant)
        fill(owner, looks - 19, looks)
        for table in (*GUARDED, "audit_key"):
            owner.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
        owner.commit()
    await tenant.database.close()
    yield own
    drop_database(cluster, own.database)


async def _seal(tenant: Tenant, **given: int) -> None:
    async with tenant.transaction(JOB) as session:
        await seal_events(session, **given)


@pytest.fixture
def owner(sealed_database: Cluster) -> Iterator[psycopg.Connection]:
    """The owner's connection, with what keeps events from change out of the way; undone after."""
    with owner_of(sealed_database.owner_url, f"authority_{AUTHORITY}") as connection:
        yield connection
        connection.rollback()


@contextmanager
def unguarded(owner: psycopg.Connection) -> Iterator[None]:
    """As somebody who owns the database would do it: the trigger off, and on again."""
    for table in GUARDED:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER only_added".encode())
    yield
    for table in GUARDED:
        owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER only_added".encode())


def after(owner: psycopg.Connection, statement: str, *given: object) -> list[Finding]:
    """What is found after something was done, which is then undone."""
    with unguarded(owner):
        owner.execute(statement.encode(), given)
    found = prove(owner, AUTHORITY).findings
    owner.rollback()
    owner.execute(f"SET search_path = authority_{AUTHORITY}".encode())
    owner.commit()
    return found


def one(owner: psycopg.Connection, statement: str, *given: object) -> Any:
    """The first column of the first row."""
    row = owner.execute(statement.encode(), given).fetchone()
    assert row is not None
    return row[0]


def event_at(owner: psycopg.Connection, position: int) -> UUID:
    """The event at a place of the order."""
    found: UUID = one(owner, "SELECT event_id FROM audit_leaf WHERE position = %s", position)
    return found


def test_all_of_it_is_proved_in_time(owner: psycopg.Connection) -> None:
    began, worked = perf_counter(), process_time()
    proof = prove(owner, AUTHORITY)
    took, worked = perf_counter() - began, process_time() - worked
    assert proof.findings == []
    assert (proof.unsealed, proof.oldest_unsealed is not None) == (21, True)
    assert proof.checked == proof.sealed > EVENTS - 100
    assert proof.seals > 5
    if SOAK:
        print(f"{proof.checked:,} events proved in {took:.1f} s, {worked:.1f} s of them work here")
        assert worked < 60, "other programs aside"


class Chance(random.Random):
    """The same places each time."""


def _one_byte(old: bytes, some: random.Random) -> bytes:
    place = some.randrange(len(old))
    return old[:place] + bytes([old[place] ^ (1 << some.randrange(8))]) + old[place + 1 :]


FLIPPED: dict[type, Callable[[Any, random.Random], Any]] = {
    UUID: lambda old, some: UUID(int=old.int ^ (1 << some.randrange(128))),
    datetime: lambda old, some: old + timedelta(microseconds=1 << some.randrange(20)),
    str: lambda old, some: old + "x" if some.random() < 0.5 else old[:-1] + chr(ord(old[-1]) ^ 1),
    int: lambda old, some: old ^ (1 << some.randrange(16)),
    dict: lambda old, _some: {**old, "x": "y"},
    bytes: _one_byte,
    type(None): lambda _old, _some: 5,
}


def places(owner: psycopg.Connection, some: random.Random, how_many: int) -> list[tuple[Any, ...]]:
    """Random sealed events with a random column of each, and another value for it."""
    last = one(owner, "SELECT max(position) FROM audit_leaf")
    chosen: list[tuple[Any, ...]] = []
    while len(chosen) < how_many:
        position = some.randrange(last)
        number = one(owner, "SELECT source FROM audit_leaf WHERE position = %s", position)
        source = next(each for each in SOURCES if each.number == number)
        column = some.choice(source.columns)
        shown = f"{column}::text::bigint" if column == "transaction" else column
        event = event_at(owner, position)
        old = one(owner, f"SELECT {shown} FROM {source.table} WHERE id = %s", event)
        if old is None or position in {each[0] for each in chosen}:
            continue
        new = FLIPPED[type(old)](old, some)
        if isinstance(new, dict):
            new = psycopg.types.json.Jsonb(new)
        to = "%s::text::xid8" if column == "transaction" else "%s"
        statement = f"UPDATE {source.table} SET {column} = {to} WHERE id = %s"
        chosen.append((position, event, column, statement, str(new) if "xid8" in to else new))
    return chosen


def test_one_byte_anywhere_is_found_and_the_event_is_named(owner: psycopg.Connection) -> None:
    some = Chance(7)
    chosen = places(owner, some, 100)
    owner.commit()
    for position, event, column, statement, new in chosen[: 3 if SOAK else 8]:
        found = after(owner, statement, new, event)
        assert found, f"{column} of {event} was changed and nothing was found"
        assert (found[0].position, found[0].event) == (position, event)
        assert found[0].what == ("removed" if column == "id" else "changed")
        assert str(event) in found[0].sentence
    with unguarded(owner):
        for _, event, _, statement, new in chosen:
            owner.execute(statement.encode(), [new, event])
    found = [each for each in prove(owner, AUTHORITY).findings if each.position is not None]
    assert [(each.position, each.event) for each in found] == sorted(
        (position, event) for position, event, *_ in chosen
    )


@pytest.mark.parametrize(
    "statement",
    [
        (
            "CREATE OR REPLACE FUNCTION only_added() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RETURN NULL; END'"
        ),
        (
            "DROP TRIGGER only_added ON audit_event; CREATE TRIGGER only_added BEFORE UPDATE OR DELETE"
            " OR TRUNCATE ON audit_event FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION only_added();"
            " ALTER TABLE audit_event ENABLE ALWAYS TRIGGER only_added"
        ),
        (
            "DROP TRIGGER only_added ON audit_event; CREATE TRIGGER only_added BEFORE UPDATE OF id OR"
            " DELETE OR TRUNCATE ON audit_event FOR EACH STATEMENT EXECUTE FUNCTION only_added();"
            " ALTER TABLE audit_event ENABLE ALWAYS TRIGGER only_added"
        ),
    ],
    ids=["another function", "never", "one column"],
)
def test_a_guard_that_lets_changes_by_is_found(owner: psycopg.Connection, statement: str) -> None:
    assert [each.what for each in prove(owner, AUTHORITY).findings] == []
    owner.execute(statement.encode())
    found = prove(owner, AUTHORITY).findings
    assert {each.what for each in found} == {"unguarded"}
    assert "audit_event" in {each.table for each in found}


def test_a_changed_line_of_the_order_is_told_from_a_changed_event(
    owner: psycopg.Connection,
) -> None:
    some = Chance(8)
    position = EVENTS // 3
    event = event_at(owner, position)
    old = one(owner, "SELECT hash FROM audit_leaf WHERE position = %s", position)
    statement = "UPDATE audit_leaf SET hash = %s WHERE position = %s"
    found = after(owner, statement, _one_byte(old, some), position)
    assert [(each.what, each.event) for each in found] == [("rewritten", event)]
    found = after(owner, "DELETE FROM audit_leaf WHERE position = %s", position)
    assert (found[0].what, found[0].position) == ("removed", position)
    assert found[-1].event == event


def test_what_is_removed_is_named(owner: psycopg.Connection) -> None:
    for position in (EVENTS // 2,) if SOAK else (0, EVENTS // 2, EVENTS - 100):
        event = event_at(owner, position)
        number = one(owner, "SELECT source FROM audit_leaf WHERE position = %s", position)
        table = next(each.table for each in SOURCES if each.number == number)
        found = after(owner, f"DELETE FROM {table} WHERE id = %s", event)
        assert [(each.what, each.position, each.event) for each in found] == [
            ("removed", position, event)
        ]


ONE_MORE = (
    "INSERT INTO access_event (id, child_id, at, viewer_id, viewer_kind, agency_id, purpose, doing,"
    " decisions{more}) SELECT %s, child_id, {at}, viewer_id, viewer_kind, agency_id, purpose,"
    " doing, decisions{value} FROM access_event WHERE id = %s"
)


def test_what_is_added_with_an_old_date_is_named(owner: psycopg.Connection) -> None:
    like = event_at(owner, 100)
    new = new_id()
    dated = ONE_MORE.format(more="", value="", at="at - interval '1 day'")
    found = after(owner, dated, new, like)
    assert [(each.what, each.event, each.table) for each in found] == [
        ("added", new, "access_event")
    ]
    copied = ONE_MORE.format(more=", transaction", value=", transaction", at="at")
    assert [each.event for each in after(owner, copied, new, like)] == [new]
    before_time = ONE_MORE.format(more=", transaction", value=", NULL", at="at")
    assert [each.event for each in after(owner, before_time, new, like)] == [new]
    to_come = ONE_MORE.format(more=", transaction", value=", '9000000000'", at="at")
    assert [each.event for each in after(owner, to_come, new, like)] == [new]


async def test_what_was_added_with_an_old_date_is_named_after_it_was_sealed_too(
    tenant: Tenant, database_of_own: Cluster
) -> None:
    with owner_of(database_of_own.owner_url, tenant.record.schema_name) as owner:
        fill(owner, 1, 40)
        await _seal(tenant)
        new = new_id()
        dated = ONE_MORE.format(more="", value="", at="at - interval '1 hour'")
        owner.execute(dated.encode(), [new, event_at(owner, 3)])
        owner.commit()
        fill(owner, 41, 60)
        await _seal(tenant)
        proof = prove(owner, AUTHORITY)
        assert [(each.what, each.event) for each in proof.findings] == [("added", new)]


def test_what_was_swapped_is_named(owner: psycopg.Connection) -> None:
    first, second = sorted(
        row[0]
        for row in owner.execute(
            "SELECT position FROM audit_leaf WHERE source = 1 AND position < 300"
            " ORDER BY md5(position::text) LIMIT 2"
        )
    )
    one_event, other = event_at(owner, first), event_at(owner, second)
    rows = (
        "UPDATE access_event a SET doing = b.doing || '', at = b.at FROM access_event b"
        " WHERE a.id = ANY(%s) AND b.id = ANY(%s) AND a.id <> b.id"
    )
    both = [one_event, other]
    found = after(owner, rows, both, both)
    assert [(each.what, each.event) for each in found] == [
        ("changed", one_event), ("changed", other)
    ]  # fmt: skip
    # The same two in each other's place: the events alone, then with their hashes.
    moved = (
        "WITH two AS (DELETE FROM audit_leaf WHERE position IN (%s, %s) RETURNING *)"
        " INSERT INTO audit_leaf (position, event_id, source, hash)"
        " SELECT {position}, {event}, source, hash FROM two"
    )
    owner.execute("ALTER TABLE audit_leaf DROP CONSTRAINT uq_audit_leaf_event_id")
    owner.execute("ALTER TABLE audit_leaf DROP CONSTRAINT pk_audit_leaf")
    owner.execute("SAVEPOINT whole")
    for position, event in (
        ("position", "(SELECT event_id FROM two o WHERE o.position <> two.position)"),
        (f"{first + second} - position", "event_id"),
    ):
        with unguarded(owner):
            owner.execute(moved.format(position=position, event=event).encode(), [first, second])
        found = prove(owner, AUTHORITY).findings
        assert [each.what for each in found] == ["reordered", "reordered"]
        assert {each.event for each in found} == set(both)
        assert [each.position for each in found] == [first, second]
        owner.execute("ROLLBACK TO SAVEPOINT whole")


def test_an_event_rewritten_with_its_line_is_found_by_its_seal(owner: psycopg.Connection) -> None:
    """The hash of the new row is put into the order: the root of the seal tells."""
    position = EVENTS // 4
    event = event_at(owner, position)
    number = one(owner, "SELECT source FROM audit_leaf WHERE position = %s", position)
    table = next(each.table for each in SOURCES if each.number == number)
    seal, first, size = owner.execute(
        "SELECT number, first, size FROM audit_seal WHERE first <= %s ORDER BY first DESC LIMIT 1",
        [position],
    ).fetchall()[0]
    with unguarded(owner):
        owner.execute(
            f"UPDATE {table} SET at = at + interval '1 s' WHERE id = %s".encode(), [event]
        )
        hashed = prove(owner, AUTHORITY)
        assert hashed.findings
        owner.execute(
            "UPDATE audit_leaf SET hash = sha256(%s) WHERE position = %s",
            [_leaf(owner, event, number), position],
        )
    found = prove(owner, AUTHORITY).findings
    assert [(each.what, each.position) for each in found] == [("rewritten", first)]
    assert f"first of {size} that seal {seal} is of" in found[0].sentence


def _leaf(owner: psycopg.Connection, event: UUID, number: int) -> bytes:
    source = next(each for each in SOURCES if each.number == number)
    columns = ", ".join(f"e.{column}" for column in source.columns)
    with owner.cursor().copy(
        f"COPY (SELECT {columns} FROM {source.table} e WHERE id = '{event}')"
        " TO STDOUT (FORMAT binary)".encode()
    ) as lines:
        sent = b"".join(bytes(line) for line in lines)
    head = bytes([0]) + number.to_bytes(2, "big") + len(source.columns).to_bytes(2, "big")
    return head + sent[19 + 2 : -2]


def test_a_changed_seal_a_removed_one_and_a_trigger_that_is_off_are_named(
    owner: psycopg.Connection,
) -> None:
    some = Chance(9)
    for column in ("root", "size") if SOAK else ("root", "signature", "previous", "peaks", "size", "first", "made_at",
                   "all_below", "none_from", "server", "form", "key_id"):  # fmt: skip
        old = one(owner, f"SELECT {column} FROM audit_seal WHERE number = 3")
        new = FLIPPED[type(old)](old, some)
        found = after(owner, f"UPDATE audit_seal SET {column} = %s WHERE number = 3", new)
        assert any("Seal 3 was changed" in each.sentence for each in found), column
    last = one(owner, "SELECT max(number) FROM audit_seal")
    found = after(owner, "UPDATE audit_seal SET made_at = now() WHERE number = %s", last)
    assert [each.sentence for each in found] == [
        f"Seal {last} was changed: its signature is not its own."
    ]
    found = after(owner, "DELETE FROM audit_seal WHERE number = 3")
    assert "Seals 3 to 3 were removed." in {each.sentence for each in found}
    found = after(owner, "DELETE FROM audit_seal WHERE number = %s", last)
    assert [each.what for each in found] == ["added"]
    assert "no seal is of: seals were removed" in found[0].sentence
    owner.execute("ALTER TABLE access_event DISABLE TRIGGER only_added")
    found = prove(owner, AUTHORITY).findings
    assert [(each.what, each.table) for each in found] == [("unguarded", "access_event")]


def test_the_newest_seals_are_looked_at_alone(owner: psycopg.Connection) -> None:
    last = one(owner, "SELECT max(position) FROM audit_leaf")
    keys = public_keys(owner)
    assert len(keys) == 1
    whole: Proof = prove(owner, AUTHORITY, newest=2, trusted=next(iter(keys.values())))
    assert whole.findings == []
    assert whole.checked < EVENTS // 2
    event = event_at(owner, last)
    with unguarded(owner):
        owner.execute("UPDATE audit_event SET kind = 'a.b' WHERE id = %s", [event])
        owner.execute("UPDATE access_event SET doing = 'x' WHERE id = %s", [event])
    found = prove(owner, AUTHORITY, newest=2, trusted=bytes(32)).findings
    assert {each.what for each in found} == {"changed", "key"}
    assert [each.event for each in found if each.what == "changed"] == [event]
