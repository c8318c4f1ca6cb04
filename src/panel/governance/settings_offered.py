"""The dated settings that governance answers for, as the page of all settings lists them."""

from collections.abc import Sequence

from panel.accounts.dated_settings import DatedSetting
from panel.governance.figures import SET_HERE
from panel.governance.pages import SPAN_WORDS, THRESHOLD_WORDS
from panel.governance.pattern_rules import DEFAULTS, Threshold
from panel.governance.thresholds import PREFIX

LAST_HOUR = 23
MOST = 10_000


def _threshold(name: Threshold) -> DatedSetting:
    label, hint = THRESHOLD_WORDS[name]
    is_hour = name in (Threshold.DAY_BEGINS, Threshold.DAY_ENDS)
    return DatedSetting(
        PREFIX + name,
        label,
        "What counts as unusual",
        DEFAULTS[name],
        least=0 if is_hour else 1,
        most=LAST_HOUR if is_hour else MOST,
        hint=hint,
        above=_beside(Threshold.DAY_BEGINS) if name is Threshold.DAY_ENDS else None,
        below=_beside(Threshold.DAY_ENDS) if name is Threshold.DAY_BEGINS else None,
    )


def _beside(name: Threshold) -> tuple[str, int]:
    return PREFIX + name, DEFAULTS[name]


def _span(name: str) -> DatedSetting:
    figure, (label, hint) = SET_HERE[name], SPAN_WORDS[name]
    return DatedSetting(
        figure.key,
        label,
        "How long things last and wait",
        figure.default,
        least=figure.least,
        most=figure.most,
        hint=hint,
    )


SETTINGS: Sequence[DatedSetting] = (
    *(_span(name) for name in SPAN_WORDS),
    *(_threshold(name) for name in THRESHOLD_WORDS),
)
