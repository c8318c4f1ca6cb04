"""How much speaks for two entries being one child: asked of splink, in a process of its own.

The process is given the entries and neither keys nor addresses (`weighing`): importing splink takes
a second and what it needs is large, and nothing that serves pages has either.
"""

import asyncio
import subprocess
from collections.abc import Sequence

import msgspec

from panel.insight.linking.rules import Entry, Pair
from panel.platform.elsewhere import asked
from panel.platform.problems import Problem

SECONDS = 1200
"""How long two lists may take; 5,000 and 5,000 take 7 seconds."""


class NotCompared(Problem):
    """Lists could not be compared; a sentence for whoever brought one in."""

    def __init__(self, sentence: str) -> None:
        super().__init__(
            500, "Not compared", sentence, "Nothing was taken. Bring the list in again, in parts."
        )


class Asked(msgspec.Struct, frozen=True):
    """What the process is asked: both sides, as rows of texts; "" where nothing is known."""

    listed: list[dict[str, str]]
    known: list[dict[str, str]]


async def weights(listed: Sequence[Entry], known: Sequence[Entry]) -> dict[Pair, float]:
    """The pairs that are worth judging, with their weight in bits. Raises NotCompared."""
    if not listed or not known:
        return {}
    order = msgspec.json.encode(Asked([_row(one) for one in listed], [_row(one) for one in known]))
    return await asyncio.to_thread(_weighed_elsewhere, order)


def _weighed_elsewhere(order: bytes) -> dict[Pair, float]:
    try:
        done = asked("panel.insight.linking.weighing", order, SECONDS)
    except subprocess.TimeoutExpired as late:
        raise NotCompared("The lists were not compared within 20 minutes.") from late
    if done.returncode:
        # What it wrote may hold names: only that it stopped is told.
        raise NotCompared("The lists could not be compared: the process that does it stopped.")
    rows = msgspec.json.decode(done.stdout, type=list[tuple[int, int, float]])
    return {(mine, theirs): weight for mine, theirs, weight in rows}


def _row(one: Entry) -> dict[str, str]:
    return {
        "given": one.given,
        "family": one.family,
        "born": "" if one.birth_date is None else f"{one.birth_date:%Y%m%d}",
        "sex": one.sex if one.sex in ("female", "male") else "",
        "postcode": "".join(one.postcode.split()).upper(),
        "address": " ".join(one.address.casefold().replace(",", " ").split()),
        "number": one.nhs_number,
    }
