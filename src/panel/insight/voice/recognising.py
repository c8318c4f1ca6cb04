"""Whether somebody could be recognised in words that everybody may read.

By the same finders that look through notes to families (`panels.note_marks`), without any child's
name to look for: no record is read to check a text that is about nobody. What looks like a person's
name, a number of the NHS, a telephone number or an address is refused. A writer can still describe
a child without any of these, so the form asks them to read it once more.
"""

import re
from collections.abc import Iterable

from panel.panels.note_language import GIVEN_NAMES, THIRD_PARTIES, WORDS_THAT_ARE_NAMES
from panel.panels.note_marks import Mark, MarkKind, NoteContext, marks
from panel.register.names import folded_words

_REFUSED = {
    MarkKind.NHS_NUMBER: "“{words}” looks like an NHS number. Take it out",
    MarkKind.EMAIL: "“{words}” is an e-mail address. Take it out",
    MarkKind.PHONE: "“{words}” looks like a telephone number. Take it out",
    MarkKind.ADDRESS: "“{words}” looks like an address. Take it out",
    MarkKind.THIRD_PARTY: (
        "“{words}” may be somebody’s name. Take it out; only areas, agencies and services that"
        " Panel knows may be named"
    ),
}


def recognisable(text: str, known: Iterable[str]) -> str:
    """A sentence about the first place by which somebody could be found; "" where there is none.

    `known`: names of areas, agencies and services, which may stand there. Where a service is called
    Grace House, "Grace House" may stand there, and "Grace" may not.
    """
    names = sorted(set(known), key=len, reverse=True)
    words = {word for name in names for word in folded_words(name)}
    context = NoteContext(places=tuple(words - GIVEN_NAMES - WORDS_THAT_ARE_NAMES))
    found = (one for one in marks(_without(text, names), context) if _is_refused(one))
    first = next(found, None)
    return "" if first is None else _REFUSED[first.kind].format(words=first.words)


def _without(text: str, names: Iterable[str]) -> str:
    """The text with "it" in the place of each of these names, the longest first."""
    for name in names:
        if name in text:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "it", text)
    return text


def _is_refused(mark: Mark) -> bool:
    if mark.kind is not MarkKind.THIRD_PARTY:
        return mark.kind in _REFUSED
    # "Grandparents told us" names nobody; a name does.
    return mark.words.casefold().removesuffix("’s").removesuffix("'s") not in THIRD_PARTIES
