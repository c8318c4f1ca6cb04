"""What the pages of notes say, without HTML."""

from datetime import UTC, date, datetime, timedelta

from panel.panels.note_answers import DeliveryLine, IncidentLine, NoteLog
from panel.panels.note_marks import Mark, MarkKind
from panel.panels.note_pages import (
    list_row,
    log_page,
    owed_figures,
    preview_page,
    recipient_words,
)
from panel.panels.note_rules import (
    IncidentKind,
    Kept,
    Recipient,
    Step,
    Way,
    email_words,
    lateness,
    open_marks,
    report_by,
    ring_words,
)
from panel.panels.notes import NoteLine, NotesOwed, WhoGets
from panel.platform.ids import new_id

FOUND = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def test_how_late_a_note_is() -> None:
    due = date(2026, 11, 26)
    assert lateness(due, date(2026, 11, 23), None) == "due in 3 days"
    assert lateness(due, due, None) == "due today"
    assert lateness(due, date(2026, 11, 27), None) == "1 day late"
    assert lateness(due, TODAY, due) == "signed off in time"
    assert lateness(due, TODAY, date(2026, 11, 28)) == "signed off 2 days late"


def test_what_is_owed_links_to_its_list() -> None:
    owed = [
        NotesOwed("contacts", date(2026, 11, 12), 1, 2, 1, date(2026, 11, 19), 0),
        NotesOwed("contacts", date(2026, 11, 19), 2, 0, 0, date(2026, 11, 26), 1),
    ]
    assert owed_figures(owed, TODAY) == [
        (1, "note of 12 November 2026 overdue by 4 days", "/panels/contacts/2026-11-12/notes"),
        (
            1,
            "copy not delivered, of the notes of 12 November 2026",
            "/panels/contacts/2026-11-12/notes",
        ),
        (
            2,
            "questions from families, about the notes of 12 November 2026",
            "/panels/contacts/2026-11-12/notes",
        ),
        (
            2,
            "notes of 19 November 2026 to sign off by 26 November 2026",
            "/panels/contacts/2026-11-19/notes",
        ),
        (
            1,
            "family disagrees or could not say, about the notes of 19 November 2026",
            "/panels/contacts/2026-11-19/notes",
        ),
    ]


def test_a_row_of_the_list() -> None:
    line = NoteLine(
        new_id(), "C-1", None, None, "signed_off", TODAY, FOUND, ("sent", "bounced", "sent"),
        1, 1, 0,
    )  # fmt: skip
    row = list_row(line, None, "C-1", date(2026, 11, 26), TODAY, "/notes")
    assert row.tag == ("Signed off", "green")
    assert row.sent == "2 sent, 1 came back"
    assert row.came_back == "1 question to answer, 1 disagreement"
    assert row.href == ""


def incident(*done: Step) -> IncidentLine:
    steps = dict.fromkeys((Step.STOPPED, *done), TODAY)
    return IncidentLine(new_id(), IncidentKind.WRONG_PERSON, FOUND, "He rang.", steps, is_open=True)


def test_the_clock_of_an_incident() -> None:
    assert report_by(FOUND) == FOUND + timedelta(hours=72)

    def clock(after: timedelta, *done: Step) -> str:
        log = NoteLog([], [], [incident(*done)])
        return log_page(log, {}, FOUND + after).incidents[0].clock

    assert "71 hours left of 72" in clock(timedelta(minutes=1))
    assert "no hours left of 72" in clock(timedelta(hours=71, minutes=30))
    assert "ended on 26 November 2026 at 9:30: tell them why it is late" in clock(
        timedelta(hours=73)
    )
    assert clock(timedelta(hours=73), Step.DECIDED_ICO) == "Found 23 November 2026 at 9:30."


def delivery(state: str, *, is_out: bool, way: str = "email", failure: str = "") -> DeliveryLine:
    return DeliveryLine(
        new_id(), 1, new_id(), "Marta Plover, mother", way, is_out, state, None, None, new_id(),
        None, None, None, None, failure,
    )  # fmt: skip


def test_what_can_be_done_with_a_copy() -> None:
    rows = log_page(
        NoteLog(
            [
                delivery("bounced", is_out=True, failure="There is no such address."),
                delivery("waiting", is_out=True, failure="Tried 2 times."),
                delivery("waiting", is_out=False, failure="No e-mail address is kept."),
                delivery("waiting", is_out=True, way="letter"),
                delivery("recalled", is_out=True),
            ],
            [],
            [],
        ),
        {},
        FOUND,
    ).deliveries
    assert [row.may_send_again for row in rows] == [True, False, True, False, False]
    assert [row.may_post for row in rows] == [False, False, False, True, False]
    assert [row.may_recall for row in rows] == [True, True, True, True, False]


def test_who_gets_it_is_named_as_far_as_the_writer_may_know() -> None:
    def words(name: str, relationship: str, *, is_self: bool = False) -> str:
        who = Recipient(new_id(), relationship, is_self)
        return recipient_words(WhoGets(who, name, Way.EMAIL, None, ""))

    assert words("Marta Plover", "Mother") == "Marta Plover, mother"
    assert words("", "mother") == "Mother"
    assert words("", "") == "One of the family"
    assert words("", "", is_self=True) == "The young person"


def test_a_reason_covers_every_place_of_the_same_words_and_no_protected_one() -> None:
    first = Mark(MarkKind.JARGON, 0, 8, "Outcomes", "Plain words.")
    again = Mark(MarkKind.JARGON, 20, 28, "outcomes", "Plain words.")
    hidden = Mark(MarkKind.PROTECTED, 30, 34, "Tern", "It is protected.", may_be_kept=False)
    kept = [Kept("jargon", "outcomes", "Their word"), Kept("protected", "tern", "I want to")]
    assert open_marks((first, again, hidden), kept) == [hidden]


def test_an_email_names_whom_to_ring_where_that_may_be_known() -> None:
    assert ring_words("Rosa Whitlow", "01632 960 001", "Health visiting") == (
        "If you have a question, ring Rosa Whitlow on 01632 960 001."
    )
    assert ring_words("Rosa Whitlow", "", "Health visiting") == (
        "If you have a question, ask for Rosa Whitlow at Health visiting."
    )
    assert "people you know" in email_words("https://panel.example", ring_words("", "", ""))


def test_a_note_is_shown_in_its_paragraphs() -> None:
    page = preview_page("One.\n\nTwo:\n- a\n- b\n\n\n", TODAY, "Amina")
    assert page.title == "Notes from the panel on Monday 23 November 2026"
    assert page.paragraphs == ["One.", "Two:\n- a\n- b"]
