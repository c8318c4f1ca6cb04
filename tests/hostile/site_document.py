"""The whole site as an OpenAPI document, read from its routes and from the pages that it shows.

No address and no field is written down here: the routes say what addresses there are and what they
ask, the forms and links of the pages say what is sent to them. A new page is in it by itself.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit
from uuid import UUID

import httpx
import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from panel.accounts.desk import FORM_ID_FIELD
from panel.web.render import FORGERY_FIELD
from tests.hostile.test_every_route import PLAIN, Ids

Schema = dict[str, Any]
Operation = tuple[str, str]
"""A method and the address of a route, as OpenAPI writes it."""
Opens = Callable[[str], Awaitable[httpx.Response]]

METHODS = ("GET", "POST")
FORM, FORM_WITH_FILES = "application/x-www-form-urlencoded", "multipart/form-data"
MOST_VALUES = 12
"""Of one part of an address or one hidden field, that are there."""
MOST_SHAPES = 6
"""Of forms with one address, by the names of their fields."""
NOBODYS = str(UUID(int=7))
ENDLESS = ("/live/",)
"""Answers that go on until the page is closed."""
SIGNS_IN = "/demo/sign-in/"
OF_ADDRESS = {
    UUID: (r"[0-9a-fA-F-]{36}", {"type": "string", "format": "uuid"}),
    int: (r"\d+", {"type": "integer", "minimum": 0}),
    date: (r"\d{4}-\d\d-\d\d", {"type": "string", "format": "date"}),
}
A_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 60}
PARTS_OF_A_DATE = {
    "day": {"type": "integer", "minimum": 1, "maximum": 31},
    "month": {"type": "integer", "minimum": 1, "maximum": 12},
    "year": {"type": "integer", "minimum": 1900, "maximum": 2100},
}
KINDS: Mapping[str, Schema] = {
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    "number": {"type": "integer", "minimum": -1, "maximum": 1_000_000},
    "email": {"type": "string", "format": "email"},
    "file": {"type": "string", "format": "binary"},
}
CHOSEN = frozenset({"hidden", "radio", "select", "checkbox", "submit"})
MAY_BE_LEFT = frozenset({"checkbox", "submit"})


# What a page holds --------------------------------------------------------------------------------


@dataclass
class Field:
    """One field of a form, as pages show it."""

    name: str
    kind: str
    values: list[str] = field(default_factory=list)
    """What may be chosen or is filled in."""
    longest: int | None = None
    boxes: int = 0

    def also(self, other: "Field") -> None:
        """Take up what another page gives the same field."""
        self.values += [one for one in other.values if one not in self.values]
        self.boxes = max(self.boxes, other.boxes)

    def schema(self) -> Schema:
        """What a browser sends for it."""
        if self.name == FORM_ID_FIELD:
            return {"type": "string", "format": "uuid"}
        values = self.values[:MOST_VALUES] if self.kind == "hidden" else self.values
        if self.kind in CHOSEN and values:
            chosen = {"type": "string", "enum": list(values)}
            if self.kind == "checkbox" and self.boxes > 1:
                return {"type": "array", "items": chosen, "maxItems": len(values)}
            return chosen
        _, dash, part = self.name.rpartition("-")
        if dash and part in PARTS_OF_A_DATE:
            return PARTS_OF_A_DATE[part]
        kind = dict(KINDS.get(self.kind) or {"type": "string"})
        if self.longest is not None:
            kind["maxLength"] = self.longest
        examples = [one for one in self.values[:MOST_VALUES] if one]
        return kind | ({"examples": examples} if examples else {})


@dataclass
class Form:
    """A form of a page."""

    action: str
    method: str
    has_file: bool
    fields: dict[str, Field] = field(default_factory=dict)

    def add(self, one: Field) -> None:
        """Add a field, or one more choice of a field."""
        if one.name in self.fields:
            self.fields[one.name].also(one)
            self.fields[one.name].boxes += one.kind == "checkbox"
        elif one.name:
            self.fields[one.name] = one


class Page(HTMLParser):
    """The forms and links of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._open: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._elsewhere: list[tuple[str, Field]] = []
        """Fields that name a form outside which they stand."""
        self._going_on: list[tuple[str, Form | None, str]] = []
        """Buttons that send a form somewhere else: the form's id, the form, the address."""
        self._select: Field | None = None
        self._longest: int | None = None

    @classmethod
    def of(cls, text: str) -> "Page":
        """Read a page to its end."""
        page = cls()
        page.feed(text)
        page.close()
        for form_id, one in page._elsewhere:
            if form_id in page._by_id:
                page._by_id[form_id].add(one)
        for form_id, inside, action in page._going_on:
            if (form := page._by_id.get(form_id, inside)) is not None:
                page.forms.append(Form(action, form.method, form.has_file, form.fields))
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.links += [given[name] for name in ("href", "src", "action") if given.get(name)]
        if given.get("data-maxlength", "").isdigit():
            self._longest = int(given["data-maxlength"])
        if tag == "form":
            self._open = Form(
                given.get("action", ""),
                given.get("method", "get").upper(),
                given.get("enctype") == FORM_WITH_FILES,
            )
            self.forms.append(self._open)
            if given.get("id"):
                self._by_id[given["id"]] = self._open
        elif tag in ("input", "textarea", "select", "button"):
            self._add(tag, given)
        elif tag == "option" and self._select is not None:
            self._select.values.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None

    def _add(self, tag: str, given: Mapping[str, str]) -> None:
        kind = given.get("type", "text") if tag == "input" else tag
        if tag == "button":
            kind = "submit"
            if given.get("formaction"):
                self._going_on.append((given.get("form", ""), self._open, given["formaction"]))
        one = Field(given.get("name", ""), kind)
        if kind in ("radio", "checkbox"):
            one.values = [given.get("value", "on")]
            one.boxes = 1
        elif given.get("value"):
            one.values = [given["value"]]
        if kind in ("text", "textarea"):
            longest = given.get("maxlength", "")
            one.longest = int(longest) if longest.isdigit() else self._longest
            self._longest = None
            if given.get("inputmode") == "numeric":
                one.kind = "number"
        if tag == "select":
            self._select = one
        if given.get("form"):
            self._elsewhere.append((given["form"], one))
        elif self._open is not None:
            self._open.add(one)


