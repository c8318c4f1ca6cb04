"""What is marked in a note before sign-off: 60 planted leaks, and nothing in 200 clean notes."""

from dataclasses import replace

import pytest

from panel.panels.note_language import JARGON
from panel.panels.note_marks import MarkKind, NoteContext, OtherChild, is_one_slip_away, marks
from tests.panels.note_sentences import CLEAN, CONTEXT, clean_notes

CHILD, THIRD = MarkKind.OTHER_CHILD, MarkKind.THIRD_PARTY
PHONE, ADDRESS = MarkKind.PHONE, MarkKind.ADDRESS

LEAKS = [
    # A sibling (Theo) and other children, as people write their names.
    ("She plays with Theo every day.", "Theo", CHILD),
    ("She uses Theo's old chair.", "Theo's", CHILD),
    ("She uses Theo’s old chair.", "Theo’s", CHILD),
    ("The Theos of this world do well there.", "Theos", CHILD),
    ("She copies theo at meals.", "theo", CHILD),
    ("She copies theos words.", "theos", CHILD),
    ("Theo bites when he is tired.", "Theo", CHILD),
    ("She and THEO share a room.", "THEO", CHILD),
    ("She shares a room with Thoe.", "Thoe", CHILD),
    ("She shares a room with thoe now.", "thoe", CHILD),
    ("She shares a room with Theo.", "Theo", CHILD),
    ("She shares it with Teo.", "Teo", CHILD),
    ("She is calmer than T.K. was.", "T.K.", CHILD),
    ("She is calmer than TK was.", "TK", CHILD),
    ("She is calmer than T K was.", "T K", CHILD),
    ("Leila is in the same group.", "Leila", CHILD),
    ("The Plovers come on the same day.", "Plovers", CHILD),
    ("She sits next to leila.", "leila", CHILD),
    ("She sits next to Leyla at lunch.", "Leyla", CHILD),
    ("She sits next to Liela at lunch.", "Liela", CHILD),
    ("She sits next to liela at lunch.", "liela", CHILD),
    ("She took Lulu's cup.", "Lulu's", CHILD),
    ("She took L's cup.", "L's", CHILD),
    ("Jakub has the same splints.", "Jakub", CHILD),
    ("It is the chair that Jakob had.", "Jakob", CHILD),
    ("It is the chair that jakub's mother asked for.", "jakub's", CHILD),
    ("As for J. Nowicki, it helped.", "Nowicki", CHILD),
    ("She waits with Grace at the door.", "Grace", CHILD),
    ("Will is in her class.", "Will", CHILD),
    ("She held Will's hand.", "Will's", CHILD),
    ("She was with Niamh at lunch.", "Niamh", CHILD),
    ("She was with Neave at lunch.", "Neave", CHILD),
    ("She was with niamhs group.", "niamhs", CHILD),
    ("She plays with May Song.", "Song", CHILD),
    ("She plays with Mohamed.", "Mohamed", CHILD),
    ("She plays with mohammad at home.", "mohammad", CHILD),
    ("She plays with Zophia.", "Zophia", CHILD),
    # Neighbours and other third parties.
    ("The neighbour heard her at night.", "neighbour", THIRD),
    ("Somebody next door takes her to the park.", "next door", THIRD),
    ("Sandra takes her to the park.", "Sandra", THIRD),
    ("She goes to the park with Sandra Pike.", "Pike", THIRD),
    ("Mrs Baxter takes her to the park.", "Baxter", THIRD),
    ("Her mother's boyfriend was there.", "boyfriend", THIRD),
    ("The lady upstairs complained.", "lady upstairs", THIRD),
    ("It worked for another family.", "another family", THIRD),
    ("She was at a party with Ludmila.", "Ludmila", THIRD),
    # A worker's private number, and any other.
    ("Rosa's own number is 07700 900 123.", "07700 900 123", PHONE),
    ("Text 07700900123 after six.", "07700900123", PHONE),
    ("Ring +44 7700 900123 after six.", "+44 7700 900123", PHONE),
    ("Ring (01632) 960 555 and ask.", "(01632) 960 555", PHONE),
    # Addresses.
    ("They live at 12 High Street.", "12 High Street", ADDRESS),
    ("They live at 12 high street now.", "12 high street", ADDRESS),
    ("They moved to Station Road in May.", "Station Road", ADDRESS),
    ("They are in flat 3.", "flat 3", ADDRESS),
    ("They moved to Rose Cottage.", "Rose Cottage", ADDRESS),
    ("The new postcode is EC1A 1BB.", "EC1A 1BB", ADDRESS),
    ("The new postcode is m1 1ae.", "m1 1ae", ADDRESS),
    ("You are still at 7 Quarry Bank.", "7 Quarry Bank", ADDRESS),
    ("She lives on acacia avenue now.", "acacia avenue", ADDRESS),
    ("It is 23a Church Rd, by the shop.", "23a Church Rd", ADDRESS),
    # Harder ones.
    ("It was (Theo) again.", "Theo", CHILD),
    ("Leila/Jakub share it.", "Jakub", CHILD),
    ("She sat with t. kestrel again.", "t. kestrel", CHILD),
    ("Her brother T was there.", "T", CHILD),
    ("She plays with May at break.", "May", CHILD),
    ("She likes will's coat.", "will's", CHILD),
    ("Granny Pat takes her swimming.", "Pat", THIRD),
    ("Brenda said that it was loud.", "Brenda", THIRD),
    ("She likes the Kowalskis.", "Kowalskis", THIRD),
    # The rest.
    ("Write to sandra.pike@demo.example.", "sandra.pike@demo.example", MarkKind.EMAIL),
    ("Her number is 999 054 8609.", "999 054 8609", MarkKind.NHS_NUMBER),
]


