"""The pages of facts that somebody records about a child's sharing: one shape for every kind.

What was recorded is listed. Something new is asked for on a form, shown with what it would change
for whom, and saved once that is confirmed. What ends is shown with what its end would change. A
kind is described (`FactList`, `Recording`, `Later`); its pages are made from that.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from consent import Purpose
from panel.accounts.desk import Desk
from panel.accounts.taking import take
from panel.records.gate import Access
from panel.records.rehearsal import Turn
from panel.register.service import child_header
from panel.sharing.former_names import FormerName
from panel.sharing.rehearsed import Typed, rehearsed
from panel.sharing.restrict_forms import EndForm
from panel.sharing.restrict_pages import FactCard, Lines, change_words
from panel.sharing.restrict_rules import Change
from panel.web.forms import FieldErrors, Filled

SHARING = "/children/{child_id:uuid}/sharing"

Form = TypeVar("Form", bound=msgspec.Struct)
New = TypeVar("New")
Choices = Sequence[tuple[str, str]]


class Fact(Protocol):
    """One fact as its list reads it."""

    @property
    def version(self) -> int:
        """The version that was read."""

    @property
    def is_over(self) -> bool:
        """Whether it holds no more."""


class Plan(Protocol):
    """What would be recorded: whom it changes what for, and the facts before and after."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """Who would see less or more."""

    @property
    def turn(self) -> Turn:
        """The facts before and after."""


Line = TypeVar("Line", bound=Fact)
Planned = TypeVar("Planned", bound=Plan)


def purposes_of(desk: Desk) -> Sequence[Purpose]:
    """As usual; whoever answers for safeguarding or governance comes here for that."""
    return (*desk.purposes, Purpose.SAFEGUARDING, Purpose.GOVERNANCE)


async def _no_former_names(_access: Access) -> Sequence[FormerName]:
    return ()


@dataclass(frozen=True, slots=True)
class FactList:
    """The list of one or more kinds of fact: its address, its words and what stands on it."""

    path: str
    looked: str
    """What the history says of whoever opened it, or a form that leads back to it."""
    title: str
    lead: str
    empty: str
    cards: Callable[[Access, str, date], Awaitable[Iterable[tuple[bool, FactCard]]]]
    """(whether it is over, its card) of each; asked with the list's address and the day."""
    steps: Callable[[Access], Iterable[tuple[str, str]]]
    """(words, last part of the address) of what this viewer may record."""
    former: Callable[[Access], Awaitable[Sequence[FormerName]]] = _no_former_names

    def base(self, child_id: UUID) -> str:
        """The address of a child's list."""
        return f"/children/{child_id}/sharing/{self.path}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What would be recorded, in lines, and what it would change."""

    lines: Lines
    changes: tuple[Change, ...]
    turn: Turn


@dataclass(frozen=True, slots=True)
class Check(Generic[New]):
    """What is shown before it is saved."""

    title: str
    lead: str
    confirm: str
    shown: Callable[[Access, New], Awaitable[Shown]]


@dataclass(frozen=True, slots=True)
class Recording(Generic[Form, New]):
    """How a fact is recorded: the form, what it asks for, what is shown before, what is saved."""

    kept: FactList
    step: str
    """The last part of the form's address."""
    form: type[Form]
    template: str
    choices: Callable[[Access], Awaitable[dict[str, Any]]]
    """What the form offers. Raises NotAllowed for whose part it is not."""
    doing: str
    """What the history says of whoever records one."""
    new: Callable[[Access, Form], Awaitable[New]]
    """What the form asks for."""
    save: Callable[[Access, New], Awaitable[object]]
    check: Check[New] | None = None
    """None for what is saved without being shown first."""

    def address(self, child_id: UUID) -> str:
        """The address of a child's form."""
        return f"{self.kept.base(child_id)}/{self.step}"


