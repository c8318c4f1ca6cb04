"""Proving the audit: every sealed event read again, the tree built anew, the seals checked.

It needs no key that opens anything. Two passes: over the rows beside their places, which finds what
differs without sorting; then over the places in their order, which builds the tree. What a seal
signs is believed; what differs from it is named as closely as what is left allows.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from panel.platform.checkpoints import Kept, from_base64, is_signed, to_base64
from panel.platform.database import SCHEDULED
from panel.platform.merkle import grown, root_of, split
from panel.platform.seals import (
    GUARDED,
    LATE,
    NO_SEAL,
    SEAL_COLUMNS,
    SOURCES,
    Event,
    Seal,
    Source,
    event_from,
    fields,
    kept_as,
    moment_of,
    number,
    without_header,
)

Connection = psycopg.Connection[TupleRow]

_BESIDE = (
    "COPY (SELECT l.position, l.hash, l.event_id, {columns} FROM {table} e"
    " FULL JOIN (SELECT * FROM audit_leaf WHERE source = {source}) l ON l.event_id = e.id)"
    " TO STDOUT (FORMAT binary)"
)
_NEWEST_BESIDE = (
    "COPY (SELECT l.position, l.hash, l.event_id, {columns} FROM audit_leaf l"
    " LEFT JOIN {table} e ON e.id = l.event_id WHERE l.source = {source} AND l.position >= {first}"
    " UNION ALL SELECT NULL, NULL, NULL, {columns} FROM {table} e WHERE e.transaction >="
    " {low}::text::xid8 AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.event_id = e.id))"
    " TO STDOUT (FORMAT binary)"
)
_PLACES = (
    "COPY (SELECT position, hash, event_id, source FROM audit_leaf WHERE position >= {first}"
    " ORDER BY position LIMIT {most}) TO STDOUT (FORMAT binary)"
)
_ROWS = (
    "COPY (SELECT l.position, l.hash, l.event_id, {columns} FROM audit_leaf l"
    " JOIN {table} e ON e.id = l.event_id WHERE l.source = {source}"
    " AND l.position >= {first} AND l.position < {end}) TO STDOUT (FORMAT binary)"
)
_UNGUARDED = """
SELECT name FROM unnest(%s::text[]) AS name WHERE NOT EXISTS (
  SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass(quote_ident(name))
     AND t.tgname = 'only_added' AND t.tgenabled = 'A' AND t.tgtype = 58
     AND t.tgqual IS NULL AND t.tgattr::text = ''
     AND t.tgfoid = (SELECT p.oid FROM pg_proc p WHERE p.oid = to_regproc('only_added')
                        AND regexp_replace(p.prosrc, '\\s+', ' ', 'g') = %s))
