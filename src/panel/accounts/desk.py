"""The desk: what one request has at hand. Routes are thin because it is here."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from hmac import compare_digest
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid5

import msgspec
from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.enums import MediaType
from litestar.response import Redirect
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from consent import GUARDIANS, Purpose, Role, Viewer, ViewerKind
from panel.accounts.dated_settings import DatedSetting
from panel.accounts.help import FAMILIES_GLOSSARY, WORKERS_GLOSSARY
from panel.accounts.passwords import Passwords
from panel.accounts.people_rules import looks_after_all
from panel.accounts.service import SignedIn
from panel.accounts.throttle import whose_address
from panel.platform.clock import today
from panel.platform.ids import new_id
from panel.platform.openid_http import Published
from panel.platform.problems import (
    FieldError,
    Invalid,
    NotAllowed,
    NotSentYet,
    NotShownYet,
    NotSignedIn,
    Problem,
    ShowAgain,
)
from panel.platform.sessions import first_time, forgery_token, was_of, was_proved
from panel.platform.tenancy import Tenant
from panel.records.beside import BesideCase, NothingBeside
from panel.records.casework import Casework, NoCasework
from panel.records.family_asks import FamilyAsks, NothingAsked
from panel.records.family_words import FamilyWords
from panel.records.gate import Access, Gate
from panel.records.held_budget import HeldBudget, NoBudget
from panel.records.rehearsal import Rehearsal
from panel.records.systems import NoSystems, Systems
from panel.web.forms import FieldErrors, read_form
from panel.web.render import FORGERY_FIELD, UNFILLED, Frame, Link, Renderer, fill

Struct = TypeVar("Struct", bound=msgspec.Struct)

FORM_ID_FIELD = "_form_id"
KEPT_FIELD = "_kept"

Fields = Sequence[tuple[str, object]]

SECRETS = frozenset({"password", "word"})
"""Fields that no page holds or shows in the clear: what stands in one is typed again."""

MOST_FIELDS = 2_000
"""The longest form of an assessment has some hundreds."""

PRIVATE = {"Cache-Control": "no-store"}

FOR_FAMILIES = {"panel_side": "family"}
FOR_ANYBODY = {"panel_side": "anybody"}
"""Options of a route (`opt=`) that opens it beyond the people who work here. A route that says
nothing is for workers: a new page is closed to families until somebody opens it to them."""

FAMILY_HOME = "/family"
OWN_SIGN_IN = "/me/sign-in"
OWN_TASKS = "/my-tasks"
IN_BULK = "/bulk-work"
SETTINGS = "/settings"
COLLEAGUES_SIGN_IN = "/people/new-sign-in"
AGAIN = "/sign-in/again"
FAMILY_AGAIN = "/family/sign-in?again=yes"
"""Where one of a family shows again who they are, by a code; they go on from there."""
CHILDREN = "/children"
WITHOUT_CASE_DATA = frozenset({Role.COMMISSIONER, Role.ADMINISTRATOR, Role.PARENTS_REPRESENTATIVE})
"""Roles that open no child's record (DOMAIN.md, the role table)."""
ANSWERING_FOR_USE = GUARDIANS | {Role.GOVERNANCE_LEAD}
"""Roles that answer for how records are used."""
ABOUT_MONEY = frozenset({Role.BUDGET_HOLDER, Role.ALLOCATION_MEMBER})
"""Roles that read what is in the pots, promised and paid."""
READING_FIGURES = frozenset({Role.COMMISSIONER, Role.GOVERNANCE_LEAD, Role.PARENTS_REPRESENTATIVE})
"""Roles that read what is published of all children together, and of none."""
READING_QUALITY = frozenset({Role.COORDINATOR, Role.CHAIR, Role.MANAGER, Role.GOVERNANCE_LEAD})
"""Roles that read how good assessments are: of every agency, or a manager of their own."""
WORKING_IN_BULK = frozenset({Role.MANAGER, Role.COORDINATOR, Role.CHAIR})
"""Roles that give plans on, close cases and move days for many at once."""
SETTING = frozenset({Role.ADMINISTRATOR, Role.GOVERNANCE_LEAD})
"""Roles that read and change the authority's dated settings."""
READING_PEOPLE = frozenset({Role.ADMINISTRATOR, Role.MANAGER})
"""Roles that read who works at an agency: all that they look after, or their own."""