@pytest.mark.parametrize(("note", "words", "kind"), LEAKS, ids=[leak[1] for leak in LEAKS])
def test_a_planted_leak_is_marked(note: str, words: str, kind: MarkKind) -> None:
    whole = f"On Thursday 3 December 2026 the panel talked about Amina.\n{note}\nIt went well."
    at = whole.index(words, whole.index(note))
    found = [one for one in marks(whole, CONTEXT) if one.start <= at < one.end]
    assert found, f"{words!r} is not marked in {note!r}"
    assert found[0].kind is kind
    assert found[0].reason.endswith(".")
    assert whole[found[0].start : found[0].end] == found[0].words


def test_there_are_60_leaks() -> None:
    assert len(LEAKS) == len({leak[0] for leak in LEAKS}) >= 60


@pytest.mark.parametrize("sentence", CLEAN)
def test_a_clean_sentence_is_not_marked(sentence: str) -> None:
    assert [(one.words, one.kind.value) for one in marks(sentence, CONTEXT)] == []


def test_no_false_alarm_on_200_clean_notes() -> None:
    notes = list(clean_notes(200))
    assert len(set(notes)) == 200
    assert len(set(CLEAN)) >= 120
    alarms = [(mark.words, mark.kind.value) for note in notes for mark in marks(note, CONTEXT)]
    assert alarms == []


@pytest.mark.parametrize(
    "postcode",
    ["M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX", "EC1A 1BB", "GIR 0AA", "WX12AB",
     "wx1 2ab", "Sw1a 2aa", "BFPO 57"],
)  # fmt: skip
def test_every_form_of_a_postcode_is_marked(postcode: str) -> None:
    [mark] = marks(f"It is near {postcode} now.", NoteContext())
    assert (mark.words, mark.kind) == (postcode, ADDRESS)


def test_a_workers_recorded_number_may_stand_in_any_form() -> None:
    for number in ("01632 960 001", "01632960001", "+44 1632 960001", "+44 (0)1632 960 001"):
        assert not marks(f"Ring Rosa on {number}.", CONTEXT)