@dataclass(frozen=True, slots=True)
class Found:
    """A fact that is to end or to be confirmed: its card, and what would change, in sentences."""

    card: FactCard
    version: int
    changes: tuple[str, ...]
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Later(Generic[Form]):
    """What is done later about a fact of one kind: it ends, or somebody else confirms it."""

    kept: FactList
    which: str
    """What the id is called in the address."""
    title: str
    confirm: str
    doing: str
    """What the history says of whoever does it."""
    form: type[Form]
    look: Callable[[Access, UUID, str, date], Awaitable[Found]]
    """Asked with the fact, the list's address and the day."""
    save: Callable[[Access, UUID, Form], Awaitable[None]]
    under: str = ""
    """What stands between the list's address and the id."""
    step: str = "end"
    """The last part of the address."""
    template: str = "sharing/end.html"
    lead: str = (
        "Read what changes, for whom. It works at once: on the next page, the next pack and the"
        " next message."
    )
    answers: Choices = ()
    """(code, words) of each answer, where one is asked for."""

    def address(self, child_id: UUID, which: object) -> str:
        """The address of the page, for one fact of a child."""
        return f"{self.kept.base(child_id)}/{self.under}{which}/{self.step}"


def cards_of(
    find: Callable[[Access], Awaitable[Iterable[Line]]], card: Callable[[Line, str, date], FactCard]
) -> Callable[[Access, str, date], Awaitable[Iterable[tuple[bool, FactCard]]]]:
    """The cards of a list, from what finds its facts and the card of one."""

    async def cards(access: Access, base: str, today: date) -> Iterable[tuple[bool, FactCard]]:
        return [(one.is_over, card(one, base, today)) for one in await find(access)]

    return cards


def shown_by(
    plan: Callable[[Access, New], Awaitable[Planned]], lines: Callable[[Planned, date], Lines]
) -> Callable[[Access, New], Awaitable[Shown]]:
    """What is shown before saving, from what plans it and the plan in lines."""

    async def shown(access: Access, new: New) -> Shown:
        planned = await plan(access, new)
        return Shown(lines(planned, access.today), planned.changes, planned.turn)

    return shown


def end_by(
    end: Callable[[Access, UUID, int, str], Awaitable[None]],
) -> Callable[[Access, UUID, EndForm], Awaitable[None]]:
    """What saves an end, from what ends a fact of a version for a reason."""

    async def save(access: Access, which: UUID, form: EndForm) -> None:
        await end(access, which, form.version, form.reason)

    return save


def found_by(
    find: Callable[[Access, UUID], Awaitable[tuple[Line, Sequence[Change], Turn]]],
    card: Callable[[Line, str, date], FactCard],
) -> Callable[[Access, UUID, str, date], Awaitable[Found]]:
    """What is shown of one fact, from what finds it with what would change, and its card."""

    async def look(access: Access, which: UUID, base: str, today: date) -> Found:
        found, changed, turn = await find(access, which)
        return Found(card(found, base, today), found.version, change_words(changed), turn)

    return look


def pages_of(*described: FactList | Recording[Any, Any] | Later[Any]) -> list[HTTPRouteHandler]:
    """The pages of what is so described."""
    made: list[HTTPRouteHandler] = []
    for one in described:
        if isinstance(one, FactList):
            made.append(_list_page(one))
        else:
            made += _recording_pages(one) if isinstance(one, Recording) else _later_pages(one)
    return made


