"""A page with one form on it: what it asks, as the template `accounts/step.html` shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from litestar import Response

from panel.accounts.desk import Desk
from panel.web.forms import FieldErrors, Filled


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `kind`: line, text, money, day, radios, select, tick, checkboxes or file."""

    kind: str
    name: str
    label: str
    hint: str = ""
    choices: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One form."""

    title: str
    lead: str
    button: str
    fields: Sequence[Field] = ()

    @property
    def names(self) -> frozenset[str]:
        """What its fields are called."""
        return frozenset(one.name for one in self.fields)

    @property
    def sends_file(self) -> bool:
        """Whether a file is among its fields."""
        return any(one.kind == "file" for one in self.fields)


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands around the form."""

    action: str
    back_href: str
    version: int | None = None
    facts: Sequence[tuple[str, str]] = ()
    quoted: str = ""
    """Words of the record, as they were written."""
    link: tuple[str, str] | None = None
    """What to open before deciding: its words and its address."""
    stored: dict[str, object] = field(default_factory=dict)
    """What the fields show at first; of names that no field has, what the form sends hidden."""
    warnings: Sequence[str] = ()
    whose: tuple[str, Sequence[tuple[str, str]]] | None = None
    """Whose record it is about: the name, and what stands beside it."""


def step_page(
    desk: Desk, step: Step, shown: Shown, errors: FieldErrors | None = None
) -> Response[str]:
    """The page, with what was wrong."""
    return desk.page(
        "accounts/step.html",
        status=200 if errors is None else 422,
        step=step,
        shown=shown,
        filled=Filled(shown.stored, errors),
    )
