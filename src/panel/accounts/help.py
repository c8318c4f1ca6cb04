"""Help with each page, and the words that people meet in Panel.

Both are data: help.json says for a page's template what helps there, glossary.json what a word
means, for workers (reading age about 12) and for families (about 9). Both are read once, when the
program starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

import msgspec

from panel.web.render import Link, PageHelp

WORKERS_GLOSSARY = "/glossary"
FAMILIES_GLOSSARY = "/family/glossary"


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word and what it means; empty for those who do not meet it."""

    term: str
    workers: str = ""
    families: str = ""


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    says: tuple[str, ...]
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A word as a glossary shows it; `anchor` is its id on the page."""

    term: str
    meaning: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a glossary that begin with one letter."""

    letter: str
    entries: Sequence[Entry]


def anchor(term: str) -> str:
    """The id of a word in a glossary: "EHC plan" is at "ehc-plan"."""
    return re.sub(r"[^a-z0-9]+", "-", term.casefold()).strip("-")


def _read(name: str) -> bytes:
    return resources.files("panel.accounts").joinpath(name).read_bytes()


def _page_help(template: str, text: _Text) -> PageHelp:
    for_family = template.startswith("families/")
    glossary = FAMILIES_GLOSSARY if for_family else WORKERS_GLOSSARY
    terms = [Link(term, f"{glossary}#{anchor(term)}") for term in text.terms]
    return PageHelp(text.says, terms, for_family)


def _by_letter(meanings: Mapping[str, str]) -> Sequence[Letter]:
    letters: dict[str, list[Entry]] = {}
    for term in sorted(meanings, key=str.casefold):
        if meanings[term]:
            entry = Entry(term, meanings[term], anchor(term))
            letters.setdefault(term[0].upper(), []).append(entry)
    return [Letter(letter, entries) for letter, entries in letters.items()]


_TERMS = msgspec.json.decode(_read("glossary.json"), type=tuple[Term, ...])

FOR_WORKERS = _by_letter({one.term: one.workers for one in _TERMS})
FOR_FAMILIES = _by_letter({one.term: one.families for one in _TERMS})
"""The two glossaries, in the order of the alphabet."""

HELP: Mapping[str, PageHelp] = {
    template: _page_help(template, text)
    for template, text in msgspec.json.decode(_read("help.json"), type=dict[str, _Text]).items()
}
"""What helps on each page, by the name of its template."""
