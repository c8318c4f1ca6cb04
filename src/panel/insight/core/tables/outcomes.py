"""Tables of outcomes as families judge them, of what parents say, and of transitions."""

from dataclasses import replace

from panel.insight.core.facts import OutcomeChange, Perception, Transition
from panel.insight.core.table import Measure, TableDef
from panel.insight.core.tables.variants import READ_AS_CHANGED, Also, rate, variants
from panel.insight.core.words import SERVICES, Level, Span

_TRUE = frozenset({"true"})
_LOOKED_AT = TableDef(
    key="outcomes_looked_at",
    title="Children whose outcomes were looked at, by need",
    question="What comes of it?",
    definition="Children with an outcome that was scored in the term, each once for each need.",
    source="Outcomes in the plans, with their scores",
    quality=(READ_AS_CHANGED, "Outcomes that nobody scored in the term are not in."),
    fact=OutcomeChange,
    where=(),
    group="outcomes",
    dims=("area", "need"),
    level=Level.CLUSTER,
    span=Span.TERM,
    measure=Measure.CHILDREN,
    many=("need", "course", "kind"),
)
_REACHED = replace(
    _LOOKED_AT,
    key="outcome_reached",
    title="Children who reached an outcome, by need",
    definition="Children with an outcome that was scored in the term and is reached.",
    where=(("reached", _TRUE),),
)
_CHANGE = replace(
    _LOOKED_AT,
    key="outcome_change",
    title="Children whose outcomes went better, the same or worse, as families judge",
    definition="Children with an outcome scored by the family in the term, beside its first score.",
    where=(("by_family", _TRUE),),
    dims=("need", "course"),
    level=Level.AUTHORITY,
)
_REACHED_BY_KIND = replace(
    _REACHED,
    key="outcome_reached_by_kind",
    title="Children who reached an outcome, by kind of service that they had",
    definition=(
        "Children with a service of a package and an outcome that is reached, once for each kind of"
        " service in their packages of the term. That the service brought it about is not said."
    ),
    # Who had no service is not in the whole either: parts would be less than it.
    where=(*_REACHED.where, ("kind", frozenset(SERVICES))),
    dims=("kind",),
    level=Level.AUTHORITY,
)
_COST_PER_OUTCOME = replace(
    _REACHED_BY_KIND,
    key="cost_per_outcome",
    title="What packages cost for each child who reached an outcome, by kind of service",
    question="What does an outcome cost?",
    definition="What the kind of service cost, by the children who had it and reached an outcome.",
    source="Figures as published",
    quality=(
        "To two figures, from changed figures. Not shown under 10 children.",
        "The cost is that of all children with the service, whether or not they reached anything.",
    ),
    measure=Measure.RATIO,
    over=("cost_by_kind", "outcome_reached_by_kind"),
)
_OFFERED = replace(
    _LOOKED_AT,
    key="perception_offered",
    title="Children whose parents were asked what they think, by question",
    question="What do parents say?",
    definition="Children whose parents were offered the question in the term.",
    source="The survey after panels and reviews",
    quality=(
        READ_AS_CHANGED,
        "Free text is in no table.",
        "Who cannot say or takes the answer back counts as asked, not as answered.",
        "It counts in the term in which the question was asked.",
    ),
    fact=Perception,
    group="perception",
    dims=("question",),
    level=Level.AUTHORITY,
    many=("question",),
)
_ANSWERED = replace(
    _OFFERED,
    key="perception_answered",
    title="Children whose parents answered, by question",
    definition="Children whose parents answered the question in the term.",
    where=(("answer", frozenset("12345")),),
)
_SATISFIED = replace(
    _ANSWERED,
    key="perception_satisfied",
    title="Children whose parents are satisfied, by question",
    definition="Children whose parents answered with 4 or 5 of 5.",
    where=(("answer", frozenset("45")),),
)
_OFFERED_BY_AREA = replace(
    _OFFERED,
    key="perception_offered_by_area",
    title="Children whose parents were asked what they think",
    definition="Children whose parents were offered a question in the term.",
    dims=("area",),
    level=Level.CLUSTER,
)
_ANSWERED_BY_AREA = replace(
    _OFFERED_BY_AREA,
    key="perception_answered_by_area",
    title="Children whose parents answered",
    definition="Children whose parents answered a question in the term.",
    where=_ANSWERED.where,
)
_TRANSITIONS = replace(
    _LOOKED_AT,
    key="transitions",
    title="Children in a transition, by kind",
    question="Who goes on to what?",
    definition="Children with a transition that fell into the term.",
    source="Transitions in the shared records",
    quality=(READ_AS_CHANGED,),
    fact=Transition,
    group="transitions",
    dims=("area", "kind"),
    many=("kind",),
)
_IN_TIME = replace(
    _TRANSITIONS,
    key="transitions_prepared",
    title="Children whose transition was prepared in time, by kind",
    definition="Children with a transition that fell into the term and was prepared in time.",
    where=(("in_time", _TRUE),),
)

_LOOKED = variants(_LOOKED_AT, Also.ROLLING)
_REACH = variants(_REACHED, Also.ROLLING)
_ANSWER = variants(_ANSWERED, Also.ROLLING)
_SATISFY = variants(_SATISFIED, Also.ROLLING)
_TRANSIT = variants(_TRANSITIONS, Also.ROLLING)
_PREPARED = variants(_IN_TIME, Also.ROLLING)

TABLES: tuple[TableDef, ...] = (
    *_LOOKED,
    *_REACH,
    *rate("outcomes_reached", "Share who reached an outcome", "What comes of it?", _REACH, _LOOKED),
    _CHANGE,
    _REACHED_BY_KIND,
    _COST_PER_OUTCOME,
    *variants(_OFFERED, Also.ROLLING),
    *_ANSWER,
    *_SATISFY,
    *rate("perception", "Share who are satisfied", "What do parents say?", _SATISFY, _ANSWER),
    _OFFERED_BY_AREA,
    _ANSWERED_BY_AREA,
    *rate(
        "offered_answered",
        "Share of parents who answered",
        "What do parents say?",
        (_ANSWERED_BY_AREA,),
        (_OFFERED_BY_AREA,),
    ),
    *_TRANSIT,
    *_PREPARED,
    *rate("in_time", "Share prepared in time", "Who goes on to what?", _PREPARED, _TRANSIT),
)
