"""What is withheld for one reason is said once."""

from consent import Category
from panel.panels.not_shown import grouped
from panel.records.gate import Withheld

NOBODY = "Nobody who may agree has agreed to share it with your agency."


def withheld(category: Category, title: str, why: str) -> tuple[str, Withheld]:
    return title, Withheld(category, f"You cannot see the {category.value} section. {why}")


def test_one_reason_is_said_once() -> None:
    shown = grouped(
        [
            withheld(Category.HEALTH, "Health", NOBODY),
            withheld(Category.FAMILY, "Family", "Her mother refused."),
            withheld(Category.VIEWS, "The child's own words", NOBODY),
        ]
    )
    assert [one.sentence for one in shown] == [
        f"You cannot see what others wrote about health and the child's own words. {NOBODY}",
        "You cannot see the family section. Her mother refused.",
    ]
    assert [one.category for one in shown] == ["health", "family"]


def test_a_sentence_without_a_reason_stands_alone() -> None:
    alone = Withheld(Category.PLAN, "You cannot see this plan.")
    assert grouped([("Plan", alone)])[0].sentence == "You cannot see this plan."
