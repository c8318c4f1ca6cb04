"""Facts as a fold of what happened: said, linked, parted, erased.

Pure. `fold` reads a whole history; a `State` that is given one event after the other comes to the
same facts, by making those anew whom the event is about. What the rooms say of a record takes the
place of what they said before. Linked records are one person: the one whose record was heard of
first, so that a link changes what the later record contributes and nothing else, and parting gives
it back. An erasure takes every event of the record away: what is left folds to what never held it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from hashlib import sha256
from types import MappingProxyType
from typing import Protocol

import msgspec

from panel.insight.core.derive import derive
from panel.insight.core.facts import (
    FACTS,
    ChildSaid,
    ChildTerm,
    Coverage,
    Fact,
    FactEvent,
    Need,
    Term,
    Who,
)
from panel.insight.core.words import Period

TABLES: Mapping[type[Fact], str] = MappingProxyType(
    {
        one: "fact_" + name
        for one, name in zip(
            FACTS,
            (
                "child_term", "need", "request", "unmet", "package", "wait", "outcome",
                "perception", "transition", "coverage", "capacity",
            ),
            strict=True,
        )
    }
)  # fmt: skip
"""Each kind of fact and the table that keeps it."""
TELL_APART = ("clock", "list", "key", "question")
"""Columns that tell two facts of one person and term apart, in the tables that have them."""


class RecordKeys(Protocol):
    """Makes the key that a person contributes to cells."""

    def record_key(self, person: bytes) -> int:
        """Signed 64 bits, the same for ever."""
        ...


class Links:
    """Which records are of one person, as people judged it."""

    def __init__(self) -> None:
        self._beside: dict[bytes, set[bytes]] = defaultdict(set)

    def link(self, one: bytes, other: bytes) -> None:
        """Two records are of one person."""
        if one != other:
            self._beside[one].add(other)
            self._beside[other].add(one)

    def part(self, one: bytes, other: bytes) -> None:
        """They are not: the link between the two is taken away, and no other."""
        self._beside[one].discard(other)
        self._beside[other].discard(one)

    def forget(self, record: bytes) -> None:
        """Every link of a record is taken away."""
        for other in tuple(self._beside.pop(record, ())):
            self._beside[other].discard(record)

    def beside(self, record: bytes) -> frozenset[bytes]:
        """The records that are linked with one by a link of their own."""
        return frozenset(self._beside.get(record, ()))

    def of(self, record: bytes) -> frozenset[bytes]:
        """All records that are of the same person as one, itself among them."""
        found, left = {record}, [record]
        while left:
            for other in self._beside.get(left.pop(), ()):
                if other not in found:
                    found.add(other)
                    left.append(other)
        return frozenset(found)


class State:
    """Facts by person, with what they are made from."""

    def __init__(self, terms: Sequence[Term], keys: RecordKeys) -> None:
        self._terms = tuple(terms)
        self._keys = keys
        self._said: dict[bytes, ChildSaid] = {}
        self._heard: dict[bytes, int] = {}
        """Each record and the number of the event by which it was first heard of."""
        self.links = Links()
        self.facts: dict[bytes, tuple[Fact, ...]] = {}

    def note(self, event: FactEvent) -> frozenset[bytes]:
        """Take an event in without making facts; returns the records whom it is about."""
        if event.kind == "said" and event.said is not None:
            self._said[event.record] = event.said
            self._heard.setdefault(event.record, event.number)
            return frozenset({event.record})
        if event.other is None:
            return frozenset()
        if event.kind == "linked":
            self.links.link(event.record, event.other)
        elif event.kind == "parted":
            self.links.part(event.record, event.other)
        return frozenset({event.record, event.other})

    def apply(self, event: FactEvent) -> None:
        """Take an event in, and make the facts anew of all whom it may change."""
        about = self.note(event)
        self.make({other for record in about for other in self.links.of(record)})

    def erase(self, record: bytes) -> None:
        """Have it as if the record had never been heard of."""
        changed = self.links.of(record)
        self.links.forget(record)
        self._said.pop(record, None)
        self._heard.pop(record, None)
        self.make(changed)

    def make(self, records: Iterable[bytes] | None = None) -> None:
        """Make the facts anew of these records and whomever they are linked with; or all."""
        left = set(self._said) if records is None else set(records)
        if records is None:
            self.facts.clear()
        while left:
            joined = self.links.of(left.pop())
            left -= joined
            for record in joined:
                self.facts.pop(record, None)
            known = sorted(
                (one for one in joined if one in self._said), key=self._heard.__getitem__
            )
            if known and (made := self._made(known)):
                self.facts[known[0]] = made

    def _made(self, records: Sequence[bytes]) -> tuple[Fact, ...]:
        """The facts of one person out of all records of theirs, the earliest first."""
        person = records[0]
        who = Who(person, self._keys.record_key(person))
        return joined_facts(derive(who, self._said[one], self._terms) for one in records)

    def digests(self) -> dict[str, str]:
        """The SHA-256 of each table's canonical lines."""
        return digests(fact for facts in self.facts.values() for fact in facts)

    def digest(self) -> str:
        """The SHA-256 of all canonical lines."""
        return digest(fact for facts in self.facts.values() for fact in facts)


