"""A list is brought in: read, checked for its basis, kept sealed, and set beside our children.

No record is opened for it: what is compared are marks under the authority's key (ADR 46), which
say no name. Whoever judges a doubtful pair opens the record through the gate.

It is taken whole or not at all, but for lines that are wrong, each of which is reported. Comparing
takes minutes and holds no transaction: the list is written, with what was found, in the last one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import BinaryIO, TypeVar, cast
from uuid import UUID

from sqlalchemy import Table, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.service import agency_by_key
from panel.insight.linking import rules
from panel.insight.linking.list_rows import COUNTS, LISTED, CountRow, Entry, ListedRow
from panel.insight.linking.matching import weights
from panel.insight.linking.models import (
    BASES,
    KINDS,
    ListCount,
    ListedChild,
    ListLink,
    RegisterList,
)
from panel.insight.linking.rules import Pair, Verdict
from panel.platform.clock import today
from panel.platform.crypto import Keyring, Keys
from panel.platform.many_rows import insert_many
from panel.platform.problems import Invalid
from panel.platform.tables import KEYS, DataKey, Row
from panel.platform.tenancy import Tenant
from panel.records.child_scoped import JOB
from panel.records.csv_rows import RowProblem, read_rows
from panel.register.marking import mark_those_without, marks_of_children

COUNTED = "dla"
"""The kind of list that is counts and nobody's name."""
MOST = 100_000
"""Lines of a list."""
AT_ONCE = 1_000
AS_BEFORE = "As a person decided before."
BY_RULES = "Everything that matters agrees, and nothing speaks against it."


@dataclass(frozen=True, slots=True)
class NewList:
    """What is said of a list that is to be brought in."""

    kind: str
    agency_key: str
    legal_basis: str
    as_of: date
    opt_out_checked_on: date | None = None


@dataclass(slots=True)
class ListReport:
    """What came of it."""

    taken: int = 0
    linked: int = 0
    to_look_at: int = 0
    """Pairs that wait for a person."""
    problems: list[RowProblem] = field(default_factory=list)


async def bring_in(tenant: Tenant, source: BinaryIO, new: NewList) -> ListReport:
    """Take a list in, and link what is plain.

    Raises UnreadableCsv for a file that is no CSV or lacks columns; Invalid without a basis, for a
    file that was brought in before, and where no line of it can be taken.
    """
    _check(new, today(tenant.clock))
    digest = await _new_digest(tenant, source, new)
    report = ListReport()
    if new.kind == COUNTED:
        wards = read_rows(source, COUNTS, today(tenant.clock))
        counts = _only_once(_taken(wards, report), report)
        async with tenant.transaction(JOB) as session:
            row = await _new_list(session, new, digest, len(counts))
            session.add_all(
                ListCount(register_list_id=row.id, ward_code=one.ward_code, children=one.children)
                for one in counts
            )
        report.taken = len(counts)
        return report
    children = read_rows(source, LISTED, today(tenant.clock))
    rows = _each_once(_taken(children, report), tenant.ring, report)
    await mark_those_without(tenant)
    async with tenant.transaction(JOB) as session:
        known = await marks_of_children(session)
    listed = [row.entry.marks(tenant.ring) for row in rows.values()]
    here = list(known.values())
    found = rules.judged(listed, here, await weights(listed, here))
    async with tenant.transaction(JOB) as session:
        row = await _new_list(session, new, digest, len(rows))
        people = await _add_people(session, row.id, rows)
        links = await _links(session, people, list(known), found)
        for start in range(0, len(links), AT_ONCE):
            await insert_many(session, links[start : start + AT_ONCE])
    report.taken = len(rows)
    report.linked = sum(one.state == "linked" for one in links)
    report.to_look_at = sum(one.state == "proposed" for one in links)
    return report


# What is needed before a line is read -------------------------------------------------------------


def _check(new: NewList, day: date) -> None:
    """Raise Invalid for a list of an unknown kind, without a basis, or of a day to come."""
    if new.kind not in KINDS:
        raise Invalid.because("kind", f"Say what kind of list this is: {', '.join(KINDS)}")
    if new.legal_basis not in BASES:
        raise Invalid.because(
            "legal_basis", f"Say by what right this list is used: {', '.join(BASES)}"
        )
    if new.as_of > day:
        raise Invalid.because("as_of", "The day of the list is in the future")
    if new.kind == COUNTED:
        return
    if new.legal_basis == "published":
        raise Invalid.because("legal_basis", "A list of children is not published. Name its basis")
    if new.opt_out_checked_on is None:
        raise Invalid.because(
            "opt_out_checked_on", "Say when the national data opt-out was applied to this list"
        )
    if new.opt_out_checked_on > day:
        raise Invalid.because(
            "opt_out_checked_on", "The day on which the opt-out was applied is in the future"
        )


async def _new_digest(tenant: Tenant, source: BinaryIO, new: NewList) -> bytes:
    """The file's digest. Raises Invalid where it was brought in before, or its agency is not."""
    source.seek(0)
    digest = sha256(source.read()).digest()
    source.seek(0)
    async with tenant.transaction(JOB) as session:
        if await agency_by_key(session, new.agency_key) is None:
            raise Invalid.because("agency", "There is no agency of this key. Import people first")
        before = await session.scalar(
            select(RegisterList.created_at).where(RegisterList.file_digest == digest)
        )
    if before is not None:
        raise Invalid.because("file", f"This same file was brought in on {before:%d/%m/%Y}")
    return digest


Line = TypeVar("Line")


