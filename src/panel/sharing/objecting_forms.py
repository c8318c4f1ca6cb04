"""What may come in about an objection: somebody objects, and it is decided."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from panel.sharing.agreeing_forms import NamedWord
from panel.web.forms import chosen, paragraphs


class ObjectionForm(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody objects to what another parent agreed."""

    by_person: Annotated[UUID, chosen("Who objects", missing="Select who objects")]
    reason: Annotated[
        str,
        paragraphs(
            "Why", at_most=2_000, missing="Write down why: the coordinator reads it to decide"
        ),
    ]
    agencies: Annotated[list[UUID], chosen("Agencies")] = []
    categories: Annotated[list[NamedWord], chosen("Information")] = []
    about: Annotated[Literal["everything", "system"], chosen("What they object to")] = "everything"


class DecisionForm(msgspec.Struct, forbid_unknown_fields=True):
    """The coordinator decides an objection."""

    outcome: Annotated[
        Literal["upheld", "dismissed"], chosen("The decision", missing="Select what you decide")
    ]
    reason: Annotated[
        str,
        paragraphs("Why", at_most=4_000, missing="Give the reasons of both, and why you decide so"),
    ]
