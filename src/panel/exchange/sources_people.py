"""Who: the child, the family and the team."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

import msgspec

from consent import Category
from interop import systems
from interop.messages import Carer, Child, Message, Sex, Team, TeamMember
from panel.exchange.columns import (
    Code,
    Identifier,
    Nothing,
    Refers,
    SealedWords,
    Times,
    at,
    to,
)
from panel.exchange.permitted import may
from panel.exchange.source import (
    ChildLine,
    ChildSource,
    author,
    hex_of,
    listed,
    plain,
    text_of,
    texts,
)
from panel.platform.read_models import sql
from panel.records.gate import Access
from panel.register.service import EDUCATION

OF_THE_CHILD = (
    Category.IDENTITY, Category.CONTACT, Category.FAMILY, Category.HEALTH, Category.EDUCATION,
)  # fmt: skip
"""What a child's own row holds."""


class OwnLine(ChildLine, kw_only=True):
    """What every resource is told from that is made of a child's own row."""

    author: UUID | None
    made_at: datetime
    told_at: datetime | None = None
    """Since when all says the same that is told to others than education."""

    def changed_for(self, access: Access) -> datetime:
        """When it changed; when it was made, for who is not told of all that may have changed."""
        if not all(access.may(one, self.author) for one in OF_THE_CHILD):
            return self.made_at
        if self.told_at is None or access.viewer.agency_kind in EDUCATION:
            return self.changed_at
        return self.told_at


OWN_FIELDS = listed(
    f"'author', {author('r.created_by')}", "'made_at', r.created_at", "'told_at', r.told_at"
)
OWN_CHANGED = sql(
    "(CASE WHEN NOT ({whole}) THEN r.created_at"
    " WHEN r.told_at IS NULL OR EXISTS (SELECT FROM agency oa"
    " WHERE oa.id = :own_agency AND oa.kind IN ({education})) THEN r.changed_at"
    " ELSE r.told_at END)",
    education=", ".join(f"'{kind}'" for kind in sorted(EDUCATION)),
    whole=" AND ".join(
        may("r.id", f"'{one.value}'", author("r.created_by")) for one in OF_THE_CHILD
    ),
)


class ChildRow(OwnLine):
    """A child's row, sealed texts as hexadecimal."""

    reference: str
    birth_date: date | None
    sex: Sex
    given_name: str | None
    family_name: str | None
    known_as: str | None
    nhs_number: str | None
    nhs_number_verified: bool
    upn: str | None
    address: str | None
    postcode: str | None
    phone: str | None
    ethnicity: str | None
    first_language: str | None
    interpreter: str | None
    practice: UUID | None
    protected: bool
    died: bool


_PRACTICE = """(SELECT i.agency_id FROM involvement i JOIN agency a ON a.id = i.agency_id
  WHERE i.child_id = r.id AND a.kind = 'gp' AND i.from_on IS NOT NULL AND i.until_on IS NULL
  ORDER BY i.from_on DESC, i.id LIMIT 1)"""
_PROTECTED = """EXISTS (SELECT FROM sharing_restriction s WHERE s.child_id = r.id
  AND s.kind = 'protection' AND NOT s.silent AND s.until_on IS NULL)"""
_DIED = """EXISTS (SELECT FROM episode e WHERE e.child_id = r.id AND e.closure_reason = 'died')"""


