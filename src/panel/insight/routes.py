"""The pages of commissioners: four questions, the tables, how figures are made, what is published.

For commissioners, information governance leads and the representative of parents. Everything here
is read from releases; nothing leads to the exact figures of those who work with families.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts.desk import PRIVATE, READING_FIGURES, Desk
from panel.insight import api, area_series, blocks, files, methods, pages, release_store
from panel.insight.blocks import Block
from panel.insight.core import ledger
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.table import TableDef
from panel.insight.core.words import EVERY, SERVICES, period_words
from panel.insight.core.written import methods_from
from panel.insight.files import MEDIA, Form
from panel.insight.opened import HOME, NOT_HERE, Opened, address_of, looked_back, open_release
from panel.insight.reading import Seen, heads, held, look, methods_of
from panel.insight.release_store import signing
from panel.insight.saying import LEVELS, SPANS, WHY_NOT, Areas
from panel.insight.term_end import HeldBack, held_back, with_cells
from panel.platform.problems import NotFound
from panel.records.child_scoped import JOB

API = "/api/v1/releases"
ON_A_PAGE = 100
DRAWN = 7
"""Terms that a chart has room for."""
SHORT_BREAK = "short_break"
QUESTIONS = (
    (f"{HOME}/unmet-need", "Where is need not met?", "Which areas lack which services, and why."),
    (f"{HOME}/waits", "Who waits longest?", "How long children wait at each step, and where."),
    (f"{HOME}/outcome-cost", "What does an outcome cost?",
     "What services cost for each child, and for each who reached an outcome."),
    (f"{HOME}/gap", "Which gap would a new service fill?",
     "What is lacking beside the places that there are."),
)  # fmt: skip


async def _reader(desk: Desk) -> UUID:
    """Who reads as data: somebody who is signed in, or a system with a token. Raises NotLetIn,
    NotAllowed, NotSignedIn."""
    if given := desk.request.headers.getall("authorization", []):
        return await desk.site.systems.reader(desk.tenant, given)
    return desk.require(*READING_FIGURES).viewer.id


async def _numbered(session: AsyncSession, number: int, keys: Sequence[str]) -> Seen:
    for head in await heads(session):
        if head.number == number:
            return await look(session, head, keys)
    raise NotFound(NOT_HERE)


def _table(key: str) -> TableDef:
    if key not in CATALOGUE:
        raise NotFound(NOT_HERE)
    return CATALOGUE[key]


# The four questions -------------------------------------------------------------------------------


@get(HOME, include_in_schema=False)
async def home_page(desk: NamedDependency[Desk], term: FromQuery[str] = "") -> Response[str]:
    """Four questions, the newest release, and what is not shown and why."""
    opened = await open_release(desk, term, pages.EVERYTHING)
    seen = await looked_back(desk, opened)
    found = [lead for _, _, lead in QUESTIONS] if seen is None else pages.first_findings(seen)
    return desk.page(
        "insight/home.html",
        questions=[
            (address_of(path, {"term": term}), title, said)
            for (path, title, _), said in zip(QUESTIONS, found, strict=True)
        ],
        why_not=[said for _, said in WHY_NOT],
        held=await _held_back(desk),
        around=opened.around(HOME),
    )


def _question(
    desk: Desk, opened: Opened, at: int, found: Sequence[Block], kind: str = ""
) -> Response[str]:
    path, title, lead = QUESTIONS[at]
    term = "" if opened.seen is None else opened.seen.head.period
    choices = [
        (address_of(path, {"kind": code, "term": term}), said, code == kind)
        for code, said in SERVICES.items()
    ]
    return desk.page(
        "insight/question.html",
        title=title,
        lead=lead,
        blocks=found,
        choices=choices if kind else [],
        around=opened.around(path, kind=kind),
    )


@get(f"{HOME}/unmet-need", include_in_schema=False)
async def unmet_need_page(
    desk: NamedDependency[Desk], kind: FromQuery[str] = SHORT_BREAK, term: FromQuery[str] = ""
) -> Response[str]:
    """Where need is not met: the three areas with the most of it, which services, and why."""
    chosen = kind if kind in SERVICES else SHORT_BREAK
    opened = await open_release(desk, term, pages.UNMET)
    seen = await looked_back(desk, opened)
    found = () if seen is None else pages.unmet_need(seen, chosen)
    return _question(desk, opened, 0, found, chosen)


@get(f"{HOME}/waits", include_in_schema=False)
async def waits_page(desk: NamedDependency[Desk], term: FromQuery[str] = "") -> Response[str]:
    """How long the middle child waits."""
    opened = await open_release(desk, term, pages.WAITS)
    return _question(desk, opened, 1, () if opened.seen is None else pages.waits(opened.seen))


@get(f"{HOME}/outcome-cost", include_in_schema=False)
async def outcome_cost_page(
    desk: NamedDependency[Desk], term: FromQuery[str] = ""
) -> Response[str]:
    """What an outcome costs."""
    opened = await open_release(desk, term, pages.COSTS)
    found = () if opened.seen is None else pages.outcome_cost(opened.seen)
    return _question(desk, opened, 2, found)


@get(f"{HOME}/gap", include_in_schema=False)
async def gap_page(desk: NamedDependency[Desk], term: FromQuery[str] = "") -> Response[str]:
    """Which gap a new service would fill."""
    opened = await open_release(desk, term, pages.GAP)
    return _question(desk, opened, 3, () if opened.seen is None else pages.gap(opened.seen))


# How figures are made, and what is out ------------------------------------------------------------


@get(f"{HOME}/methods", include_in_schema=False)
async def methods_page(desk: NamedDependency[Desk], term: FromQuery[str] = "") -> Response[str]:
    """The rules by which the figures of a release were changed, and its error."""
    opened = await open_release(desk, term)
    found: tuple[Block, ...] = ()
    if opened.seen is not None:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            rules, error = methods_from(await methods_of(session, opened.seen.head))
        found = methods.blocks(rules, error, opened.seen.areas)
    return desk.page("insight/methods.html", blocks=found, around=opened.around(f"{HOME}/methods"))


@get(f"{HOME}/releases", include_in_schema=False)
async def releases_page(desk: NamedDependency[Desk]) -> Response[str]:
    """What was published when, and whether its lines and files are as they were signed."""
    opened = await open_release(desk, "")
    held = await _held_back(desk)
    _, key = signing(desk.tenant)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        lines = await release_store.entries(session)
        changed = ledger.verify(lines, await release_store.files(session), key)
    return desk.page(
        "insight/releases.html",
        releases=[
            (one, address_of(f"{HOME}/tables", {"term": one.period}), entry)
            for one, entry in zip(opened.published, reversed(lines), strict=True)
        ],
        changed=[one.in_words() for one in changed],
        key=key,
        held=held,
        held_term="" if held is None else period_words(held.period),
        held_cells=_found(held, opened),
        is_lead=Role.GOVERNANCE_LEAD in desk.viewer.roles,
        around=opened.around(f"{HOME}/releases"),
    )


def _found(held: HeldBack | None, opened: Opened) -> Block | None:
    if held is None or not held.findings:
        return None
    areas = Areas() if opened.seen is None else opened.seen.areas
    return blocks.found_in(held.findings, areas)


async def _held_back(desk: Desk) -> HeldBack | None:
    """The term that was refused; its cells only for who may know them (the database says)."""
    async with desk.tenant.transaction(JOB) as session:
        held = await held_back(session)
    if held is None or Role.GOVERNANCE_LEAD not in desk.viewer.roles:
        return held
    async with desk.tenant.transaction(desk.viewer.id) as session:
        return await with_cells(session, held)


# Tables and files ---------------------------------------------------------------------------------


@get(f"{HOME}/tables", include_in_schema=False)
async def tables_page(desk: NamedDependency[Desk], term: FromQuery[str] = "") -> Response[str]:
    """Every table of the catalogue, whether the release has figures for it or not."""
    opened = await open_release(desk, term)
    published: frozenset[str] = frozenset()
    if opened.seen is not None:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            published = await held(session, opened.seen.head)
    about: dict[str, list[tuple[str, str, str, str]]] = {}
    for table in CATALOGUE.values():
        at = f"{HOME}/tables/{table.key}"
        address = address_of(at, {} if opened.seen is None else {"term": opened.seen.head.period})
        says = "Yes" if table.key in published else "No figures in this release"
        about.setdefault(table.question, []).append(
            (address, table.title, f"{LEVELS[table.level]}. {SPANS[table.span]}.", says)
        )
    return desk.page("insight/tables.html", about=about, around=opened.around(f"{HOME}/tables"))


@get(f"{HOME}/tables/{{key:str}}", include_in_schema=False)
async def table_page(
    desk: NamedDependency[Desk],
    key: FromPath[str],
    term: FromQuery[str] = "",
    start: FromQuery[int] = 0,
    area: FromQuery[str] = EVERY,
) -> Response[str]:
    """One table: what it counts, its figures, its files, and where to look if it says little."""
    desk.require(*READING_FIGURES)
    table = _table(key)
    opened = await open_release(desk, term, (key,))
    path, seen = f"{HOME}/tables/{key}", opened.seen
    figures, rows, through = None, 0, None
    begin = max(0, min(start, 10**6)) // ON_A_PAGE * ON_A_PAGE
    if seen is not None:
        figures, rows = blocks.whole_table(seen, key, begin, ON_A_PAGE)
        through = await _through_terms(desk, opened, table, area)
    looked = await looked_back(desk, opened)
    asked = {"term": "" if seen is None else seen.head.period}
    # Whoever looks at one area goes on with it to other rows and terms.
    of_area = {"area": through.area} if through is not None and through.area != EVERY else {}
    return desk.page(
        "insight/table.html",
        table=table,
        level=LEVELS[table.level],
        span=SPANS[table.span],
        figures=figures,
        through=through,
        changed=() if seen is None else seen.areas.changed(table),
        here=path,
        term=asked["term"],
        has_figures=seen is not None and seen.holds(key),
        rows=rows,
        part=_part(path, asked | of_area, begin, rows),
        downloads=(
            [(f"{path}/{seen.head.period}.{form.value}", _FORMS[form]) for form in Form]
            if seen is not None
            else []
        ),
        coarser=None if table.coarser is None else CATALOGUE[table.coarser],
        earlier=[
            (address_of(path, {"term": head.period}), head.term)
            for head in (() if looked is None else looked.earlier.values())
        ],
        around=opened.around(path, **of_area),
    )


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a table that a page shows, numbered from 1, and where those around them are."""

    first: int
    last: int
    before: str
    """Empty where there are none."""
    after: str


