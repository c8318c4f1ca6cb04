"""Who is recorded as entitled to decide about sharing one child's information.

Parental responsibility comes from the family's ties, with its basis and dates; nothing is
inferred. Source: DOMAIN.md, "Agreement and the law".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import text

from consent import (
    Appointment,
    Capacity,
    Category,
    ChildStanding,
    Judgement,
    ParentalBasis,
    ParentalResponsibility,
    Span,
)
from consent.standing import AGE_OF_OWN_AGREEMENT, has_reached
from panel.platform.tenancy import load_keys
from panel.records.gate import Access
from panel.web.words import upper_first

APPOINTED = {"deputy": Capacity.DEPUTY, "attorney": Capacity.ATTORNEY}
"""Ties, by their word, that are an appointment for somebody who is 18."""


class LinkFact(msgspec.Struct):
    """One family member's tie, as `family_link` holds it."""

    person: UUID
    relationship: str
    parental_responsibility: bool
    basis: str | None
    from_on: date | None
    until_on: date | None
    name: str | None
    author_agency: UUID | None
    """The agency of whoever wrote the person down; None for an import."""

    def holds(self, day: date) -> bool:
        """Whether the tie holds on the day."""
        return Span(self.from_on, self.until_on).holds(day)


class FamilyFacts(msgspec.Struct):
    """What decides about who may decide."""

    born: date | None
    sex: str
    links: tuple[LinkFact, ...] | None


@dataclass(frozen=True, slots=True)
class PossibleGiver:
    """Somebody who could be asked about sharing: the child, or one of the family."""

    person: UUID
    name: str
    """Empty where it may not be seen, or where it is the child."""
    relationship: str
    """"Mother"; empty for the child."""


_FAMILY = """
SELECT json_build_object('born', c.birth_date, 'sex', c.sex, 'links',
  (SELECT json_agg(json_build_object('person', m.id, 'relationship', l.relationship,
      'parental_responsibility', l.parental_responsibility, 'basis', l.basis,
      'from_on', l.from_on, 'until_on', l.until_on, 'name', encode(m.name, 'hex'),
      'author_agency', (SELECT w.agency_id FROM worker w WHERE w.id = m.created_by))
      ORDER BY l.id)
   FROM family_link l JOIN family_member m ON m.id = l.family_member_id
   WHERE l.child_id = c.id))::text
FROM child c WHERE c.id = :child
"""
_READ_FAMILY = msgspec.json.Decoder(FamilyFacts)


async def family_facts(access: Access) -> FamilyFacts:
    """The family's ties as they are recorded, for deciding who may decide."""
    found = await access.session.execute(text(_FAMILY), {"child": access.child_id})
    return _READ_FAMILY.decode(found.scalar_one())


def child_standing(
    child: UUID, facts: FamilyFacts, judgements: Iterable[Judgement] = ()
) -> ChildStanding:
    """The recorded facts as the rule of who may agree takes them."""
    links = facts.links or ()
    return ChildStanding(
        child=child,
        born=facts.born,
        responsibilities=tuple(
            ParentalResponsibility(
                link.person, _basis(link.basis), Span(link.from_on, link.until_on)
            )
            for link in links
            if link.parental_responsibility
        ),
        judgements=tuple(judgements),
        appointments=tuple(
            Appointment(link.person, capacity, Span(link.from_on, link.until_on))
            for link in links
            if (capacity := APPOINTED.get(link.relationship.strip().lower())) is not None
        ),
    )


def giver_words(child: UUID, person: UUID, facts: FamilyFacts, today: date) -> str | None:
    """Who somebody is, in words that pages may use: "her mother"; None for a stranger."""
    if person == child:
        of_age = has_reached(facts.born, AGE_OF_OWN_AGREEMENT, today)
        return "the young person" if of_age else "the child"
    link = _link_of(person, facts.links or (), today)
    if link is None:
        return None
    return f"{whose(facts.sex)} {link.relationship.strip().lower() or 'family member'}"


def whose(sex: str) -> str:
    """ "her", "his" or "their", for words about somebody in the family."""
    return {"female": "her", "male": "his"}.get(sex, "their")


async def possible_givers(access: Access) -> tuple[PossibleGiver, ...]:
    """The child and those of the family whose tie holds today; names where they may be seen.

    Who is who must be known to ask the right person, so the relationship is told even where the
    name is withheld; where the family is protected in silence, nobody of it is named at all.
    """
    facts = await family_facts(access)
    givers = [PossibleGiver(access.child_id, "", "")] if facts.born is not None else []
    links = [link for link in facts.links or () if link.holds(access.today)]
    await load_keys(access.session, {link.person for link in links})
    seen: set[UUID] = set()
    for link in links:
        decision = access.decision(Category.FAMILY, link.author_agency, link.person)
        if link.person in seen or decision.silent:
            continue
        seen.add(link.person)
        name = ""
        if decision.permitted and link.name is not None:
            sealed = bytes.fromhex(link.name)
            name = access.keys.open(link.person, "family_member.name", link.person, sealed)
        relationship = link.relationship.strip()
        givers.append(PossibleGiver(link.person, name, upper_first(relationship)))
    return tuple(givers)


def _link_of(person: UUID, links: Sequence[LinkFact], today: date) -> LinkFact | None:
    mine = [link for link in links if link.person == person]
    return next((link for link in mine if link.holds(today)), next(iter(mine), None))


def _basis(recorded: str | None) -> ParentalBasis | None:
    # A word that the law does not know counts as no basis: somebody must record one.
    try:
        return ParentalBasis(recorded) if recorded else None
    except ValueError:
        return None
