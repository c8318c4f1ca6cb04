"""Every sentence of a family's choices can be read by somebody of eleven, whatever it says."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest

from consent import Basis, Capacity, Category, Level, Purpose
from panel.families.choice_forms import Asked
from panel.families.choice_pages import choice_page, choices_page
from panel.families.choice_words import why_not_words
from panel.panels.reading_age import reading_age, syllables
from panel.platform.ids import new_id
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from panel.sharing import choosing
from panel.sharing.asking_family import AskedOfFamily
from panel.sharing.choice_views import HowFar, OwnSystem
from panel.sharing.choices import (
    AgencyChoice,
    ByLaw,
    Choices,
    Decided,
    Switch,
    Voice,
    WhyNot,
)
from panel.sharing.choosing import Foreseen
from panel.sharing.choosing_rules import COVERS, OF_PEOPLE, Act, Kind
from tests.families.choosing import School, agreed, rehearse, with_school, write_down
from tests.families.conftest import SignInFamily
from tests.families.household import Client, Family

OLDEST_READER = 11
A_SENTENCE, MOST_SYLLABLES = 5, 3
THE_LAW = "the duty to co-operate (Children Act 2004 section 10)"
"""The name of a law is what it is; everything around it is plain."""
DAY = date(2026, 11, 23)


ASKED = tuple(
    AskedOfFamily(new_id(), new_id(), "Speech therapy", one, Purpose.SUPPORT, "", DAY, call)
    for one, call in product(Category, (True, False))
)


def too_hard(said: str) -> list[str]:
    """The sentences that ask for more; in a phrase of a few words, long words.

    The grade counts words in sentences: of "Money" alone it says nothing.
    """
    plain = said.replace(THE_LAW, "the law")
    found = [one for one in re.split(r"(?<=[.!?])\s+", plain) if one.strip()]
    return [one for one in found if _is_hard(one)]


def _is_hard(said: str) -> bool:
    words = re.findall(r"[^\W\d_]+", said)
    if len(words) < A_SENTENCE:
        return any(syllables(word) > MOST_SYLLABLES for word in words)
    return reading_age(said) > OLDEST_READER


def texts_of(page: str) -> Iterator[str]:
    """What stands in each element of a page's main part."""
    main = page[page.index("<main") : page.index("</main>")]
    for text in re.split(r"<[^>]+>", main):
        if text.strip():
            yield " ".join(html.unescape(text).split())


def an_agency(sees: frozenset[Category], **more: Any) -> AgencyChoice:
    known: dict[str, Any] = {
        "agency_id": new_id(),
        "name": "Ashdown School",
        "sees": tuple(one for one in Category if one in sees),
        "hidden": tuple(one for one in Category if one not in sees),
        "by_law": (),
        "anyway": frozenset(),
        "decided": (),
        "switches": tuple(Switch(one, HowFar.PART) for one in OF_PEOPLE),
        "mine_until": DAY,
        "mine_is_on": True,
        "objection_due": None,
        "objection_is_mine": False,
        "barred": frozenset(),
    }
    return AgencyChoice(**(known | more))


SEEN = [frozenset(), *COVERS.values(), *(frozenset({one}) for one in Category)]
SEEN += [frozenset(Category) - {one} for one in Category]


