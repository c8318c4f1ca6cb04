"""Tables of what is asked for and what is decided."""

from dataclasses import replace

from panel.insight.core.facts import Request
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.tables.variants import READ_AS_CHANGED, Also, rate, variants
from panel.insight.core.words import AGREES, DECISIONS, Level, Span

_DECIDED = (("decision", frozenset(DECISIONS)),)
_AGREED = (("decision", AGREES),)

_BY_KIND = TableDef(
    key="requests_by_kind",
    title="Children for whom a service was requested, by kind",
    question="What is asked for?",
    definition="Children with a request that was made in the term, each once for each kind.",
    source="Requests to the panel",
    quality=(
        READ_AS_CHANGED,
        "Only what was put to a panel. What a family did not ask for, or found itself, is not in.",
    ),
    fact=Request,
    where=(),
    group="demand",
    dims=("area", "kind"),
    level=Level.CLUSTER,
    span=Span.TERM,
    measure=Measure.CHILDREN,
    many=("kind", "basis", "decision"),
)
_BY_BASIS = replace(
    _BY_KIND,
    key="requests_by_basis",
    title="Children for whom a service was requested, by kind and law",
    definition="Children with a request that was made in the term, by the law that it rests on.",
    dims=("area", "kind", "basis"),
)
_BY_NEED = replace(
    _BY_KIND,
    key="requests_by_need",
    title="Children for whom a service was requested, by primary need",
    definition="Children with a request that was made in the term, by the child’s primary need.",
    dims=("area", "need"),
)
_DECISIONS = replace(
    _BY_KIND,
    key="decisions",
    title="Children for whom was decided, by kind and decision",
    question="What is decided?",
    definition="Children with a request of the term that a panel decided, by its newest decision.",
    where=_DECIDED,
    dims=("area", "kind", "decision"),
)
_WAYS = {
    "area": "area",
    "ethnicity": "ethnic group",
    "age": "age",
    "need": "primary need",
    "level": "level of need",
}


def _equity(dim: str, by: str) -> tuple[TableDef, ...]:
    decided = replace(
        _DECISIONS,
        key=f"decided_by_{dim}",
        title=f"Children for whom was decided, by {by}",
        question="Is it decided alike for all?",
        definition="Children with a request of the term that a panel decided.",
        dims=(dim,),
        level=Level.CLUSTER if dim == "area" else Level.AUTHORITY,
    )
    agreed = replace(
        decided,
        key=f"agreed_by_{dim}",
        title=f"Children to whom something was agreed, by {by}",
        definition="Children with a request of the term that was agreed, whole or in part.",
        where=_AGREED,
    )
    return (
        decided,
        agreed,
        *rate(
            f"decisions_by_{dim}",
            f"Share to whom something was agreed, by {by}",
            "Is it decided alike for all?",
            (agreed,),
            (decided,),
        ),
    )


TABLES: tuple[TableDef, ...] = (
    *variants(_BY_KIND, Also.WARD, Also.ROLLING),
    *variants(_BY_BASIS, Also.AUTHORITY),
    *variants(_BY_NEED, Also.ROLLING),
    *variants(_DECISIONS, Also.AUTHORITY),
    *(table for dim, by in _WAYS.items() for table in _equity(dim, by)),
)
