"""What a family's pages say of meetings: short sentences, words that are used at home."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from consent import IN_THEIR_OWN_RIGHT
from panel.impact.meetings import MeetingReading
from panel.impact.models import ImpactInvitation
from panel.impact.views import ViewLine
from panel.records.gate import Access
from panel.web import words

FORMATS = {
    "in_person": "We meet in person",
    "online": "We meet online",
    "phone": "We talk on the telephone",
    "home": "We come to your home",
}
JOINING = (
    ("not_asked", "I do not know yet"),
    ("yes", "Yes"),
    ("part", "For part of it"),
    ("no", "No"),
)
STATES = {
    "planned": "We are planning this meeting with you.",
    "called": "This meeting will take place.",
    "held": "This meeting took place.",
    "cancelled": "This meeting does not take place.",
}
ANSWERS = {
    "waiting": "You have not said yet if you can come.",
    "yes": "You said that you can come.",
    "no": "You said that you cannot come.",
}


def meeting_path(child_id: UUID, meeting_id: UUID) -> str:
    """The address of a meeting on a family's side."""
    return f"/family/{child_id}/meetings/{meeting_id}"


@dataclass(frozen=True, slots=True)
class OwnMeetingPage:
    """A meeting for one of the family."""

    title: str
    state: str
    facts: Sequence[tuple[str, str]]
    answer: str
    may_answer: bool
    may_wish: bool
    may_say: bool
    said: Sequence[tuple[str, str]]
    """(when, their words)."""
    version: int
    action: str
    filled: dict[str, object] = field(default_factory=dict)
    next: str = ""


def own_meeting_page(
    access: Access, one: MeetingReading, invitation: ImpactInvitation, views: Sequence[ViewLine]
) -> OwnMeetingPage:
    """The page of a meeting for one of the family who is invited."""
    said = one.wishes
    may_wish = one.is_open and bool(access.ties & IN_THEIR_OWN_RIGHT) and said is not None
    return OwnMeetingPage(
        title=f"Meeting on {words.day(one.when.held_on)}",
        state=STATES[one.state],
        facts=[
            ("When", f"{words.day(one.when.held_on)} at {words.time(one.when.starts_at)}"),
            ("How long", f"{one.when.minutes} minutes"),
            ("How", FORMATS[one.when.format]),
            ("Where", one.place or "We will tell you"),
        ],
        answer=ANSWERS[invitation.answer],
        may_answer=one.is_open,
        may_wish=may_wish,
        may_say=one.state != "cancelled",
        said=[(words.day_and_time(each.said_at), each.words or "") for each in views],
        version=one.version,
        action=meeting_path(access.child_id, one.id),
        filled={
            "who_comes": said.who_comes,
            "interpreter": said.interpreter,
            "child_joins": said.child_joins,
            "wishes": said.wishes,
            "answer": "" if invitation.answer == "waiting" else invitation.answer,
        }
        if said is not None
        else {},
        next=f"We meet again on {words.day(one.next_on)}." if one.next_on else "",
    )
