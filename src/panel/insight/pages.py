"""The four questions of commissioners as they are shown: findings, charts, tables, ways on.

Made of a `Seen`, that is, of published cells alone: what a page says, its files say too.
"""

from collections.abc import Sequence

from markupsafe import Markup

from panel.insight import charts, findings, map_charts
from panel.insight.blocks import (
    NO_FIGURES,
    Block,
    barred,
    by_height,
    of_another_term,
    ways_on,
)
from panel.insight.charts import Chart
from panel.insight.core import words
from panel.insight.core.catalogue import CATALOGUE
from panel.insight.core.cells import Cell, Note
from panel.insight.core.table import TableDef
from panel.insight.core.words import EVERY, NOT_SAID, lower_first
from panel.insight.maps import outlines
from panel.insight.reading import Seen
from panel.insight.saying import NOTES, code_words, in_order, value_words
from panel.web.words import in_a_row

# Where is need not met? ---------------------------------------------------------------------------

BY_WARD = ("unmet_by_kind_ward", "unmet_by_kind_ward_three_terms", "unmet_by_kind")
"""Where the three areas are looked for: the first that names them, from fine to coarse."""
UNMET = ("unmet_by_kind", "unmet_by_reason", *BY_WARD[:2])


def unmet_need(seen: Seen, kind: str) -> tuple[Block, ...]:
    """Where children lack a kind of service, of which kinds, and why."""
    by_kind, by_reason = CATALOGUE["unmet_by_kind"], CATALOGUE["unmet_by_reason"]
    kinds = [
        one for one in findings.at(seen.of(by_kind.key), EVERY, None) if one.cell[1] != NOT_SAID
    ]
    reasons = findings.at(seen.of(by_reason.key), EVERY, kind, None)
    service = service_words(kind)
    return (
        _where(seen, kind),
        barred(
            seen, by_kind, kinds, "kinds", "Which services are lacking?", "kind",
            _if_any(findings.lacked_most(kinds, service_words)),
        ),
        barred(
            seen, by_reason, reasons, "reasons", f"Why is {service} lacking?", "reason",
            _if_any(findings.highest_sentence(by_reason, reasons, seen.areas, "reason",
                                              "The commonest reason")),
        ),
    )  # fmt: skip


def service_words(kind: str) -> str:
    """A kind of service within a sentence: "a short break"."""
    if kind == "other":
        return "another kind of service"
    called = lower_first(words.SERVICES[kind])
    return f"a {called}" if kind == "short_break" else called


def _if_any(sentence: str) -> tuple[str, ...]:
    return (sentence,) if sentence else ()


def _where(seen: Seen, kind: str) -> Block:
    service = service_words(kind)
    heading = f"Where is {service} lacking?"
    key = _chosen(seen, kind)
    table = CATALOGUE[key]
    cells = in_order(table, findings.at(seen.of(key), None, kind), seen.areas)
    if not seen.holds(key):
        return Block("where", heading, (NO_FIGURES,), links=ways_on(seen, key))
    term = seen.head_of(key).term
    found, sentences = findings.where_most(table, cells, seen.areas, service)
    named = [one.cell[0] for one in found.cells] if len(found.cells) == findings.NAMED else []
    if key != BY_WARD[0]:
        sentences = (*sentences, _coarser_words(key, term))
    else:
        sentences = (*sentences, *of_another_term(seen, key))
    shown, chart, without = _drawn(seen, table, cells, named, service)
    return Block(
        name="where",
        heading=heading,
        sentences=(*sentences, *without),
        caption=f"Children who lack {service}, {term}",
        columns=("Ward" if "ward" in key else "Group of wards", "Children"),
        rows=tuple(
            (_numbered(named, one, seen), value_words(table, one))
            for one in by_height(cells, lambda one: seen.areas.called(one.cell[0]))
        ),
        numeric=(1,),
        chart=chart,
        alt=shown.alt,
        key=map_charts.key(shown.name, cells),
        links=ways_on(seen, key),
    )  # fmt: skip


