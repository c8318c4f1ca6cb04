"""What may come in when somebody of the family chooses who may see what."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from consent import Category
from panel.platform.problems import Invalid
from panel.sharing.choosing_rules import COVERS, Act, Kind, Wish
from panel.web.forms import line, on_day

NO_SUCH_CHOICE = "Choose one of the buttons on this page"


class ChoiceForm(msgspec.Struct, forbid_unknown_fields=True):
    """A choice that was read and is confirmed."""

    change: Annotated[str, line("What you choose", at_most=40, missing=NO_SUCH_CHOICE)]
    """"stop-basic", "share-health": an act, and a kind of information or one part of the record."""
    read: Annotated[str, line("What you read", at_most=40)] = ""
    """The mark of what the page said."""
    until_on: Annotated[date | None, on_day("The last day")] = msgspec.field(
        name="until", default=None
    )


class RingForm(msgspec.Struct, forbid_unknown_fields=True):
    """The family wants to be rung: nothing to fill in but the button."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A choice as an address or a form names it."""

    act: Act
    about: Kind | Category

    @property
    def word(self) -> str:
        """As it stands in a form."""
        return f"{self.act}-{self.about}"

    def wish(self, agency: UUID, until: date | None = None) -> Wish:
        """The same for an agency."""
        what = COVERS[self.about] if isinstance(self.about, Kind) else frozenset({self.about})
        keeps = self.act is Act.KEEP
        system = self.about is Kind.SYSTEM and not keeps
        return Wish(self.act, agency, frozenset() if keeps else what, until, system=system)


def read_choice(change: str) -> Asked:
    """What a form or an address asks. Raises Invalid for a word that no button of ours sends."""
    act, _, about = change.partition("-")
    if act not in set(Act):
        raise Invalid.because("change", NO_SUCH_CHOICE)
    if about == Kind.SYSTEM and act == Act.REFUSE:
        raise Invalid.because("change", NO_SUCH_CHOICE)
    if about in set(Kind):
        return Asked(Act(act), Kind(about))
    if about in set(Category):
        return Asked(Act(act), Category(about))
    raise Invalid.because("change", NO_SUCH_CHOICE)
