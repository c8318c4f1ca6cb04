"""What the pages of packs and guests say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from panel.panels.guests import STATE_WORDS, GuestItem, GuestLine, GuestState, MadeLink
from panel.panels.pack_document import PackDocument, PackItem, PackSection, PackWithheld
from panel.panels.pack_preview import Preview, PreviewItem, PreviewPart
from panel.panels.packs import PackMeeting
from panel.web.words import day, day_and_distance, plural, short_day, time

TAG_COLOURS = {
    "Escalation": "orange",
    "New": "green",
    "Transition": "purple",
    "Review due": "",
    "Deferred": "grey",
}
GUEST_COLOURS = {
    GuestState.SENT: "grey",
    GuestState.OPENED: "",
    GuestState.ANSWERED: "green",
    GuestState.CLOSED: "red",
    GuestState.ENDED: "grey",
}


@dataclass(frozen=True, slots=True)
class PackChild:
    """One child of a pack on screen."""

    anchor: str
    number: int
    starts: str
    minutes: str
    tag_colour: str
    item: PackItem
    sections: Sequence[PackSection]
    missing: Sequence[PackWithheld]
    advice: Sequence[str]
    """What to do about what is missing, each sentence once."""
    previous: tuple[str, str] | None = None
    """The anchor and the name of the child before."""
    following: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class PackPage:
    """A whole pack on screen."""

    title: str
    lead: str
    closes: str
    confidentiality: str
    pdf_href: str
    back_href: str
    children: Sequence[PackChild]
    empty: str


@dataclass(frozen=True, slots=True)
class PreviewChild:
    """One child of a preview."""

    name: str
    starts: str
    why: str
    tag_colour: str
    summary: str
    goes: Sequence[PreviewPart]
    withheld: Sequence[PreviewPart]


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What an agency's pack holds, in counts and reasons."""

    title: str
    lead: str
    back_href: str
    agencies: Sequence[tuple[str, str, bool]]
    """The other packs: (name, address, whether the reader is there)."""
    children: Sequence[PreviewChild]
    empty: str


def pack_child(number: int, item: PackItem) -> PackChild:
    """One child as the page sets them out."""
    missing = [one for one in item.sections if isinstance(one, PackWithheld)]
    return PackChild(
        anchor=f"child-{number}",
        number=number,
        starts=time(item.starts),
        minutes=plural(item.minutes, "minute"),
        tag_colour=TAG_COLOURS[item.why],
        item=item,
        sections=[one for one in item.sections if isinstance(one, PackSection)],
        missing=missing,
        advice=list(dict.fromkeys(one.what_to_do for one in missing if one.what_to_do)),
    )


def pack_page(document: PackDocument, meeting: PackMeeting, today: date) -> PackPage:
    """An agency's pack, readable in the order of the agenda."""
    base = _base(meeting)
    items = list(enumerate(document.items, 1))
    places = [(f"child-{number}", item.name) for number, item in items]
    children = [_between(pack_child(number, item), places, number - 1) for number, item in items]
    held = day_and_distance(meeting.day, today)
    return PackPage(
        title=f"Pack for {document.agency}",
        lead=(
            f"{document.panel}, {held}, {time(document.starts)} to {time(document.ends)}"
            f"{f', {document.place}' if document.place else ''}:"
            f" {plural(len(items), 'child', 'children')} to read about."
        ),
        closes=f"You can read this until {day(meeting.closes_on)}.",
        confidentiality=document.confidentiality,
        pdf_href=f"{base}/pack.pdf",
        back_href=base,
        children=children,
        empty="" if items else "Nothing on this agenda may be shared with your agency.",
    )


def _between(child: PackChild, places: Sequence[tuple[str, str]], at: int) -> PackChild:
    return PackChild(
        anchor=child.anchor,
        number=child.number,
        starts=child.starts,
        minutes=child.minutes,
        tag_colour=child.tag_colour,
        item=child.item,
        sections=child.sections,
        missing=child.missing,
        advice=child.advice,
        previous=places[at - 1] if at else None,
        following=places[at + 1] if at + 1 < len(places) else None,
    )


def preview_page(preview: Preview) -> PreviewPage:
    """What goes into an agency's pack and what does not, without the texts."""
    meeting, agency, items = preview.meeting, preview.agency, preview.items
    until_then = "" if preview.is_frozen else " The agenda is not frozen yet, so this can change."
    return PreviewPage(
        title=f"What the pack of {agency.name} {'holds' if preview.is_frozen else 'would hold'}",
        lead=(
            f"{meeting.panel}, {day(meeting.day)}. You see how much goes and what is withheld,"
            f" and why. The texts themselves are for the agency.{until_then}"
        ),
        back_href=_base(meeting),
        agencies=pack_choices(meeting, agency.key),
        children=[_preview_child(one) for one in items],
        empty="" if items else "There is nobody on this agenda.",
    )


def pack_choices(meeting: PackMeeting, here: str = "") -> list[tuple[str, str, bool]]:
    """Every member agency's pack to preview: (name, address, whether the reader is there)."""
    return [
        (one.name, f"{_base(meeting)}/pack?agency={one.key}", one.key == here)
        for one in meeting.agencies
    ]


def _preview_child(one: PreviewItem) -> PreviewChild:
    withheld = [part for part in one.parts if part.withheld]
    return PreviewChild(
        name=one.name,
        starts=time(one.starts),
        why=one.why,
        tag_colour=TAG_COLOURS[one.why],
        summary=(
            f"{plural(one.goes, 'entry', 'entries').capitalize()} in the pack,"
            f" {plural(len(withheld), 'part')} withheld."
        ),
        goes=[part for part in one.parts if part.goes],
        withheld=withheld,
    )


def _base(meeting: PackMeeting) -> str:
    return f"/panels/{meeting.panel_key}/{meeting.day.isoformat()}"


# Guests.


@dataclass(frozen=True, slots=True)
class GuestRow:
    """One guest link in the coordinator's list."""

    agency: str
    state: str
    colour: str
    when: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class LinkPage:
    """A new link and code, shown this once."""

    url: str
    code: str
    until: str
    agency: str


@dataclass(frozen=True, slots=True)
class GuestPage:
    """The one item that a guest reads and answers."""

    title: str
    lead: str
    question: str
    child: PackChild | None


def guest_rows(lines: Sequence[GuestLine], today: date) -> list[GuestRow]:
    """Whom an item was put to, and what became of it."""
    return [
        GuestRow(
            agency=one.agency,
            state=STATE_WORDS[one.state],
            colour=GUEST_COLOURS[one.state],
            when=f"Answered on {short_day(one.answered_at)}"
            if one.answered_at is not None
            else f"Until {day_and_distance(one.ends_at.date(), today)}",
            question=one.question,
            answer=one.answer,
        )
        for one in lines
    ]


def link_page(made: MadeLink, site_url: str, agency: str) -> LinkPage:
    """What the coordinator passes on: the link one way, the code another."""
    return LinkPage(
        url=f"{site_url}{made.path}",
        code=f"{made.code[:3]} {made.code[3:]}",
        until=day(made.ends_at),
        agency=agency,
    )


def guest_page(found: GuestItem) -> GuestPage:
    """One item for a guest, with the question that is put to them."""
    return GuestPage(
        title=f"A question for {found.agency}",
        lead=f"From the {found.panel}, which meets on {day(found.day)}.",
        question=found.question,
        child=None if found.item is None else pack_child(1, found.item),
    )
