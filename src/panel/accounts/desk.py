"""The desk: what one request has at hand. Routes are thin because it is here."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid5

import msgspec
from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.enums import MediaType
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Purpose, Role, Viewer, ViewerKind
from panel.accounts.service import SignedIn
from panel.platform.clock import today
from panel.platform.ids import new_id
from panel.platform.problems import FieldError, Invalid, NotAllowed, NotSignedIn, Problem
from panel.platform.sessions import first_time, forgery_token
from panel.platform.tenancy import Tenant
from panel.records.gate import Gate
from panel.web.forms import FieldErrors, read_form
from panel.web.render import Frame, Link, Renderer

Struct = TypeVar("Struct", bound=msgspec.Struct)

FORGERY_FIELD = "_csrf_token"
FORM_ID_FIELD = "_form_id"

MOST_FIELDS = 2_000
"""The longest form of an assessment has some hundreds."""

PRIVATE = {"Cache-Control": "no-store"}

FOR_FAMILIES = {"panel_side": "family"}
FOR_ANYBODY = {"panel_side": "anybody"}
"""Options of a route (`opt=`) that opens it beyond the people who work here. A route that says
nothing is for workers: a new page is closed to families until somebody opens it to them."""

FAMILY_HOME = "/family"
CHILDREN = "/children"
WITHOUT_CASE_DATA = frozenset({Role.COMMISSIONER, Role.ADMINISTRATOR, Role.PARENTS_REPRESENTATIVE})
"""Roles that open no child's record (DOMAIN.md, the role table)."""


@dataclass(frozen=True, slots=True)
class Site:
    """One authority as the site serves it: wired once in `app`."""

    tenant: Tenant
    gate: Gate
    renderer: Renderer
    url: str


@dataclass(slots=True)
class Posted:
    """A form as it came in, checked against forgery: its fields and its one-time id."""

    form_id: UUID
    fields: list[tuple[str, object]]

    def read(self, form: type[Struct]) -> Struct | FieldErrors:
        """The typed form, or every mistake in it."""
        return read_form(form, self.fields)

    def refused(self, mistakes: Iterable[FieldError]) -> FieldErrors:
        """The mistakes that a rule found, as the page shows those of a form; nothing typed is lost.

        Of several about one field the first is shown; one about a date leads to its day.
        """
        sentences: dict[str, str] = {}
        for one in mistakes:
            sentences.setdefault(one.field, one.sentence)
        typed: dict[str, list[str]] = {}
        for name, value in self.fields:
            if isinstance(value, str) and not name.startswith("_"):
                typed.setdefault(name, []).append(value)
        anchors = {name: f"{name}-day" for name in sentences if f"{name}-day" in typed}
        return FieldErrors(sentences, typed, anchors)

    def text(self, name: str) -> str:
        """One field as it was typed."""
        return next((str(value) for key, value in self.fields if key == name), "")


@dataclass(slots=True)
class Desk:
    """Who is here, for which authority, and how to answer them."""

    site: Site
    request: Request[Any, Any, Any]
    token: str | None
    who: SignedIn | None

    @property
    def signed_in(self) -> SignedIn:
        """The person at the desk. Raises NotSignedIn."""
        if self.who is None:
            raise NotSignedIn
        return self.who

    @property
    def viewer(self) -> Viewer:
        """The person at the desk as the gate knows them. Raises NotSignedIn."""
        return self.signed_in.viewer

    @property
    def tenant(self) -> Tenant:
        """The authority."""
        return self.site.tenant

    @property
    def gate(self) -> Gate:
        """The authority's record gate."""
        return self.site.gate

    @property
    def now(self) -> datetime:
        """The moment, in UTC."""
        return self.tenant.clock.now()

    @property
    def today(self) -> date:
        """The Europe/London date."""
        return today(self.tenant.clock)

    @property
    def purposes(self) -> Sequence[Purpose]:
        """Why this person usually opens a child's record: to support, else for the panel."""
        return usual_purposes(self.viewer)

    @property
    def drafts_key(self) -> str:
        """What seals words that this person's browser keeps until they are sent (outbox.js).

        Base64 of 32 bytes: the same for the same person, so that they find their words again after
        signing in on this computer, and nobody else does.
        """
        return b64encode(self.tenant.ring.index("browser.drafts", str(self.viewer.id))).decode()

    def require(self, *roles: Role) -> SignedIn:
        """The person, who has one of these roles. Raises NotAllowed."""
        who = self.signed_in
        if not who.viewer.roles & set(roles):
            raise NotAllowed("This page is for other roles than yours.")
        return who

    def frame(self) -> Frame:
        """What surrounds every page for this person."""
        record = self.tenant.record
        path = self.request.url.path
        return Frame(
            navigation=[
                Link(words, href, current=_is_here(path, href))
                for words, href in _navigation(self.who)
            ],
            authority=record.label,
            role=_who_words(self.who),
            home=FAMILY_HOME if _is_family(self.who) else "/",
            accent=record.accent,
            notice="Invented people only. Nothing here is about a real child."
            if record.demo
            else "",
            notice_tag="Demonstration" if record.demo else "",
            csrf_token="" if self.token is None else forgery_token(self.token),
            csrf_field=FORGERY_FIELD,
        )

    def page(self, template: str, *, status: int = 200, **shown: object) -> Response[str]:
        """A page. Its templates know `frame`, `today` and what is given here."""
        text = self.site.renderer.page(template, self.frame(), today=self.today, **shown)
        return Response(text, status_code=status, media_type=MediaType.HTML, headers=PRIVATE)

    async def posted(self) -> Posted:
        """The form that was posted. Raises NotAllowed for one that is not from our own page."""
        fields = await sent_fields(self.request)
        given = next((value for name, value in fields if name == FORGERY_FIELD), "")
        if self.token is None or given != forgery_token(self.token):
            raise NotAllowed(
                "This form is from an earlier sign-in, so it was not saved.",
                "Go back, copy what you wrote, reload the page and send it again.",
            )
        # The same form sent twice is one post; sent again with other words, it is another.
        # Sorted, since the framework gives them in an order that differs between processes.
        words = repr(sorted(str(one) for one in fields if not isinstance(one[1], UploadFile)))
        form = _uuid(next((value for name, value in fields if name == FORM_ID_FIELD), ""))
        return Posted(
            form_id=uuid5(form, words),
            fields=[
                (name, value if isinstance(value, UploadFile) else str(value))
                for name, value in fields
            ],
        )

    async def first_time(self, session: AsyncSession, posted: Posted, location: str) -> bool:
        """Whether this form is taken now for the first time, in the transaction of its work."""
        return await first_time(session, posted.form_id, self.viewer.id, self.now, location)