@dataclass(frozen=True, slots=True)
class Site:
    """One authority as the site serves it: wired once in `app`."""

    tenant: Tenant
    gate: Gate
    renderer: Renderer
    url: str
    family_words: FamilyWords
    """What a family reads of others' writing is compared with."""
    rehearsal: Rehearsal = field(default_factory=Rehearsal)
    """Every room, asked what would change before somebody confirms it."""
    passwords: Passwords = field(default_factory=Passwords)
    published: Published = field(default_factory=Published)
    """What providers that sign workers in published."""
    casework: Casework = field(default_factory=NoCasework)
    """What workers' accounts must know of their cases."""
    beside: BesideCase = field(default_factory=NothingBeside)
    """What stands beside a case on a panel's papers: requests for service."""
    held_budget: HeldBudget = field(default_factory=NoBudget)
    """What a child's services may cost, for the lead professional who holds the budget."""
    family_asks: FamilyAsks = field(default_factory=NothingAsked)
    """What families are asked on their own page: how they were treated."""
    systems: Systems = field(default_factory=NoSystems)
    """What reads with a token instead of signing in."""
    dated_settings: Sequence[DatedSetting] = ()
    """What the rooms let an authority set, each with its days."""


def refused_by_rule(
    fields: Iterable[tuple[str, object]], mistakes: Iterable[FieldError]
) -> FieldErrors:
    """The mistakes that a rule found in what was sent, with all that was typed.

    Of several about one field the first is shown; one about a date leads to its day.
    """
    sentences: dict[str, str] = {}
    for one in mistakes:
        sentences.setdefault(one.field, one.sentence)
    typed: dict[str, list[str]] = {}
    for name, value in fields:
        if isinstance(value, str) and not name.startswith("_"):
            typed.setdefault(name, []).append(value)
    anchors = {name: f"{name}-day" for name in sentences if f"{name}-day" in typed}
    return FieldErrors(sentences, typed, anchors)


