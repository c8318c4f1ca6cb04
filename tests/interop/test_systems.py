"""The codes that go out are those of Panel's rooms and of UK Core, and the document lists them all."""

import re
from pathlib import Path

import pytest

from interop import systems
from interop.outgoing.codes import ETHNIC_CATEGORIES, NEEDS, RELATIONSHIPS
from panel.allocation.rules import NEED_WORDS
from panel.web.assets import CHECKOUT

UK_CORE = CHECKOUT.parent / "shared" / "data" / "ukcore"
MAPPING = CHECKOUT / "docs" / "integrators" / "fhir-mapping.md"
CONCEPT = re.compile(r'<code value="([^"]+)" />\s*<display value="([^"]+)"')


def _concepts(path: Path) -> set[tuple[str, str]]:
    if not path.is_file():
        pytest.skip(f"UK Core's data is not here: {path} does not exist.")
    return set(CONCEPT.findall(path.read_text(encoding="utf-8")))


def test_needs_have_the_words_of_the_rooms() -> None:
    assert {code.value: words for code, words in NEED_WORDS.items()} == NEEDS


def test_an_ethnicity_is_one_of_england_s_categories() -> None:
    theirs = _concepts(UK_CORE / "codesystems" / "CodeSystem-UKCore-EthnicCategoryEngland.xml")
    assert set(ETHNIC_CATEGORIES.values()) == theirs


def test_a_relationship_is_one_of_uk_core_s() -> None:
    theirs = _concepts(UK_CORE / "valuesets" / "ValueSet-UKCore-PersonRelationshipType.xml")
    assert set(RELATIONSHIPS.values()) <= theirs


def test_every_address_of_panel_s_own_is_in_the_document() -> None:
    told = MAPPING.read_text(encoding="utf-8")
    assert systems.OWN in told
    for name, address in vars(systems).items():
        if isinstance(address, str) and address.startswith(f"{systems.OWN}/"):
            assert f"`{address.rpartition('/')[2]}`" in told, name