def _list_page(kept: FactList) -> HTTPRouteHandler:
    @get(f"{SHARING}/{kept.path}", include_in_schema=False)
    async def listed(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
        base = kept.base(child_id)
        async with desk.open(child_id, kept.looked, purposes_of(desk)) as access:
            cards = list(await kept.cards(access, base, desk.today))
            return desk.page(
                "sharing/facts.html",
                header=await child_header(access),
                here="sharing",
                title=kept.title,
                lead=kept.lead,
                empty=kept.empty,
                cards=[card for is_over, card in cards if not is_over],
                over=[card for is_over, card in cards if is_over],
                former=await kept.former(access),
                steps=[(words, f"{base}/{step}") for words, step in kept.steps(access)],
                base=base,
                back_href=f"/children/{child_id}/sharing",
            )

    return listed


def _recording_pages(kind: Recording[Form, New]) -> list[HTTPRouteHandler]:
    path = f"{SHARING}/{kind.kept.path}/{kind.step}"

    async def save(access: Access, form: Form) -> None:
        await kind.save(access, await kind.new(access, form))

    @get(path, include_in_schema=False)
    async def form_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
        return await _form(desk, kind, child_id)

    @post(path, include_in_schema=False)
    async def record(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
        opens = partial(desk.open, child_id, kind.doing, purposes_of(desk))
        again = partial(_form, desk, kind, child_id)
        to = kind.kept.base(child_id)
        if kind.check is None:
            return await take(desk, kind.form, opens, save, to, again=again)
        show = partial(_check, desk, kind, kind.check)
        return await rehearsed(desk, kind.form, opens, show, save, to, again=again)

    return [form_page, record]


async def _form(
    desk: Desk, kind: Recording[Form, New], child_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    async with desk.open(child_id, kind.kept.looked, purposes_of(desk)) as access:
        choices = await kind.choices(access)
        return desk.page(
            kind.template,
            status=200 if errors is None else 422,
            header=await child_header(access),
            here="sharing",
            filled=Filled({}, errors),
            action=kind.address(child_id),
            back_href=kind.kept.base(child_id),
            **choices,
        )


async def _check(
    desk: Desk,
    kind: Recording[Form, New],
    check: Check[New],
    access: Access,
    form: Form,
    typed: Typed,
) -> Response[str]:
    shown = await check.shown(access, await kind.new(access, form))
    return desk.page(
        "sharing/check.html",
        header=await child_header(access),
        here="sharing",
        title=check.title,
        lead=check.lead,
        lines=shown.lines,
        changes=change_words(shown.changes),
        rooms=await desk.site.rehearsal.asked(access, shown.turn),
        typed=typed,
        action=kind.address(access.child_id),
        confirm=check.confirm,
        back_href=kind.address(access.child_id),
    )


def _later_pages(kind: Later[Form]) -> list[HTTPRouteHandler]:
    path = f"{SHARING}/{kind.kept.path}/{kind.under}{{{kind.which}:uuid}}/{kind.step}"

    @get(path, include_in_schema=False)
    async def later_page(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[str]:
        return await _later(desk, kind, child_id)

    @post(path, include_in_schema=False)
    async def done(desk: NamedDependency[Desk], child_id: FromPath[UUID]) -> Response[Any]:
        async def work(access: Access, form: Form) -> None:
            await kind.save(access, _which(desk, kind), form)

        opens = partial(desk.open, child_id, kind.doing, purposes_of(desk))
        again = partial(_later, desk, kind, child_id)
        return await take(desk, kind.form, opens, work, kind.kept.base(child_id), again=again)

    return [later_page, done]


async def _later(
    desk: Desk, kind: Later[Form], child_id: UUID, errors: FieldErrors | None = None
) -> Response[str]:
    base, which = kind.kept.base(child_id), _which(desk, kind)
    async with desk.open(child_id, kind.kept.looked, purposes_of(desk)) as access:
        found = await kind.look(access, which, base, desk.today)
        rehearsal = desk.site.rehearsal
        return desk.page(
            kind.template,
            status=200 if errors is None else 422,
            header=await child_header(access),
            here="sharing",
            title=kind.title,
            lead=kind.lead,
            answers=kind.answers,
            card=found.card,
            changes=found.changes,
            rooms=() if found.turn is None else await rehearsal.asked(access, found.turn),
            filled=Filled({}, errors),
            version=found.version,
            action=kind.address(child_id, which),
            confirm=kind.confirm,
            back_href=base,
        )


def _which(desk: Desk, kind: Later[Form]) -> UUID:
    """The fact that the address names: each kind calls its own otherwise."""
    found: UUID = desk.request.path_params[kind.which]
    return found
