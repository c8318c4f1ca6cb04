"""The macros write markup that holds together; a misspelt name fails instead of showing nothing."""

from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from panel.web import forms
from panel.web.render import Renderer
from tests.web import pages

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Reader(HTMLParser):
    """Reads markup strictly: every element closed in its turn, ids unique, references met."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.inline: list[str] = []
        self.tables = 0
        self.captions = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if len(named) != len(attrs):
            raise AssertionError(f"<{tag}> has an attribute twice: {attrs}")
        if tag not in VOID:
            self.open.append(tag)
        self.tables += tag == "table"
        self.captions += tag == "caption"
        if named.get("id"):
            self.ids.append(str(named["id"]))
        for name in ("for", "aria-describedby", "aria-labelledby"):
            self.references += str(named.get(name) or "").split()
        self.inline += [name for name in named if name == "style" or name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        opened = self.open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"left open: {reader.open}"
    return reader


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return pages.renderer()


def show(renderer: Renderer, source: str, **shown: object) -> str:
    return renderer.environment.from_string(source).render(**shown)


def test_every_component_is_well_formed(renderer: Renderer) -> None:
    reader = read(pages.gallery(renderer))
    assert sorted(set(reader.ids)) == sorted(reader.ids)
    assert set(reader.references) <= set(reader.ids)
    assert reader.tables == reader.captions > 0


def test_no_inline_style_or_script_breaks_the_policy(renderer: Renderer) -> None:
    html = pages.gallery(renderer)
    assert read(html).inline == []
    assert html.count("<script") == 1
    assert 'type="module" src="/static/start.' in html


def test_what_people_type_cannot_become_markup(renderer: Renderer) -> None:
    html = show(
        renderer,
        '{% from "macros/forms.html" import input %}{{ input("n", "Name", value, value, value) }}',
        value="\"><script>alert('x')</script>",
    )
    assert "<script" not in html
    read(html)


def test_a_misspelt_name_fails(renderer: Renderer) -> None:
    with pytest.raises(UndefinedError, match="nmae"):
        show(renderer, "{{ nmae }}")


def test_a_misspelt_macro_fails(renderer: Renderer) -> None:
    with pytest.raises(UndefinedError, match="inptu"):
        show(renderer, '{% from "macros/forms.html" import inptu %}{{ inptu("a", "b") }}')


def test_a_table_without_a_caption_cannot_be_made(renderer: Renderer) -> None:
    source = '{% from "macros/content.html" import table %}{{ table(columns=["A"], rows=[]) }}'
    with pytest.raises(UndefinedError, match="caption"):
        show(renderer, source)


def test_a_textarea_keeps_its_first_empty_line(renderer: Renderer) -> None:
    html = show(
        renderer,
        '{% from "macros/forms.html" import textarea %}{{ textarea("a", "A", "\n\nText") }}',
    )
    assert ">\n\n\nText</textarea>" in html


def test_an_error_page_says_its_sentence_and_where_to_go(renderer: Renderer) -> None:
    html = renderer.page(
        "error.html",
        pages.frame(),
        sentence="This page does not exist",
        advice=["Check the address."],
        links=[{"text": "Home", "href": "/"}],
        reference="4F2A",
    )
    read(html)
    assert '<h1 class="govuk-heading-l">This page does not exist</h1>' in html
    assert "<strong>4F2A</strong>" in html


def test_nobody_signed_in_sees_no_sign_out(renderer: Renderer) -> None:
    html = pages.gallery(renderer, pages.frame(csrf_token=""))
    assert "Sign out" not in html


def test_an_accent_that_was_not_checked_is_refused() -> None:
    with pytest.raises(ValueError, match="“pink” is not one of teal, navy"):
        pages.frame(accent="pink")


def test_every_date_filter_is_there(renderer: Renderer) -> None:
    parts = forms.DateParts()
    source = '{% from "macros/forms.html" import date_input %}{{ date_input("d", "Date", parts) }}'
    assert 'name="d-year"' in show(renderer, source, parts=parts)
    assert {"day", "short_day", "time", "relative_day", "initials", "plural"} <= set(
        renderer.environment.filters
    )
