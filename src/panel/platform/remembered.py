"""What was made from facts, kept beside the very facts that it was made from.

For work that is pure: the facts are read anew each time and are the key, so what is kept can
never be older than they are. The least recently asked is forgotten first.
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Generic, TypeVar

Made = TypeVar("Made")

FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Remembered(Generic[Made]):
    """So many things made, each good from one moment until another, which is not included."""

    def __init__(self, most: int) -> None:
        """Args: `most`, how many are kept at once."""
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[datetime, datetime, Made]] = OrderedDict()

    def get(self, facts: Hashable, at: datetime) -> Made | None:
        """What was made of these facts, if it is good at the moment."""
        kept = self._kept.get(facts)
        if kept is None or not kept[0] <= at < kept[1]:
            return None
        self._kept.move_to_end(facts)
        return kept[2]

    def keep(self, facts: Hashable, made: Made, at: datetime, until: datetime = FOR_EVER) -> Made:
        """Keep what was made at a moment, and give it back; what is over leaves the memory."""
        self._kept[facts] = (at, until, made)
        self._kept.move_to_end(facts)
        while self._kept and (len(self._kept) > self._most or self._is_oldest_over(at)):
            self._kept.popitem(last=False)
        return made

    def _is_oldest_over(self, at: datetime) -> bool:
        _, until, _ = next(iter(self._kept.values()))
        return until <= at

    def forget(self) -> None:
        """Forget all."""
        self._kept.clear()
