"""The solver of linear programmes: of one thread, and silent."""

from collections.abc import Mapping

import highspy

_OPTIONS: Mapping[str, bool | int] = {"output_flag": False, "threads": 1}


class Silent(highspy.Highs):
    """A solver of one thread that prints nothing, not even when it is made."""

    def __init__(self) -> None:
        # Past what listens to the solver, which nothing here does: to listen it prints a banner
        # on the way, before it can be told not to.
        super(highspy.Highs, self).__init__()
        for option, setting in _OPTIONS.items():
            self.setOptionValue(option, setting)