@pytest.mark.parametrize("why", [None, *WhyNot])
def test_the_page_of_choices(why: WhyNot | None) -> None:
    voice = Voice(Capacity.PARENTAL_RESPONSIBILITY if why is None else None, why)
    law = tuple(
        ByLaw(tuple(one for one in Category if one in seen), basis, THE_LAW)
        for seen, basis in product(SEEN[1:], (Basis.DUTY, Basis.SAFEGUARDING, Basis.COURT_ORDER))
    )
    decided = tuple(
        Decided(given, by_me, words, DAY, until, ended)
        for given, by_me, words, until, ended in product(
            (True, False), (True, False), ("", "her mother"), (None, DAY), (None, DAY)
        )
    )
    decided += tuple(replace(one, of_system=True) for one in decided)
    agencies = [an_agency(seen) for seen in SEEN]
    agencies.append(an_agency(SEEN[2], by_law=law, decided=decided, objection_due=DAY))
    agencies.append(an_agency(SEEN[2], barred=frozenset(Category), objection_is_mine=True,
                              objection_due=DAY))  # fmt: skip
    agencies.append(an_agency(SEEN[2], anyway=frozenset(Category)))
    agencies += [
        an_agency(SEEN[2], system=OwnSystem(gets, SEEN[2], may_stop, is_barred))
        for gets, may_stop, is_barred in product(
            ((), *(tuple(one) for one in SEEN[1:])), (True, False), (True, False)
        )
    ]
    agencies += [
        an_agency(
            SEEN[2],
            system=OwnSystem(gets, SEEN[2], objection_due=DAY, objection_is_mine=by_me),
        )
        for gets, by_me in product(((), tuple(SEEN[2])), (True, False))
    ]
    known = Choices(voice, tuple(agencies), law, ((new_id(), "Speech therapy"),), DAY)
    for is_self in (True, False):
        page = choices_page(
            known,
            ASKED,
            "Freya",
            is_self=is_self,
            base="/x",
            ask="Ask Rosa Whitlow.",
            phone="",
            tel="",
        )
        said = [page.title, page.lead, *page.why_not, *page.panel]
        said += [text for part in page.asked for text in part.said]
        for part in page.agencies:
            said += [
                part.sees,
                part.system,
                *part.decided,
                *part.by_law,
                *part.waits,
                part.one_by_one,
            ]
            said += [one.text + one.about for one in part.whole]
            for switch in part.switches:
                said += [switch.name, switch.what, switch.state, switch.why_none]
                said += [one.text for one in switch.buttons]
        assert {one for text in said for one in too_hard(text)} == set()


@pytest.mark.parametrize("why", WhyNot)
def test_every_sentence_begins_as_one_where_the_name_is_withheld(why: WhyNot) -> None:
    said = why_not_words(why, "your child", "Ask Rosa Whitlow.")
    assert [one for one in said if not one[0].isupper()] == []


@pytest.mark.parametrize("act", Act)
def test_every_rehearsal(act: Act) -> None:
    hard: set[str] = set()
    for about, before, after, objects in product((*Kind, *Category), SEEN, SEEN[:5], (True, False)):
        if before == after and len(before) not in (0, 4):
            continue
        systems = [OwnSystem(tuple(one), one) for one in (before, after)]
        first = an_agency(before, system=systems[0])
        last = an_agency(after, system=systems[1], objection_due=DAY if objects else None)
        foreseen = Foreseen(first, last, ((first, last),), objects, objects, DAY, "mark")
        page = choice_page(foreseen, Asked(act, about), "/x")
        said = [
            page.title,
            *page.changes,
            page.at_once,
            page.keeps,
            *page.next,
            page.button,
            page.back_words,
        ]
        said += [word for pair in page.either_way for word in pair]
        hard |= {one for text in said for one in too_hard(text)}
    assert hard == set()


def test_what_is_said_when_it_is_refused() -> None:
    said = [
        choosing.NOT_THEIRS, choosing.UNKNOWN_AGENCY, choosing.CHANGED_SINCE, choosing.WAITS,
        choosing.NOTHING_TO_KEEP, choosing.BEFORE_TODAY, choosing.NOTHING_FOR_A_SYSTEM,
    ]  # fmt: skip
    assert [one for text in said for one in too_hard(text)] == []


async def test_the_pages_as_they_are_served(
    client: Client, tenant: Tenant, gate: Gate, family: Family, sign_in_family: SignInFamily
) -> None:
    school: School = await with_school(tenant, family)
    await write_down(gate, family, agreed(family.mother, {school.id}, level=Level.ADDITIONAL))
    await sign_in_family(family.mother)
    pages = [await client.get(f"/family/{family.child}/{one}") for one in ("choices", "looks")]
    pages += [await client.get(f"/family/{family.child}/choices?done=yes")]
    pages += [await rehearse(client, family, school.id, f"{act}-basic") for act in Act]
    for person in (family.father, family.grandmother):
        await sign_in_family(person)
        pages.append(await client.get(f"/family/{family.child}/choices"))
        pages.append(await rehearse(client, family, school.id, "stop-basic"))
    hard = {one for page in pages for text in texts_of(page.text) for one in too_hard(text)}
    assert hard == set()
