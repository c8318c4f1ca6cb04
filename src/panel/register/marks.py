"""Marks of a child: what a name, a birth and a home come to under the authority's key.

Two records can be compared by them without either being opened: the same name gives the same mark,
and a name that is nearly the same shares one of several. A mark says no name, and nobody makes one
from a name without the key of blind indexes. They stand beside the record, are written with it, and
go with it when its key is destroyed.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from panel.platform.crypto import Keyring
from panel.register.names import folded_words, sound_keys

_LONG = 8
"""Bytes of a mark: among a million there is no chance of two that are alike."""
_BEGINNING = 4
"""Letters at which Fred and Frederick begin the same."""
_LONGEST = 40
"""Letters of a name that are compared."""
_MOST_WORDS = 30
"""Words of an address that are compared."""


class Marks(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One child as it is compared. "" and no marks where nothing is known. Its text says nothing.

    Given and family names have marks of one kind, so that names in each other's place are seen.
    """

    given: str = ""
    """Of all given names run together: "Mary-Ann" and "Mary Ann" are one."""
    given_slips: tuple[str, ...] = ()
    """Two that share one are the same but for one letter: more, fewer, another, or two swapped."""
    given_sounds: tuple[str, ...] = ()
    """Two that share one sound or begin alike."""
    family: str = ""
    family_slips: tuple[str, ...] = ()
    family_sounds: tuple[str, ...] = ()
    born: str = ""
    born_parts: tuple[str, ...] = ()
    """Two of day, month and year; and the day and month in any order."""
    sex: str = ""
    """"female" or "male"; anything else says nothing."""
    postcode: str = ""
    postcode_slips: tuple[str, ...] = ()
    address: str = ""
    address_words: tuple[str, ...] = ()
    number: str = ""
    """Of the NHS number."""

    def __repr__(self) -> str:
        """Nothing of whom it is."""
        return "Marks()"


def marks_of(
    ring: Keyring,
    *,
    given_name: str,
    family_name: str,
    birth_date: date | None,
    sex: str = "",
    postcode: str = "",
    address: str = "",
    nhs_number: str = "",
) -> Marks:
    """The marks of a child, as the register or a list has it."""
    under = _Under(ring)
    given, family = (_joined(folded_words(one)) for one in (given_name, family_name))
    code = "".join(postcode.split()).upper()[:_LONGEST]
    words = address.casefold().replace(",", " ").split()[:_MOST_WORDS]
    return Marks(
        given=under.one("name", given),
        given_slips=under.all("name", _slips(given)),
        given_sounds=under.all("sound", _sounds(given)),
        family=under.one("name", family),
        family_slips=under.all("name", _slips(family)),
        family_sounds=under.all("sound", _sounds(family)),
        born="" if birth_date is None else under.one("born", birth_date.isoformat()),
        born_parts=under.all("born", _parts(birth_date)),
        sex=sex if sex in {"female", "male"} else "",
        postcode=under.one("postcode", code),
        postcode_slips=under.all("postcode", _slips(code)),
        address=under.one("address", " ".join(words)),
        address_words=under.all("address word", words),
        number=under.one("number", nhs_number),
    )


class _Under:
    """Makes marks under an authority's key."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring

    def one(self, kind: str, text: str) -> str:
        """The mark of a text; "" of none."""
        return self._ring.index(f"child.mark.{kind}", text)[:_LONG].hex() if text else ""

    def all(self, kind: str, texts: Iterable[str]) -> tuple[str, ...]:
        """The marks of texts, each once, in an order that tells nothing of theirs."""
        return tuple(sorted({self.one(kind, text) for text in texts if text}))


def _joined(words: Iterable[str]) -> str:
    return "".join(words)[:_LONGEST]


def _slips(text: str) -> set[str]:
    """The text, and itself without any one letter.

    Two texts of which one comes from the other by one letter more, fewer or other, or by two
    neighbours swapped, have one of these in common.
    """
    return {text, *(text[:at] + text[at + 1 :] for at in range(len(text)))} if text else set()


def _sounds(name: str) -> set[str]:
    begins = {f"begins {name[:_BEGINNING]}"} if len(name) >= _BEGINNING else set()
    return {*sound_keys(name), *begins}


def _parts(born: date | None) -> tuple[str, ...]:
    if born is None:
        return ()
    first, second = sorted((born.day, born.month))
    return (
        f"{born:%Y-%m}",
        f"{born:%Y}, day {born.day}",
        f"{born:%m}, day {born.day}",
        f"{born:%Y}, {first} and {second}",
    )