def _child(row: ChildRow, access: Access) -> Message | None:
    if not access.may(Category.IDENTITY, row.author):
        return None

    def text(column: str, category: Category) -> str | None:
        sealed = getattr(row, column)
        return access.open_text(sealed, f"child.{column}", row.id, category, row.author) or None

    family = access.may(Category.FAMILY, row.author)
    contact = access.may(Category.CONTACT, row.author)
    education = access.viewer.agency_kind in EDUCATION
    withheld = access.withheld_of(
        category
        for category, seen in ((Category.CONTACT, contact), (Category.FAMILY, family))
        if not seen
    )
    return Child(
        id=str(row.id),
        changed_at=row.changed_for(access),
        restricted=row.protected and contact,
        parts_withheld=bool(withheld),
        reference=row.reference,
        given_name=text("given_name", Category.IDENTITY) or "",
        family_name=text("family_name", Category.IDENTITY) or "",
        known_as=text("known_as", Category.IDENTITY),
        birth_date=row.birth_date,
        sex=row.sex,
        nhs_number=text("nhs_number", Category.IDENTITY),
        nhs_number_verified=row.nhs_number_verified,
        upn=text("upn", Category.IDENTITY) if education else None,
        address=text("address", Category.CONTACT),
        postcode=text("postcode", Category.CONTACT),
        phone=text("phone", Category.CONTACT),
        ethnicity=row.ethnicity if family else None,
        first_language=row.first_language if family else None,
        interpreter=row.interpreter if family else None,
        practice=text_of(row.practice)
        if access.may(Category.NETWORK) or row.practice == access.viewer.agency
        else None,
        died=row.died and access.may(Category.IDENTITY),
    )


def _family_names(message: Message) -> Iterable[str]:
    return (message.family_name,) if isinstance(message, Child) else ()


def _given_names(message: Message) -> Iterable[str]:
    return (message.given_name, message.known_as or "") if isinstance(message, Child) else ()


def _names(message: Message) -> Iterable[str]:
    return (*_given_names(message), *_family_names(message))


PATIENT = ChildSource(
    resource="Patient",
    about=frozenset({*OF_THE_CHILD, Category.NETWORK}),
    changed_as_told=OWN_CHANGED,
    line=ChildRow,
    rows="child r",
    child_id="r.id",
    fields=", ".join(
        (
            plain(
                "reference", "birth_date", "sex", "nhs_number_verified", "ethnicity",
                "first_language", "interpreter",
            ),
            hex_of(
                "given_name", "family_name", "known_as", "nhs_number", "upn", "address",
                "postcode", "phone",
            ),
            OWN_FIELDS,
            f"'practice', {_PRACTICE}",
            f"'protected', {_PROTECTED}",
            f"'died', {_DIED}",
        )
    ),
    # Who a child was before an adoption is in no index and no list, so in no history either.
    past_from="(SELECT max(b.created_at) FROM former_identity b WHERE b.child_id = r.id)",
    may_be_told=may("r.id", "'identity'", author("r.created_by")),
    columns={
        "patient": to("r.id"),
        "identifier": Identifier(
            of=((systems.CHILD_REFERENCE, "r.reference = ANY({values})"),),
            indexed=((systems.NHS_NUMBER, "nhs_number"),),
            missing="false",
        ),
        "family": SealedWords(_family_names, indexed=True),
        "given": SealedWords(_given_names, indexed=True),
        "name": SealedWords(_names, indexed=True),
        "birth_date": at("r.birth_date"),
        "gender": Code(
            "CASE r.sex WHEN 'female' THEN 'female' WHEN 'male' THEN 'male'"
            " WHEN 'indeterminate' THEN 'other' ELSE 'unknown' END"
        ),
    },
    message=_child,
)  # fmt: skip


class CarerRow(ChildLine):
    """A tie of one of the family."""

    made_at: datetime
    member_id: UUID
    link_author: UUID | None
    member_author: UUID | None
    child_author: UUID | None
    relationship: str
    parental_responsibility: bool
    lives_with: bool
    from_on: date | None
    until_on: date | None
    first_language: str | None
    interpreter: str | None
    name: str | None
    phone: str | None
    email: str | None
    address: str | None

    def changed_for(self, access: Access) -> datetime:
        """When it changed; when the tie was made, for who is not told where somebody lives."""
        whole = access.may(Category.CONTACT, self.member_author) and access.may(
            Category.IDENTITY, self.child_author
        )
        return self.changed_at if whole else self.made_at


