"""What the information governance lead sets on one page: by the name of its field, in groups."""

from collections.abc import Mapping

from panel.accounts.figures import Figure
from panel.accounts.inbox_figures import FIGURES as OF_THE_INBOX
from panel.accounts.people_joining import LINK_DAYS
from panel.plans.service import CHASE_FIGURES
from panel.register.service import FAMILY_FIGURES
from panel.sharing.spans import FIGURES as SHARING

WAYS_IN: Mapping[str, Figure] = {
    "worker_invitation_days": LINK_DAYS,
    **{f"family_{name}": one for name, one in FAMILY_FIGURES.items()},
}
SET_HERE: Mapping[str, Figure] = {**SHARING, **WAYS_IN, **OF_THE_INBOX, **CHASE_FIGURES}
NAME_OF: Mapping[str, str] = {one.key: name for name, one in SET_HERE.items()}
"""The field of each setting."""