def _chosen(seen: Seen, kind: str) -> str:
    """The finest table that names three areas; else the finest that shows some figure at all."""
    for enough in (findings.NAMED, 1):
        for key in BY_WARD:
            some = [one for one in findings.at(seen.of(key), None, kind) if one.value]
            if len(some) >= enough:
                return key
    return next((key for key in BY_WARD if seen.holds(key)), BY_WARD[0])


def _coarser_words(key: str, term: str) -> str:
    if key == BY_WARD[1]:
        return (
            f"Too few wards have a figure for one term alone, so children of the {term} and the two"
            " terms before it are counted together."
        )
    return "Too few wards have a figure of their own, so groups of wards are shown."


def _numbered(named: Sequence[str], one: Cell, seen: Seen) -> str:
    code = one.cell[0]
    called = seen.areas.called(code)
    return f"{named.index(code) + 1}. {called}" if code in named else called


def _drawn(
    seen: Seen, table: TableDef, cells: tuple[Cell, ...], named: Sequence[str], service: str
) -> tuple[Chart, Markup, tuple[str, ...]]:
    """The map, or tiles where a boundary is missing, and what is to be said of it.

    A ward that is no more is not drawn: those that it became lie where it lay.
    """
    ended = {one.old for one in seen.areas.changes}
    cells = tuple(one for one in cells if one.cell[0] not in ended)
    labels = tuple(seen.areas.called(one.cell[0]) for one in cells)
    shown = Chart(
        name="where-map",
        title=f"Where children lack {service}, {seen.head_of(table.key).term}",
        description=(
            "Each area is filled by its figure, from few to many. The table has the same figures."
        ),
        table=table,
        cells=cells,
        labels=labels,
    )
    drawn = outlines(seen.boundaries) if seen.boundaries else None
    lacking = [
        label
        for one, label in zip(cells, labels, strict=True)
        if drawn is None or one.cell[0] not in drawn.areas
    ]
    made = map_charts.tile_map(shown, named) if drawn is None or lacking else (
        map_charts.ward_map(shown, drawn, named)
    )  # fmt: skip
    return shown, made, _without_boundary(lacking, len(cells))


def _without_boundary(lacking: Sequence[str], of: int) -> tuple[str, ...]:
    if not lacking:
        return ()
    if len(lacking) == of:
        return ("There are no boundaries of these areas, so they are shown as tiles.",)
    have = "has no boundary" if len(lacking) == 1 else "have no boundaries"
    return (f"{in_a_row(lacking)} {have} here, so areas are shown as tiles and not as a map.",)


# Who waits longest? -------------------------------------------------------------------------------

WAITS = tuple(f"wait_{clock}{by}" for by in ("", "_by_kind") for clock in words.CLOCKS)


def waits(seen: Seen) -> tuple[Block, ...]:
    """How long the middle child waits at each step: in all, by group of wards, by service."""
    return (_by_clock(seen), _by_area(seen), _by_service(seen))


def _by_clock(seen: Seen) -> Block:
    rows, longest = [], list[tuple[int, str, str]]()
    drawn = list[tuple[Cell, str]]()
    for clock, said in words.CLOCKS.items():
        table = CATALOGUE[f"wait_{clock}"]
        whole = findings.at(seen.of(table.key), EVERY)
        shown = value_words(table, whole[0]) if whole else NOTES[Note.NO_DATA]
        rows.append((said, shown))
        if whole and whole[0].value is not None:
            longest.append((int(whole[0].value), said, shown))
            drawn.append((whole[0], said))
    sentence = "No wait has a published figure in this release."
    if longest:
        highest = max(weeks for weeks, _, _ in longest)
        slowest = [(said, shown) for weeks, said, shown in longest if weeks == highest]
        steps = in_a_row(f"“{lower_first(said)}”" for said, _ in slowest)
        sentence = f"Children wait longest {steps}: the middle child {slowest[0][1]}."
    chart = Chart(
        name="steps-bars",
        title="Which step takes longest? Bars",
        description=(
            f"The wait of the middle child at each step, {seen.head.term}. A bar is as long as the"
            " first week of its band. The same bands are in the table."
        ),
        table=CATALOGUE[WAITS[0]],
        cells=tuple(cell for cell, _ in drawn),
        labels=tuple(said for _, said in drawn),
    )
    return Block(
        name="steps",
        heading="Which step takes longest?",
        sentences=(sentence,),
        caption=f"The wait of the middle child in the whole area, {seen.head.term}",
        columns=("Step", "Wait"),
        rows=tuple(rows),
        chart=charts.bars(chart) if len(drawn) > 1 else None,
        alt=chart.alt if len(drawn) > 1 else "",
    )