# What the site serves -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Route:
    """One address that takes one method."""

    method: str
    path: str
    """As OpenAPI writes it."""
    filled_as: str
    """As the site writes it, with the kinds of its parts."""
    parts: Mapping[str, type]
    asks: Mapping[str, Schema]
    """What it takes after the question mark, as the handler says."""
    pattern: re.Pattern[str]

    @property
    def operation(self) -> Operation:
        """Its method and address."""
        return self.method, self.path

    def parts_of(self, path: str) -> dict[str, str] | None:
        """The parts of an address of this route, None for another route's."""
        found = self.pattern.fullmatch(path)
        return None if found is None else found.groupdict()


def routes_of(app: Litestar) -> list[Route]:
    """Every address that takes GET or POST: the most particular first."""
    found = []
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        parts = {name: one.type for name, one in route.path_parameters.items()}
        pattern = "".join(
            f"/{re.escape(one)}"
            if isinstance(one, str)
            else f"/(?P<{one.name}>{OF_ADDRESS.get(one.type, (_any_text(one.type),))[0]})"
            for one in route.path_components
        )
        found += [
            Route(
                method, route.path_format, route.path, parts, _asked(handler, parts),
                re.compile(pattern or "/"),
            )
            for handler in route.route_handlers
            for method in METHODS
            if method in handler.http_methods
        ]  # fmt: skip
    return sorted(found, key=lambda one: (len(one.parts), one.path, one.method))


def _any_text(kind: type) -> str:
    return "[^/]+" if kind is str else ".+"


def _asked(handler: HTTPRouteHandler, parts: Mapping[str, type]) -> dict[str, Schema]:
    known = {*parts, *handler.resolve_dependencies(), "request", "data"}
    return {
        name: msgspec.json.schema(one.annotation)
        for name, one in handler.parsed_fn_signature.parameters.items()
        if name not in known
    }


