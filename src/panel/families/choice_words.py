"""What a family reads about sharing: short sentences, in words that are used at home."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import ceil

from consent import ADDITIONAL, Basis, Category
from panel.sharing.asking_family import AskedOfFamily
from panel.sharing.choice_views import HowFar
from panel.sharing.choices import AgencyChoice, ByLaw, Decided, WhyNot
from panel.sharing.choosing_rules import Kind
from panel.web import words

THINGS: Mapping[Category, str] = {
    Category.IDENTITY: "the name",
    Category.CONTACT: "the address",
    Category.NETWORK: "who helps",
    Category.PLAN: "the plan",
    Category.HEALTH: "health",
    Category.DEVELOPMENT: "growing up",
    Category.EDUCATION: "school",
    Category.SOCIAL_CARE: "social work",
    Category.FAMILY: "home life",
    Category.VIEWS: "your own words",
    Category.PANEL: "what the panel said",
    Category.FINANCE: "money",
    Category.SAFEGUARDING: "worries",
}
ALL_OF_MORE = ("health", "school", "home life")
"""In their place where nothing of the larger kind is left out."""
KINDS: Mapping[Kind, tuple[str, str]] = {
    Kind.BASIC: ("The basics", "The name, the address, who helps and the plan."),
    Kind.MORE: (
        "Health, school and home",
        "Health, growing up, school, social work. Home life, your words and what the panel said.",
    ),
    Kind.MONEY: ("Money", "What comes in and what things cost."),
    Kind.SAFETY: ("Worries", "What people wrote when they were worried about a child."),
    Kind.SYSTEM: (
        "Its computer",
        "The computer of this team can read what its people may see here. It can add to it, too.",
    ),
}
"""What a switch is called, and what it stands for."""
MOST_IN_A_SENTENCE = 5


_NAMED = {Category.FINANCE, Category.SAFEGUARDING}


def things(categories: Iterable[Category]) -> list[str]:
    """What the categories are called at home; the whole of the larger kind in a few words."""
    found = list(categories)
    if not set(found) >= ADDITIONAL:
        return [THINGS[one] for one in found]
    first = [one for one in found if one not in ADDITIONAL]
    basics = [THINGS[one] for one in first if one not in _NAMED]
    return [*basics, *ALL_OF_MORE, *(THINGS[one] for one in first if one in _NAMED)]


def sentences(opening: str, again: str, categories: Sequence[Category], joined: str) -> str:
    """The things after an opening; many of them in sentences of a few."""
    said = things(categories)
    # As even as can be: nine things are five and four.
    most = ceil(len(said) / max(1, ceil(len(said) / MOST_IN_A_SENTENCE)))
    parts = [said[at : at + most] for at in range(0, len(said), max(1, most))]
    return " ".join(
        f"{again if place else opening} {words.in_a_row(part, joined)}."
        for place, part in enumerate(parts)
    )


def sees_words(choice: AgencyChoice) -> str:
    """What an agency may see, and what not."""
    if not choice.sees:
        return f"{choice.name} may not see anything here now."
    sees = sentences(f"{choice.name} may see", "It may also see", choice.sees, "and")
    hidden = sentences("It may not see", "And it may not see", choice.hidden, "or")
    return f"{sees} {hidden}".strip()


def system_words(choice: AgencyChoice) -> str:
    """Whether an agency's own computer system gets what its people may see."""
    match choice.system.state:
        case _ if not (choice.system.could or choice.system.gets):
            return ""
        case HowFar.ON:
            return "Its computer gets what the family said yes to."
        case HowFar.PART:
            return sentences("Its computer gets", "It also gets", choice.system.gets, "and")
        case HowFar.OFF:
            return "Its computer gets only what this team wrote."


def law_words(name: str, law: ByLaw, may: str = "may see") -> str:
    """What somebody may see whatever the family says, and why.

    `may` is the verb of the first sentence: "can still see" where something else just ended.
    """
    sees = sentences(f"{name} {may}", "They may also see", law.categories, "and")[:-1]
    match law.basis:
        case Basis.DUTY:
            return f"{sees}. The law says so: {law.words}."
        case Basis.COURT_ORDER:
            return f"{sees}. A court said so."
        case _:
            return f"{sees}. They check that a child is safe. The law says that they may."


def decided_words(one: Decided, *, is_self: bool) -> str:
    """Who said yes or no, when, and until when."""
    who = _who(one, is_self=is_self)
    said = f"{who} said {'yes' if one.given else 'no'} on {words.short_day(one.from_on)}."
    if one.of_system:
        said = f"This is about its computer. {said}"
    if one.ended_on is not None:
        return f"{said} That ended on {words.short_day(one.ended_on)}."
    if one.until_on is None:
        return said
    return f"{said} It ends on {words.short_day(one.until_on)}."


def _who(one: Decided, *, is_self: bool) -> str:
    if one.by_me:
        return "You"
    if not one.by_words:
        return "Somebody else who may decide"
    whose, _, relation = one.by_words.partition(" ")
    if is_self and whose in {"her", "his", "their"}:
        return f"Your {relation}"
    return words.upper_first(one.by_words)


def why_not_words(why: WhyNot, child: str, ask: str) -> Sequence[str]:
    """Why somebody does not choose here, and whom to ask."""
    match why:
        case WhyNot.RELATIVE:
            return ("The parents choose who may see what.", ask)
        case WhyNot.YOUNG:
            return (
                "For now a grown-up at home chooses this with you.",
                "Do you want to choose for yourself? You can ask.",
                ask,
            )
        case WhyNot.OLDER:
            return (
                f"{words.upper_first(child)} is 16 or older and chooses alone.",
                f"You can talk with {child}.",
            )
        case WhyNot.NOT_RECORDED:
            return (
                f"It is not yet written down why you may choose for {child}.",
                "This takes one talk. Then you can choose here.",
                ask,
            )
        case WhyNot.DECIDED_FOR:
            return ("Other people choose this with you, so that it is good for you.", ask)


def asked_words(asked: AskedOfFamily) -> Sequence[str]:
    """Who asks to see what, and until when; their reason is told beside it, in their own words."""
    call = ("You asked to be rung about it.",) if asked.wants_a_call else ()
    return (
        f"{asked.agency} asks to see {THINGS[asked.category]}.",
        f"If nobody answers by {words.short_day(asked.due_on)}, that is a no.",
        *call,
    )


def waits_words(due: date, *, by_me: bool) -> Sequence[str]:
    """A no that is not decided yet: what happens next."""
    return (
        f"{'You' if by_me else 'Somebody'} said no here. It is not settled yet.",
        "What was shared before goes on. Nothing new is shared.",
        f"The people who run the panel ask both sides. You should know by {words.day(due)}.",
    )


def system_waits_words(due: date, *, by_me: bool) -> str:
    """A no to an agency's own computer system alone that is not decided yet."""
    return (
        f"{'You' if by_me else 'Somebody else'} said no to this. It is not settled yet."
        f" You should know by {words.day(due)}."
    )
