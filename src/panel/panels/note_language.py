"""Words that notes to parents are compared with: jargon, ordinary words, names, places.

The lists are data, dated, in note_words.json. A word that is missing there is marked once too
often, never once too seldom: the writer then keeps it with a reason.
"""

from datetime import date
from pathlib import Path

import msgspec


class _Words(msgspec.Struct, forbid_unknown_fields=True):
    """The file: each list is lines of words in small letters, between spaces."""

    as_of: date
    plain_abbreviations: list[str]
    titles: list[str]
    institutions: list[str]
    streets: list[str]
    houses: list[str]
    capitals: list[str]
    before_a_month: list[str]
    not_an_initial: list[str]
    words_that_are_names: list[str]
    given_names: list[str]
    verbs_after_a_name: list[str]
    ordinary: list[str]
    third_parties: dict[str, str]
    jargon: dict[str, str]


def _of(lines: list[str]) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


_READ = msgspec.json.decode(Path(__file__).with_name("note_words.json").read_bytes(), type=_Words)

AS_OF = _READ.as_of
"""When the lists were last read through."""
JARGON = _READ.jargon
"""A term or abbreviation of special needs, assessment or health, and what to write instead.

A key with a capital in it is an abbreviation and is found as it is written; the others are found
in any case.
"""
THIRD_PARTIES = _READ.third_parties
"""Words that speak of somebody else without a name, and whom they speak of."""
PLAIN_ABBREVIATIONS = _of(_READ.plain_abbreviations)
"""Those that a parent uses at home."""
TITLES = _of(_READ.titles)
INSTITUTIONS = _of(_READ.institutions)
"""A run of capitals with one of these in it is a place or a service and no person."""
STREETS = _of(_READ.streets)
"""How a street's name ends."""
HOUSES = _of(_READ.houses)
"""How a house's own name ends."""
CAPITALS = _of(_READ.capitals)
"""Words that begin with a capital and name no person in these notes."""
BEFORE_A_MONTH = _of(_READ.before_a_month)
"""Words after which "May" is the month and nobody's name."""
NOT_AN_INITIAL = _of(_READ.not_an_initial)
"""Words after which a single capital letter is a label: "vitamin D", "Plan B"."""
WORDS_THAT_ARE_NAMES = _of(_READ.words_that_are_names)
"""Ordinary words that are people's names too: only a capital can tell them apart."""
GIVEN_NAMES = _of(_READ.given_names)
"""First names that are common in England: what begins a sentence may be one of them."""
VERBS_AFTER_A_NAME = _of(_READ.verbs_after_a_name)
"""What follows a name that is an ordinary word too, at the beginning of a sentence."""
ORDINARY = _of(_READ.ordinary)
"""Words that begin sentences and fill notes, without their endings (-s, -ed, -ing, -ly)."""