@dataclass(slots=True)
class Posted:
    """A form as it came in, checked against forgery: its fields and its one-time id."""

    form_id: UUID
    fields: list[tuple[str, object]]

    def read(self, form: type[Struct]) -> Struct | FieldErrors:
        """The typed form, or every mistake in it."""
        return read_form(form, self.fields)

    def refused(self, mistakes: Iterable[FieldError]) -> FieldErrors:
        """The mistakes that a rule found, as the page shows those of a form."""
        return refused_by_rule(self.fields, mistakes)

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
    ended: str | None = None
    """The cookie of a session that is over, or of nobody's."""

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

    @property
    def address(self) -> str:
        """Where the request comes from, as far as our own proxies can say."""
        client = self.request.client
        return whose_address(
            client.host if client else "",
            ",".join(self.request.headers.getall("x-forwarded-for", [])),
            self.request.app.state.settings.trusted_proxies,
        )

    async def is_proved(self) -> bool:
        """Whether the person showed in the last minutes who they are, not just by a link."""
        async with self.tenant.transaction(self.viewer.id) as session:
            return await was_proved(session, self.token or "", self.now)

    async def require_proof(self) -> None:
        """Go on only if the person showed in the last minutes who they are, not just by a link.

        To be asked before an override, an export, a change of roles or of how somebody signs in:
        by the page with the form, and by what takes the form. Raises ShowAgain, which leads to
        where they do and back here; NotShownYet for a form, which its page keeps; NotSignedIn.
        """
        viewer = self.viewer
        if await self.is_proved():
            return
        if self.request.method != "POST":
            raise ShowAgain(leading_on(AGAIN, self.request.url.path, self.request.url.query))
        path, posted = self.request.url.path, await self.posted()
        said = _to_keep(posted.fields)
        kept = [*said, (KEPT_FIELD, self._seal(viewer.id, said))]
        elsewhere = leading_on(AGAIN, "/sign-in/done")
        raise NotShownYet(path, kept, elsewhere, is_whole=_is_whole(posted.fields))

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
            footer=_footer(self.who),
        )

    def page(self, template: str, *, status: int = 200, **shown: object) -> Response[str]:
        """A page. Its templates know `frame`, `today` and what is given here."""
        text = self.site.renderer.page(template, self.frame(), today=self.today, **shown)
        return Response(text, status_code=status, media_type=MediaType.HTML, headers=PRIVATE)

    def kept_part(self, template: str, **shown: object) -> Markup:
        """A part of a page that may be kept for who sees the same: forms stand in it unfilled."""
        return self.site.renderer.part(template, frame=UNFILLED, today=self.today, **shown)

    def filled(self, part: Markup) -> Markup:
        """A kept part with what its forms need from this person's session."""
        token = "" if self.token is None else forgery_token(self.token)
        return fill(part, token)

    async def posted(self) -> Posted:
        """The form that was posted. Raises NotAllowed for one that is not from our own page.

        Raises NotSentYet for one of our own whose session ended while it was written.
        """
        fields = await sent_fields(self.request)
        given = next((value for name, value in fields if name == FORGERY_FIELD), "")
        if self.token is None or given != forgery_token(self.token):
            if (kept := await self._kept(fields, str(given))) is not None:
                raise kept
            raise NotAllowed(
                "This form is from an earlier sign-in, so it was not saved.",
                "Go back, copy what you wrote, reload the page and send it again.",
            )
        # The same form sent twice is one post; sent again with other words, it is another.
        # Sorted, since the framework gives them in an order that differs between processes.
        said = sorted(str(one) for one in fields if not isinstance(one[1], UploadFile))
        words = repr((self.request.url.path, said))
        form = _uuid(next((value for name, value in fields if name == FORM_ID_FIELD), ""))
        return Posted(
            form_id=uuid5(form, words),
            fields=[
                (name, value if isinstance(value, UploadFile) else str(value))
                for name, value in fields
            ],
        )

    async def _kept(self, fields: Fields, given: str) -> NotSentYet | None:
        """The form on a page that sends it again, where it is known whose it is; else None.

        Who wrote it in a session that ended is known by that session's own token. The page seals
        what it holds with the writer's id, and the same person alone sends it, signed in again.
        A page that was left open meanwhile shows whoever is signed in now what would be sent.
        """
        if any(isinstance(value, UploadFile) for _, value in fields):
            return None
        said = _to_keep(fields)
        path = self.request.url.path
        if self.who is not None and self.token is not None:
            seals = [str(value) for name, value in fields if name == KEPT_FIELD]
            seal = self._seal(self.viewer.id, said).encode()
            ours = compare_digest(seals[0].encode(), seal) if seals else self._is_from_here
            if not ours:
                return None
            return NotSentYet(path, said, name=self.who.name, csrf_token=forgery_token(self.token))
        if self.ended is None or given != forgery_token(self.ended):
            return None
        async with self.tenant.transaction() as session:
            writer = await was_of(session, self.ended)
        if writer is None:
            return None
        kept = [*said, (KEPT_FIELD, self._seal(writer, said))]
        return NotSentYet(path, kept, is_whole=_is_whole(fields))

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether the browser says that a page of another site sent it."""
        said = self.request.headers.get("sec-fetch-site", "same-origin")
        has_origin = "origin" in self.request.headers
        return said not in ("same-origin", "none") or (has_origin and not self._is_from_here)

    @property
    def _is_from_here(self) -> bool:
        """Whether the browser says that a page of this site sent it: a foreign page cannot."""
        origin = urlsplit(self.request.headers.get("origin", ""))
        return bool(origin.netloc) and origin.netloc == self.request.headers.get("host")

    def _seal(self, writer: UUID, said: Sequence[tuple[str, str]]) -> str:
        words = repr((str(writer), self.request.url.path, sorted(said)))
        return self.tenant.ring.index("a form kept while its writer signs in", words).hex()

    def open(
        self, child_id: UUID, doing: str, purposes: Sequence[Purpose] | None = None
    ) -> AbstractAsyncContextManager[Access]:
        """A child's record for the person at the desk, in one transaction. Raises NotFound."""
        return self.gate.open(child_id, self.viewer, purposes or self.purposes, doing)

    async def first_time(self, session: AsyncSession, posted: Posted, location: str) -> bool:
        """Whether this form is taken now for the first time, in the transaction of its work."""
        return await first_time(session, posted.form_id, self.viewer.id, self.now, location)


def _to_keep(fields: Fields) -> list[tuple[str, str]]:
    """What a page may hold of a form until it is sent again."""
    left_out = {FORGERY_FIELD, KEPT_FIELD} | SECRETS
    return [(name, str(value)) for name, value in fields if name not in left_out]


