"""The tree is that of RFC 6962, however its leaves came in."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from panel.platform.merkle import EMPTY, grown, leaf_hash, root_of, split

LEAVES = [bytes.fromhex(one) for one in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
"""What the authors of the RFC try their own trees with."""


def by_definition(leaves: list[bytes]) -> bytes:
    """Section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + by_definition(leaves[:half]) + by_definition(leaves[half:])).digest()


def test_it_gives_the_roots_that_others_give() -> None:
    leaves = [leaf_hash(one) for one in LEAVES]
    assert root_of(grown([], 0, leaves[:1])).hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert root_of(grown([], 0, leaves)).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
    assert root_of([]) == EMPTY


@given(st.lists(st.integers(0, 9), max_size=12))
def test_batches_of_any_size_give_the_tree_of_all(batches: list[int]) -> None:
    peaks: list[bytes] = []
    every: list[bytes] = []
    for size in batches:
        more = [leaf_hash(str(len(every) + one).encode()) for one in range(size)]
        peaks = split(b"".join(grown(peaks, len(every), more)))
        every += more
        assert root_of(peaks) == by_definition(every)
