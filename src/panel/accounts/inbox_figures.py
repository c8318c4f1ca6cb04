"""How much of what other systems sent an authority keeps, and how long: settings with defaults.

What is with a child goes with the child's record. This is about the rest: nobody knows whose it is,
or it is nobody's here. Ninety days are enough to find out, and to answer a sender who asks.
"""

from collections.abc import Mapping

from panel.accounts.figures import Figure

KEPT_DAYS = Figure("inbox.kept_days", default=90, least=28, most=730)
"""Days for which what is about no child here is kept once nothing happened to it any more."""
MOST_WAITING = Figure("inbox.most_waiting", default=2_000, least=100, most=100_000)
"""How much one system may have waiting for a person."""
MOST_MEGABYTES = Figure("inbox.most_megabytes", default=1_024, least=64, most=65_536)
"""How large all of it may be that is about no child yet, with what was refused (10^6 bytes)."""
FIGURES: Mapping[str, Figure] = {
    "inbox_kept_days": KEPT_DAYS,
    "inbox_most_waiting": MOST_WAITING,
    "inbox_most_megabytes": MOST_MEGABYTES,
}
"""By the name of the field."""
