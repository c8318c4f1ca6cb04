"""What a page says in the place of something withheld."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from consent import (
    Category,
    Purpose,
    Restriction,
    RestrictionKind,
    Span,
    Tie,
    explain,
)


def test_a_refusal_says_who_and_since_when(world: Any) -> None:
    state = world.state(
        relationships=(world.tie(Tie.TEAM),),
        agreements=(world.refusal(level=None, span=Span(start=date(2026, 5, 3))),),
    )
    decision = world.ask(world.worker(), state)
    assert explain(decision, Category.HEALTH, "Amina") == (
        "You cannot see the health section. Her mother has not agreed to share it with your "
        "agency (since 3 May 2026)."
    )


def test_what_nobody_agreed_to(world: Any) -> None:
    state = world.state(relationships=(world.tie(Tie.TEAM),))
    decision = world.ask(world.worker(), state, Category.SOCIAL_CARE)
    assert explain(decision, Category.SOCIAL_CARE, "Amina") == (
        "You cannot see the social care section. Nobody who may agree has agreed to share it "
        "with your agency."
    )


@pytest.mark.parametrize(
    ("child", "whose"),
    [("Amina", "Amina's"), ("this child", "this child's"), ("James", "James'")],
)
def test_no_tie_names_the_child_as_the_page_does(world: Any, child: Any, whose: Any) -> None:
    decision = world.ask(world.worker(), world.state())
    assert explain(decision, Category.HEALTH, child) == (
        f"You cannot see the health section. You are not part of {whose} record for this purpose."
    )


def test_nothing_is_said_in_silence_or_when_permitted(world: Any) -> None:
    silent = Restriction(
        RestrictionKind.PROTECTION, frozenset({Category.CONTACT}), frozenset(), silent=True
    )
    state = world.state(
        relationships=(world.tie(Tie.TEAM),),
        agreements=(world.agreement(),),
        restrictions=(silent,),
    )
    hidden = world.ask(world.worker(), state, Category.CONTACT)
    shown = world.ask(world.worker(), state, Category.PLAN, Purpose.SUPPORT)
    assert explain(hidden, Category.CONTACT, "Amina") == ""
    assert explain(shown, Category.PLAN, "Amina") == ""


@pytest.mark.parametrize("category", Category)
def test_every_section_has_plain_words(world: Any, category: Category) -> None:
    decision = world.ask(world.worker(), world.state(), category)
    assert "_" not in explain(decision, category, "Amina")