@pytest.mark.parametrize("told", ["14 Tern Street", "14, tern street", "WX3 9QR", "wx39qr"])
def test_what_is_protected_cannot_be_kept(told: str) -> None:
    [mark] = marks(f"She is now at {told}, and well.", CONTEXT)
    assert mark.kind is MarkKind.PROTECTED
    assert not mark.may_be_kept


def test_where_a_place_could_tell_it_is_marked_and_may_be_kept() -> None:
    hidden = replace(CONTEXT, telling=("Little Acorns Nursery",))
    [mark] = marks("Little Acorns Nursery will keep a corner for her.", hidden)
    assert (mark.words, mark.kind) == ("Little Acorns Nursery", MarkKind.PROTECTED)
    assert mark.may_be_kept


def test_the_child_may_have_the_same_family_name_as_a_sibling() -> None:
    assert not marks("The Kestrels are well, and Amina Kestrel is too.", CONTEXT)


def test_a_worker_of_the_same_name_is_known_by_the_full_name_only() -> None:
    assert not marks("She met Theo Park on Monday.", CONTEXT)
    assert [one.words for one in marks("She met Theo on Monday.", CONTEXT)] == ["Theo"]


def test_a_mark_says_nothing_of_whose_name_it_is() -> None:
    context = NoteContext(others=(OtherChild(("Leila",), "Plover"),))
    [mark] = marks("She sits next to Liela.", context)
    assert "Leila" not in mark.reason
    assert "Plover" not in mark.reason


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Her EHCP is due.", "EHCP"),
        ("The SALT will come.", "SALT"),
        ("The OT and the TAC agreed.", "OT"),
        ("CAMHS have a wait.", "CAMHS"),
        ("Ask for DLA now.", "DLA"),
        ("The SENCO will ring.", "SENCO"),
        ("Portage visits on Mondays.", "Portage"),
        ("A multi-agency plan.", "multi-agency"),
        ("A multi agency plan.", "multi agency"),
        ("The outcomes are good.", "outcomes"),
        ("She has hypotonia.", "hypotonia"),
        ("Two EHCPs were sent.", "EHCPs"),
        ("The QXZ team will ring.", "QXZ"),
    ],
)
def test_jargon_is_marked_with_a_plain_word(text: str, term: str) -> None:
    found = {one.words: one for one in marks(text, NoteContext())}
    assert term in found
    assert found[term].kind is MarkKind.JARGON


def test_salt_at_table_is_no_jargon() -> None:
    assert not marks("Put less salt in the soup, and ask for a ta at the gate.", NoteContext())


def test_there_are_80_terms_each_with_something_plain() -> None:
    assert len(JARGON) >= 80
    assert all(plain and plain != term for term, plain in JARGON.items())


def test_marks_are_in_order_and_do_not_overlap() -> None:
    text = "Theo lives at 12 High Street, WX1 2AB. Mrs Pike rang 07700 900 123 for Theo."
    found = marks(text, CONTEXT)
    assert [one.words for one in found] == [
        "Theo", "12 High Street", "WX1 2AB", "Pike", "07700 900 123", "Theo",
    ]  # fmt: skip
    assert found[0].key == found[-1].key


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [("theo", "thoe", True), ("theo", "teo", True), ("theo", "theo", False),
     ("leila", "leyla", True), ("leila", "lola", False), ("jakub", "jakobs", False)],
)  # fmt: skip
def test_one_slip(one: str, other: str, *, near: bool) -> None:
    assert is_one_slip_away(one, other) is near


def test_a_long_note_is_read_in_good_time_and_an_empty_one_has_no_marks() -> None:
    assert marks("", CONTEXT) == ()
    assert marks("\n \n", CONTEXT) == ()
    assert not marks("\n".join(CLEAN), CONTEXT)
