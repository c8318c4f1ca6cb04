"""The solver of linear programmes, of one thread, as everything here uses it."""

from collections.abc import Mapping

import highspy

_OPTIONS: Mapping[str, bool | int] = {"output_flag": False, "threads": 1}


class Silent(highspy.Highs):
    """A solver that prints nothing when it is made; what goes wrong is in what it returns."""

    def __init__(self) -> None:
        # Past what listens to the solver, which nothing here does: to listen it prints a banner
        # on the way, before it can be told not to.
        super(highspy.Highs, self).__init__()
        for option, setting in _OPTIONS.items():
            self.setOptionValue(option, setting)
