"""The scenario page: a form that is asked and answered, and keeps nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from markupsafe import Markup

from panel.accounts.desk import PRIVATE, Desk
from panel.insight import scenario
from panel.insight.blocks import Block, ways_on
from panel.insight.charts import Chart
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.words import SERVICES, lower_first
from panel.insight.files import MEDIA, Form, csv_of
from panel.insight.opened import HOME, Opened, address_of, open_release
from panel.insight.range_charts import Range, ranges
from panel.insight.reading import Seen
from panel.platform.problems import Problem
from panel.web.forms import FieldErrors, Filled

HERE = f"{HOME}/scenario"
KIND = "short_break"
EACH = "3"
"""Services for each child who comes home, where nothing else is asked: an assumption to change."""


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A scenario: what was asked, what is wrong with it, or what comes of it."""

    typed: Mapping[str, str]
    known: scenario.Known
    wrong: Mapping[str, str]
    asked: scenario.Asked | None
    found: scenario.Answer | None


def _reckoned(seen: Seen, given: Mapping[str, str]) -> Reckoned:
    kind = given.get("kind", KIND)
    kind = kind if kind in SERVICES else KIND
    known = scenario.known_of(seen, kind)
    typed = {"places": "", "each": EACH, **_costs(known), **given, "kind": kind}
    if given.get("was", kind) != kind:
        # Costs on the page are of the kind before: those of this kind take their place.
        typed |= {name: one for name, one in _costs(known).items() if name.startswith("kind_")}
    if "places" not in given:
        return Reckoned(typed, known, {}, None, None)
    asked, wrong = scenario.read(typed, known)
    found = None if asked is None else scenario.answer(asked, known)
    return Reckoned(typed, known, wrong, asked, found)


def _costs(known: scenario.Known) -> dict[str, str]:
    service = known.service
    return {
        "home_low": str(known.home.low),
        "home_high": str(known.home.high),
        "kind_low": "" if service is None else str(service.low),
        "kind_high": "" if service is None else str(service.high),
    }


def _rows(found: scenario.Answer) -> list[Range]:
    return [
        Range(label, low, high, scenario.span(low, high))
        for label, (low, high) in (
            ("Residential places no longer bought", found.saved),
            ("Services for those who come home", found.spent),
            ("Left for others", found.left),
        )
    ]


def _block(seen: Seen, one: Reckoned) -> Block | None:
    if one.asked is None or one.found is None:
        return None
    rows = _rows(one.found)
    chart = Chart(
        name="scenario-ranges",
        title="What it saves and costs in a term: bars from low to high",
        description="A line stands at 0. The same estimates are in the table.",
        table=CATALOGUE["cost_by_kind"],
        cells=(),
        labels=(),
    )
    drawn: Markup = ranges(chart, rows)
    return Block(
        name="answer",
        heading="What would come of it",
        sentences=scenario.sentences(one.asked, one.known, one.found),
        caption="Estimates for one term",
        columns=("What", "Low", "High"),
        rows=(
            *((row.label, scenario.pounds(row.low), scenario.pounds(row.high)) for row in rows),
            ("Children who lack one and could have it", *map(str, one.found.more)),
        ),
        numeric=(1, 2),
        chart=drawn,
        alt=chart.alt,
        links=ways_on(seen, *(key for key in scenario.KEYS if seen.holds(key))),
    )


def _page(desk: Desk, opened: Opened, given: Mapping[str, str]) -> Response[str]:
    around = opened.around(HERE, **given)
    if opened.seen is None:
        return desk.page("insight/scenario.html", around=around, form=None)
    one = _reckoned(opened.seen, given)
    typed = {name: [value] for name, value in one.typed.items()}
    errors = FieldErrors(one.wrong, typed) if one.wrong else None
    return desk.page(
        "insight/scenario.html",
        status=422 if errors else 200,
        around=around,
        form=Filled(one.typed, errors),
        known=one.known,
        kinds=list(SERVICES.items()),
        kind=lower_first(SERVICES[one.typed["kind"]]),
        answer=_block(opened.seen, one),
        download=address_of(f"{HERE}.csv", {**given, "term": opened.seen.head.period}),
    )


def _given(desk: Desk) -> dict[str, str]:
    """What was typed; what is no field of the form is left out."""
    return {
        name: value[:20]
        for name, value in desk.request.query_params.items()
        if name in {*scenario.FIELDS, "was"}
    }


@get(HERE, include_in_schema=False)
async def scenario_page(desk: NamedDependency[Desk], term: FromQuery[str] = "") -> Response[str]:
    """What shifting places would save, cost and bring."""
    return _page(desk, await open_release(desk, term, scenario.KEYS), _given(desk))


@get(f"{HERE}.csv", include_in_schema=False)
async def scenario_file(desk: NamedDependency[Desk], term: FromQuery[str] = "") -> Response[bytes]:
    """The same as CSV, with its assumptions. Raises Problem for what cannot be reckoned."""
    opened = await open_release(desk, term, scenario.KEYS)
    one = None if opened.seen is None else _reckoned(opened.seen, _given(desk))
    if opened.seen is None or one is None or one.asked is None or one.found is None:
        raise Problem(
            422,
            "There is a problem",
            "What you asked for cannot be worked out, so there is nothing to take away.",
            "Go back to the page: it says what is missing.",
        )
    asked, found = one.asked, one.found
    lines = (
        ("What", "Low", "High", "Unit"),
        ("Residential places no longer bought", asked.places, asked.places, "places"),
        ("Kind of service instead", SERVICES[asked.kind], "", ""),
        ("Services for each child who comes home", asked.each, asked.each, "services"),
        ("Cost of a residential place", *asked.home, "pounds for each child and term"),
        ("Cost of a service", *asked.service, "pounds for each child and term"),
        *((row.label, row.low, row.high, "pounds a term") for row in _rows(found)),
        ("Children who lack one and could have it", *found.more, "children"),
        ("How to read it", opened.around(HERE).banner, "", ""),
        *((("", opened.invented, "", ""),) if opened.invented else ()),
    )
    name = f"panel-scenario-{opened.seen.head.period}.csv"
    return Response(
        csv_of(lines),
        media_type=MEDIA[Form.CSV],
        headers=PRIVATE | {"Content-Disposition": f'attachment; filename="{name}"'},
    )


HANDLERS = [scenario_page, scenario_file]
