"""Tables of the children known: how many, who is expected, and who is on which list."""

from dataclasses import replace

from panel.insight.core.facts import ChildTerm, Coverage
from panel.insight.core.nesting import KNOWN
from panel.insight.core.rates import EXPECTED
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.tables.variants import READ_AS_CHANGED, Also, variants
from panel.insight.core.words import Level, Span

_RECORDS = "The shared records of the agencies, as they stood at the end of the term"
_WHO = (
    "Children who had an open record at some time of the term, or for whom anything else was"
    " counted in it, each once"
)

_BY_AREA = TableDef(
    key="known_by_area",
    title="Children known",
    question="Who is known?",
    definition=f"{_WHO}, by the ward of their home at its end.",
    source=_RECORDS,
    quality=(
        READ_AS_CHANGED,
        "Children whom no agency has recorded are not counted.",
        "A child without a known ward counts in the whole area only.",
    ),
    fact=ChildTerm,
    where=KNOWN,
    group="known",
    dims=("area",),
    level=Level.CLUSTER,
    span=Span.TERM,
    measure=Measure.CHILDREN,
)


def _known(key: str, by: str, *dims: str) -> TableDef:
    return replace(
        _BY_AREA,
        key=key,
        title=f"Children known, by {by}",
        definition=f"{_WHO}, by {by} at its end.",
        dims=("area", *dims),
    )


_ADDITIVE = replace(
    _known("known_by_age_additive", "age, adding up", "age"),
    definition="“Children known, by age” as published, moved as little as makes it add up.",
    source="Figures as published",
    quality=(
        "Parts add up to their wholes, and a figure may be further from the truth for it.",
        "What is not shown in that table counts as 0 before figures are moved.",
        "Only children with a known ward.",
    ),
    measure=Measure.ADDITIVE,
    group="additive",
    of="known_by_age",
)

_COVERAGE = replace(
    _BY_AREA,
    fact=Coverage,
    group="coverage",
    level=Level.AUTHORITY,
    question="Who is on one list and not on the other?",
    source="Lists that were brought in, and the shared records",
    quality=(
        READ_AS_CHANGED,
        "Doubtful pairs wait for a person: some children count as missing who are on the list.",
        "A kind of list that nobody brought in has no figures.",
    ),
    many=("list",),
)
_WITH_NAMES = frozenset({"sen", "health"})
"""The lists on which somebody stands; the third is counts alone."""
_EXPECTED = replace(
    _BY_AREA,
    key="known_against_expected",
    title="Children known for every 100 expected",
    question="Who is not known yet?",
    definition=(
        "Children known, as published, for every 100 whom one would expect by two published"
        " definitions. The truth lies somewhere between: neither is the right one."
    ),
    source="Figures as published, and the population by ward that was brought in",
    quality=(
        "In steps of five. Not shown without a population, or under 10 children.",
        "The expected shares hold for the whole country: an area may differ.",
        *(one.in_words() for one in EXPECTED.values()),
    ),
    group="expected",
    dims=("area", "band"),
    measure=Measure.INDEX,
    of="population",
)
_POPULATION = replace(
    _BY_AREA,
    key="population_by_area",
    title="Children who live here",
    question="Who is not known yet?",
    definition="Children of the population figures that were brought in, of the newest year.",
    source="Population figures by ward, as published elsewhere",
    quality=("Not changed here. Not shown for an area of which a ward has no figure.",),
    group="elsewhere",
    measure=Measure.ELSEWHERE,
    of="population",
)
_EXPECTED_CHILDREN = replace(
    _POPULATION,
    key="expected_by_area",
    title="Children whom one would expect, at least and at most",
    definition=(
        "The population by two published shares: from the fewest whom one would expect, those with"
        " the most complex needs, to the most, all who are disabled. Neither is the right one."
    ),
    quality=(
        "In steps of five. Not shown without a population.",
        "The expected shares hold for the whole country: an area may differ.",
        *(one.in_words() for one in EXPECTED.values()),
    ),
    dims=("area", "band"),
    of="expected",
)
_DLA = replace(
    _POPULATION,
    key="dla_by_area",
    title="Children with Disability Living Allowance",
    definition="Children with the allowance by ward, as the newest list of published counts says.",
    source="Counts by ward that were brought in as published, of the year up to the term’s end",
    quality=(
        "Not changed here: whoever published it rounded it. Other lists are not in.",
        "Not shown for an area of which a ward has no figure.",
    ),
    of="dla",
)


def _projected(key: str, title: str, of: str) -> TableDef:
    return replace(
        _BY_AREA,
        key=key,
        title=title,
        question="What is to come?",
        definition="The line through the published terms, and how far they lay from it at most.",
        source="Figures as published in earlier terms",
        quality=("Shown from four published terms on. It knows of no plans and no new houses.",),
        group="projection",
        dims=("ahead", "edge"),
        level=Level.AUTHORITY,
        measure=Measure.INDEX,
        of=of,
    )


TABLES: tuple[TableDef, ...] = (
    *variants(_BY_AREA, Also.WARD, Also.ROLLING, Also.WARD_ROLLING),
    *variants(_known("known_by_age", "age", "age"), Also.WARD, Also.ROLLING),
    _ADDITIVE,
    *variants(_known("known_by_need", "primary need", "need"), Also.WARD, Also.ROLLING),
    *variants(_known("known_by_sex", "age and sex", "age", "sex"), Also.AUTHORITY),
    *variants(
        _known("known_by_level", "primary need and level of need", "need", "level"), Also.ROLLING
    ),
    *variants(_known("known_by_ethnicity", "ethnic group", "ethnicity"), Also.ROLLING),
    replace(
        _COVERAGE,
        key="on_lists",
        title="Children on a list, by primary need",
        definition="Children who are on the list at the end of the term, known here or not.",
        where=(("listed", frozenset({"true"})), ("list", _WITH_NAMES)),
        dims=("list", "need"),
    ),
    replace(
        _COVERAGE,
        key="on_list_not_known",
        title="Children on a list who are not known",
        definition="Children who are on the list, and of whom there is no record.",
        where=(
            ("listed", frozenset({"true"})),
            ("known", frozenset({"false"})),
            ("list", _WITH_NAMES),
        ),
        dims=("list",),
    ),
    replace(
        _COVERAGE,
        key="known_not_on_list",
        title="Children known who are not on a list",
        definition="Children of whom there is a record, and who are not on the list.",
        where=(
            ("listed", frozenset({"false"})),
            ("known", frozenset({"true"})),
            ("list", _WITH_NAMES),
        ),
        dims=("list",),
    ),
    replace(
        _COVERAGE,
        key="on_one_list_only",
        title="Children on one list and on no other",
        definition="Children who are on the list and on none of another kind, known here or not.",
        where=(
            ("listed", frozenset({"true"})),
            ("elsewhere", frozenset({"false"})),
            ("list", _WITH_NAMES),
        ),
        dims=("list",),
        quality=(
            *_COVERAGE.quality,
            "Not shown while there is one kind of list alone.",
            "Who is not known here is one child where two lists give the same NHS number.",
            "Without a number it is the same name and birth date.",
        ),
    ),
    _EXPECTED,
    _EXPECTED_CHILDREN,
    *variants(_POPULATION, Also.WARD),
    *variants(_DLA, Also.WARD),
    _projected("projected_known", "Children known, in terms to come", "known_by_area"),
    _projected("projected_unmet", "Children with an unmet need, in terms to come", "unmet_by_kind"),
)
