"""What a copy of a record may not tell whoever asks: marked by rules, decided by a person.

The rules are those of notes and plans (adr/0016), for one reader. What is protected from that
reader is marked whole and cannot be kept. Who else in the family has which address is theirs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from consent import Category, Decision
from panel.governance.rights_gather import Piece
from panel.panels.note_marks import Mark, MarkKind, NoteContext, marks
from panel.panels.note_rules import is_protected

OF_OTHERS = frozenset(
    {
        "family_member.address",
        "family_member.phone",
        "family_member.email",
        "family_member.safe_contact",
        "family_member.first_language",
        "family_member.interpreter",
    }
)
SAID_BY = frozenset(
    {
        "family_words",
        "note_answer",
        "survey",
        "impact_view",
        "minutes_answer",
        "minutes_copy",
        "plan_answer",
        "note_delivery",
        "right_request",
        "correction",
        "processing_restriction",
        "sharing_agreement",
        "sharing_objection",
    }
)
"""What one of the family said or decided: it may be about them, or meant for nobody else."""
ABOUT_SAFETY = frozenset(
    {
        "incident",
        "order_to_confirm",
        "sharing_enquiry",
        "sharing_order",
        "sharing_override",
        "sharing_restriction",
        "former_identity",
    }
)
_OWN_FIELDS = frozenset({"child", "family_member", "record_change", "access_event"})
"""Where names and addresses stand as themselves: judged whole, not word by word."""


class Because(StrEnum):
    """Why something was marked."""

    PROTECTED = "protected"
    OTHER_CHILD = "other_child"
    SOMEBODY_ELSE = "somebody_else"
    WAY_TO_REACH = "way_to_reach"
    SAFETY = "safety"
    ANOTHERS_WORDS = "anothers_words"
    FILE = "file"
    BY_HAND = "by_hand"


BECAUSE_WORDS: Mapping[Because, str] = {
    Because.PROTECTED: "It is protected from whoever asks. It cannot stay in.",
    Because.OTHER_CHILD: "It may be the name of another child.",
    Because.SOMEBODY_ELSE: "It may be about somebody else.",
    Because.WAY_TO_REACH: "It may be a way to reach somebody.",
    Because.SAFETY: "It is about somebody’s safety. See whether it may be told to whoever asks.",
    Because.ANOTHERS_WORDS: (
        "Somebody else of the family said or decided it. See whether they expected it not to be"
        " told."
    ),
    Because.FILE: (
        "It is a file, and nobody marks words in it. Open it, and see whether all of it may be"
        " told."
    ),
    Because.BY_HAND: "You marked it.",
}
_OF_KIND = {
    MarkKind.PROTECTED: Because.PROTECTED,
    MarkKind.OTHER_CHILD: Because.OTHER_CHILD,
    MarkKind.THIRD_PARTY: Because.SOMEBODY_ELSE,
    MarkKind.NHS_NUMBER: Because.SOMEBODY_ELSE,
    MarkKind.EMAIL: Because.WAY_TO_REACH,
    MarkKind.PHONE: Because.WAY_TO_REACH,
    MarkKind.ADDRESS: Because.WAY_TO_REACH,
}


class Proposed(NamedTuple):
    """A place to decide about; `start` is None for the whole entry."""

    piece: str
    start: int | None
    end: int | None
    words: str
    because: Because

    @property
    def must_go(self) -> bool:
        """Whether nobody may keep it."""
        return self.because is Because.PROTECTED


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever asks, and what is kept from them."""

    id: UUID
    decisions: Mapping[Category, Decision]
    context: NoteContext

    def is_kept(self, category: str) -> bool:
        """Whether a protection or a court keeps a category from them."""
        return is_protected(self.decisions, Category(category))

    @property
    def has_protection(self) -> bool:
        """Whether anything is protected from them."""
        return any(is_protected(self.decisions, one) for one in self.decisions)


def proposed(pieces: Iterable[Piece], reader: Reader) -> Iterator[Proposed]:
    """Every place that a person has to decide about, entry by entry."""
    for piece in pieces:
        whole = _whole(piece, reader)
        if whole is not None:
            yield Proposed(piece.id, None, None, piece.text, whole)
        elif piece.table not in _OWN_FIELDS:
            for mark in marks(piece.text, reader.context):
                if mark.kind in _OF_KIND:
                    yield _of_mark(piece, mark)
        else:
            for mark in marks(piece.text, reader.context):
                if mark.kind is MarkKind.PROTECTED:
                    yield _of_mark(piece, mark)


def _of_mark(piece: Piece, mark: Mark) -> Proposed:
    because = Because.PROTECTED if not mark.may_be_kept else _OF_KIND[mark.kind]
    return Proposed(piece.id, mark.start, mark.end, mark.words, because)


def _whole(piece: Piece, reader: Reader) -> Because | None:
    if piece.table in ABOUT_SAFETY:
        # That there is a protection would tell of it, so whom it is against is not told at all.
        return Because.PROTECTED if reader.has_protection else Because.SAFETY
    if piece.column == "note_delivery.held_back_why":
        return Because.SAFETY
    if piece.person == str(reader.id):
        return None
    if reader.is_kept(piece.category):
        return Because.PROTECTED
    is_file = piece.document_id is not None
    # Where nobody wrote down who said it, it may be the child.
    if is_file or piece.table in SAID_BY or piece.category == Category.VIEWS:
        return Because.FILE if is_file else Because.ANOTHERS_WORDS
    return Because.SOMEBODY_ELSE if piece.column in OF_OTHERS else None
