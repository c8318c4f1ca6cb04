"""A Merkle tree that only grows, as in RFC 6962, section 2.1.

It is kept as its *peaks*: the roots of the full trees that its size is made of, the largest first.
Leaves and inner nodes are hashed with different first bytes, so that neither passes for the other.
"""

from collections.abc import Iterable
from hashlib import sha256

LENGTH = 32
EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""
_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(_LEAF + content).digest()


def grown(peaks: Iterable[bytes], size: int, leaves: Iterable[bytes]) -> list[bytes]:
    """The peaks of a tree of `size` leaves after more leaf hashes were added to it."""
    grow = list(peaks)
    for leaf in leaves:
        node, full = leaf, size
        while full & 1:
            node = sha256(_NODE + grow.pop() + node).digest()
            full >>= 1
        grow.append(node)
        size += 1
    return grow


def root_of(peaks: list[bytes]) -> bytes:
    """The root of the tree that has these peaks."""
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = sha256(_NODE + peak + root).digest()
    return root


def split(kept: bytes) -> list[bytes]:
    """Peaks as they are kept, one after another."""
    return [kept[at : at + LENGTH] for at in range(0, len(kept), LENGTH)]
