"""Whose record a page is: what its first line says, and the parts of the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import msgspec
from sqlalchemy import text

from consent import Category, Tie
from panel.platform.tenancy import load_agency_keys
from panel.records.dates import age_words
from panel.records.gate import Access
from panel.records.nhs_number import nhs_number_words
from panel.records.restricted_use import restricted_words
from panel.web.words import initials, short_day

EDUCATION = frozenset({"education", "school"})
"""The kinds of agency that see a UPN (DOMAIN.md: UPN is for education)."""

PARTS = (
    ("overview", "Overview", ""),
    ("assessment", "Assessment", "/assessments"),
    ("plan", "Plan", "/plan"),
    ("packages", "Packages", "/packages"),
    ("people", "People", "/people"),
    ("panels", "Panels", "/panels"),
    ("meetings", "Meetings (IMPACT)", "/meetings"),
    ("requests", "Requests", "/requests"),
    ("documents", "Documents", "/documents"),
    ("experience", "What the family says", "/experience"),
    ("systems", "Other systems", "/systems"),
    ("chronology", "Chronology", "/chronology"),
    ("sharing", "Sharing", "/sharing"),
)
"""The parts of a record: what a page calls itself in `here`, the words, the address."""
LEADS_PARTS = (*PARTS, ("corrections", "Corrections", "/corrections"))
"""And what is said to be wrong in it, which whoever holds the plan answers."""


@dataclass(frozen=True, slots=True)
class ChildHeader:
    """Whose record it is, as far as this viewer may know. Empty words are not shown."""

    child_id: UUID
    reference: str
    name: str
    """The child's name, or the reference where the name is withheld."""
    initials: str
    known_as: str
    age_words: str
    """"4 years 5 months", or "expected 3 December 2026"."""
    born: date | None
    nhs_number_words: str | None
    upn: str | None
    lead_words: str
    """"Rosa Whitlow, Health visiting", or "Nobody yet"."""
    is_led: bool = False
    """Whether the reader holds the plan."""
    restricted_on: date | None = None
    """Since when it is kept and not used (UK GDPR Article 18)."""

    @property
    def restricted_words(self) -> str:
        """What stands above a record whose use is restricted; empty above others."""
        return "" if self.restricted_on is None else restricted_words(self.restricted_on)

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """What stands beside the name: (what, value)."""
        told = (
            ("Reference", self.reference),
            ("Known as", self.known_as),
            ("Age", self.age_words),
            ("Born", "" if self.born is None else short_day(self.born)),
            ("NHS number", self.nhs_number_words or ""),
            ("UPN", self.upn or ""),
            ("Lead professional", self.lead_words),
            (
                "Use of this record",
                self.restricted_on and f"Restricted since {short_day(self.restricted_on)}",
            ),
        )
        return [(what, value) for what, value in told if value and value != self.name]

    def links(self, here: str) -> Sequence[tuple[str, str, bool]]:
        """The parts of the record: (words, address, whether the reader is there)."""
        parts = LEADS_PARTS if self.is_led else PARTS
        return [
            (words, f"/children/{self.child_id}{path}", key == here) for key, words, path in parts
        ]


class LeadFact(msgspec.Struct):
    """Who holds the plan now, or covers for them."""

    id: UUID
    agency_id: UUID
    agency: str
    name: str | None
    until_on: date | None = None
    """The last day of a cover."""


class WhoFacts(msgspec.Struct):
    """What a header is made of; a page's own read model may begin with it."""

    reference: str
    birth_date: date | None
    expected: date | None
    given_name: str | None
    family_name: str | None
    known_as: str | None
    nhs_number: str | None
    upn: str | None
    lead: LeadFact | None
    restricted_on: date | None = None
    """Since when the use of the record is restricted, where it is."""
    cover: LeadFact | None = None
    """Who stands in for whoever holds the plan today."""