def _carer(row: CarerRow, access: Access) -> Message | None:
    if not access.may(Category.FAMILY, row.link_author):
        return None
    contact = access.may(Category.CONTACT, row.member_author)
    keys = access.keys

    def text(column: str) -> str | None:
        sealed = getattr(row, column)
        if sealed is None:
            return None
        member = row.member_id
        return keys.open(member, f"family_member.{column}", member, bytes.fromhex(sealed)) or None

    return Carer(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=row.changed_for(access),
        parts_withheld=not contact and bool(access.withheld_of([Category.CONTACT])),
        name=text("name") or "",
        relationship=row.relationship,
        parental_responsibility=row.parental_responsibility,
        # Who lives where is contact; most ties begin on the day of birth, which is identity.
        lives_with=row.lives_with and contact,
        from_on=row.from_on if access.may(Category.IDENTITY, row.child_author) else None,
        until_on=row.until_on,
        first_language=row.first_language,
        interpreter=row.interpreter,
        phone=text("phone") if contact else None,
        email=text("email") if contact else None,
        address=text("address") if contact else None,
    )


def _name_of(message: Message) -> Iterable[str]:
    return (message.name,) if isinstance(message, Carer) else ()


_CARER_CHANGED = "GREATEST(r.changed_at, m.changed_at)"

RELATED_PERSON = ChildSource(
    resource="RelatedPerson",
    about=frozenset({Category.FAMILY, Category.CONTACT, Category.IDENTITY}),
    line=CarerRow,
    rows="family_link r JOIN family_member m ON m.id = r.family_member_id"
    " JOIN child c ON c.id = r.child_id",
    changed=_CARER_CHANGED,
    # That somebody's address or telephone changed may not be told where these may not.
    changed_as_told=sql(
        "(CASE WHEN {contact} AND {identity} THEN {changed} ELSE r.created_at END)",
        contact=may("r.child_id", "'contact'", author("m.created_by")),
        identity=may("r.child_id", "'identity'", author("c.created_by")),
        changed=_CARER_CHANGED,
    ),
    fields=", ".join(
        (
            "'made_at', r.created_at",
            plain("relationship", "parental_responsibility", "lives_with", "from_on", "until_on"),
            plain("first_language", "interpreter", of="m"),
            hex_of("name", "phone", "email", "address", of="m"),
            "'member_id', m.id",
            f"'link_author', {author('r.created_by')}",
            f"'member_author', {author('m.created_by')}",
            f"'child_author', {author('c.created_by')}",
        )
    ),
    may_be_told=may("r.child_id", "'family'", author("r.created_by")),
    columns={
        "patient": to("r.child_id"),
        "identifier": Nothing(),
        "name": SealedWords(_name_of),
        "relationship": Code("r.relationship"),
    },
    holders=lambda row: (row.member_id,),
    message=_carer,
)


class InTeam(msgspec.Struct):
    """One part in a team, and whose record it is."""

    agency_id: UUID
    author: UUID | None
    worker_id: UUID | None
    part: str
    is_lead: bool
    from_on: date | None
    until_on: date | None
    changed_at: datetime


class InFamily(msgspec.Struct):
    """One of the family, by the id of the tie."""

    id: UUID
    author: UUID | None


class TeamRow(ChildLine):
    """All the parts, and the family's ties."""

    members: tuple[InTeam, ...] | None
    carers: tuple[InFamily, ...] | None


def _team(row: TeamRow, access: Access) -> Message | None:
    told = [
        one
        for one in row.members or ()
        if access.may(Category.NETWORK, one.author) or access.may(Category.NETWORK, one.agency_id)
    ]
    if not told:
        return None
    members = tuple(
        TeamMember(
            agency=str(one.agency_id),
            worker=text_of(one.worker_id),
            part=one.part,
            is_lead=one.is_lead,
            from_on=one.from_on,
            until_on=one.until_on,
        )
        for one in told
    )
    return Team(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=max(one.changed_at for one in told),
        members=members,
        carers=texts(
            [one.id for one in row.carers or () if access.may(Category.FAMILY, one.author)]
        ),
    )


