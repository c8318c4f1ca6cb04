"""How much speaks for two being one child: asked of splink, in a process of its own.

The process is given marks, no name and no key (`weighing`): importing splink takes
a second and what it needs is large, and nothing that serves pages has either.
"""

import asyncio
import subprocess
from collections.abc import Sequence

import msgspec

from panel.insight.linking.rules import Pair
from panel.platform.elsewhere import asked
from panel.platform.problems import Problem
from panel.register.marks import Marks

SECONDS = 1200
"""How long two lists may take; 5,000 and 5,000 take 7 seconds."""


class NotCompared(Problem):
    """Lists could not be compared; a sentence for whoever brought one in."""

    def __init__(self, sentence: str) -> None:
        super().__init__(
            500, "Not compared", sentence, "Nothing was taken. Bring the list in again, in parts."
        )


class Asked(msgspec.Struct, frozen=True):
    """What the process is asked: both sides."""

    listed: Sequence[Marks]
    known: Sequence[Marks]


async def weights(listed: Sequence[Marks], known: Sequence[Marks]) -> dict[Pair, float]:
    """The pairs that are worth judging, with their weight in bits. Raises NotCompared."""
    if not listed or not known:
        return {}
    order = msgspec.json.encode(Asked(listed, known))
    return await asyncio.to_thread(_weighed_elsewhere, order)


def _weighed_elsewhere(order: bytes) -> dict[Pair, float]:
    try:
        done = asked("panel.insight.linking.weighing", order, SECONDS)
    except subprocess.TimeoutExpired as late:
        raise NotCompared("The lists were not compared within 20 minutes.") from late
    if done.returncode:
        # What it wrote may hold marks: only that it stopped is told.
        raise NotCompared("The lists could not be compared: the process that does it stopped.")
    rows = msgspec.json.decode(done.stdout, type=list[tuple[int, int, float]])
    return {(mine, theirs): weight for mine, theirs, weight in rows}
