"""Help stands on every page where somebody works, and every word that it points to is explained."""

import re
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import pytest

from panel.accounts.help import (
    FAMILIES_GLOSSARY,
    FOR_FAMILIES,
    FOR_WORKERS,
    HELP,
    WORKERS_GLOSSARY,
    Letter,
)
from panel.web import assets
from panel.web.manifest import read_manifest
from panel.web.render import Frame, Renderer
from tests.web.test_components import read

WITHOUT_HELP = {
    "layout.html": "around every page",
    "register/child_frame.html": "around every page of a record",
    "error.html": "says itself what to do",
    "conflict.html": "says itself what to do",
    "not_sent_yet.html": "says itself what to do",
    "accounts/sign_in.html": "one button, before anybody is known",
    "accounts/provider.html": "one button, before anybody is known",
    "accounts/provider_going.html": "goes on by itself",
    "accounts/elsewhere_going.html": "goes on by itself",
    "accounts/elsewhere_come_in.html": "one button, before anybody is known",
    "accounts/signed_out.html": "nothing to do",
    "accounts/enter.html": "says itself what to do, before anybody is known",
    "accounts/second_step.html": "one field, before anybody is known",
    "families/sign_in.html": "says itself what to do, before anybody is known",
    "families/code.html": "says itself what to do, before anybody is known",
    "accounts/again.html": "says itself what to do",
    "accounts/done.html": "nothing to do",
    "accounts/glossary.html": "is help",
    "accounts/family_glossary.html": "is help",
    "panels/guest_code.html": "a guest is told by the page itself",
    "panels/guest_item.html": "a guest is told by the page itself",
    "panels/guest_done.html": "nothing to do",
    "panels/print.html": "is printed",
    "directory/provider_door.html": "a provider is told by the page itself",
    "directory/provider_service.html": "a provider is told by the page itself",
    "directory/provider_check.html": "a provider is told by the page itself",
    "directory/short_breaks.html": "anybody reads it, and there is nothing to do",
}
MEND = (
    "Write two to four short sentences for it in src/panel/accounts/help.json, under the template's"
    " name, with words of glossary.json to look up. Only for a page where nobody has anything to"
    " do, name it in WITHOUT_HELP with the reason."
)
EXTENDS = re.compile(r'{%-?\s*extends\s+"([^"]+)"')
MOST_BYTES = 1_000
GLOSSARIES = {WORKERS_GLOSSARY: FOR_WORKERS, FAMILIES_GLOSSARY: FOR_FAMILIES}


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    assets.build()
    return Renderer(read_manifest(), help=HELP)


def templates() -> dict[str, str]:
    """Every template by its name, with the one that it extends or ""."""
    root = Path(str(resources.files("panel")))
    found = {}
    for path in sorted(root.glob("*/templates/**/*.html")):
        room, _, *rest = path.relative_to(root).parts
        name = "/".join(rest if room == "web" else (room, *rest))
        extended = EXTENDS.search(re.sub(r"{#.*?#}", "", path.read_text("utf-8"), flags=re.DOTALL))
        found[name] = extended[1] if extended else ""
    return found


def full_pages() -> Iterator[str]:
    """The templates that stand in the layout, directly or through another."""
    known = templates()
    for name in known:
        base = name
        while known[base]:
            base = known[base]
        if base == "layout.html":
            yield name


def words_of(glossary: Sequence[Letter]) -> list[str]:
    return [entry.term for letter in glossary for entry in letter.entries]


def test_every_page_has_help() -> None:
    missing = sorted(set(full_pages()) - HELP.keys() - WITHOUT_HELP.keys())
    assert not missing, f"No help on {', '.join(missing)}. {MEND}"


def test_a_page_that_is_said_to_need_no_help_is_there_and_has_none() -> None:
    assert set(full_pages()) >= WITHOUT_HELP.keys()
    assert not HELP.keys() & WITHOUT_HELP.keys()


@pytest.mark.parametrize("template", sorted(HELP))
def test_help_is_short_and_its_words_are_explained(template: str, renderer: Renderer) -> None:
    page_help = HELP[template]
    assert 1 <= len(page_help.says) <= 4
    for term in page_help.terms:
        address, _, anchor = term.href.partition("#")
        known = {entry.anchor for letter in GLOSSARIES[address] for entry in letter.entries}
        assert anchor in known, (
            f"The help of {template} points to “{term.text}”, which {address} does not explain."
            " Add it to src/panel/accounts/glossary.json, for these readers, or take it out."
        )
    html = renderer.help_panels[template]
    read(html)
    assert len(html.encode()) <= MOST_BYTES, f"The help of {template} is too long to read."


def test_families_are_sent_to_their_own_words() -> None:
    for template, page_help in HELP.items():
        glossary = FAMILIES_GLOSSARY if template.startswith("families/") else WORKERS_GLOSSARY
        assert {term.href.partition("#")[0] for term in page_help.terms} <= {glossary}


def test_the_panel_is_closed_and_is_there_only_where_a_text_is(renderer: Renderer) -> None:
    html = renderer.help_panels["panels/agenda.html"]
    assert "<details" in html
    assert " open" not in html.partition(">Help with this page<")[0]
    error = {"sentence": "x", "advice": [], "links": [], "reference": ""}
    assert "Help with this page" not in renderer.page("error.html", Frame(), **error)
    with_help = Renderer(read_manifest(), help={"error.html": HELP["panels/agenda.html"]})
    assert html in with_help.page("error.html", Frame(), **error)


def test_both_glossaries_explain_enough_in_order_and_briefly() -> None:
    assert len(words_of(FOR_WORKERS)) >= 40
    assert len(words_of(FOR_FAMILIES)) >= 20
    for glossary in (FOR_WORKERS, FOR_FAMILIES):
        terms = words_of(glossary)
        assert terms == sorted(terms, key=str.casefold)
        entries = [entry for letter in glossary for entry in letter.entries]
        assert len({entry.anchor for entry in entries}) == len(entries)
        for entry in entries:
            sentences = re.findall(r"[.!?](?:\s|$)", entry.meaning)
            assert 1 <= len(sentences) <= 2, f"Say “{entry.term}” in one or two sentences."
