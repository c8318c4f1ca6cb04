"""The templates show what the presenters say: whole, escaped, and with every id once."""

from __future__ import annotations

from collections import Counter
from datetime import date
from html.parser import HTMLParser
from uuid import UUID

import pytest

from panel.assessments.definitions import Answers, FormDefinition
from panel.assessments.forms import Options, decode_section, flatten_section
from panel.assessments.pages import (
    assessment_page,
    check_answers_page,
    section_page,
    task_list,
)
from panel.assessments.rules import SignOff, Version
from panel.register.service import ChildHeader
from panel.web.manifest import Manifest
from panel.web.render import Frame, Renderer

BASE = "/assessments/1"
NOBODY: frozenset[str] = frozenset()


class Page(HTMLParser):
    """The ids, the fields, what points at an id, and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.fields: set[str] = set()
        self.pointed: set[str] = set()
        self.tags: Counter[str] = Counter()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag in {"input", "select", "textarea"}:
            self.fields.add(given["name"])
        for name in ("for", "aria-describedby", "aria-labelledby"):
            self.pointed.update(given.get(name, "").split())
        if given.get("href", "").startswith("#"):
            self.pointed.add(given["href"][1:])

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    files = {name: name for name in ("panel.css", "panel.svg", "start.js")}
    return Renderer(Manifest("", files), rooms=("assessments", "register"))


HEADER = ChildHeader(
    child_id=UUID(int=1),
    reference="P-1",
    name="Freya Kestrel",
    initials="F K",
    known_as="",
    age_words="4 years",
    born=date(2022, 3, 9),
    nhs_number_words=None,
    upn=None,
    lead_words="Nobody yet",
)
AROUND: dict[str, object] = {
    "header": HEADER,
    "here": "assessment",
    "clashes": [],
    "clash_words": "",
    "errors": [],
    "withheld": [],
    "sharing_href": "/children/1/sharing#ask",
    "changes": [],
    "former_number": 0,
    "start_href": "",
    "document_href": "",
}


def show(renderer: Renderer, template: str, **shown: object) -> Page:
    page = Page(renderer.page(f"assessments/{template}.html", Frame(), **(AROUND | shown)))
    assert not [name for name, times in page.ids.items() if times > 1]
    assert not page.pointed - page.ids.keys()
    assert page.tags["h1"] == 1
    assert page.tags["script"] == 1
    return page


def test_every_section_shows_a_field_for_every_answer(
    caf: FormDefinition,
    full: Answers,
    options: Options,
    renderer: Renderer,
) -> None:
    for section in caf.sections:
        fields = flatten_section(section, full[section.key])
        model = section_page(caf, section, fields, (), options, child="Freya", base=BASE)
        shown = show(renderer, "section", page=model, version=3)
        asked = {name.split("-")[0] for name in shown.fields}
        assert fields.keys() <= asked
        posted = {name: [""] for name in shown.fields}
        assert not decode_section(caf, section, posted, options).problems


def test_a_mistake_is_shown_at_the_top_and_at_its_field(
    caf: FormDefinition,
    options: Options,
    renderer: Renderer,
) -> None:
    section = caf.section("names")
    assert section is not None
    posted = {"birth_date-day": ["31"], "given_name": ["<script>" * 99]}
    problems = decode_section(caf, section, posted, options).problems
    model = section_page(caf, section, posted, problems, options, child="Freya", base=BASE)
    shown = show(renderer, "section", page=model, version=3)
    assert shown.text.count("must be a real date") == 2
    assert shown.text.count("at most 200 characters") == 2


def test_the_task_list_shows_every_section(
    caf: FormDefinition,
    full: Answers,
    renderer: Renderer,
) -> None:
    full["names"] = {}
    model = task_list(
        Version(caf, full), NOBODY, child="Freya", reference="P-1", number=1, base=BASE
    )
    shown = show(renderer, "task_list", page=model, clock=None, clock_href="")
    assert "Go on with “Names and birth date”" in shown.text
    for section in caf.sections:
        assert section.title.replace("{child}", "Freya") in shown.text


def test_checking_shows_every_answer_and_what_is_missing(
    caf: FormDefinition,
    full: Answers,
    options: Options,
    renderer: Renderer,
) -> None:
    full["reason"] = {}
    full["conclusions"]["solutions"] = "One\n<b>two</b>"
    model = check_answers_page(
        Version(caf, full),
        NOBODY,
        SignOff(permitted=False, reasons=("Not yet.",)),
        options,
        child="Freya",
        reference="P-1",
        base=BASE,
    )
    shown = show(renderer, "check_answers", page=model, version=3, clock=None, late_reasons=())
    assert "Answer “What led to this assessment?”." in shown.text
    assert "<b>two</b>" in shown.text
    assert "Not yet." in shown.text


def test_reading_shows_what_is_withheld_and_none_of_it(
    caf: FormDefinition,
    full: Answers,
    options: Options,
    renderer: Renderer,
) -> None:
    model = assessment_page(
        Version(caf, full),
        options,
        {
            "disability": "You cannot see the health section.",
            "health": "You cannot see the health section.",
            "home_and_money": "",
        },
        child="Freya",
        reference="P-1",
        number=1,
        signed_off_on=date(2026, 12, 3),
        signed_off_by="Hana Oduya",
    )
    shown = show(renderer, "assessment", page=model, late_words="", form_key="caf")
    assert shown.text.count("You cannot see the health section.") == 2
    assert "Strong in general_health" not in shown.text
    assert "Strong in housing" not in shown.text
    assert "Strong in physical_development" in shown.text
    assert "View of: Freya" in shown.text