@dataclass
class Visit:
    """What one person met: addresses that are there, and the operations offered to them."""

    ids: list[Ids]
    """Of the children whose pages they open."""
    begins: list[str] = field(default_factory=list)
    """Addresses to begin with that no page links to."""
    parts: dict[str, list[str]] = field(default_factory=dict)
    """The values of each part of an address."""
    addresses: dict[Operation, list[dict[str, str]]] = field(default_factory=dict)
    """The parts of addresses as they belong together."""
    met: set[Operation] = field(default_factory=set)
    times: Counter[Operation] = field(default_factory=Counter)
    """How many pages of each were opened."""
    opened: set[str] = field(default_factory=set)

    @property
    def pages(self) -> int:
        """How many pages were asked for."""
        return len(self.opened)

    def __post_init__(self) -> None:
        for one in self.ids:
            self.add({"child_id": str(one.child)} | {k: str(row) for k, row in one.rows.items()})

    def is_mine(self, parts: Mapping[str, str]) -> bool:
        """Whether an address is of a child whose pages are opened, or of no child."""
        child = parts.get("child_id")
        return child is None or any(str(one.child) == child for one in self.ids)

    def add(self, parts: Mapping[str, str], operation: Operation | None = None) -> None:
        """Keep the parts of an address that is there."""
        if not self.is_mine(parts):
            return
        for name, value in parts.items():
            known = self.parts.setdefault(name, [])
            if value not in known:
                known.append(value)
        if operation is not None and parts:
            together = self.addresses.setdefault(operation, [])
            if parts not in together and len(together) < MOST_VALUES:
                together.append(dict(parts))


Shapes = dict[frozenset[str], Form]