ORDER BY name
"""
_REFUSES = (
    " BEGIN RAISE EXCEPTION 'what happened is only ever added to %', TG_TABLE_NAME"
    " USING ERRCODE = 'insufficient_privilege'; END "
)
"""What the trigger's function does: another one of its name would let changes by."""


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was sealed."""

    what: str
    """changed, removed, added, reordered, rewritten, seal, checkpoint, key, unguarded or list."""
    position: int | None
    """Where in the order, from 0; None where it has no place there."""
    table: str
    event: UUID | None
    at: str | None
    """The date of the event as it stands; from its id where the row is gone."""
    sentence: str


class Proof(msgspec.Struct):
    """What was found."""

    authority: str
    seals: int
    sealed: int
    """Events that the last seal says are sealed."""
    checked: int
    """Of them, read again now."""
    unsealed: int
    oldest_unsealed: datetime | None
    sealed_at: datetime | None
    checkpoints: int
    keys: list[str]
    findings: list[Finding]


class _Place(NamedTuple):
    """A place in the order, as it is kept."""

    position: int
    hash: bytes
    event: bytes
    source: int


@dataclass
class _Differing:
    """A place whose row is not what it says."""

    place: _Place
    row: Event | None


@dataclass
class _Reading:
    """What is known while everything is read."""

    authority: str
    seals: list[tuple[Seal, list[bytes]]]
    server: int
    not_begun_from: int
    differing: dict[int, _Differing] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    """Seals that are not to be believed."""
    checked: int = 0
    unsealed: int = 0
    oldest: int | None = None
    believed: list[Seal] = field(default_factory=list)
    """Those seals that are to be believed; the lists below have a line for each of them."""
    firsts: list[int] = field(default_factory=list)
    late_before: list[int] = field(default_factory=list)
    none_from: list[int] = field(default_factory=list)
    server_from: list[int] = field(default_factory=list)
    """The first one of those before it that its server made."""

    def believe(self) -> None:
        """Take what the seals say of transactions and times from those that are to be believed."""
        self.believed = [seal for seal, _ in self.seals if seal.number not in self.broken]
        self.firsts = [seal.first for seal in self.believed]
        self.late_before = [kept_as(seal.made_at) - _LATE for seal in self.believed]
        self.none_from = [seal.none_from for seal in self.believed]
        for place, seal in enumerate(self.believed):
            goes_on = place > 0 and seal.server == self.believed[place - 1].server
            self.server_from.append(self.server_from[-1] if goes_on else place)

    def dated_before(self, event: Event, count: int) -> bool:
        """Whether, of the first `count` seals, one was made long after the event's date, and before
        the transaction that wrote it began.
        """
        if count == 0 or event.at >= self.late_before[count - 1]:
            return False
        start = self.server_from[count - 1]
        place = bisect_right(self.none_from, event.transaction, start, count) - 1
        return place >= start and event.at < self.late_before[place]


_SOME = 50_000
_LATE = int(LATE.total_seconds() * 1_000_000)


def read_settings(connection: Connection, schema: str) -> None:
    """One moment for everything that is read, in an authority's schema.

    As scheduled work, where the role is fenced at all: it reads every event and opens none.
    """
    connection.execute(
        sql.SQL(
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = {};"
            " SET LOCAL panel.viewer = {}; SET LOCAL client_encoding = 'UTF8'"
        ).format(sql.Identifier(schema), sql.Literal(str(SCHEDULED)))
    )


def public_keys(connection: Connection) -> dict[UUID, bytes]:
    """The public keys of seals, by id, in the order they were made."""
    rows = connection.execute("SELECT id, public FROM audit_key ORDER BY made_at, id").fetchall()
    return {row[0]: bytes(row[1]) for row in rows}


def last_seal(connection: Connection, authority: str) -> Seal | None:
    """The newest seal."""
    found = _seals(connection, authority, newest=0)
    return found[-1][0] if found else None


def prove(
    connection: Connection,
    authority: str,
    *,
    kept: Sequence[Kept] = (),
    trusted: bytes | None = None,
    newest: int | None = None,
) -> Proof:
    """Prove everything, or the newest seals only, within the transaction of `read_settings`.

    `kept` are checkpoints from elsewhere; `trusted` is the public key that the seals must be of.
    """
    keys = public_keys(connection)
    seals = _seals(connection, authority, newest)
    counted = connection.execute(
        "SELECT (SELECT system_identifier FROM pg_control_system()),"
        " pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    ).fetchone()
    if counted is None:
        raise RuntimeError("The server did not say how it counts transactions.")
    reading = _Reading(authority, seals, counted[0], counted[1])
    _check_guards(connection, reading)
    start, peaks = 0, list[bytes]()
    if newest is not None and len(seals) > newest:
        before, peaks = seals[0]
        start = before.end
    _check_seals(reading, keys, trusted, is_all=newest is None)
    reading.believe()
    for source in SOURCES:
        _read_beside(connection, reading, source, start if newest is not None else None)
    _build(connection, reading, start, peaks)
    _check_kept(reading, keys, kept, is_all=newest is None)
    last = seals[-1][0] if seals else None
    return Proof(
        authority=authority,
        seals=last.number if last else 0,
        sealed=last.end if last else 0,
        checked=reading.checked,
        unsealed=reading.unsealed,
        oldest_unsealed=None if reading.oldest is None else moment_of(reading.oldest),
        sealed_at=last.made_at if last else None,
        checkpoints=len(kept),
        keys=[to_base64(one) for one in keys.values()],
        findings=_in_order(reading.findings),
    )


def _in_order(findings: list[Finding]) -> list[Finding]:
    """By place; what has none comes after, by date."""
    return sorted(
        findings,
        key=lambda one: (one.position is None, one.position or 0, one.at or "", one.sentence),
    )


def _seals(
    connection: Connection, authority: str, newest: int | None
) -> list[tuple[Seal, list[bytes]]]:
    """The seals in their order; of the newest, one more, which they rest on."""
    statement = sql.SQL("SELECT {}, peaks FROM audit_seal ORDER BY number DESC {}").format(
        sql.SQL(", ").join(map(sql.Identifier, SEAL_COLUMNS)),
        sql.SQL("") if newest is None else sql.SQL("LIMIT {}").format(sql.Literal(newest + 1)),
    )
    rows = connection.execute(statement).fetchall()
    return [(Seal(authority, *row[:-1]), split(bytes(row[-1]))) for row in reversed(rows)]


def _check_guards(connection: Connection, reading: _Reading) -> None:
    for (table,) in connection.execute(_UNGUARDED, [list(GUARDED), _REFUSES]).fetchall():
        reading.findings.append(
            Finding(
                "unguarded", None, table, None, None,
                f"The trigger that refuses changes of {table} was taken away or switched off.",
            )
        )  # fmt: skip


def _check_seals(
    reading: _Reading, keys: dict[UUID, bytes], trusted: bytes | None, *, is_all: bool
) -> None:
    """Each seal rests on the one before; where it does not, signatures say which is wrong.

    A seal whose hash the next one names need not have its signature looked at: it is hashed too.
    One that is not to be believed is left out when the tree is built: the next one covers it.
    """
    seals = [seal for seal, _ in reading.seals]
    before: Seal | None = None
    for place, (seal, peaks) in enumerate(reading.seals):
        after = seals[place + 1] if place + 1 < len(seals) else None
        starts_late = before is None and not is_all
        if wrong := _what_is_wrong(seal, peaks, after, keys, trusted):
            reading.broken.add(seal.number)
        elif not starts_late and (before is None or before.number not in reading.broken):
            wrong = _does_not_follow(seal, before)
        if not starts_late and seal.number != (due := before.number + 1 if before else 1):
            gap = f"Seals {due} to {seal.number - 1} were removed."
            wrong = ("removed", gap) if due < seal.number else ("seal", "Seals stand twice.")
        if wrong:
            what, sentence = wrong
            at = before.end if before is not None else seal.first
            reading.findings.append(Finding(what, at, "audit_seal", None, seal.told_at, sentence))
        before = seal


def _what_is_wrong(
    seal: Seal,
    peaks: list[bytes],
    after: Seal | None,
    keys: dict[UUID, bytes],
    trusted: bytes | None,
) -> tuple[str, str] | None:
    """Why a seal is not to be believed by itself."""
    if after is None or after.previous != seal.hash:
        public = keys.get(seal.key_id)
        if public is None or not is_signed(public, seal.statement, seal.signature):
            return "seal", f"Seal {seal.number} was changed: its signature is not its own."
        if trusted not in (None, public):
            return "key", f"Seal {seal.number} is signed with another key than the one you trust."
    if root_of(peaks) != seal.root:
        return "seal", f"Seal {seal.number} was changed: its tree is not its root."
    return None


def _does_not_follow(seal: Seal, before: Seal | None) -> tuple[str, str] | None:
    first, hashed = (before.end, before.hash) if before else (0, NO_SEAL)
    if seal.first == first and seal.previous == hashed:
        return None
    return "seal", f"Seal {seal.number} does not follow the seal before it."


def _copied(connection: Connection, statement: sql.Composed) -> Iterator[bytes]:
    with connection.cursor().copy(statement) as lines:
        for sent in lines:
            if line := without_header(bytes(sent)):
                yield line


def _filled(statement: str, source: Source, **given: int) -> sql.Composed:
    return sql.SQL(statement).format(
        columns=sql.SQL(", ").join(sql.Identifier("e", column) for column in source.columns),
        table=sql.Identifier(source.table),
        source=sql.Literal(source.number),
        **{name: sql.Literal(value) for name, value in given.items()},
    )


def _read_beside(
    connection: Connection, reading: _Reading, source: Source, newest_from: int | None
) -> None:
    """Every row beside its place: those that differ, are gone, or have none."""
    if newest_from is None:
        statement = _filled(_BESIDE, source)
    else:
        low = reading.believed[-1].all_below if reading.believed else None
        statement = _filled(_NEWEST_BESIDE, source, first=newest_from, low=low or 0)
    firsts = reading.firsts
    checked = 0
    for line in _copied(connection, statement):
        (place, sealed, event_id), start = fields(line, 3)
        row = event_from(line, start, source)
        if event_id is None or sealed is None:
            if row is not None:
                _look_at_unsealed(reading, row)
            continue
        checked += 1
        position = number(place)
        if row is None or row.hash != sealed:
            kept = _Place(position, sealed, event_id, source.number)
            reading.differing[position] = _Differing(kept, row)
        elif reading.dated_before(row, max(bisect_right(firsts, position) - 1, 0)):
            reading.findings.append(
                _of_event(
                    "added", row, position, "was written long after its own date, and after the"
                    " seal of that time was made"
                )
            )  # fmt: skip
    reading.checked += checked


def _look_at_unsealed(reading: _Reading, row: Event) -> None:
    """Whether an event without a place only waits for the next seal, or should have one."""
    last = reading.believed[-1] if reading.believed else None
    why = ""
    if last is not None and last.server == reading.server:
        if last.all_below is not None and row.transaction < last.all_below:
            why = "stands in no seal, though everything of its time was sealed"
        elif row.transaction >= reading.not_begun_from:
            why = "stands in no seal, and names a transaction that has not been"
        elif reading.dated_before(row, len(reading.believed)):
            why = "stands in no seal, and is dated before the last one"
    if why:
        reading.findings.append(_of_event("added", row, None, why))
        return
    reading.unsealed += 1
    if reading.oldest is None or row.at < reading.oldest:
        reading.oldest = row.at


def _of_event(what: str, row: Event, position: int | None, why: str) -> Finding:
    table = next(one.table for one in SOURCES if one.number == row.source)
    event, at = UUID(bytes=row.id), moment_of(row.at)
    return Finding(
        what, position, table, event, at.isoformat(),
        f"Event {event} of {at:%Y-%m-%d %H:%M:%S} in {table} {why}.",
    )  # fmt: skip


def _of_place(what: str, place: _Place, why: str) -> Finding:
    """For an event whose row is not there, or is not to be believed."""
    table = next((one.table for one in SOURCES if one.number == place.source), "audit_leaf")
    event = UUID(bytes=place.event)
    at = _made_at(event)
    when = f" of {at:%Y-%m-%d %H:%M:%S}" if at else ""
    return Finding(
        what, place.position, table, event, at.isoformat() if at else None,
        f"Event {event}{when} in {table} {why}.",
    )  # fmt: skip


def _made_at(event: UUID) -> datetime | None:
    """When an id of version 7 was made, to the millisecond."""
    if event.version != 7:
        return None
    return moment_of((event.int >> 80) * 1000 - _UNIX_TO_2000)


_UNIX_TO_2000 = 946_684_800 * 1_000_000


def _build(connection: Connection, reading: _Reading, start: int, peaks: list[bytes]) -> None:
    """Build the tree from the places in their order, and compare it with each seal."""
    places = _places(connection, start)
    waiting = next(places, None)
    expected = start
    for seal, sealed_peaks in reading.seals:
        if seal.number in reading.broken or seal.end <= start:
            continue
        batch: list[_Place] = []
        while waiting is not None and waiting.position < seal.end:
            batch.append(waiting)
            waiting = next(places, None)
        peaks = _compare(connection, reading, seal, sealed_peaks, peaks, batch, expected)
        expected = seal.end
    if waiting is None:
        return
    count = 1 + sum(1 for _ in places)
    reading.findings += _say_differing(list(reading.differing.values()))
    if not reading.seals or reading.seals[-1][0].number not in reading.broken:
        why = f"and {count - 1} after it have places that no seal is of: seals were removed"
        reading.findings.append(_of_place("added", waiting, why))


def _places(connection: Connection, start: int) -> Iterator[_Place]:
    """Every place from one on; read some at a time, so that between them others can be asked."""
    while True:
        statement = sql.SQL(_PLACES).format(first=sql.Literal(start), most=sql.Literal(_SOME))
        read = 0
        page: list[_Place] = []
        for line in _copied(connection, statement):
            (position, sealed, event, source), _ = fields(line, 4)
            read += 1
            start = number(position) + 1
            if sealed is not None and event is not None and source is not None:
                page.append(_Place(start - 1, sealed, event, int.from_bytes(source, "big")))
        yield from page
        if read < _SOME:
            return


def _compare(
    connection: Connection,
    reading: _Reading,
    seal: Seal,
    sealed_peaks: list[bytes],
    peaks: list[bytes],
    batch: list[_Place],
    expected: int,
) -> list[bytes]:
    """Compare a batch with its seal and say what differs; returns the peaks that it ends with."""
    differing = [
        one for one in (reading.differing.pop(place.position, None) for place in batch) if one
    ]
    built = grown(peaks, expected, (place.hash for place in batch))
    is_whole = len(batch) == seal.end - expected and root_of(built) == seal.root
    if is_whole and not differing:
        return built
    found = _say_differing(differing)
    if not is_whole:
        found = _say_rewritten(connection, seal, peaks, batch, expected, differing, found)
    reading.findings += found
    return built if is_whole else sealed_peaks


def _say_differing(differing: Sequence[_Differing]) -> list[Finding]:
    """What became of rows whose places say something else."""
    hashes = {one.place.hash for one in differing}
    found: list[Finding] = []
    for one in differing:
        if one.row is None:
            found.append(_of_place("removed", one.place, "was sealed and is gone"))
        elif one.row.hash in hashes:
            found.append(
                _of_event("reordered", one.row, one.place.position, "stands in another's place")
            )
        else:
            found.append(
                _of_event("changed", one.row, one.place.position, "was changed after it was sealed")
            )
    return found


def _say_rewritten(
    connection: Connection,
    seal: Seal,
    peaks: list[bytes],
    batch: Sequence[_Place],
    expected: int,
    differing: Sequence[_Differing],
    found: list[Finding],
) -> list[Finding]:
    """The places themselves are not what was sealed: find which, as closely as can be."""
    gaps = set(range(expected, seal.end)) - {place.position for place in batch}
    if gaps:
        first = min(gaps)
        return [
            *found,
            Finding(
                "removed", first, "audit_leaf", None, None,
                f"The order of events has no line {first}"
                + (f", and {len(gaps) - 1} more are missing" if len(gaps) > 1 else "")
                + f" (seal {seal.number}).",
            ),
        ]  # fmt: skip
    rows = {one.place.position: one.row.hash for one in differing if one.row is not None}
    mended = grown(peaks, expected, (rows.get(place.position, place.hash) for place in batch))
    if rows and root_of(mended) == seal.root:
        return [
            _of_event(
                "rewritten", one.row, one.place.position,
                "is as it was sealed, but its line in the order was changed",
            )
            for one in differing if one.row is not None
        ]  # fmt: skip
    stands = _rows(connection, expected, seal.end)
    ordered = sorted(stands.values())
    if len(ordered) == len(batch):
        again = grown(peaks, expected, (row.hash for row in ordered))
        if root_of(again) == seal.root:
            return [
                _of_event(
                    "reordered", row, place.position, "stands in another's place in the order"
                )
                for place, due in zip(batch, ordered, strict=True)
                if (row := stands[place.position]) != due
            ]
    strangers = [
        _of_event("reordered", row, position, f"is of no transaction that seal {seal.number} is of")
        for position, row in sorted(stands.items())
        if row.transaction >= seal.none_from and seal.all_below is not None
    ]
    if found or strangers:
        return found + strangers
    return [
        _of_place(
            "rewritten", batch[0],
            f"is the first of {len(batch)} that seal {seal.number} is of; one or more of them were"
            " rewritten together with their lines in the order",
        )
    ]  # fmt: skip


def _rows(connection: Connection, first: int, end: int) -> dict[int, Event]:
    """The rows of a batch, by place."""
    found: dict[int, Event] = {}
    for source in SOURCES:
        for line in _copied(connection, _filled(_ROWS, source, first=first, end=end)):
            (place, _, _), start = fields(line, 3)
            row = event_from(line, start, source)
            if row is not None:
                found[number(place)] = row
    return found


def _check_kept(
    reading: _Reading, keys: dict[UUID, bytes], kept: Sequence[Kept], *, is_all: bool
) -> None:
    """What was kept elsewhere is what the database says."""
    by_number = {seal.number: seal for seal, _ in reading.seals}
    known = set(keys.values())
    last = max(by_number, default=0)
    agreed = 0
    for one in kept:
        seal = by_number.get(one.number)
        if one.authority != reading.authority:
            why = f"is of {one.authority}"
        elif seal is None and not is_all and one.number < last:
            continue
        elif seal is None:
            why = f"is not in the database any more, which ends with seal {last}"
        elif seal.hash != one.hash():
            why = "says something else than the database"
        elif from_base64(one.key) not in known:
            why = "is signed with a key that the database does not know"
        else:
            agreed = one.events
            continue
        reading.findings.append(
            Finding(
                "checkpoint", agreed, "audit_seal", None, one.made_at,
                f"The checkpoint of seal {one.number} that was kept {why}: events from place"
                f" {agreed} on were sealed anew.",
            )
        )  # fmt: skip
