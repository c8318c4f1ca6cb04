"""Whether somebody could be recognised in words that everybody may read.

By the same finders that look through notes to families (`panels.note_marks`), without any child's
name to look for: no record is read to check a text that is about nobody. What looks like a person's
name, a number of the NHS, a telephone number or an address is refused. A writer can still describe
a child without any of these, so the form asks them to read it once more.
"""

from collections.abc import Iterable

from panel.panels.note_language import THIRD_PARTIES
from panel.panels.note_marks import Mark, MarkKind, NoteContext, marks

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

    `known`: names of areas, agencies and services, which may stand there.
    """
    found = (one for one in marks(text, NoteContext(places=tuple(known))) if _is_refused(one))
    first = next(found, None)
    return "" if first is None else _REFUSED[first.kind].format(words=first.words)


def _is_refused(mark: Mark) -> bool:
    if mark.kind is not MarkKind.THIRD_PARTY:
        return mark.kind in _REFUSED
    # "Grandparents told us" names nobody; a name does.
    return mark.words.casefold().removesuffix("’s").removesuffix("'s") not in THIRD_PARTIES
