"""Nobody gets at another's objects, and nobody sets what a form does not offer.

Of children with a row of every kind, somebody who works with one opens every page. Every form there
is taken as the page gives it, with all its ids, and sent by everybody who may not reach that child,
with a token of their own: they are answered as for no child, and nothing is changed. Then who may
send them sends them with more than the page offers.
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import chain
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient
from sqlalchemy import text

from panel.platform.cluster import Cluster
from panel.platform.sessions import forgery_token
from panel.platform.tenancy import Tenant
from panel.web.forms import WHOLE_FORM, FieldErrors, Nothing, read_form
from tests.hostile import test_canaries
from tests.hostile.canary_crawl import Crawl, Visitor
from tests.hostile.canary_routes import parts_of
from tests.hostile.canary_year import SOAK, Made
from tests.hostile.test_canaries import _visitors
from tests.hostile.test_every_route import fingerprint, get_paths

pytestmark = [pytest.mark.database, pytest.mark.crawl]
crawl = test_canaries.crawl

CHILDREN = ("protected_address", "young_person")
"""Children whom most visitors do not reach; in `make soak` all of the crawl's."""
OWNERS = ("coordinator", "lead-health", "manager", "parent-1", "parent-2")
REFUSED = {401, 403, 404, 410}
BY_HEADING = re.compile(r"/meeting/[^/]+/(?:say|done)$")
"""Forms of a whole screen, read by the beginnings of names: what has none of them is not looked at."""
NOT_THEIRS = {
    "worker_id": "00000000-0000-7000-8000-000000000001", "role": "administrator",
    "child_id": "00000000-0000-7000-8000-000000000002", "created_by": "00000000-0000-7000-8000-000000000003",
    "agency_id": "00000000-0000-7000-8000-000000000004", "author_agency_id": "x", "id": "x",
    "state": "signed_off", "version": "999", "is_admin": "yes", "silent": "yes", "at": "2020-01-01",
}  # fmt: skip


@pytest.fixture(scope="module")
def database_of_own(canaries: Made) -> Cluster:
    """The database with the markers, and a row of every kind."""
    return canaries.cluster


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as a page gives it."""

    route: str
    action: str
    fields: tuple[tuple[str, str], ...]


class Forms(HTMLParser):
    """The forms of a page, each filled as somebody fills it who chooses the first of all choices."""

    def __init__(self, here: str) -> None:
        super().__init__(convert_charrefs=True)
        self.here = here
        self.found: list[tuple[str, dict[str, str]]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").casefold() == "post":
            self.found.append((given.get("action") or self.here, {}))
        if not self.found:
            return
        fields, name = self.found[-1][1], given.get("name", "")
        if tag == "textarea" and name:
            fields[name] = "A text"
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and given.get("value"):
            fields.setdefault(self._select, given["value"])
        elif tag in ("input", "button") and name and given.get("type") != "file":
            value = given.get("value", "")
            fields.setdefault(name, value or {"day": "1", "month": "2"}.get(name[-3:], "A text"))


def forms_of(page: str, here: str) -> list[tuple[str, dict[str, str]]]:
    reader = Forms(here)
    reader.feed(page)
    reader.close()
    return reader.found


async def reached(tenant: Tenant, visitor: Visitor) -> set[UUID]:
    async with tenant.transaction(visitor.viewer.id) as session:
        return set((await session.execute(text("SELECT child_id FROM child_access"))).scalars())


def about_a_child(app: Litestar) -> list[str]:
    return [one for one in get_paths(app) if "{child_id" in one or "{offer_id" in one]


async def everything(crawl: Crawl, app: Litestar, owner: Visitor, child: UUID) -> list[Sent]:
    """Every form of a child's pages, as its owner's pages give it."""
    found: dict[tuple[str, tuple[str, ...]], Sent] = {}
    crawl.known = {child: crawl.known[child]}
    async with crawl.signed_in(owner) as browser:
        for path in about_a_child(app):
            for url in crawl.addresses(owner, path, all_children=True):
                page = await browser.get(url, follow_redirects=False)
                if page.status_code != 200:
                    continue
                for action, fields in forms_of(page.text, url):
                    if str(child) in action or "/offers/" in action:
                        kept = tuple((k, v) for k, v in fields.items() if k != "_csrf_token")
                        known = (action, tuple(sorted(fields)))
                        found.setdefault(known, Sent(path, action, kept))
    return list(found.values())


@pytest.fixture
async def owned(
    crawl: Crawl,
    app: Litestar,
    client: AsyncTestClient[Litestar],
    tenant: Tenant,
) -> tuple[list[Visitor], dict[UUID, dict[str, list[Sent]]]]:
    """Everybody; and by child and owner, the forms of that child's pages."""
    assert client
    visitors = [one for one in await _visitors(crawl, tenant) if one.kind != "guest"]
    known = dict(crawl.known)
    of: dict[UUID, dict[str, list[Sent]]] = {}
    for shape in crawl.world.children if SOAK else CHILDREN:
        child = crawl.world.children[shape]
        for owner in visitors:
            if owner.name in OWNERS and child in await reached(tenant, owner):
                crawl.known = known
                of.setdefault(child, {})[owner.name] = await everything(crawl, app, owner, child)
    crawl.known = known
    return visitors, of


