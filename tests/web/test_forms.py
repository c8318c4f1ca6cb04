import datetime as dt
import unicodedata
import uuid
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.web import forms
from panel.web.forms import FieldErrors, Filled, read_form

GOOD = [
    ("given_name", "Amina"),
    ("born-day", "1"),
    ("born-month", "2"),
    ("born-year", "2022"),
    ("sex", "f"),
]


class File:
    def __init__(self, filename: str) -> None:
        self.filename = filename


class Person(msgspec.Struct, forbid_unknown_fields=True):
    given_name: Annotated[str, forms.line("Given name", at_most=70)]
    born: Annotated[dt.date, forms.on_day("Date of birth")]
    sex: Annotated[Literal["f", "m", "x"], forms.chosen("Sex")]
    about: Annotated[str, forms.paragraphs("About them", at_most=200)] = ""
    ways: Annotated[list[Literal["post", "telephone"]], forms.chosen("Ways to reach them")] = []
    agree: Annotated[bool, forms.chosen("They agree")] = False
    minutes: Annotated[int | None, forms.amount("Minutes", at_least=1, at_most=60)] = None
    cost: Annotated[Decimal | None, forms.amount("Cost")] = None
    starts: Annotated[dt.time | None, forms.at_time("Start")] = None
    seen: Annotated[dt.date | None, forms.on_day("Date seen")] = None
    agency: Annotated[uuid.UUID | None, forms.chosen("Agency")] = None
    letter: Annotated[File | None, forms.upload("Letter")] = None
    version: int = 0


def with_(**changed: object) -> list[tuple[str, object]]:
    return [*GOOD, *((name.replace("__", "-"), value) for name, value in changed.items())]


def without(*names: str) -> list[tuple[str, object]]:
    return [(name, value) for name, value in GOOD if name not in names]


def read(posted: list[tuple[str, object]]) -> Person:
    person = read_form(Person, posted)
    assert isinstance(person, Person), person
    return person


def mistakes(posted: list[tuple[str, object]]) -> dict[str, str]:
    errors = read_form(Person, posted)
    assert isinstance(errors, FieldErrors), errors
    return dict(errors.sentences)


class Colour(StrEnum):
    """A choice that has a type of its own."""

    RED = "red"
    BLUE = "blue"


class Choice(msgspec.Struct, forbid_unknown_fields=True):
    """A form that holds it."""

    colour: Annotated[Colour, forms.chosen("Colour", missing="Select a colour")]


@pytest.mark.parametrize("sent", ["", "green", "RED", "Colour.RED"])
def test_a_choice_of_an_enum_is_one_of_its_values(sent: str) -> None:
    assert forms.read_form(Choice, [("colour", "blue")]) == Choice(Colour.BLUE)
    refused = forms.read_form(Choice, [("colour", sent)])
    assert isinstance(refused, forms.FieldErrors)
    assert refused.sentences == {"colour": "Select a colour"}


def test_a_whole_form() -> None:
    letter = File("letter.pdf")
    person = read(
        [
            *with_(about="One\r\nTwo  ", agree="yes", minutes="10", cost="£1,012.50"),
            ("ways", "post"),
            ("ways", "telephone"),
            ("ways", "post"),
            ("starts", "9.30"),
            ("seen", "2026-11-20"),
            ("agency", "00000000-0000-0000-0000-000000000001"),
            ("letter", letter),
            ("version", "7"),
            ("_csrf_token", "somebody else checks this"),
        ]
    )
    assert person == Person(
        given_name="Amina",
        born=dt.date(2022, 2, 1),
        sex="f",
        about="One\nTwo",
        ways=["post", "telephone"],
        agree=True,
        minutes=10,
        cost=Decimal("1012.50"),
        starts=dt.time(9, 30),
        seen=dt.date(2026, 11, 20),
        agency=uuid.UUID(int=1),
        letter=letter,
        version=7,
    )


def test_what_is_left_empty_keeps_its_default() -> None:
    person = read(with_(about=" ", minutes="", seen__day="", agency="", letter=File("")))
    assert person == Person(given_name="Amina", born=dt.date(2022, 2, 1), sex="f")


def test_every_mistake_is_gathered_in_the_order_of_the_form() -> None:
    errors = read_form(Person, [("born-day", "31"), ("born-month", "2"), ("born-year", "2022")])
    assert isinstance(errors, FieldErrors)
    assert errors.summary == [
        ("given_name", "Enter given name"),
        ("born-day", "Date of birth must be a real date"),
        ("sex", "Select sex"),
    ]


@pytest.mark.parametrize(
    ("day", "month", "year", "sentence"),
    [
        ("", "", "", "Enter date of birth"),
        ("", "2", "2022", "Date of birth must include a day"),
        ("1", "", "", "Date of birth must include a month and year"),
        ("1", "2", "22", "Year must include 4 numbers"),
        ("31", "2", "2022", "Date of birth must be a real date"),
        ("1", "13", "2022", "Date of birth must be a real date"),
        ("1", "2", "0000", "Date of birth must be a real date"),
        ("x", "2", "2022", "Date of birth must be a real date"),
        ("١", "2", "2022", "Date of birth must be a real date"),
    ],
)
def test_a_date_that_is_wrong_says_how(day: str, month: str, year: str, sentence: str) -> None:
    posted = [
        *without("born-day", "born-month", "born-year"),
        ("born-day", day),
        ("born-month", month),
        ("born-year", year),
    ]
    assert mistakes(posted) == {"born": sentence}


@pytest.mark.parametrize("month", ["12", "December", "dec", " DEC "])
def test_a_month_may_be_a_word(month: str) -> None:
    posted = [*without("born-month"), ("born-month", month)]
    assert read(posted).born == dt.date(2022, 12, 1)


