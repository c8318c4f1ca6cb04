"""What may come in about a panel's settings, with the bounds within which a panel can work."""

from typing import Annotated, Any, Literal

import msgspec

from panel.web.forms import amount, chosen, line

Kind = Literal[
    "health", "education", "social_care", "council", "voluntary", "gp", "school", "icb"
]  # fmt: skip
LONGEST_ADVICE = 300


class SettingsForm(msgspec.Struct, forbid_unknown_fields=True):
    """All settings of a panel at once."""

    version: int
    cut_off_working_days: Annotated[
        int, amount("Working days before a meeting", at_least=0, at_most=30)
    ]
    minutes_per_child: Annotated[int, amount("Minutes for a child", at_least=1, at_most=240)]
    capacity_minutes: Annotated[int, amount("Minutes of a meeting", at_least=1, at_most=600)]
    review_months: Annotated[int, amount("Months until a review", at_least=1, at_most=12)]
    age_limit: Annotated[int, amount("Years of age", at_least=1, at_most=25)]
    quorum_minimum: Annotated[int, amount("How many people", at_least=0, at_most=30)]
    notes_working_days: Annotated[int, amount("Working days to the notes", at_least=0, at_most=30)]
    pack_working_days: Annotated[
        int, amount("Working days that packs stay open", at_least=0, at_most=60)
    ]
    why: Annotated[str, line("Why", missing="Say why, for whoever reads this next year")]
    quorum_kinds: Annotated[list[Kind], chosen("Kinds of agency")] = []
    quorum_chair: Annotated[bool, chosen("The chair")] = False

    def wanted(self) -> dict[str, Any]:
        """Every setting, by its name."""
        return {
            name: getattr(self, name).rstrip(" .") if name == "advice" else getattr(self, name)
            for name in self.__struct_fields__
            if name not in {"version", "why", "quorum_kinds", "quorum_chair"}
        } | {
            "quorum_kinds": tuple(self.quorum_kinds),
            "quorum_roles": ("chair",) if self.quorum_chair else (),
        }


class DecidingForm(SettingsForm, forbid_unknown_fields=True, kw_only=True):
    """The same for a panel that decides: its families may ask it to look again."""

    appeal_working_days: Annotated[
        int, amount("Working days to ask again", at_least=1, at_most=120)
    ]
    advice: Annotated[
        str,
        line(
            "Whom letters name for advice",
            at_most=LONGEST_ADVICE,
            missing="Say whom families can ask for advice, and how to reach them",
        ),
    ]