def _by_area(seen: Seen) -> Block:
    """A row for each group of wards, a column for each step; the slowest of each step in words."""
    steps = [(CATALOGUE[f"wait_{clock}"], said) for clock, said in words.CLOCKS.items()]
    rows, slowest = _crossed(seen, steps)
    if not rows:
        return Block("areas", "Where do children wait longest?", (NO_FIGURES,))
    return Block(
        name="areas",
        heading="Where do children wait longest?",
        sentences=tuple(
            f"Children wait longest in {area} {in_a_row(f'“{lower_first(one)}”' for one in at)}."
            for area, at in slowest.items()
        )
        or ("No group of wards stands out at any step.",),
        caption=f"The wait of the middle child by group of wards, {seen.head.term}",
        columns=("Group of wards", *(said for _, said in steps)),
        rows=tuple((called, *row) for called, row in rows.items()),
        links=ways_on(seen, *(table.key for table, _ in steps)),
    )


def _by_service(seen: Seen) -> Block:
    """A row for each kind of service that has a figure, a column for each step."""
    heading = "For which services do children wait longest?"
    steps = [(CATALOGUE[f"wait_{clock}_by_kind"], said) for clock, said in words.CLOCKS.items()]
    rows, slowest = _crossed(seen, steps)
    figures = {
        code_words(table, "kind", one.cell[0], seen.areas)
        for table, _ in steps
        for one in findings.at(seen.of(table.key), None)
        if one.value is not None
    }
    if not figures:
        return Block("services", heading, ("No kind of service has a published figure.",))
    return Block(
        name="services",
        heading=heading,
        sentences=(
            *(
                f"For “{lower_first(kind)}” children wait longest at {len(at)} of {len(steps)}"
                " steps."
                for kind, at in slowest.items()
            ),
            "Kinds without any published figure are left out.",
        ),
        caption=f"The wait of the middle child by kind of service, {seen.head.term}",
        columns=("Kind of service", *(said for _, said in steps)),
        rows=tuple((kind, *row) for kind, row in rows.items() if kind in figures),
        links=ways_on(seen, *(table.key for table, _ in steps)),
    )


