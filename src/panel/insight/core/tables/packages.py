"""Tables of packages, what they cost, and of places."""

from dataclasses import replace

from panel.insight.core.facts import Capacity, Package
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.tables.variants import READ_AS_CHANGED, Also, variants
from panel.insight.core.words import Level, Span

_BY_KIND = TableDef(
    key="packages_by_kind",
    title="Children with a service in a package, by kind",
    question="What is given?",
    definition="Children who had a service of a package in the term, each once for each kind.",
    source="Packages as agreed",
    quality=(READ_AS_CHANGED, "Services that need no package are not in."),
    fact=Package,
    where=(),
    group="packages",
    dims=("area", "kind"),
    level=Level.CLUSTER,
    span=Span.TERM,
    measure=Measure.CHILDREN,
    many=("kind", "residential", "payer"),
)
_RESIDENTIAL = replace(
    _BY_KIND,
    key="residential_or_not",
    title="Children with a package, by age, residential or not",
    definition="Children who had a service of a package in the term; some have both kinds.",
    dims=("age", "residential"),
    level=Level.AUTHORITY,
)
_COST = replace(
    _BY_KIND,
    key="cost_by_kind",
    title="What packages cost, by kind of service",
    question="What does it cost?",
    definition="What services of packages cost in the term, in pounds, by kind.",
    quality=(
        "Two to five per cent are added or taken, and it is rounded to two figures.",
        "Shown where 10 children or more have part in it and no one or two make most of it.",
    ),
    dims=("kind",),
    level=Level.AUTHORITY,
    measure=Measure.TOTAL,
    of="pence",
)
_MEAN = replace(
    _COST,
    key="mean_cost_by_kind",
    title="What packages cost for each child, by kind of service",
    definition="The cost by kind by the children with a service of it, both as published.",
    source="Figures as published",
    quality=("To two figures, from changed figures. Not shown under 10 children.",),
    measure=Measure.RATIO,
    over=("cost_by_kind", "packages_by_kind_authority"),
)
_PAYER = replace(
    _COST,
    key="cost_by_payer",
    title="What packages cost, by who pays",
    definition="What each agency pays of the packages of the term, in pounds.",
    dims=("payer",),
)
_RESIDENTIAL_COST = replace(
    _COST,
    key="cost_residential_or_not",
    title="What packages cost, residential or not",
    definition="What services of packages cost in the term, in pounds, residential or not.",
    dims=("residential",),
)
_PLACES = TableDef(
    key="places_by_kind",
    title="Places, by kind of service",
    question="Which gap would a new service fill?",
    definition="Places that services of the directory have in the term.",
    source="The directory of services",
    quality=("As services tell them. It is about no child, so it is not changed.",),
    fact=Capacity,
    where=(),
    group="capacity",
    dims=("kind",),
    level=Level.AUTHORITY,
    span=Span.TERM,
    measure=Measure.PLACES,
    of="places",
)
_USE = replace(
    _PLACES,
    key="capacity_use",
    title="Children with a service for every 100 places, by kind",
    definition="Children who had a service of a package, as published, for every 100 places.",
    quality=("In steps of five. Not shown under 10 children or 10 places.",),
    measure=Measure.RATE,
    over=("packages_by_kind_authority", "places_by_kind"),
)

TABLES: tuple[TableDef, ...] = (
    *variants(_BY_KIND, Also.ROLLING, Also.AUTHORITY),
    _RESIDENTIAL,
    _COST,
    _MEAN,
    _PAYER,
    _RESIDENTIAL_COST,
    _PLACES,
    _USE,
)
