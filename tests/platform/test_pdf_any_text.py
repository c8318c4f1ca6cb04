"""Whatever people type can be printed: drawn where our fonts can, said in words where not."""

import subprocess
from datetime import UTC, datetime
from io import BytesIO

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.platform.pdf import printable, render
from panel.platform.pdf_glyphs import drawable_ranges

MADE = datetime(2026, 11, 26, 16, 5, tzinfo=UTC)


def made(text: str) -> bytes:
    data: dict[str, object] = {
        "panel": text,
        "agency": text,
        "day": "",
        "weekday": text,
        "confidentiality": text,
        "facts": [{"label": text, "value": text}],
        "items": [],
    }
    return render("panels/templates/pack.typ", data, title=text, created=MADE)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Zażółć gęślą jaźń", "Zażółć gęślą jaźń"),
        ("مرحبا بكم في المدرسة", "مرحبا بكم في المدرسة"),
        ("Ж Ω שלום ẹ́", "Ж Ω שלום ẹ́"),
        ("good 😀", "good [grinning face]"),
        ("😀" * 10_000, "[grinning face, 10000 times]"),
        ("👩‍👩‍👧", "[woman, 2 times][girl]"),
        ("👍🏽!", "[thumbs up sign]!"),
        ("আমি", "[3 characters in Bengali, shown on screen only]"),
        ("漢字", "[2 characters in Chinese or Japanese, shown on screen only]"),
        ("\ue000\U0010ffff", "[unknown character, 2 times]"),
        ("a\x00b\x1bc\ufeff", "abc"),
        ("\u202egnp.exe", "gnp.exe"),
        ("one\r\ntwo\u2028three", "one\ntwo\nthree"),
        ("e\u0301", "é"),
    ],
)
def test_what_is_printed(text: str, printed: str) -> None:
    assert printable(text) == printed


def test_half_a_character_is_printed_as_unknown() -> None:
    assert printable("a\ud800b") in {"a\ufffdb", "a[replacement character]b"}


def test_a_long_word_may_break_and_loses_nothing() -> None:
    word = "x" * 205
    assert "\u200b" in printable(word)
    assert printable(word).replace("\u200b", "") == word
    assert printable("y" * 40) == "y" * 40


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_printing_twice_is_printing_once(text: str) -> None:
    once = printable(text).replace("\u200b", "")
    assert printable(once).replace("\u200b", "") == once


def test_every_character_we_promise_is_drawn() -> None:
    """Fails when a newer typst wheel lost glyphs: read the ranges of pdf_glyphs.py again."""
    signs = [chr(code) for first, last in drawable_ranges() for code in range(first, last + 1)]
    drawn = made(" ".join(signs))
    with pikepdf.open(BytesIO(drawn)) as opened:
        assert len(opened.pages) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n\n",
        "😀" * 10_000,
        "W" * 20_000,
        "Z\u0334\u0335\u0336\u0341\u0489a\u20e3l\u0488go" * 50,
        "\ud800 half",
        "\u202e\u2066right to left",
        "مرحبا" * 100,
        "\x00\x01\x7f\x85",
        "ก็็็็็็็็็็",
        "\u115f\u3164\u2800\u180e",
    ],
)
def test_strange_text_is_still_a_paper(text: str) -> None:
    assert made(text).startswith(b"%PDF-")


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_still_a_paper(text: str) -> None:
    assert made(text).startswith(b"%PDF-")


def test_polish_and_arabic_can_be_read_back() -> None:
    try:
        read = subprocess.run(
            ["pdftotext", "-", "-"],
            input=made("Gęś Żółkiewska"),
            capture_output=True,
            check=True,
        ).stdout.decode()
    except FileNotFoundError:
        pytest.skip("pdftotext is not installed")
    assert "Gęś Żółkiewska" in read
