"""Where a child is in the process, and the meetings around the family."""

from panel.impact import models

HANDLERS: list[object] = []
TABLES = (models.EpisodeStep, models.ImpactMeeting)
