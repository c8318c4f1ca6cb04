"""What a change of a child's sharing facts would do to what waits to be sent.

Asked of the same rules as when it goes (`still_may_go`), which decide once more then: nothing is
sent, stopped or opened here.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import or_, select

from consent import Category, Decision, Purpose, Role, Tie, Viewer, ViewerKind
from panel.panels.models import Meeting, Panel
from panel.panels.note_models import FamilyNote, NoteDelivery
from panel.panels.note_rules import Way, why_not_sent
from panel.platform.tenancy import Tenant
from panel.records.gate import Access
from panel.records.rehearsal import Consequence, Turn, is_for_family
from panel.sharing.foresight import would_be_shown
from panel.sharing.standing import family_facts, giver_words
from panel.web.words import short_day

_RUN_A_PANEL = frozenset({Role.COORDINATOR, Role.CHAIR})
_NOT_SENT = "would not go: something in them would be withheld"
_SENT_AGAIN = "would go after all: nothing in them would be withheld any more"
_WITHOUT = "would go without whom to ring"
_WITH = "would say whom to ring"


_PLAIN = {
    _NOT_SENT: "The notes of {} will not come to you.",
    _SENT_AGAIN: "The notes of {} will come to you.",
    _WITHOUT: "The notes of {} will not say whom to ring.",
    _WITH: "The notes of {} will say whom to ring.",
}


class QueuedMessages:
    """The outbox's answer to a rehearsal."""

    def __init__(self, tenant: Tenant) -> None:
        """Args: the authority, for what each reader would be shown."""
        self._tenant = tenant

    async def would_change(self, access: Access, turn: Turn) -> Sequence[Consequence]:
        """The notes to the family that wait, and would not go as they would have gone."""
        if not access.may(Category.PANEL):
            return ()
        rows = await access.session.execute(
            select(
                NoteDelivery.person_id,
                NoteDelivery.way,
                FamilyNote.categories,
                Meeting.held_on,
                Panel.key,
            )
            .join(FamilyNote, FamilyNote.id == NoteDelivery.note_id)
            .join(Meeting, Meeting.id == FamilyNote.meeting_id)
            .join(Panel, Panel.id == Meeting.panel_id)
            .where(
                NoteDelivery.child_id == access.child_id,
                NoteDelivery.state == "waiting",
                FamilyNote.state == "signed_off",
                # What could not be put out at all waits for a person.
                or_(NoteDelivery.outbox_id.is_not(None), NoteDelivery.failure.is_(None)),
            )
            .order_by(Meeting.held_on, NoteDelivery.id)
        )
        found = []
        for person, way, categories, held_on, key in rows.all():
            is_mine = person == access.viewer.id
            if access.viewer.kind is ViewerKind.FAMILY and not is_mine:
                continue
            if becomes := await self._becomes(access.child_id, turn, person, categories):
                whom = "you" if is_mine else await _whom(access, person)
                how = "letter" if way == Way.LETTER else "e-mail"
                sentence = f"notes of {short_day(held_on)} that wait to go to {whom} by {how}"
                href = f"/panels/{key}/{held_on}/notes/{access.child_id}"
                if is_for_family(access):
                    found.append(Consequence(_PLAIN[becomes].format(short_day(held_on))))
                    continue
                found.append(_consequence(access, f"The {sentence} {becomes}.", href))
        return found

    async def _becomes(
        self, child_id: UUID, turn: Turn, person: UUID, categories: list[str]
    ) -> str:
        """What becomes of a note on its way; empty where it goes as it would have gone."""
        reader = Viewer(person, ViewerKind.FAMILY)
        was, is_now = [
            await would_be_shown(self._tenant, child_id, reader, Purpose.SUPPORT, facts)
            for facts in (turn.before, turn.after)
        ]
        return _changed(was, is_now, categories)


def _changed(
    was: Mapping[Category, Decision], is_now: Mapping[Category, Decision], categories: list[str]
) -> str:
    went, goes = (not why_not_sent(shown, categories) for shown in (was, is_now))
    if went != goes:
        return _SENT_AGAIN if goes else _NOT_SENT
    if not goes:
        return ""
    knew, knows = (shown[Category.NETWORK].permitted for shown in (was, is_now))
    return "" if knew == knows else (_WITH if knows else _WITHOUT)


async def _whom(access: Access, person: UUID) -> str:
    if not access.may(Category.FAMILY):
        return "one of the family"
    facts = await family_facts(access)
    return giver_words(access.child_id, person, facts, access.today) or "one of the family"


def _consequence(access: Access, sentence: str, href: str) -> Consequence:
    if Tie.PANEL in access.ties and access.viewer.roles & _RUN_A_PANEL:
        return Consequence(sentence, "Look at the notes", href)
    return Consequence(sentence)