def _part(path: str, asked: dict[str, str], begin: int, rows: int) -> Part:
    """The part from `begin` on, numbered from 0, of all `rows`."""
    before, after = (
        address_of(path, asked | {"start": str(one)})
        for one in (begin - ON_A_PAGE, begin + ON_A_PAGE)
    )
    end = begin + ON_A_PAGE
    return Part(begin + 1, min(rows, end), before if begin else "", after if end < rows else "")


_FORMS = {
    Form.CSV: "CSV, for spreadsheets and programs",
    Form.DESCRIPTION: "What the columns of the CSV are",
    Form.ODS: "ODS, a spreadsheet",
    Form.PARQUET: "Parquet, for analysts",
}


@dataclass(frozen=True, slots=True)
class Through:
    """One area of a table through the terms, and the areas to choose from."""

    called: str
    chart: Markup | None
    past: str
    choices: Sequence[tuple[str, str]]
    area: str


async def _through_terms(desk: Desk, opened: Opened, table: TableDef, asked: str) -> Through:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        seen = [
            await look(session, head, (table.key,)) for head in reversed(opened.published[:DRAWN])
        ]
    choices = area_series.areas_of(table, seen[-1])
    area = asked if asked in dict(choices) else EVERY
    called, areas = seen[-1].areas.called(area), seen[-1].areas
    points = area_series.through_terms(table, area, seen, areas)
    return Through(
        called,
        blocks.over_time(table, points, called),
        area_series.past_of(table, area, areas),
        choices,
        area,
    )