class SiteDocument:
    """What the site serves, and what its pages send there."""

    def __init__(self, app: Litestar) -> None:
        self.routes = routes_of(app)
        self.forms: dict[Operation, Shapes] = {}
        self.asked: dict[str, dict[str, list[str]]] = {}
        """By address: what links ask of it, with what."""

    @property
    def operations(self) -> set[Operation]:
        """Every method of every address."""
        return {one.operation for one in self.routes}

    @property
    def fields(self) -> int:
        """How many fields forms have, by address and name."""
        return sum(len({*self.names(one)}) for one in self.forms)

    def names(self, operation: Operation) -> Iterator[str]:
        """The names of all fields that pages send there."""
        for shape in self.forms.get(operation, {}):
            yield from shape

    def route(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Which route an address is of, and its parts."""
        for one in self.routes:
            if one.method == method and (parts := one.parts_of(path)) is not None:
                return one, parts
        return None

    async def read(self, visit: Visit, opens: Opens, *, each: int) -> None:
        """Look round as somebody: every route and what pages link to, `each` times a route."""
        # The children's own lists lead on; what nothing leads to is tried with what was found.
        gets = [one for one in self.routes if one.method == "GET"]
        few = [one for one in gets if len(one.parts) < 2]
        wanted = [*visit.begins]
        wanted += [ids.fill(one.filled_as) for one in few for ids in visit.ids]
        await self._look(visit, opens, each, wanted)
        for route in gets:
            if route.operation not in visit.met and route.parts.keys() <= visit.parts.keys():
                await self._look(visit, opens, each, [visit.ids[0].fill(route.filled_as)])

    async def _look(self, visit: Visit, opens: Opens, each: int, wanted: list[str]) -> None:
        while wanted:
            url = wanted.pop(0)
            found = self.route("GET", urlsplit(url).path)
            if found is None or found[0].path.startswith((*ENDLESS, SIGNS_IN)):
                continue
            if url in visit.opened or visit.times[found[0].operation] >= each:
                continue
            visit.opened.add(url)
            page = await opens(url)
            assert page.status_code < 500 or found[0].path == "/health/ready", url
            if page.status_code >= 400:
                continue
            visit.times[found[0].operation] += 1
            visit.met.add(found[0].operation)
            visit.add(found[1], found[0].operation)
            wanted += self._read_page(visit, url, page)

    def _read_page(self, visit: Visit, url: str, page: httpx.Response) -> list[str]:
        if page.is_redirect:
            links = [page.headers["location"]]
        elif page.headers.get("content-type", "").startswith("text/html"):
            read = Page.of(page.text)
            links = read.links
            for form in read.forms:
                self._keep(visit, urljoin(url, form.action), form)
        else:
            return []
        own = [urljoin(url, one).partition("#")[0] for one in links]
        return [one for one in dict.fromkeys(own) if one.startswith("/") and self._met(visit, one)]

    def _met(self, visit: Visit, url: str) -> bool:
        """Whether a link is to a page to look at; its parts are kept either way."""
        to = urlsplit(url)
        for method in METHODS:
            if (found := self.route(method, to.path)) is not None:
                visit.add(found[1], found[0].operation)
        if (found := self.route("GET", to.path)) is None:
            return False
        asked = self.asked.setdefault(found[0].path, {})
        for name, value in parse_qsl(to.query):
            known = asked.setdefault(name, [])
            if value not in known:
                known.append(value)
        return visit.is_mine(found[1]) and not to.path.startswith("/static/")

    def _keep(self, visit: Visit, url: str, form: Form) -> None:
        found = self.route(form.method, urlsplit(url).path)
        assert found is not None, f"a page has a form that goes nowhere: {form.method} {url}"
        route, parts = found
        visit.add(parts, route.operation)
        visit.met.add(route.operation)
        shapes = self.forms.setdefault(route.operation, {})
        kept = shapes.setdefault(
            frozenset(form.fields), Form(form.action, form.method, form.has_file)
        )
        for name, one in form.fields.items():
            if name in kept.fields:
                kept.fields[name].also(one)
            else:
                kept.fields[name] = Field(name, one.kind, [*one.values], one.longest, one.boxes)

    # Written out ----------------------------------------------------------------------------------

    def written_for(self, visit: Visit) -> Schema:
        """The OpenAPI 3.1 document, with what is there for this person as the parts of addresses."""
        paths: dict[str, Schema] = {}
        for one in self.routes:
            described: Schema = {
                "parameters": [*self._parts(one, visit), *self._questions(one)],
                "responses": {"default": {"description": "An answer"}},
            }
            if one.method == "POST":
                described["requestBody"] = {"required": True, "content": self._body(one)}
            paths.setdefault(one.path, {})[one.method.lower()] = described
        return {
            "openapi": "3.1.0",
            "info": {"title": "The whole site", "version": "1"},
            "paths": paths,
        }

    def _parts(self, route: Route, visit: Visit) -> Iterator[Schema]:
        for name, kind in route.parts.items():
            known = visit.parts.get(name, [])[:MOST_VALUES]
            if kind is date and not known:
                known = [visit.ids[0].day.isoformat()]
            if kind is UUID:
                # Who guesses an id gets no further: most are ones that are there, one is nobody's.
                schema: Schema = {"type": "string", "format": "uuid"}
                if known:
                    schema["enum"] = [*known, NOBODYS]
            else:
                schema = dict(OF_ADDRESS[kind][1] if kind in OF_ADDRESS else A_TEXT)
                if kind is str and name in PLAIN:
                    known = known or [PLAIN[name]]
                if known:
                    told = [int(one) if kind is int else one for one in known]
                    schema = {"anyOf": [{"enum": told}, schema]}
            yield {"name": name, "in": "path", "required": True, "schema": schema}

    def _questions(self, route: Route) -> Iterator[Schema]:
        if route.method != "GET":
            return
        asked: dict[str, Schema] = dict(route.asks)
        for shape in self.forms.get(route.operation, {}).values():
            for name, one in shape.fields.items():
                asked[name] = one.schema()
        for name, values in self.asked.get(route.path, {}).items():
            told = {"type": "string", "enum": values[:MOST_VALUES]}
            asked[name] = {"anyOf": [told, asked.get(name, {"type": "string"})]}
        for name, schema in asked.items():
            yield {"name": name, "in": "query", "schema": schema}

    def _body(self, route: Route) -> Schema:
        forms = list(self.forms.get(route.operation, {}).values())[:MOST_SHAPES]
        content: Schema = {}
        for kind, some in (
            (FORM, [one for one in forms if not one.has_file]),
            (FORM_WITH_FILES, [one for one in forms if one.has_file]),
        ):
            if some:
                shapes = [_described(one.fields.values()) for one in some]
                content[kind] = {"schema": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}
        # No page has shown its form: whatever is sent, with the envelope of every form.
        return content or {
            FORM: {
                "schema": _described([Field(FORGERY_FIELD, "text"), Field(FORM_ID_FIELD, "text")])
                | {"additionalProperties": A_TEXT}
            }
        }


def _described(fields: Iterable[Field]) -> Schema:
    shown = list(fields)
    return {
        "type": "object",
        "properties": {one.name: one.schema() for one in shown},
        "required": [one.name for one in shown if one.kind not in MAY_BE_LEFT],
        "additionalProperties": False,
    }