def _crossed(
    seen: Seen, steps: Sequence[tuple[TableDef, str]]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """By area or kind its wait at each step; and of whom alone a step takes longest, which."""
    rows: dict[str, list[str]] = {}
    slowest: dict[str, list[str]] = {}
    for at, (table, said) in enumerate(steps):
        cells = in_order(table, findings.at(seen.of(table.key), None), seen.areas)
        called = {
            one.cell: code_words(table, table.dims[0], one.cell[0], seen.areas) for one in cells
        }
        for one in cells:
            row = rows.setdefault(called[one.cell], [NOTES[Note.NO_DATA]] * len(steps))
            row[at] = value_words(table, one)
        highest = max((one.value for one in cells if one.value is not None), default=None)
        most = [one for one in cells if one.value == highest is not None]
        if len(most) == 1 and len(cells) > 1:
            slowest.setdefault(called[most[0].cell], []).append(said)
    return rows, slowest


# What does an outcome cost? -----------------------------------------------------------------------

COSTS = (
    "cost_per_outcome", "mean_cost_by_kind", "cost_by_kind", "cost_by_payer",
    "outcome_reached_by_kind",
)  # fmt: skip


def outcome_cost(seen: Seen) -> tuple[Block, ...]:
    """What services cost for each outcome and each child, and who pays."""
    asked = (
        ("cost_per_outcome", "outcomes", "What does a reached outcome cost?", "kind",
         "Dearest for each child who reached an outcome"),
        ("mean_cost_by_kind", "children", "What does a service cost for each child?", "kind",
         "Dearest for each child"),
        ("cost_by_kind", "totals", "What do services cost together?", "kind",
         "Most is spent on this kind"),
        ("cost_by_payer", "payers", "Who pays?", "payer", "Most is paid by"),
    )  # fmt: skip
    blocks = []
    for key, name, heading, dim, begin in asked:
        table = CATALOGUE[key]
        cells = findings.at(seen.of(key), None)
        sentence = findings.highest_sentence(table, cells, seen.areas, dim, begin)
        blocks.append(barred(seen, table, cells, name, heading, dim, _if_any(sentence)))
    return tuple(blocks)


# Which gap would a new service fill? --------------------------------------------------------------

GAP = ("unmet_by_kind", "places_by_kind", "capacity_use", "unmet_by_reason")


def gap(seen: Seen) -> tuple[Block, ...]:
    """Kinds of service by who lacks them, with the places that there are and how full they are."""
    unmet, places, use = (CATALOGUE[key] for key in GAP[:3])
    lacking = findings.at(seen.of(unmet.key), EVERY, None)
    found = findings.gaps(lacking, seen.of(places.key), seen.of(use.key))
    if not seen.holds(unmet.key):
        return (Block("gaps", "Which kind is lacking most?", (NO_FIGURES,)),)

    def said(table: TableDef, one: Cell | None) -> str:
        return NOTES[Note.NO_DATA] if one is None else value_words(table, one)

    def known(one: findings.Gap) -> tuple[str, str]:
        # Where nobody told of places there may be some: no share can be said.
        if one.places is None or not one.places.value:
            return "None known", "No places known"
        return said(places, one.places), said(use, one.use)

    table = Block(
        name="gaps",
        heading="Which kind is lacking most?",
        sentences=(
            findings.gap_sentence(unmet, found, seen.areas),
            "Kinds without any published figure are left out.",
        ),
        caption=f"Kinds of service: who lacks one, and what there is, {seen.head.term}",
        columns=("Kind of service", "Children who lack one", "Places", "Children for 100 places"),
        rows=tuple(
            (
                code_words(unmet, "kind", one.kind, seen.areas),
                said(unmet, one.lacking),
                *known(one),
            )
            for one in found
            if any(cell is not None and cell.value for cell in (one.lacking, one.places, one.use))
        ),
        numeric=(1, 2, 3),
        links=ways_on(seen, *GAP[:3]),
    )  # fmt: skip
    first = next((one.kind for one in found if one.lacking and one.lacking.value), None)
    if first is None:
        return (table,)
    by_area = findings.at(seen.of(unmet.key), None, first)
    asked = f"Which groups of wards lack {service_words(first)}?"
    return (table, barred(seen, unmet, by_area, "groups", asked, "area"))


# All four -----------------------------------------------------------------------------------------

EVERYTHING = tuple(dict.fromkeys((*UNMET, *WAITS, *COSTS, *GAP)))
"""The tables that the four questions read."""
MOST_ASKED_FOR = "short_break"


def first_findings(seen: Seen) -> tuple[str, ...]:
    """The first sentence of each question's answer, in their order."""
    answers = (unmet_need(seen, MOST_ASKED_FOR), waits(seen), outcome_cost(seen), gap(seen))
    return tuple(
        next((said for block in blocks for said in block.sentences), NO_FIGURES)
        for blocks in answers
    )