@get(f"{HOME}/tables/{{key:str}}/{{name:str}}", include_in_schema=False)
async def table_file(
    desk: NamedDependency[Desk], key: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """A table of a term as a file: `name` is "2026-autumn.csv"."""
    desk.require(*READING_FIGURES)
    term, _, ending = name.partition(".")
    if key not in CATALOGUE or ending not in set(Form) or not term:
        raise NotFound(NOT_HERE)
    opened = await open_release(desk, term, (key,))
    if opened.seen is None or not opened.seen.of(key):
        raise NotFound(NOT_HERE)
    form = Form(ending)
    made = files.sheet(
        CATALOGUE[key], opened.seen.head.period, opened.seen.of(key), opened.seen.areas
    )
    headers = {"Content-Disposition": f'attachment; filename="{made.name}.{form.value}"'}
    if form is Form.CSV:
        described = f"{HOME}/tables/{key}/{term}.{Form.DESCRIPTION.value}"
        headers["Link"] = f'<{described}>; rel="describedby"; type="{MEDIA[Form.DESCRIPTION]}"'
    return Response(files.write(made, form), media_type=MEDIA[form], headers=PRIVATE | headers)


# For programs -------------------------------------------------------------------------------------


@get(API, include_in_schema=False)
async def releases_as_data(desk: NamedDependency[Desk]) -> Response[api.Json]:
    """What is published."""
    async with desk.tenant.transaction(await _reader(desk)) as session:
        published = await heads(session)
    return Response(api.releases(published), headers=PRIVATE)


@get(f"{API}/{{number:int}}/catalogue", include_in_schema=False)
async def catalogue_as_data(
    desk: NamedDependency[Desk], number: FromPath[int]
) -> Response[api.Json]:
    """The tables of a release."""
    async with desk.tenant.transaction(await _reader(desk)) as session:
        seen = await _numbered(session, number, ())
        published = await held(session, seen.head)
    keys = [key for key in CATALOGUE if key in published]
    return Response(api.catalogue(seen.head, keys), headers=PRIVATE)


@get(f"{API}/{{number:int}}/tables/{{key:str}}", include_in_schema=False)
async def table_as_data(
    desk: NamedDependency[Desk], number: FromPath[int], key: FromPath[str]
) -> Response[api.Json]:
    """A table of a release."""
    async with desk.tenant.transaction(await _reader(desk)) as session:
        seen = await _numbered(session, number, (key,))
    if key not in CATALOGUE or not seen.of(key):
        raise NotFound(NOT_HERE)
    return Response(api.table(seen, key), headers=PRIVATE)


HANDLERS = [
    home_page,
    unmet_need_page,
    waits_page,
    outcome_cost_page,
    gap_page,
    methods_page,
    releases_page,
    tables_page,
    table_page,
    table_file,
    releases_as_data,
    catalogue_as_data,
    table_as_data,
]
