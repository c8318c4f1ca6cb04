"""Tables of unmet need, and of how long children wait."""

from dataclasses import replace

from panel.insight.core.facts import Unmet, Wait
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.tables.variants import READ_AS_CHANGED, Also, variants
from panel.insight.core.words import CLOCKS, Level, Span, lower_first

_BY_KIND = TableDef(
    key="unmet_by_kind",
    title="Children with an unmet need, by kind of service",
    question="Where is need not met?",
    definition="Children with a need that was unmet at some time of the term, once for each kind.",
    source="What panels and plans write down as unmet",
    quality=(
        READ_AS_CHANGED,
        "Need that nobody wrote down as unmet is not in. Compare areas with care: some write more.",
    ),
    fact=Unmet,
    where=(),
    group="unmet",
    dims=("area", "kind"),
    level=Level.CLUSTER,
    span=Span.TERM,
    measure=Measure.CHILDREN,
    many=("kind", "reason", "need"),
)
_BY_REASON = replace(
    _BY_KIND,
    key="unmet_by_reason",
    title="Children with an unmet need, by kind of service and reason",
    question="Why is need not met?",
    dims=("area", "kind", "reason"),
)
_BY_NEED = replace(
    _BY_KIND,
    key="unmet_by_need",
    title="Children with an unmet need, by need",
    definition="Children with a need that was unmet at some time of the term, once for each need.",
    dims=("area", "need"),
)


def _wait(clock: str, said: str) -> TableDef:
    return replace(
        _BY_KIND,
        key=f"wait_{clock}",
        title=f"Median wait: {lower_first(said)}",
        question="Who waits longest?",
        definition=(
            "The band of weeks in which the wait of the middle child lies, those who still wait"
            " among them with their wait until the end of the term."
        ),
        source="The dates that agencies write down",
        quality=(
            "A band, and not exact: the middle is moved a little. Not shown under 10 children.",
        ),
        fact=Wait,
        where=(("clock", frozenset({clock})),),
        group="waits",
        dims=("area",),
        measure=Measure.MEDIAN_BAND,
        of="days",
        many=(),
    )


def _wait_by_kind(clock: str, said: str) -> TableDef:
    by_area = _wait(clock, said)
    # What is asked for before the panel is not known when these clocks begin.
    early = clock in {"identified_referral", "referral_panel"}
    for_what = (
        " By the kinds of service asked for in the meantime, a child once for each."
        if early
        else " By the kind of service that is waited for."
    )
    return replace(
        by_area,
        key=f"{by_area.key}_by_kind",
        title=f"{by_area.title}, by kind of service",
        definition=by_area.definition + for_what,
        dims=("kind",),
        level=Level.AUTHORITY,
        many=("kind",),
    )


TABLES: tuple[TableDef, ...] = (
    *variants(_BY_KIND, Also.WARD, Also.ROLLING, Also.WARD_ROLLING),
    *variants(_BY_REASON, Also.ROLLING),
    *variants(_BY_NEED, Also.ROLLING),
    *(_wait(clock, said) for clock, said in CLOCKS.items()),
    *(_wait_by_kind(clock, said) for clock, said in CLOCKS.items()),
)