async def test_nobody_reads_or_changes_what_is_anothers(
    crawl: Crawl,
    app: Litestar,
    tenant: Tenant,
    owned: tuple[list[Visitor], dict[UUID, dict[str, list[Sent]]]],
) -> None:
    visitors, of = owned
    routes = {sent.route for owners in of.values() for sent in chain.from_iterable(owners.values())}
    assert len(routes) > 25, sorted(routes)
    before = await fingerprint(tenant)
    posted, looked, tried = 0, 0, set[str]()
    for visitor in visitors:
        mine = await reached(tenant, visitor)
        others = [child for child in of if child not in mine]
        async with crawl.signed_in(visitor) as browser:
            token = forgery_token(browser.cookies["panel_session"])
            for child in others:
                theirs = {one for one, canary in crawl.planted.canaries.items() if child in canary.children
                          and not any(other in mine for other in canary.children)
                          and visitor.viewer.id not in canary.always}  # fmt: skip
                known = crawl.known
                crawl.known = {child: crawl.known[child]}
                urls = [
                    url
                    for path in about_a_child(app)
                    for url in list(crawl.addresses(visitor, path, all_children=True))[:1]
                ]
                crawl.known = known
                for url in urls:
                    answer = await browser.get(url, follow_redirects=False)
                    where = f"GET {url} as {visitor.name}"
                    assert answer.status_code in REFUSED | {303}, f"{where}: {answer.status_code}"
                    assert not crawl.planted.found(answer.text) & theirs, where
                    looked += 1
                for sent in {
                    one.action: one for one in chain.from_iterable(of[child].values())
                }.values():
                    form = dict(sent.fields) | {"_csrf_token": token}
                    answer = await browser.post(sent.action, data=form, follow_redirects=False)
                    where = f"POST {sent.action} as {visitor.name}"
                    assert answer.status_code in REFUSED | {409, 422}, (
                        f"{where}: {answer.status_code}"
                    )
                    assert not crawl.planted.found(answer.text) & theirs, where
                    posted += 1
                tried.add(visitor.name)
    assert len(tried) > 8, tried
    assert looked > 200, looked
    assert posted > 150, posted
    assert await fingerprint(tenant) == before, "somebody changed what is another's"


async def test_a_form_with_more_than_its_page_offers_changes_nothing(
    crawl: Crawl,
    tenant: Tenant,
    owned: tuple[list[Visitor], dict[UUID, dict[str, list[Sent]]]],
) -> None:
    visitors, of = owned
    before = await fingerprint(tenant)
    posted, taken = 0, list[str]()
    for visitor in visitors:
        forms = [sent for owners in of.values() for sent in owners.get(visitor.name, [])]
        if not forms:
            continue
        async with crawl.signed_in(visitor) as browser:
            token = forgery_token(browser.cookies["panel_session"])
            for place, sent in enumerate(forms):
                if BY_HEADING.search(sent.action):
                    continue
                offered = {name for name, _ in sent.fields}
                more = [one for one in NOT_THEIRS.items() if one[0] not in offered]
                # All at once, and by itself one after the other at each turn.
                for given in (dict(more), dict([more[place % len(more)]])):
                    form = dict(sent.fields) | given | {"_csrf_token": token}
                    answer = await browser.post(sent.action, data=form, follow_redirects=False)
                    where = f"POST {sent.action} with {sorted(given)} as {visitor.name}"
                    if not 400 <= answer.status_code < 500:
                        taken.append(f"{where}: {answer.status_code}")
                    posted += 1
    assert not taken, "\n".join(taken)
    assert posted > 60, posted
    assert await fingerprint(tenant) == before, "a field was taken that no page offers"


def form_structs() -> Mapping[str, type[msgspec.Struct]]:
    """Every struct of the product's with a field that people have a name for: every form."""
    found = {}
    for one in pkgutil.walk_packages(sys.modules["panel"].__path__, "panel."):
        for name, kind in vars(importlib.import_module(one.name)).items():
            if (
                isinstance(kind, type)
                and issubclass(kind, msgspec.Struct)
                and kind.__module__ == one.name
            ):
                hints = [str(each.type) for each in msgspec.structs.fields(kind)]
                if kind is Nothing or any("title=" in hint for hint in hints):
                    found[f"{one.name}.{name}"] = kind
    return found


FORMS = form_structs()


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_refuses_what_it_does_not_know(name: str) -> None:
    kind = FORMS[name]
    assert kind.__struct_config__.forbid_unknown_fields, f"{name}: forbid_unknown_fields=True"
    fields = {each.encode_name for each in msgspec.structs.fields(kind)}
    for other, value in NOT_THEIRS.items():
        if other not in fields:
            read = read_form(kind, [(other, value)])
            assert isinstance(read, FieldErrors)
            assert f"“{other}”" in read.sentences[WHOLE_FORM]


def test_forms_are_found() -> None:
    assert len(FORMS) > 40, sorted(FORMS)
    assert parts_of("/children/{child_id:uuid}") == [("child_id", "uuid")]
