"""What other systems sent, as a source beside our own rows: read, searched and exported like them.

Its sender reads back what it sent, whole. Others are told of it what consent lets them, and of that
only what Panel has words for: what else stands in it, its narrative and what is contained in it
may be about anything. Each has a tag that says that it is another system's (`interop.systems`,
ORIGIN).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec

from consent import Category
from interop.incoming.taking_apart import read
from interop.messages import Carer, Message, OfChild
from interop.origin import dated, tagged
from interop.outgoing import WRITERS, Json
from interop.served import SERVED
from interop.systems import ABSENT_REASON
from panel.exchange.columns import to
from panel.exchange.inbox_versions import own_words
from panel.exchange.permitted import may
from panel.exchange.source import ChildLine, ChildSource, hex_of, listed, plain
from panel.platform.read_models import sql
from panel.records.gate import Access

NOT_TOLD: Final = ("text", "contained", "extension", "note")
"""Elements of a resource that has no message which nobody but its sender is told."""


STRICTEST: Final = frozenset({Category.HEALTH, Category.SAFEGUARDING})
"""Who may be told of these may be told whatever a text can hold."""
OF_CARERS: Final = frozenset({Category.FAMILY, Category.CONTACT, Category.IDENTITY})
"""What is told of a carer is of these, part by part."""
TOLD_OF_ANY: Final = ("resourceType", "id", "status", "lifecycleStatus", "intent")
"""Elements of a resource without a message, of another category, that others are told: codes of
FHIR's own. A plan that was entered in error may tell of an illness, and to plans more is agreed."""
ABSENT: Final[Json] = {"extension": [{"url": ABSENT_REASON, "valueCode": "unknown"}]}
"""In place of what is not told and has to be there: it says nothing of why."""
WHOSE: Final = ("subject", "for", "patient", "individual", "beneficiary")


NO_CHOICE: Final[Mapping[str, Sequence[str]]] = {
    "Goal": ("description",),
    "Consent": ("scope", "category", "policyRule"),
}
"""What R4 wants of a resource beside `TOLD_OF_ANY` and whose it is."""
IN_ERROR: Final = "entered-in-error"


class AsSent(OfChild, frozen=True, kw_only=True):
    """What a system sent, as its reader is told it: its own words, or what of Panel's is told."""

    resource: Json
    """Without when it became so."""
    is_own: bool
    """Whether its reader's agency sent it: nothing is kept back then."""

    def saying(self, resource: Json) -> "AsSent":
        """The same with another resource."""
        return msgspec.structs.replace(self, resource=resource)

    @property
    def has_a_past(self) -> bool:
        """Whether what it said before may be told.

        A carer may be labelled as protected since, and what was sent in error may have been so from
        the beginning: of these, others than the sender are told only what is said now.
        """
        if self.is_own:
            return True
        said = self.resource
        wrong = (said.get("status") == IN_ERROR, IN_ERROR in str(said.get("verificationStatus")))
        return said["resourceType"] != "RelatedPerson" and not any(wrong)


class SenderRow(ChildLine):
    """A sender's version."""

    type: str
    category: Category
    author_agency_id: UUID
    body: str | None
    is_sent: bool = True
    """Where lines of several sources are kept: that this one read it."""


def categories_of(lines: Iterable[object]) -> frozenset[Category]:
    """What is decided and logged where these lines are told, beside what their types say."""
    return frozenset(line.category for line in lines if isinstance(line, SenderRow))


def written(type_: str, message: Message) -> Json:
    """A message as its FHIR resource, whichever kind it is."""
    if isinstance(message, AsSent):
        return dated(message.resource, message.changed_at)
    resource: Json = WRITERS[type_].write(message)
    return resource


def _told(row: SenderRow, access: Access) -> AsSent | None:
    if row.category not in access.about:
        # It was of another category when it was found, or is now: as it is here, nobody asked.
        return None
    body = access.open_text(
        row.body, "sender_version.body", row.id, row.category, row.author_agency_id
    )
    if not body:
        return None
    is_own = access.viewer.agency == row.author_agency_id
    sent = own_words(row.id, body) if is_own else for_others(row, body, access)
    # When a carer changed may tell that they moved: whoever is not their sender is not told.
    changed_at = None if not is_own and row.type == "RelatedPerson" else row.changed_at
    return AsSent(
        id=str(row.id),
        child=str(row.child_id),
        changed_at=changed_at,
        resource=sent,
        is_own=is_own,
    )


