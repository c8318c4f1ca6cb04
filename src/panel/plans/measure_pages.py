"""What the plan's page says of measures, charts, needs and services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from panel.plans.linking import NeedChoice, NeedShown
from panel.plans.measure_rules import Smart, missing_parts
from panel.plans.measures import JUDGE_WORDS, NOT_MEASURED, Measured, number_words
from panel.plans.progress import SeriesShown, number_series, scaling_series
from panel.plans.reading import OutcomeReading, PlanReading
from panel.web.words import day, in_a_row

JUDGES = list(JUDGE_WORDS.items())
KINDS = {"number": "What is counted", "scaling": "The question on a scale of 0 to 10"}


@dataclass(frozen=True, slots=True)
class OutcomeMore:
    """What a plan shows of an outcome beside its words and its score."""

    facts: Sequence[tuple[str, str]]
    charts: Sequence[SeriesShown]
    needs: Sequence[NeedShown]
    lacks: str
    """What would make it SMART, as a sentence; empty where nothing is missing."""
    takes_readings: bool


@dataclass(frozen=True, slots=True)
class PlanMore:
    """What a plan shows beside its lines, and whether it changed since it was agreed."""

    outcomes: Mapping[UUID, OutcomeMore]
    services: Mapping[UUID, str]
    is_changed: bool = False


NOTHING_MORE = PlanMore({}, {})


def smart_facts(smart: Smart) -> list[tuple[str, str]]:
    """The SMART parts in words, as far as they are there."""
    facts = (
        (
            "Where things stood at the start",
            _both(smart.baseline_words, smart.baseline_number, smart.unit),
        ),
        ("What we aim for", _both(smart.target_words, smart.target_number, smart.unit)),
        ("By when", "" if smart.by_on is None else day(smart.by_on)),
        ("Who judges", JUDGE_WORDS.get(smart.judged_by or "", "")),
    )
    return [(label, words) for label, words in facts if words]


def _both(words: str, number: Decimal | None, unit: str) -> str:
    counted = f"{number_words(number)} {unit}".strip() if number is not None else ""
    if not words:
        return counted
    return f"{words.rstrip('.')} ({counted})" if counted else words


def charts_of(outcome_id: UUID, number: int, measured: Measured) -> list[SeriesShown]:
    """The charts of an outcome's readings, as far as there are any."""
    shown = (
        number_series(outcome_id, measured, title=f"Outcome {number}: {measured.smart.unit}"),
        scaling_series(outcome_id, measured),
    )
    return [one for one in shown if one is not None]


def plan_more(
    plan: PlanReading,
    measured: Mapping[UUID, Measured],
    needs: Mapping[UUID, Sequence[NeedShown]],
    services: Mapping[UUID, str],
    *,
    is_changed: bool = False,
) -> PlanMore:
    """What belongs to each outcome and action of a plan."""
    return PlanMore(
        {
            one.id: _outcome(one, number, measured.get(one.id, NOT_MEASURED), needs.get(one.id, ()))
            for number, one in enumerate(plan.outcomes, start=1)
        },
        services,
        is_changed,
    )


def _outcome(
    one: OutcomeReading, number: int, measured: Measured, needs: Sequence[NeedShown]
) -> OutcomeMore:
    smart = measured.smart
    lacks = missing_parts(one.text, one.measure, smart)
    return OutcomeMore(
        facts=smart_facts(smart),
        charts=charts_of(one.id, number, measured),
        needs=needs,
        lacks=f"Still to say: {in_a_row(lacks)}." if lacks else "",
        takes_readings=bool(smart.unit or smart.scaling_question),
    )


def kinds_of(measured: Measured) -> list[tuple[str, str]]:
    """What can be read off now: what is counted, the question on a scale."""
    smart = measured.smart
    kinds = []
    if smart.unit:
        kinds.append(("number", f"{KINDS['number']}: {smart.unit}"))
    if smart.scaling_question:
        kinds.append(("scaling", f"{smart.scaling_question} (0 to 10)"))
    return kinds


def need_choices(choices: Sequence[NeedChoice]) -> list[tuple[str, str, str]]:
    """Needs as choices: value, the question, the section as its hint."""
    return [(one.value, one.label, one.section) for one in choices]