def test_the_error_of_a_date_leads_to_the_part_that_is_missing() -> None:
    errors = read_form(Person, without("born-year"))
    assert isinstance(errors, FieldErrors)
    assert errors.summary == [("born-year", "Date of birth must include a year")]


def test_ten_thousand_emoji_in_a_name() -> None:
    posted = [*without("given_name"), ("given_name", "😀" * 10_000)]
    assert mistakes(posted) == {"given_name": "Given name must be 70 characters or fewer"}


def test_characters_are_counted_not_bytes() -> None:
    posted = [*without("given_name"), ("given_name", "é" * 70)]
    assert read(posted).given_name == "é" * 70


def test_letters_and_accents_that_come_apart_are_counted_together() -> None:
    posted = [*without("given_name"), ("given_name", "e\u0301" * 70)]
    assert read(posted).given_name == "é" * 70


def test_what_cannot_be_stored_or_seen_is_left_out() -> None:
    posted = [*without("given_name"), ("given_name", " A\x00mi\ud800na\u202e \t\r\n Khalil\ufeff ")]
    assert read(posted).given_name == "Amina Khalil"


def test_a_name_of_nothing_but_control_characters_is_missing() -> None:
    posted = [*without("given_name"), ("given_name", "\x00\x01")]
    assert mistakes(posted) == {"given_name": "Enter given name"}


def test_an_unknown_field_saves_nothing_and_says_so() -> None:
    said = mistakes(with_(is_admin="yes"))
    assert list(said) == [forms.WHOLE_FORM]
    assert "(“is_admin”)" in said[forms.WHOLE_FORM]


def test_a_field_sent_twice() -> None:
    said = mistakes([*GOOD, ("given_name", "Other")])
    assert said == {
        "given_name": "Given name was sent more than once. Reload the page and try again"
    }


def test_a_file_where_text_belongs() -> None:
    said = mistakes([*without("given_name"), ("given_name", File("a.exe"))])
    assert said == {"given_name": "Given name must be text, not a file"}


def test_text_where_a_file_belongs() -> None:
    assert mistakes(with_(letter="text")) == {"letter": "Letter must be a file"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sex", "q", "Select sex"),
        ("ways", "pigeon", "Select ways to reach them"),
        ("minutes", "ten", "Minutes must be a whole number, like 12"),
        ("minutes", "61", "Minutes must be between 1 and 60"),
        ("cost", "NaN", "Cost must be a number, like 12 or 12.50"),
        ("starts", "25:00", "Start must be a time, like 9:30"),
        ("agency", "7", "Choose agency from the list"),
        ("agree", "perhaps", "They agree must be ticked or not ticked"),
        ("seen", "2026-02-30", "Date seen must be a real date"),
    ],
)
def test_a_value_that_cannot_be(name: str, value: str, sentence: str) -> None:
    assert mistakes([*without(name), (name, value)]) == {name: sentence}


def test_refused_fields_show_what_was_typed() -> None:
    errors = read_form(Person, [("given_name", "  Amina "), ("born-day", "31"), ("ways", "post")])
    assert isinstance(errors, FieldErrors)
    filled = Filled({"given_name": "Stored"}, errors)
    assert filled.text("given_name") == "  Amina "
    assert filled.date("born") == forms.DateParts("31", "", "")
    assert filled.all("ways") == ["post"]
    assert filled.error("sex") == "Select sex"
    assert filled.error("given_name") == ""


def test_fields_first_show_what_is_stored() -> None:
    filled = Filled(
        {"given_name": "Amina", "born": dt.date(2022, 2, 1), "ways": ["post"], "x": None}
    )
    assert filled.text("given_name") == "Amina"
    assert filled.text("x") == ""
    assert filled.date("born") == forms.DateParts("1", "2", "2022")
    assert filled.all("ways") == ["post"]
    assert filled.summary == []


def test_a_rule_adds_its_sentence() -> None:
    errors = FieldErrors({"sex": "Select sex"}).also("born", "Too late").also("sex", "Other")
    assert errors.sentences == {"sex": "Select sex", "born": "Too late"}


def test_a_date_in_the_future() -> None:
    today = dt.date(2026, 11, 21)
    tomorrow = today + dt.timedelta(days=1)
    assert forms.future_date_mistake("Date of birth", today, today) == ""
    said = forms.future_date_mistake("Date of birth", tomorrow, today)
    assert said == "Date of birth must be today or in the past"


def test_a_form_must_refuse_unknown_fields() -> None:
    class Loose(msgspec.Struct):
        name: str

    with pytest.raises(TypeError, match="forbid_unknown_fields"):
        read_form(Loose, [])


FIELD_NAMES = st.sampled_from(
    ["given_name", "born", "born-day", "born-month", "born-year", "sex", "about", "ways", "agree",
     "minutes", "cost", "starts", "seen", "agency", "letter", "version", "other", "_csrf_token"]
)  # fmt: skip
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


@given(st.lists(st.tuples(FIELD_NAMES, ANY_TEXT), max_size=25))
def test_whatever_is_posted_gives_a_person_or_sentences(posted: list[tuple[str, str]]) -> None:
    answer = read_form(Person, posted)
    if isinstance(answer, FieldErrors):
        assert all(sentence for sentence in answer.sentences.values())
    else:
        assert 0 < len(answer.given_name) <= 70


@given(ANY_TEXT)
def test_cleaned_text_can_be_stored_and_is_stable(text: str) -> None:
    for clean in (forms.clean_line, forms.clean_paragraphs):
        cleaned = clean(text)
        cleaned.encode()
        assert "\x00" not in cleaned
        assert unicodedata.is_normalized("NFC", cleaned)
        assert clean(cleaned) == cleaned
