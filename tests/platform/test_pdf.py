"""Making a paper: the same bytes each time, nothing read as markup, a sentence when it fails."""

import re
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest

from panel.platform import pdf
from panel.platform.pdf import PdfNotMade, render

TEMPLATE = "panels/templates/pack.typ"
MADE = datetime(2026, 11, 26, 16, 5, tzinfo=UTC)
PACKAGE = Path(pdf.__file__).parents[1]


def paper(text: str = "Private.") -> dict[str, object]:
    """The smallest data that the template takes, with one text a person wrote."""
    return {
        "panel": "CONTACTS panel",
        "agency": "Early Help",
        "day": "3 December 2026",
        "weekday": "Thursday 3 December 2026",
        "confidentiality": text,
        "facts": [{"label": "Place", "value": "Marlow Centre"}],
        "items": [],
    }


def made(text: str = "Private.", title: str = "A paper", language: str = "en-GB") -> bytes:
    return render(TEMPLATE, paper(text), title=title, language=language, created=MADE)


def test_the_same_paper_is_the_same_bytes() -> None:
    assert made() == made()


def test_the_same_moment_in_another_time_zone_is_the_same_paper() -> None:
    there = MADE.astimezone(timezone(timedelta(hours=1)))
    assert render(TEMPLATE, paper(), title="A paper", created=there) == made()


def test_title_language_and_date_are_in_the_file() -> None:
    with pikepdf.open(BytesIO(made(title="Żółć & <b>"))) as opened:
        assert str(opened.docinfo["/Title"]) == "Żółć & <b>"
        assert str(opened.Root.Lang) == "en-GB"
        assert str(opened.docinfo["/CreationDate"]).startswith("D:20261126160500")


def test_another_language() -> None:
    with pikepdf.open(BytesIO(made(language="cy"))) as opened:
        assert str(opened.Root.Lang) == "cy"


@pytest.mark.parametrize(
    "text",
    [
        '#read("/platform/pdf.py")',
        "#panic()",
        '#import "@preview/cetz:0.3.0": *',
        "= Not a heading",
        "$ not maths",
        "*not bold",
        "]] #[",
        "\\u{41} <label> @reference",
        '"); #sys.inputs',
    ],
)
def test_what_people_write_is_never_markup(text: str) -> None:
    made(text)


def test_no_template_fetches_anything() -> None:
    for template in PACKAGE.rglob("*.typ"):
        text = template.read_text()
        assert "@preview" not in text, f"{template} would need the network"
        assert not re.search(r"\beval\(|#read\(", text), f"{template} evaluates or reads"


@pytest.mark.parametrize(
    "template", ["panels/templates/none.typ", "../pdf.typ", "/etc/passwd", "pdf.py", ""]
)
def test_an_unknown_template_is_said(template: str) -> None:
    with pytest.raises(PdfNotMade, match="There is no paper called"):
        render(template, {}, title="A paper", created=MADE)


def test_an_unknown_language_is_said() -> None:
    with pytest.raises(PdfNotMade, match="not a language code"):
        made(language="English")


def test_a_moment_without_a_time_zone_is_said() -> None:
    with pytest.raises(PdfNotMade, match="time zone"):
        render(TEMPLATE, paper(), title="A paper", created=MADE.replace(tzinfo=None))


def test_too_much_text_is_said_at_once() -> None:
    with pytest.raises(PdfNotMade, match="too much text"):
        made("word " * 1_000_000)


def test_too_slow_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 0.001)
    with pytest.raises(PdfNotMade, match="was not ready"):
        made()


def test_a_template_that_misses_its_data_is_said_without_the_text() -> None:
    with pytest.raises(PdfNotMade) as caught:
        render(TEMPLATE, {"panel": "Amina Kestrel"}, title="Amina Kestrel", created=MADE)
    assert "could not be made" in caught.value.sentence
    assert "Amina" not in caught.value.sentence


def test_the_compiler_does_not_get_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_DATABASE_URL", "postgresql://secret@nowhere/panel")
    given: dict[str, str] = {}

    def noted(*_: object, env: dict[str, str], **__: object) -> object:
        given.update(env)
        raise pdf.subprocess.TimeoutExpired("typst", 1)

    monkeypatch.setattr(pdf.subprocess, "run", noted)
    with pytest.raises(PdfNotMade):
        made()
    assert set(given) <= {"PATH", "PYTHONPATH"}