def _is_whole(fields: Fields) -> bool:
    return not any(name in SECRETS and value for name, value in fields)


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
    path = request.url.path
    if _holds_no_case_data(who) and _is_here(path, CHILDREN):
        raise NotAllowed("Your role does not open children’s records.")
    if who.viewer.roles == {Role.GOVERNANCE_LEAD} and _is_part(path):
        raise NotAllowed(
            "Your role opens children’s records only to answer what is asked of it.",
            "Open the request, or what is left to you, from your first page.",
        )


def usual_purposes(viewer: Viewer) -> Sequence[Purpose]:
    """In which order a person's purposes are tried, by role (DOMAIN.md, the role table)."""
    if viewer.kind is ViewerKind.FAMILY:
        return (Purpose.SUPPORT,)
    if viewer.roles & {Role.COORDINATOR, Role.CHAIR}:
        return (Purpose.PANEL, Purpose.SUPPORT, Purpose.REVIEW)
    if viewer.roles & GUARDIANS:
        return (Purpose.SUPPORT, Purpose.PANEL, Purpose.SAFEGUARDING)
    if viewer.roles & ABOUT_MONEY:
        return (Purpose.SUPPORT, Purpose.PANEL, Purpose.ALLOCATION)
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


def _is_part(path: str) -> bool:
    """Whether it is a part of a child's record, but for what is decided about its sharing."""
    parts = path.removeprefix(CHILDREN).split("/")[2:]
    return path.startswith(CHILDREN + "/") and bool(parts) and parts[0] != "sharing"


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
    links = _work_navigation(who)
    roles = who.viewer.roles
    more = (
        (roles & ABOUT_MONEY, ("Money", "/allocation/pots")),
        (roles & READING_PEOPLE, ("People", "/people")),
        (Role.ADMINISTRATOR in roles, ("Services", "/directory")),
        (looks_after_all(who.viewer), ("Forms", "/forms")),
        (roles & ANSWERING_FOR_USE, ("Governance", "/governance")),
        (roles & READING_QUALITY, ("Quality", "/quality")),
        (roles & SETTING, ("Settings", SETTINGS)),
        (roles & READING_FIGURES, ("Commissioning", "/commissioning")),
    )
    return [*links, *(link for theirs, link in more if theirs and link not in links)]


def _work_navigation(who: SignedIn) -> Sequence[tuple[str, str]]:
    roles = who.viewer.roles
    if roles & {Role.COORDINATOR, Role.CHAIR}:
        of_panels = (
            ("Home", "/"),
            ("Panels", "/panels"),
            ("Children", "/children"),
            ("Calendar", "/calendar"),
            ("Services", "/directory"),
        )
        sent = ("Other systems", "/exchange/inbox")
        return (*of_panels, sent) if Role.COORDINATOR in roles else of_panels
    if roles & {Role.PRACTITIONER, Role.MANAGER, Role.PANEL_MEMBER}:
        links: list[tuple[str, str]] = [("Home", "/"), ("Children", "/children")]
        if who.panels:
            links.append(("Panels", "/panels"))
        return links
    return (("Home", "/"),)


def _footer(who: SignedIn | None) -> Sequence[Link]:
    if who is None:
        return ()
    if _is_family(who):
        return (
            Link("What words mean", FAMILIES_GLOSSARY),
            Link("When you signed in", "/family/sign-ins"),
        )
    links = [
        Link("What waits for me", OWN_TASKS),
        Link("Glossary", WORKERS_GLOSSARY),
        Link("How you sign in", OWN_SIGN_IN),
    ]
    if who.viewer.roles & WORKING_IN_BULK:
        links.append(Link("Work on many at once", IN_BULK))
    if Role.ADMINISTRATOR in who.viewer.roles:
        links.append(Link("A colleague cannot sign in", COLLEAGUES_SIGN_IN))
    return links


def _is_here(path: str, href: str) -> bool:
    return path == href if href == "/" else path == href or path.startswith(href + "/")


def leading_on(to: str, path: str, query: str = "") -> str:
    """An address that leads on to another one of this site."""
    return f"{to}?next={quote(f'{path}?{query}' if query else path, safe='/')}"


def _uuid(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        return new_id()
