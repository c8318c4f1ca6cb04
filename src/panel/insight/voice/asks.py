"""The survey on a family's first page: wired in `app`."""

from collections.abc import Sequence

from panel.insight.voice.answering import OwnSurvey, own_surveys
from panel.insight.voice.pages import survey_path
from panel.insight.voice.rules import OCCASIONS, SurveyState, closes_on
from panel.records.family_asks import FamilyAsk
from panel.records.gate import Access
from panel.web import words

KEPT_IN_SIGHT = 3
"""Answered surveys that the first page leads to, so that they can be changed or taken back."""


class Surveys:
    """The questions after panels and reviews."""

    async def of(self, access: Access) -> Sequence[FamilyAsk]:
        """What waits for them first, then what they answered last."""
        own = await own_surveys(access)
        waiting = [one for one in own if one.state is SurveyState.OFFERED and one.is_open]
        answered = [one for one in own if one.state is SurveyState.ANSWERED]
        return [
            *(_offered(one) for one in waiting),
            *(_answered(one) for one in answered[:KEPT_IN_SIGHT]),
        ]


def _offered(one: OwnSurvey) -> FamilyAsk:
    href = survey_path(one.child_id, one.id)
    return FamilyAsk(
        title=f"Five short questions about {OCCASIONS[one.occasion]} on {words.day(one.held_on)}",
        more=f"You can answer until {words.day(closes_on(one.offered_on))}.",
        href=href,
        is_new=True,
        dismiss=f"{href}/dismiss",
        version=one.version,
    )


def _answered(one: OwnSurvey) -> FamilyAsk:
    return FamilyAsk(
        title=f"What you answered about {OCCASIONS[one.occasion]} on {words.day(one.held_on)}",
        more="",
        href=survey_path(one.child_id, one.id),
        is_new=False,
    )