def fold(events: Iterable[FactEvent], terms: Sequence[Term], keys: RecordKeys) -> State:
    """The facts that a history of events comes to."""
    state = State(terms, keys)
    for event in events:
        state.note(event)
    state.make()
    return state


def joined_facts(several: Iterable[Sequence[Fact]]) -> tuple[Fact, ...]:
    """Facts of one person out of several records, sorted; of two for one place the earlier.

    Of a term, a record in which the child is known comes before one that is only on a list. Who is
    on a list by one record is on it, and known by one is known: what lists say is put together.
    """
    kept: dict[tuple[str, ...], Fact] = {}
    for facts in several:
        for fact in facts:
            place = place_of(fact)
            before = kept.get(place)
            if before is None or (
                isinstance(fact, ChildTerm)
                and isinstance(before, ChildTerm)
                and fact.known
                and not before.known
            ):
                kept[place] = fact
            elif isinstance(fact, Coverage) and isinstance(before, Coverage):
                kept[place] = replace(before, listed=before.listed or fact.listed)
    _put_lists_together(kept)
    return tuple(kept[place] for place in sorted(kept))


def _put_lists_together(kept: dict[tuple[str, ...], Fact]) -> None:
    """In each term: on which lists a person is, and whether known, as all its records say."""
    known: set[Period] = set()
    on: dict[Period, set[str]] = defaultdict(set)
    for fact in kept.values():
        if isinstance(fact, ChildTerm) and fact.known:
            known.add(fact.period)
        if isinstance(fact, Coverage) and fact.listed:
            on[fact.period].add(fact.list)
    for place, fact in kept.items():
        if isinstance(fact, Coverage):
            kept[place] = replace(
                fact,
                known=fact.period in known,
                elsewhere=bool(on[fact.period] - {fact.list}),
            )


def key_columns(table: type[Fact]) -> tuple[str, ...]:
    """The columns that make a row of a table, beside person and period."""
    if table is Need:
        return ("need",)
    names = {one.name for one in fields(table)}
    return tuple(one for one in TELL_APART if one in names)


def place_of(fact: Fact) -> tuple[str, ...]:
    """The table of a fact and what tells it from every other of the same person."""
    own = (_text(getattr(fact, name)) for name in key_columns(type(fact)))
    return (TABLES[type(fact)], fact.period, *own)


def row_of(fact: Fact) -> tuple[object, ...]:
    """A fact's values in the order of its table's columns."""
    return tuple(value for one in fields(fact) for value in _values(getattr(fact, one.name)))


def _values(value: object) -> tuple[object, ...]:
    return (value.person, value.record_key) if isinstance(value, Who) else (value,)


def columns_of(table: type[Fact]) -> tuple[str, ...]:
    """The columns of a table, in order."""
    return tuple(
        name
        for one in fields(table)
        for name in (("person", "record_key") if one.name == "who" else (one.name,))
    )


def canonical(fact: Fact) -> bytes:
    """A fact as one line: the same fact, the same bytes."""
    values = [TABLES[type(fact)], *(_text(value) for value in row_of(fact))]
    return msgspec.json.encode(values)


def digests(facts: Iterable[Fact]) -> dict[str, str]:
    """The SHA-256 of each table's canonical lines, sorted; of every table, empty or not."""
    lines: dict[str, list[bytes]] = {name: [] for name in TABLES.values()}
    for fact in facts:
        lines[TABLES[type(fact)]].append(canonical(fact))
    return {name: _hash(several) for name, several in lines.items()}


def digest(facts: Iterable[Fact]) -> str:
    """The SHA-256 of the canonical lines of all facts, sorted."""
    return _hash([canonical(fact) for fact in facts])


def _hash(lines: list[bytes]) -> str:
    hashed = sha256()
    for line in sorted(lines):
        hashed.update(line)
        hashed.update(b"\n")
    return hashed.hexdigest()


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:.3f}"
    return str(value)


def said_bytes(said: ChildSaid) -> bytes:
    """What is said of a child in one form: its parts in order, its names sorted."""
    parts = tuple(sorted(said.said, key=lambda one: msgspec.json.encode(one, order="sorted")))
    return msgspec.json.encode(msgspec.structs.replace(said, said=parts), order="sorted")
