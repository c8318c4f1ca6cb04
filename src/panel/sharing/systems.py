"""An agency's own computer system, which gets what was agreed for it and never by itself.

Sharing with the people of an agency is not sharing with its system: the system is agreed to, or
refused, by the purpose `exchange` alone. Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Iterable
from uuid import UUID

from consent import Agreement, Purpose
from panel.sharing.models import SharingAgreement

SYSTEM = frozenset({Purpose.EXCHANGE})
FOR_PEOPLE = frozenset(Purpose) - SYSTEM


def is_of_system(purposes: Iterable[Purpose]) -> bool:
    """Whether these purposes are of an agency's system alone, and of none of its people."""
    return frozenset(purposes) == SYSTEM


def objected_purposes(no: Iterable[Purpose]) -> frozenset[Purpose]:
    """For what a no that becomes an objection is one: an agency's system alone, or everything.

    Whatever else a no names, the objection has always been to all of it, and to no less.
    """
    return SYSTEM if is_of_system(no) else frozenset()


def agencies_spoken_of(said: Iterable[Agreement]) -> frozenset[UUID]:
    """The agencies whose system an agreement or a refusal names, in force or not."""
    about = [one for one in said if one.purposes & SYSTEM]
    return frozenset[UUID]().union(*(one.agencies | one.not_agencies for one in about))


def agencies_of_systems(rows: Iterable[SharingAgreement]) -> frozenset[UUID]:
    """The agencies whose system one of these agreements gives something to."""
    return frozenset(
        agency
        for row in rows
        if row.given and not SYSTEM.isdisjoint(row.purposes)
        for agency in row.agencies
    )


def still_refused(
    no: frozenset[Purpose], yes: frozenset[Purpose], *, system_agreed: bool
) -> frozenset[Purpose] | None:
    """For which purposes a no goes on when the same person says yes to the same for others.

    None where it stays as it is, an empty set where the yes ends it. `no` is empty for a no to
    everything. `system_agreed` is whether somebody else agreed that the system gets it: only then
    would the end of such a no open what the yes does not speak of.
    """
    if is_of_system(yes):
        left = (no or frozenset(Purpose)) - SYSTEM
    elif yes & SYSTEM or not (no & SYSTEM or (not no and system_agreed)):
        left = frozenset()
    else:
        left = SYSTEM
    return None if no and left == no else left