def _taken(rows: Iterator[Line | RowProblem], report: ListReport) -> Iterator[Line]:
    """The rows that can be taken; what is wrong goes to the report. Raises Invalid for too many."""
    for place, row in enumerate(rows):
        if place >= MOST:
            raise Invalid.because("file", f"A list has at most {MOST:,} lines. Split it")
        if isinstance(row, RowProblem):
            report.problems.append(row)
        else:
            yield row


def _only_once(rows: Iterator[CountRow], report: ListReport) -> list[CountRow]:
    seen: dict[str, CountRow] = {}
    for row in rows:
        if row.ward_code in seen:
            sentence = f"This ward stands on line {seen[row.ward_code].line} already."
            report.problems.append(RowProblem(row.line, "ward_code", sentence))
        else:
            seen[row.ward_code] = row
    return list(_some(seen).values())


def _each_once(
    rows: Iterator[ListedRow], ring: Keyring, report: ListReport
) -> dict[UUID, ListedRow]:
    """The rows by who they are; somebody who is on the list twice is taken once, and reported."""
    seen: dict[UUID, ListedRow] = {}
    for row in rows:
        person = person_of(ring, row.entry)
        if person in seen:
            sentence = f"The same child stands on line {seen[person].line} already."
            report.problems.append(RowProblem(row.line, None, sentence))
        else:
            seen[person] = row
    return _some(seen)


Key = TypeVar("Key")


def _some(seen: dict[Key, Line]) -> dict[Key, Line]:
    if not seen:
        raise Invalid.because("file", "There is no line in this file that can be taken")
    return seen


def person_of(ring: Keyring, entry: Entry) -> UUID:
    """Who an entry is: the same on every list that gives the same number, or name and birth."""
    said = entry.nhs_number or f"{entry.given} {entry.family} {entry.birth_date}"
    return UUID(bytes=ring.index("listed child", said)[:16])


# Writing ------------------------------------------------------------------------------------------


async def _new_list(session: AsyncSession, new: NewList, digest: bytes, lines: int) -> RegisterList:
    agency = await agency_by_key(session, new.agency_key)
    if agency is None:
        raise Invalid.because("agency", "There is no agency of this key. Import people first")
    row = RegisterList(
        kind=new.kind,
        agency_id=agency.id,
        legal_basis=new.legal_basis,
        opt_out_checked_on=None if new.kind == COUNTED else new.opt_out_checked_on,
        as_of=new.as_of,
        file_digest=digest,
        lines=lines,
    )
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as same:
        raise Invalid.because("file", "This same file was brought in a moment ago") from same
    return row


async def _add_people(
    session: AsyncSession, list_id: UUID, rows: Mapping[UUID, ListedRow]
) -> list[ListedChild]:
    """Everybody on the list, sealed, each with a key of its own, in the order of the file."""
    people = []
    for person, row in rows.items():
        entry = row.entry
        people.append(
            ListedChild(
                register_list_id=list_id,
                person_id=person,
                line=row.line,
                birth_date=cast("date", entry.birth_date),
                sex=row.sex,
                need=row.need,
                ward_code=row.ward_code,
                given_name=entry.given_name,
                family_name=entry.family_name,
                nhs_number=entry.nhs_number,
                address=entry.address,
                postcode=entry.postcode,
            )
        )
    for start in range(0, len(people), AT_ONCE):
        batch = people[start : start + AT_ONCE]
        await _new_keys(session, batch)
        await insert_many(session, batch)
    return people


async def _new_keys(session: AsyncSession, rows: Sequence[Row]) -> None:
    """Keys for holders who are new: all at once, where one by one asks three times for each."""
    keys = cast("Keys", session.info[KEYS])
    wrapped = {row.id: keys.ring.new_data_key(row.id) for row in rows}
    await session.execute(
        insert(cast("Table", DataKey.__table__)),
        [{"holder_id": holder, "wrapped": key} for holder, key in wrapped.items()],
    )
    for holder, key in wrapped.items():
        keys.add(holder, key)


async def _links(
    session: AsyncSession,
    people: Sequence[ListedChild],
    children: Sequence[UUID],
    found: Mapping[Pair, rules.Compared],
) -> list[ListLink]:
    """What is said of each pair: by the rules, or as a person decided of the two before."""
    decided = await _decided(session, {one.person_id for one in people})
    links = []
    for (mine, theirs), pair in sorted(found.items()):
        before = decided.get((people[mine].person_id, children[theirs]))
        state = before or rules.verdict(pair).value
        why = AS_BEFORE if before else " ".join(rules.against(pair)) or BY_RULES
        links.append(
            ListLink(
                child_id=children[theirs],
                listed_child_id=people[mine].id,
                number=1,
                state=state,
                weight=round(Decimal(pair.weight), 2),
                why=why,
                rules=rules.KEPT_AS,
            )
        )
    return links


async def _decided(session: AsyncSession, people: set[UUID]) -> dict[tuple[UUID, UUID], str]:
    """What persons decided of somebody on earlier lists and a child, the newest of each pair."""
    rows = await session.execute(
        select(ListedChild.person_id, ListLink.child_id, ListLink.state)
        .join(ListLink, ListLink.listed_child_id == ListedChild.id)
        .where(ListedChild.person_id.in_(people), ListLink.created_by != JOB)
        .order_by(ListLink.created_at, ListLink.number)
    )
    newest = {(person, child): state for person, child, state in rows}
    # Who undid a decision wants to be asked again.
    return {pair: state for pair, state in newest.items() if state != Verdict.PERSON}