def for_others(row: SenderRow, body: str, access: Access | None = None) -> Json:
    """What others than its sender's agency are told of a body that they may be told of.

    Args: what of a carer may be told is decided by `access`; all of it where there is none.
    """
    message = _message(row, body)
    if isinstance(message, Carer) and access is not None:
        message = _carer(message, row, access)
    if message is not None:
        return tagged(written(row.type, message))
    sent = own_words(row.id, body)
    return _whose_it_is(row, sent) if row.category in STRICTEST else _bare(row, sent)


def _carer(said: Carer, row: SenderRow, access: Access) -> Carer:
    """A carer as our own rows tell of one: where they live is contact, and since when identity.

    Nobody but its sender is told where they live where the sender labels it as protected.
    """
    author = row.author_agency_id
    if not access.may(Category.IDENTITY, author):
        said = msgspec.structs.replace(said, from_on=None)
    if access.may(Category.CONTACT, author) and not said.restricted:
        return said
    return msgspec.structs.replace(
        said,
        parts_withheld=said.restricted or bool(access.withheld_of([Category.CONTACT])),
        lives_with=False,
        phone=None,
        email=None,
        address=None,
    )


def _whose_it_is(row: SenderRow, sent: Json) -> Json:
    """As it was sent, but for what may be about anything, and by which names a child goes."""
    told = {name: value for name, value in sent.items() if name not in NOT_TOLD}
    child: Json = {"reference": f"Patient/{row.child_id}"}
    return told | {name: child for name in WHOSE if name in told}


def _bare(row: SenderRow, sent: Json) -> Json:
    """What it is, of whom, and how its sender says that it stands."""
    told = {name: value for name, value in sent.items() if name in TOLD_OF_ANY}
    whose = next((name for name in WHOSE if name in sent), "subject")
    lacking = {
        name: [ABSENT] if name == "category" else ABSENT for name in NO_CHOICE.get(row.type, ())
    }
    return tagged(told | {whose: {"reference": f"Patient/{row.child_id}"}} | lacking)


def _message(row: SenderRow, body: str) -> Message | None:
    found = read(body.encode()).pieces
    message = found[0].message if len(found) == 1 else None
    if not isinstance(message, OfChild):
        return None
    return msgspec.structs.replace(
        message, id=str(row.id), child=str(row.child_id), changed_at=row.changed_at
    )


def sender_source(*types: str) -> ChildSource[SenderRow]:
    """The source of what other systems sent of FHIR types; one that speaks of our rows is not.

    What is read back of a row of ours is what a worker wrote, until somebody takes what is offered.
    """
    if not types or not all(one.isalpha() for one in types):
        raise ValueError(f"{', '.join(types)} is no type of FHIR")
    is_of = sql("r.type IN ({types})", types=", ".join(f"'{one}'" for one in types))
    return ChildSource(
        resource=types[0],
        line=SenderRow,
        rows="sender_version r",
        kind=is_of,
        where=sql("{is_of} AND r.about_id IS NULL", is_of=is_of),
        changed_as_told=_CARER_CHANGED if "RelatedPerson" in types else "",
        fields=listed(
            plain("type", "category", "author_agency_id"), hex_of("body"), "'is_sent', true"
        ),
        may_be_told=may("r.child_id", "r.category", "r.author_agency_id"),
        about=OF_CARERS if "RelatedPerson" in types else frozenset(),
        category="r.category",
        columns={"patient": to("r.child_id")},
        message=_told,
    )


_CARER_CHANGED = (
    "(CASE WHEN r.type = 'RelatedPerson' AND r.author_agency_id IS DISTINCT FROM :own_agency"
    " THEN r.created_at ELSE r.changed_at END)"
)
"""As of our own: that somebody's address changed is not told by a date."""
SENT: Mapping[str, ChildSource[SenderRow]] = {
    row.type: sender_source(row.type)
    for row in SERVED.values()
    if row.writable and row.type != "Patient"
}
"""What other systems sent, by type. What is said of the child is offered, and told as ours."""