_IN_TEAM = sql(
    """(
  SELECT i.child_id, i.agency_id, {author} AS author, i.worker_id, i.part,
         false AS is_lead, i.from_on, i.until_on, i.id, i.changed_at
    FROM involvement i WHERE i.from_on IS NOT NULL
  UNION ALL
  SELECT l.child_id, l.agency_id, l.agency_id, l.worker_id,
         CASE l.role WHEN 'main' THEN '' ELSE 'leads beside the lead professional' END,
         l.role = 'main', l.from_on, l.until_on, l.id, l.changed_at
    FROM lead_professional l WHERE l.state IN ('accepted', 'ended') AND l.from_on IS NOT NULL)""",
    author=author("i.created_by"),
)

_IN_TEAM_OF = f"FROM {_IN_TEAM} t WHERE t.child_id = r.id"
_TEAM_MAY = may("r.id", "'network'", "t.author", "t.agency_id")
_TEAM_FROM = sql("(SELECT min(t.from_on) {team} AND {may})", team=_IN_TEAM_OF, may=_TEAM_MAY)
_TEAM_UNTIL = sql(
    "(SELECT CASE WHEN bool_and(t.until_on IS NOT NULL) THEN max(t.until_on) END {team} AND {may})",
    team=_IN_TEAM_OF,
    may=_TEAM_MAY,
)
_TAKES_PART = sql(
    "(EXISTS (SELECT {team} AND {may} AND (t.worker_id = ANY({{ids}})"
    " OR t.agency_id = ANY({{ids}})))"
    " OR EXISTS (SELECT FROM family_link f WHERE f.child_id = r.id AND f.id = ANY({{ids}})"
    " AND {family}))",
    team=_IN_TEAM_OF,
    may=_TEAM_MAY,
    family=may("r.id", "'family'", author("f.created_by")),
)

CARE_TEAM = ChildSource(
    resource="CareTeam",
    about=frozenset({Category.NETWORK, Category.FAMILY}),
    line=TeamRow,
    rows="child r",
    child_id="r.id",
    where=sql("EXISTS (SELECT FROM {team} t WHERE t.child_id = r.id)", team=_IN_TEAM),
    changed=sql("(SELECT max(t.changed_at) FROM {team} t WHERE t.child_id = r.id)", team=_IN_TEAM),
    # That somebody joined whom the viewer is not told of is not told by a date either.
    changed_as_told=sql(
        "(SELECT max(t.changed_at) {team} AND {may})", team=_IN_TEAM_OF, may=_TEAM_MAY
    ),
    fields=sql(
        """'members', (SELECT json_agg(json_build_object('agency_id', t.agency_id,
      'author', t.author, 'worker_id', t.worker_id, 'part', t.part, 'is_lead', t.is_lead,
      'from_on', t.from_on, 'until_on', t.until_on, 'changed_at', t.changed_at)
      ORDER BY t.from_on, t.id)
    FROM {team} t WHERE t.child_id = r.id),
  'carers', (SELECT json_agg(json_build_object('id', f.id,
      'author', {author}) ORDER BY f.id)
    FROM family_link f WHERE f.child_id = r.id)""",
        team=_IN_TEAM,
        author=author("f.created_by"),
    ),
    may_be_told=sql(
        "EXISTS (SELECT FROM {team} t WHERE t.child_id = r.id AND {may})",
        team=_IN_TEAM,
        may=may("r.id", "'network'", "t.author", "t.agency_id"),
    ),
    columns={
        "patient": to("r.id"),
        "identifier": Nothing(),
        "status": Code("'active'"),
        "date": Times(_TEAM_FROM, _TEAM_UNTIL, open_ended=True),
        "participant": Refers(_TAKES_PART, "false"),
    },
    message=_team,
)