_WHO = """
SELECT json_build_object('restricted_on', (SELECT r.from_on FROM processing_restriction r
   WHERE r.child_id = c.id AND r.ended_on IS NULL),
 'reference', c.reference, 'birth_date', c.birth_date,
  'expected', c.expected_delivery_on, 'given_name', encode(c.given_name, 'hex'),
  'family_name', encode(c.family_name, 'hex'), 'known_as', encode(c.known_as, 'hex'),
  'nhs_number', encode(c.nhs_number, 'hex'), 'upn', encode(c.upn, 'hex'),
  'lead', (SELECT json_build_object('id', w.id, 'agency_id', a.id, 'agency', a.name,
       'name', encode(w.name, 'hex'))
     FROM lead_professional l JOIN worker w ON w.id = l.worker_id
     JOIN agency a ON a.id = w.agency_id
     WHERE l.child_id = c.id AND l.role = 'main' AND l.state IN ('accepted', 'ended')
       AND l.from_on <= :today AND (l.until_on IS NULL OR l.until_on >= :today) LIMIT 1),
  'cover', (SELECT json_build_object('id', w.id, 'agency_id', a.id, 'agency', a.name,
       'name', encode(w.name, 'hex'), 'until_on', v.until_on)
     FROM lead_cover v JOIN worker w ON w.id = v.worker_id JOIN agency a ON a.id = w.agency_id
     WHERE v.child_id = c.id AND v.state IN ('accepted', 'ended') AND v.from_on <= :today
       AND v.until_on >= :today AND (w.until_on IS NULL OR w.until_on >= :today)
     ORDER BY v.from_on DESC LIMIT 1))::text
FROM child c WHERE c.id = :child
"""
_READ_WHO = msgspec.json.Decoder(WhoFacts)


async def child_header(access: Access) -> ChildHeader:
    """The first line of every page of a child's record: whose it is, and who leads."""
    given = {"child": access.child_id, "today": access.today}
    found = await access.session.execute(text(_WHO), given)
    who = _READ_WHO.decode(found.scalar_one())
    agencies = {one.agency_id for one in (who.lead, who.cover) if one is not None}
    if agencies:
        await load_agency_keys(access.session, agencies)
    return header_from(access, who)


def header_from(access: Access, who: WhoFacts) -> ChildHeader:
    """The header as this viewer may see it; the lead's agency's key is at hand."""
    may_know = access.may(Category.IDENTITY)
    name = name_of_child(access, who.given_name, who.family_name)
    nhs_number = identity_text(access, "nhs_number", who.nhs_number)
    for_education = access.viewer.agency_kind in EDUCATION
    return ChildHeader(
        child_id=access.child_id,
        reference=who.reference,
        name=name or who.reference,
        initials=initials(name) if name else who.reference,
        known_as=identity_text(access, "known_as", who.known_as),
        age_words=age_or_expected(who.birth_date, who.expected, access.today) if may_know else "",
        born=who.birth_date if may_know else None,
        nhs_number_words=nhs_number_words(nhs_number) if nhs_number else None,
        upn=(identity_text(access, "upn", who.upn) or None) if for_education else None,
        lead_words=_lead_words(access, who),
        is_led=Tie.LEAD in access.ties,
        restricted_on=who.restricted_on,
    )


def age_or_expected(birth_date: date | None, expected: date | None, today: date) -> str:
    """An age, or when a birth is expected; empty where neither is known."""
    if birth_date is not None and birth_date <= today:
        return age_words(birth_date, today)
    coming = birth_date or expected
    return "" if coming is None else f"expected {short_day(coming)}"


def name_of_child(access: Access, given_name: str | None, family_name: str | None) -> str:
    """A child's name from its sealed parts; empty where there is none or it is withheld."""
    parts = (
        identity_text(access, "given_name", given_name),
        identity_text(access, "family_name", family_name),
    )
    return " ".join(part for part in parts if part)


def identity_text(access: Access, column: str, sealed_hex: str | None) -> str:
    """A sealed column of the child's own row; empty where there is none or it is withheld."""
    opened = access.open_text(sealed_hex, f"child.{column}", access.child_id, Category.IDENTITY)
    return opened or ""


def _lead_words(access: Access, who: WhoFacts) -> str:
    if who.lead is None or who.lead.name is None:
        return "Nobody yet"
    # A process fact: who holds the plan is named to everyone who may reach the child.
    lead = f"{_worker_name(access, who.lead)}, {who.lead.agency}"
    if who.cover is None or who.cover.until_on is None:
        return lead
    return (
        f"{lead} ({_worker_name(access, who.cover)} covers until {short_day(who.cover.until_on)})"
    )


def _worker_name(access: Access, one: LeadFact) -> str:
    sealed = bytes.fromhex(one.name or "")
    return access.keys.open(one.agency_id, "worker.name", one.id, sealed) if sealed else ""
