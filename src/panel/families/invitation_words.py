"""What an invitation says and the codes in it: words that are used at home (reading age about 9).

No message names a child, an agency or what it is about: others may read the mailbox or the letter.
"""

import re
import secrets
from datetime import date, timedelta
from importlib import resources

from panel.register.service import Fact
from panel.web.forms import MONTHS
from panel.web.words import day

SIGN_IN = "/family/sign-in"
_LETTERS = "23456789CDFGHJKMNPQRTVWXY"
"""None that is read as another, and no vowels, which make words."""
WORDS = resources.files("panel.families").joinpath("code_words.txt").read_text("utf-8").split()
"""Short words that are hard to mishear."""


def new_reference() -> str:
    """Eight letters and figures at random: "K7QX-M2PD"."""
    told = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{told[:4]}-{told[4:]}"


def new_invitation_code() -> str:
    """Three words and four figures: about 36 bits, tried at most a few times an hour."""
    words = "-".join(secrets.choice(WORDS) for _ in range(3))
    return f"{words}-{secrets.randbelow(10_000):04}"


def folded(typed: str) -> str:
    """A code, a reference or a word as it is compared: letters and figures alone."""
    return re.sub(r"[\W_]", "", typed.casefold())


def read_fact(typed: str) -> str:
    """What somebody typed as what they know: a date as 2019-03-27, else the word as compared."""
    parts = [
        str(MONTHS.get(part, part)) for part in re.findall(r"[0-9]+|[^\W\d_]+", typed.casefold())
    ]
    ordinals = {"st", "nd", "rd", "th", "of"}
    figures = [part for part in parts if part not in ordinals]
    if len(figures) == 3 and all(part.isascii() and part.isdecimal() for part in figures):
        order = figures if len(figures[0]) == 4 else figures[::-1]
        try:
            return date(*(int(part) for part in order)).isoformat()
        except (ValueError, OverflowError):
            return folded(typed)
    return folded(typed)


_KNOWN = {
    Fact.BIRTH_DATE: "a date that you know. It is a date of birth: your child’s, or your own if you"
    " are a young person",
    Fact.AGREED_WORD: "the word that you agreed with the person who helps you",
}
WHAT_PANEL_IS = (
    "Panel is a website. On it you have a page of your own. You can read what is written for you,"
    " see what happens next, and say what you think. Nobody else sees your page."
)
NOT_FOR_ME = (
    "If you did not expect this, or do not want it, you need do nothing. You get the same help with"
    " Panel or without it."
)


def invitation_words(
    site_url: str, reference: str, code: str, fact: Fact, until: date, *, on_paper: bool
) -> str:
    """The text of an invitation. What must be known besides stands in neither letter nor e-mail."""
    page = f"{site_url}{SIGN_IN}"
    where = page if on_paper else f"{page}?reference={reference}"
    return (
        f"{WHAT_PANEL_IS}\n\n"
        f"How to get in\n\n1. Go to {where}\n\n"
        f"2. Type your reference: {reference}\n\n"
        "3. We send six figures to your e-mail address. Type them on the page.\n\n"
        f"4. Type {_KNOWN[fact]}. It is not in this {'letter' if on_paper else 'e-mail'}.\n\n"
        f"5. The first time, type this as well: {code}\n\n"
        f"You can do this until {day(until)}. After the first time you need only steps 1 to 4."
        " There is no password.\n\n"
        "Keep the reference where only you see it. Nobody from Panel will ever ring you to ask for"
        " a code.\n\n"
        f"{NOT_FOR_ME}\n"
    )


def last_day(today: date, days: int) -> date:
    """The last day of an invitation."""
    return today + timedelta(days=days)


INVITATION_SUBJECT = "Your own page"
CODE_SUBJECT = "Your code"


def code_words(code: str) -> str:
    """The text of the e-mail with a code."""
    return (
        f"Your code is {code}\n\nIt works for 10 minutes, once, on the page where you asked for"
        " it.\n\nTell it to nobody. If you did not ask for it, you need do nothing: nobody gets in"
        " with this code alone.\n"
    )