async def sent_fields(request: Request[Any, Any, Any]) -> list[tuple[str, object]]:
    """The fields of a posted form. Raises Problem for more than any form of ours has.

    To take half a million apart held a process for 24 seconds, for whoever asked.
    """
    # The parts of a multipart form are counted as they are read.
    in_parts = request.headers.get("content-type", "").startswith("multipart/")
    if not in_parts and (await request.body()).count(b"&") >= MOST_FIELDS:
        raise Problem(
            413,
            "This is too large",
            f"A form with more than {MOST_FIELDS:,} answers is not taken.",
            "Go back, reload the page and send it again.",
        )
    sent = await request.form()
    return [(str(name), value) for name, value in sent.multi_items()]


class HomeIsElsewhere(Exception):
    """Somebody opened the first page of the other side of the house; `path` is theirs."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"The first page of this person is {path}")


def check_side(request: Request[Any, Any, Any], who: SignedIn | None) -> None:
    """Keep families off workers' pages, workers off families', and some roles off children.

    Raises NotAllowed; HomeIsElsewhere for a family that opens the first page. Who is not signed
    in is refused by the page itself, where it asks for the viewer.
    """
    side = request.route_handler.opt.get("panel_side", "worker")
    if who is None or side == "anybody":
        return
    is_family = who.viewer.kind is ViewerKind.FAMILY
    if is_family and side == "worker":
        if request.url.path == "/":
            raise HomeIsElsewhere(FAMILY_HOME)
        raise NotAllowed(
            "This page is for the people who work with families.",
            "Go to your own page, or ring the person named there.",
        )
    if side == "family" and not is_family:
        raise NotAllowed(
            "This page is for parents, carers and young people.",
            "Families see it when they sign in themselves.",
        )
    if _holds_no_case_data(who) and _is_here(request.url.path, CHILDREN):
        raise NotAllowed("Your role does not open children’s records.")


def usual_purposes(viewer: Viewer) -> Sequence[Purpose]:
    """In which order a person's purposes are tried, by role (DOMAIN.md, the role table)."""
    if viewer.kind is ViewerKind.FAMILY:
        return (Purpose.SUPPORT,)
    if viewer.roles & {Role.COORDINATOR, Role.CHAIR}:
        return (Purpose.PANEL, Purpose.SUPPORT, Purpose.REVIEW)
    if viewer.roles & {Role.CALDICOTT_GUARDIAN, Role.SAFEGUARDING_LEAD}:
        return (Purpose.SUPPORT, Purpose.PANEL, Purpose.SAFEGUARDING)
    return (Purpose.SUPPORT, Purpose.PANEL)


def go(path: str) -> Redirect:
    """After a form was taken: see the page (303, so that reloading posts nothing)."""
    return Redirect(path, status_code=303)


def unless_invalid(read: Struct | FieldErrors) -> Struct:
    """The form, for routes with no page of their own to show the mistakes on. Raises Invalid."""
    if isinstance(read, FieldErrors):
        name, sentence = next(iter(read.sentences.items()))
        raise Invalid.because(name, sentence)
    return read


def _holds_no_case_data(who: SignedIn) -> bool:
    return bool(who.viewer.roles) and who.viewer.roles <= WITHOUT_CASE_DATA


def _is_family(who: SignedIn | None) -> bool:
    return who is not None and who.viewer.kind is ViewerKind.FAMILY


def _who_words(who: SignedIn | None) -> str:
    return "" if who is None else ", ".join(part for part in (who.name, who.agency_name) if part)


def _navigation(who: SignedIn | None) -> Sequence[tuple[str, str]]:
    if who is None:
        return ()
    if _is_family(who):
        return (("Home", FAMILY_HOME),)
    roles = who.viewer.roles
    if roles & {Role.COORDINATOR, Role.CHAIR}:
        return (
            ("Home", "/"),
            ("Panels", "/panels"),
            ("Children", "/children"),
            ("Calendar", "/calendar"),
        )
    if roles & {Role.PRACTITIONER, Role.MANAGER, Role.PANEL_MEMBER}:
        links: list[tuple[str, str]] = [("Home", "/"), ("Children", "/children")]
        if who.panels:
            links.append(("Panels", "/panels"))
        return links
    return (("Home", "/"),)


def _is_here(path: str, href: str) -> bool:
    return path == href if href == "/" else path == href or path.startswith(href + "/")


def _uuid(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        return new_id()
