"""What must not go out in a note to parents, found in its text: where it is, and why.

Pure. Names of other children in every form that people write them in, third parties, telephone
numbers, addresses, identifiers and jargon. A mark is a question to the writer: it is taken out, or
kept with a reason. What would tell somebody a protected address cannot be kept. Source: DOMAIN.md,
"Parents' notes".

No mark says whose name it was taken for: that a child is on the same agenda is not for everybody
who writes a note.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import zip_longest
from string import ascii_lowercase

from panel.panels.note_language import (
    BEFORE_A_MONTH,
    CAPITALS,
    GIVEN_NAMES,
    HOUSES,
    INSTITUTIONS,
    JARGON,
    NOT_AN_INITIAL,
    ORDINARY,
    PLAIN_ABBREVIATIONS,
    STREETS,
    THIRD_PARTIES,
    TITLES,
    VERBS_AFTER_A_NAME,
    WORDS_THAT_ARE_NAMES,
)
from panel.register.service import folded_words, sound_keys

_AS_THEY_ARE = frozenset("…´¨")
"""Signs that would become several, of which one is a space or ends a sentence three times."""

SHORTEST_MISSPELT = 4
"""Letters: a shorter name is too near to too many words."""


class MarkKind(StrEnum):
    """What a marked place may be; the order is which one counts where two overlap."""

    PROTECTED = "protected"
    NHS_NUMBER = "nhs_number"
    EMAIL = "email"
    ADDRESS = "address"
    PHONE = "phone"
    OTHER_CHILD = "other_child"
    THIRD_PARTY = "third_party"
    JARGON = "jargon"


def kept_as(kind: str) -> str:
    """Under which kind a reason is remembered: a name is a name, whoever reads what it may be."""
    return MarkKind.THIRD_PARTY.value if kind == MarkKind.OTHER_CHILD else str(kind)


@dataclass(frozen=True, slots=True)
class Mark:
    """One marked place: characters `start` to `end` of the text, what it may be, what to do."""

    kind: MarkKind
    start: int
    end: int
    words: str
    reason: str
    may_be_kept: bool = True

    @property
    def key(self) -> tuple[str, str]:
        """What a reason to keep it is remembered by: every such place has the same."""
        return (kept_as(self.kind), " ".join(self.words.casefold().split()))


@dataclass(frozen=True, slots=True)
class OtherChild:
    """Another child, whom the note must not name. `given`: first names and what they are called."""

    given: tuple[str, ...]
    family: str = ""


@dataclass(frozen=True)
class NoteContext:
    """Who may be named in a note, and who may not. Names are as people give them."""

    child: tuple[str, ...] = ()
    """The child's own names."""
    recipients: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    """The people of the meeting and those who work with the child."""
    places: tuple[str, ...] = ()
    """Agencies, schools, wards, where the panel meets."""
    phones: tuple[str, ...] = ()
    """The recorded numbers of those workers: any other is marked."""
    others: tuple[OtherChild, ...] = ()
    addresses: tuple[str, ...] = ()
    """Addresses of the child and the family, line by line."""
    protected: tuple[str, ...] = ()
    """What one of the recipients must not learn: an address, a postcode, a telephone number."""
    telling: tuple[str, ...] = ()
    """What could tell such a recipient where the child is: the school, who works with the child."""
    telling_names: tuple[str, ...] = ()
    """Of those who work with the child, told the same: one word of a name is enough."""
    asked_blind: bool = False
    """Whether the writer may not know who else is on the agenda: what is marked must not tell."""

    @cached_property
    def own(self) -> frozenset[str]:
        """The words of the child's and the recipients' names."""
        return _words_of((*self.child, *self.recipients))

    @cached_property
    def worker_words(self) -> frozenset[str]:
        """The words of the workers' names."""
        return _words_of(self.workers)

    @cached_property
    def place_words(self) -> frozenset[str]:
        """The words of the places' names."""
        return _words_of(self.places)

    @cached_property
    def known(self) -> frozenset[str]:
        """Every word that may begin with a capital."""
        return self.own | self.worker_words | self.place_words

    @cached_property
    def own_initials(self) -> frozenset[str]:
        """The first letters of the child's and the recipients' names."""
        return frozenset(word[0] for word in self.own)

    @cached_property
    def own_numbers(self) -> frozenset[str]:
        """The workers' recorded numbers, digits alone."""
        return frozenset(_national(one) for one in self.phones if one)

    @cached_property
    def telling_words(self) -> frozenset[str]:
        """The words of names that could tell where the child is, but for the family's own."""
        return _words_of(self.telling_names) - self.own

    @cached_property
    def other_names(self) -> frozenset[str]:
        """The words of the other children's names that are not the child's own too."""
        every = _words_of(name for one in self.others for name in (*one.given, one.family))
        return every - self.own

    @cached_property
    def names_of_others(self) -> frozenset[str]:
        """What is marked as a name: theirs, and for who is not to learn them any first name."""
        return self.other_names | (GIVEN_NAMES - self.known if self.asked_blind else frozenset())

    @cached_property
    def other_sounds(self) -> dict[str, frozenset[str]]:
        """The longer of these names with the ways in which they sound."""
        return {
            name: frozenset(key for key in sound_keys(name) if len(key) > 1)
            for name in self.other_names
            if len(name) >= SHORTEST_MISSPELT
        }

    def is_like_another(self, base: str, slips: int) -> bool:
        """Whether a word is misspelt, or sounds, like one of these names."""
        found = self._compared.get((base, slips))
        if found is None:
            sounds_of_base = frozenset(sound_keys(base))
            found = any(
                _is_like(base, sounds_of_base, name, sounds, slips)
                for name, sounds in self.other_sounds.items()
            )
            self._compared[base, slips] = found
        return found

    @cached_property
    def _compared(self) -> dict[tuple[str, int], bool]:
        """What was compared already: a long note says most words many times."""
        return {}

    @cached_property
    def other_initials(self) -> frozenset[str]:
        """ "tk" for Theo Kestrel, for every first name and what they are called."""
        return frozenset(
            given[0][0] + family[-1][0]
            for one in self.others
            for name in one.given
            if (given := folded_words(name)) and (family := folded_words(one.family))
        )

    @cached_property
    def other_letters(self) -> frozenset[str]:
        """The first letters of other children's first names, unless the family has them too."""
        letters = frozenset(
            given[0][0]
            for one in self.others
            for name in one.given
            if (given := folded_words(name))
        )
        if self.asked_blind:
            letters = frozenset(ascii_lowercase)
        return letters - self.own_initials - {"a", "i"}


def marks(text: str, context: NoteContext) -> tuple[Mark, ...]:
    """Every marked place of a note, in the order of the text; none overlaps another."""
    plain, places = _plain(text)
    found = [
        replace(mark, start=places[mark.start], end=places[mark.end - 1] + 1)
        for finder in _FINDERS
        for mark in finder(plain, context)
        if plain[mark.start : mark.end].strip()
    ]
    order = list(MarkKind)
    found.sort(key=lambda mark: (order.index(mark.kind), mark.start, mark.start - mark.end))
    kept: list[Mark] = []
    taken = bytearray(len(text))
    for mark in found:
        if not any(taken[mark.start : mark.end]):
            taken[mark.start : mark.end] = b"\1" * (mark.end - mark.start)
            kept.append(mark)
    return tuple(sorted(kept, key=lambda mark: mark.start))


def _plain(text: str) -> tuple[str, list[int]]:
    """The text as a reader sees it, and where each of its characters stands in the text.

    A soft hyphen that came along from a word processor is not seen, and hid an address; nor is
    one digit the same as its wide form.
    """
    letters: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        if sign.isascii():
            letters.append(sign)
            places.append(place)
        elif unicodedata.category(sign) != "Cf":
            seen = unicodedata.normalize("NFKC", sign) if sign not in _AS_THEY_ARE else sign
            letters.append(seen)
            places += [place] * len(seen)
    return "".join(letters), places


_A_NAME = (
    "It may be the name of another child, or of somebody who is not the child, nobody who gets this"
    " note and nobody who was at the meeting. Leave it out."
)
_NO_ADDRESS = (
    "It looks like an address, or a way to reach somebody. You cannot see where this family lives,"
    " so none stays in a note that you write: take it out."
)
_REACHES = frozenset({MarkKind.PROTECTED, MarkKind.ADDRESS, MarkKind.EMAIL, MarkKind.PHONE})


def without_names(mark: Mark) -> Mark:
    """The mark for a writer who may not learn which other children were talked about.

    A list of names typed into a note would else tell which of them are on the agenda.
    """
    if mark.kind is MarkKind.OTHER_CHILD or mark.reason == _THIRD_PARTY:
        return replace(mark, kind=MarkKind.THIRD_PARTY, reason=_A_NAME)
    return mark


def without_addresses(mark: Mark) -> Mark:
    """The mark for a writer who may not see where the family lives.

    A list of postcodes typed into a note would else tell which of them it is.
    """
    if mark.kind in _REACHES and mark.reason != _COULD_TELL:
        return replace(mark, kind=MarkKind.ADDRESS, reason=_NO_ADDRESS, may_be_kept=False)
    return mark


# Numbers and addresses ------------------------------------------------------------------------

_EMAIL = re.compile(
    r"(?<![\w.+'-])[\w.+'-]{1,64}\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+", re.IGNORECASE
)
_NUMBER = re.compile(r"(?<![\w£.,/])(?:\+|\()?\d(?:[\s().-]{0,2}\d){5,}(?![\w/])")
_YEARS = re.compile(r"(?:19|20)\d\d\s?[-–]\s?(?:19|20)\d\d")
_NHS = re.compile(r"\d{3}[\s-]?\d{3}[\s-]?\d{4}")
_POSTCODE = re.compile(
    r"\b(?:GIR\s?0AA|BFPO\s?\d{1,4}"
    r"|[A-PR-UWYZ](?:[A-HK-Y]?\d[\dA-HJKPSTUW]?|[A-HK-Y]\d[ABEHMNPRVWXY])\s{0,2}\d[ABD-HJLNP-UW-Z]{2})"
    r"\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\d(?:st|nd|rd|th)$")
_STREET = "|".join(sorted(STREETS))
_HOUSE = "|".join(sorted(HOUSES))
_ROOM = "|".join(sorted(INSTITUTIONS - STREETS - HOUSES, key=len, reverse=True))
_NUMBERED = re.compile(
    rf"\b\d{{1,4}}[a-z]?,?\s+(?:(?!(?:and|or|to|of|at|in|for|by|with|the|on|a)\b)[a-z'’-]+\s+)"
    rf"{{1,3}}(?:{_STREET})\b(?!\s++(?:{_ROOM})\b)",
    re.IGNORECASE,
)
_FLAT = re.compile(
    r"\b(?:flat|apartment|plot|caravan)\s+(?:no\.?\s*)?\d{1,4}[a-z]?\b", re.IGNORECASE
)
_AT_NUMBER = re.compile(
    r"\b(?:at|house|home)\s+(?:number|no\.?)\s*\d{1,4}[a-z]?\b(?!\s+bus)", re.IGNORECASE
)
_NAMED_STREET = re.compile(
    rf"\b(?:[A-Z][a-z'’]+\s+){{1,3}}(?:{'|'.join(one.title() for one in STREETS)})\b"
    rf"(?!\s++(?:{_ROOM})\b)(?!\s+[A-Z])"
)
_NAMED_HOUSE = re.compile(
    rf"\b[A-Z][a-z'’]+\s+(?:{'|'.join(one.title() for one in HOUSES)})\b(?!\s++(?i:{_ROOM})\b)"
)
_LIVES_ON = re.compile(
    r"\b(?:liv(?:e|es|ed|ing)|mov(?:e|es|ed|ing)|stay(?:s|ed|ing)?|home|house|flat)\s+"
    r"(?:in|on|at|to|into|is\s+in|is\s+on)\s+((?:[a-z'’-]+\s+){1,2}"
    r"(?:street|road|avenue|lane|close|drive|crescent|terrace|mews))\b",
    re.IGNORECASE,
)
_NOT_A_STREET = frozenset(["the", "this", "that", "our", "your", "sports", "car", "bus", "play"])


def _emails(text: str, _context: NoteContext) -> Iterator[Mark]:
    for found in _EMAIL.finditer(text):
        yield _mark(MarkKind.EMAIL, found, "An e-mail address. Take it out.")


def _numbers(text: str, context: NoteContext) -> Iterator[Mark]:
    for found in _NUMBER.finditer(text):
        words = found[0].rstrip(" ().-")
        end = found.start() + len(words)
        if _YEARS.fullmatch(words):
            continue
        if _NHS.fullmatch(words) and not words.startswith("0"):
            yield Mark(
                MarkKind.NHS_NUMBER, found.start(), end, words, "It looks like an NHS number."
            )
        elif _national(words) not in context.own_numbers:
            yield Mark(
                MarkKind.PHONE,
                found.start(),
                end,
                words,
                "It looks like a telephone number, and it is not the recorded number of anybody"
                " who works with the child.",
            )


def _addresses(text: str, context: NoteContext) -> Iterator[Mark]:
    reason = "It looks like an address. Nobody's address belongs in a note."
    for found in _POSTCODE.finditer(text):
        if not (_ORDINAL.search(found[0]) and found[0] != found[0].upper()):
            yield _mark(MarkKind.ADDRESS, found, "It looks like a postcode.")
    for pattern in (_NUMBERED, _FLAT, _AT_NUMBER, _NAMED_HOUSE):
        for found in pattern.finditer(text):
            yield _mark(MarkKind.ADDRESS, found, reason)
    for found in _NAMED_STREET.finditer(text):
        first, *_ = found[0].split()
        if first.casefold() not in _NOT_A_STREET and not _is_known(found[0], context):
            yield _mark(MarkKind.ADDRESS, found, reason)
    for found in _LIVES_ON.finditer(text):
        yield Mark(MarkKind.ADDRESS, found.start(1), found.end(1), found[1], reason)
    for line in context.addresses:
        for found in _phrase(line, text):
            yield _mark(MarkKind.ADDRESS, found, reason)


def _protected(text: str, context: NoteContext) -> Iterator[Mark]:
    reason = (
        "It is protected from somebody who gets this note. Take it out: the note cannot be signed"
        " off with it."
    )
    bare = _unaccented(text)
    for told in context.protected:
        for found in _phrase(_unaccented(told), bare):
            yield _mark(MarkKind.PROTECTED, found, reason, may_be_kept=False)
    for told in context.telling:
        for found in _phrase(_unaccented(told), bare):
            yield _mark(MarkKind.PROTECTED, found, _COULD_TELL)
    yield from _names_that_tell(text, context)


_COULD_TELL = (
    "It could tell where the child is, which is protected from somebody who gets this note."
)


def _names_that_tell(text: str, context: NoteContext) -> Iterator[Mark]:
    """ "Rosa" and "Mrs Whitlow", where Rosa Whitlow's name could tell."""
    if not context.telling_words:
        return
    tokens = _tokens(text)
    for token, following in zip_longest(tokens, tokens[1:]):
        told = next((base for base in token.bases if base in context.telling_words), None)
        if (
            told is not None
            and token.is_capital
            and _is_meant_as_name(token, told, following, text)
        ):
            yield Mark(MarkKind.PROTECTED, token.start, token.end, token.said, _COULD_TELL)


def _unaccented(text: str) -> str:
    """The text with each letter without its accent, as long as before: "Zoë" is "Zoe" too."""
    if text.isascii():
        return text
    return "".join(unicodedata.normalize("NFD", sign)[0] for sign in text)


def _phrase(told: str, text: str) -> Iterator[re.Match[str]]:
    """Where a recorded text stands, whatever its case, spaces and commas."""
    parts = re.findall(r"\w+", told)
    if sum(len(part) for part in parts) < SHORTEST_MISSPELT:
        return iter(())
    between = r"[\W_]*" if any(part.isdigit() or _has_digit(part) for part in parts) else r"[\W_]+"
    pattern = between.join(re.escape(part) for part in parts)
    return re.finditer(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)


def _has_digit(part: str) -> bool:
    return any(sign.isdigit() for sign in part)


def _is_known(words: str, context: NoteContext) -> bool:
    """Whether "Theo Park" or "Marlow Park" is somebody or a place that may be named."""
    return all(word in context.known for word in folded_words(words))


def _national(number: str) -> str:
    """The digits of a number as it is rung from within the country."""
    digits = re.sub(r"\D", "", number.replace("(0)", ""))
    for abroad in ("0044", "44"):
        if digits.startswith(abroad) and len(digits) > 10:
            return "0" + digits.removeprefix(abroad).lstrip("0")
    return digits


# Names ----------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W\d_]+(?:['’ʼ-][^\W\d_]+)*['’]?(?<![-])")
_SENTENCE_END = re.compile(r"(?:^|[.!?:;…\n\r•*\"“‘(]|\s-\s|\s–\s)[\s\"“‘'(]*$")
_ABBREVIATED = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|e\.g|i\.e|[A-Z])\.\s*$")
_POSSESSIVE = re.compile(r"['’ʼ]s?$")


@dataclass(frozen=True, slots=True)
class _Token:
    """One word of the text. `bases`: what it may be without an ending ("theos" → theos, theo)."""

    start: int
    end: int
    said: str
    begins_sentence: bool
    bases: tuple[str, ...] = field(default=())

    @property
    def is_capital(self) -> bool:
        """Whether it begins with a capital."""
        return self.said[:1].isupper()

    @property
    def is_all_capitals(self) -> bool:
        """Whether it is all capitals, two and more, but for the s of several ("EHCPs")."""
        bare = _POSSESSIVE.sub("", self.said).removesuffix("s")
        return len(bare) > 1 and bare.isupper()

    @property
    def base(self) -> str:
        """The word without a possessive, folded."""
        return self.bases[0] if self.bases else ""


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    for found in _WORD.finditer(text):
        before = text[max(0, found.start() - 12) : found.start()]
        begins = bool(_SENTENCE_END.search(before)) and not _ABBREVIATED.search(before)
        tokens.append(
            _Token(found.start(), found.end(), found[0], begins or not tokens, _bases(found[0]))
        )
    return tokens


def _bases(said: str) -> tuple[str, ...]:
    bare = _POSSESSIVE.sub("", said)
    words = folded_words(bare)
    if not words:
        return ()
    joined = "".join(words)
    bases = [joined, *(words if len(words) > 1 else ())]
    bases += [
        joined.removesuffix(ending)
        for ending in ("es", "s")
        if joined.endswith(ending) and len(joined) - len(ending) >= 3
    ]
    return tuple(dict.fromkeys(bases))


def is_ordinary(word: str) -> bool:
    """Whether a folded word is an ordinary one, or one with an ordinary ending."""
    return any(stem in ORDINARY for stem in _stems(word))


def _stems(word: str) -> Iterator[str]:
    yield word
    for ending, instead in (
        ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("d", ""), ("ing", ""),
        ("ing", "e"), ("ly", ""), ("er", ""), ("er", "e"), ("r", ""), ("est", ""), ("y", ""),
        ("ier", "y"), ("iest", "y"), ("ily", "y"), ("ful", ""), ("less", ""), ("ness", ""),
        ("en", ""), ("nt", ""), ("ve", ""), ("ll", ""), ("re", ""),
    ):  # fmt: skip
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 2:
            yield stem + instead
            if len(stem) > 3 and stem[-1] == stem[-2]:
                yield stem[:-1]


_OTHER_CHILD = (
    "It may be the name of another child. A note speaks of this child alone: write “another child”,"
    " or leave it out."
)
_THIRD_PARTY = (
    "It may be the name of somebody who is not the child, nobody who gets this note and nobody who"
    " was at the meeting."
)


def _other_children(text: str, context: NoteContext) -> Iterator[Mark]:
    if not context.others and not context.asked_blind:
        return
    tokens = _tokens(text)
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else None
        if _names_other_child(token, following, text, context):
            yield Mark(MarkKind.OTHER_CHILD, token.start, token.end, token.said, _OTHER_CHILD)
    yield from _initials(text, context)
    yield from _with_family_name(text, context)


def _names_other_child(
    token: _Token, following: _Token | None, text: str, context: NoteContext
) -> bool:
    exact = [base for base in token.bases if base in context.names_of_others]
    if exact:
        return not _is_of_worker(token, text, context) and _is_meant_as_name(
            token, exact[0], following, text
        )
    if any(base in context.known for base in token.bases):
        return False
    if is_ordinary(token.base) or token.base in CAPITALS:
        return False
    # What is not a word and begins with a capital may sound alike, however it is spelt.
    slips = 4 if token.is_capital and not token.begins_sentence else 2
    return any(context.is_like_another(base, slips) for base in token.bases)


def _is_meant_as_name(token: _Token, base: str, following: _Token | None, text: str) -> bool:
    """Whether "will" or "Rose" is the name: told by the capital, and what comes after it."""
    if base not in WORDS_THAT_ARE_NAMES and not is_ordinary(base):
        return True
    is_possessive = bool(_POSSESSIVE.search(token.said))
    if not token.is_capital or token.is_all_capitals:
        return is_possessive and base not in CAPITALS
    if not token.begins_sentence:
        return base not in CAPITALS or not _is_month(text, token)
    if is_possessive:
        return True
    return following is not None and following.said.casefold() in VERBS_AFTER_A_NAME


def _is_month(text: str, token: _Token) -> bool:
    """Whether "May" is the month: told by the word or the number before it."""
    before = text[max(0, token.start - 20) : token.start].split()
    return not before or before[-1].casefold() in BEFORE_A_MONTH or before[-1][-1].isdigit()


def _is_of_worker(token: _Token, text: str, context: NoteContext) -> bool:
    """Whether the word stands in the full name of somebody who works with the child."""
    around = folded_words(text[max(0, token.start - 40) : token.end + 40])
    return any(
        token.base in words and _contains(around, words)
        for name in context.workers
        if len(words := folded_words(name)) > 1
    )


def _contains(words: Sequence[str], part: Sequence[str]) -> bool:
    return any(
        tuple(words[at : at + len(part)]) == tuple(part) for at in range(len(words) - len(part) + 1)
    )


def _is_like(
    base: str, sounds_of_base: frozenset[str], name: str, sounds: frozenset[str], slips: int
) -> bool:
    if len(base) < SHORTEST_MISSPELT - 1:
        return False
    if is_one_slip_away(base, name):
        return True
    if len(base) < SHORTEST_MISSPELT or not sounds & sounds_of_base:
        return False
    return _distance_at_most(base, name, slips)


def _initials(text: str, context: NoteContext) -> Iterator[Mark]:
    """ "T.K.", "TK", "T K", "Theo K" and a single "T" or "T." for another child's name."""
    for found in re.finditer(r"\b([A-Z])(?:\.\s?|\s)?([A-Z])\b(?!['’]?[a-z])\.?", text):
        pair = (found[1] + found[2]).lower()
        said = found[0].strip(".")
        # What is marked as jargon in any case needs no other mark for who is not to learn them.
        is_theirs = said not in JARGON if context.asked_blind else pair in context.other_initials
        if is_theirs and said not in PLAIN_ABBREVIATIONS:
            yield _mark(MarkKind.OTHER_CHILD, found, _OTHER_CHILD)
    for found in re.finditer(
        r"(?<![\w'’.])([A-Z])(?:['’]s|\.(?=\s+[a-z(,]|\s*$))?(?![\w.'’])", text
    ):
        before = folded_words(text[: found.start()][-30:])
        if found[1].lower() in context.other_letters and (
            not before or before[-1] not in NOT_AN_INITIAL
        ):
            yield _mark(MarkKind.OTHER_CHILD, found, _OTHER_CHILD)


def _with_family_name(text: str, context: NoteContext) -> Iterator[Mark]:
    """ "t. kestrel" for Theo Kestrel, of the child's own family too."""
    families = _words_of(one.family for one in context.others)
    for found in re.finditer(r"(?<![\w'’])([A-Za-z])\.?\s?([^\W\d_]{2,})", text):
        names = folded_words(found[2])
        if names and names[0] in families and found[1].lower() in context.other_letters:
            yield _mark(MarkKind.OTHER_CHILD, found, _OTHER_CHILD)


def _third_parties(text: str, context: NoteContext) -> Iterator[Mark]:
    for phrase, who in THIRD_PARTIES.items():
        pattern = rf"(?<![\w-]){re.escape(phrase)}(?:['’]s)?(?![\w-])"
        for found in re.finditer(pattern, text, re.IGNORECASE):
            yield _mark(
                MarkKind.THIRD_PARTY,
                found,
                f"It speaks of {who}. What others do or say is theirs: leave it out.",
            )
    yield from _strange_names(text, context)


def _strange_names(text: str, context: NoteContext) -> Iterator[Mark]:
    run: list[_Token] = []
    for token in _tokens(text):
        joins = bool(run) and _is_beside(run[-1], token, text)
        if token.is_capital and (not run or joins):
            run.append(token)
            continue
        yield from _strange_in_run(run, text, context)
        run = [token] if token.is_capital else []
    yield from _strange_in_run(run, text, context)


def _is_beside(before: _Token, token: _Token, text: str) -> bool:
    between = text[before.end : token.start]
    titled = before.said.casefold() in TITLES
    return between == " " or (titled and between.strip(". ") == "") or between == "-"


def _strange_in_run(run: Sequence[_Token], text: str, context: NoteContext) -> Iterator[Mark]:
    """The names in a run of capitals ("Mrs Sandra Pike") that nobody known has."""
    if not run or any(token.base in INSTITUTIONS for token in run[1:]):
        return
    if len(run) == 1 and _is_followed_by_place(run[0], text):
        return
    for place, token in enumerate(run):
        before = run[place - 1] if place else None
        after = run[place + 1] if place + 1 < len(run) else None
        if _is_strange(token, before, after, context):
            yield Mark(MarkKind.THIRD_PARTY, token.start, token.end, token.said, _THIRD_PARTY)


def _is_followed_by_place(token: _Token, text: str) -> bool:
    following = folded_words(text[token.end : token.end + 30])
    return bool(following) and following[0] in INSTITUTIONS and not _POSSESSIVE.search(token.said)


def _is_strange(
    token: _Token, before: _Token | None, after: _Token | None, context: NoteContext
) -> bool:
    if any(base in context.known for base in token.bases) or token.is_all_capitals:
        return token.is_all_capitals and token.base in GIVEN_NAMES - context.known
    titled = before is not None and before.base in TITLES
    if titled or (before is not None and before.base in GIVEN_NAMES - context.known):
        return True
    if len(token.base) < 2 or token.base in TITLES or token.base in CAPITALS:
        return False
    if token.begins_sentence:
        return _is_name_at_beginning(token, after, context)
    if token.base in WORDS_THAT_ARE_NAMES:
        # "with Grace" is somebody; "the Red Cross" is not.
        return before is None or not is_ordinary(before.base)
    return not is_ordinary(token.base) and not any(base in CAPITALS for base in token.bases)


def _is_name_at_beginning(token: _Token, after: _Token | None, context: NoteContext) -> bool:
    """Whether a sentence begins with a name: every sentence begins with a capital."""
    if any(base in GIVEN_NAMES for base in token.bases):
        return True
    if token.base in WORDS_THAT_ARE_NAMES or is_ordinary(token.base):
        return False
    if _POSSESSIVE.search(token.said):
        return not any(base in CAPITALS | INSTITUTIONS for base in token.bases)
    return after is not None and not any(
        base in context.known | CAPITALS or is_ordinary(base) for base in after.bases
    )


# Jargon ---------------------------------------------------------------------------------------


def _jargon(text: str, context: NoteContext) -> Iterator[Mark]:
    for term, plain in JARGON.items():
        shape = re.escape(term).replace(r"\ ", r"[\s-]+").replace(r"\-", r"[\s-]?")
        is_abbreviation = any(sign.isupper() for sign in term)
        flags = re.NOFLAG if is_abbreviation else re.IGNORECASE
        ending = r"(?:s|['’]s)?" if is_abbreviation else ""
        for found in re.finditer(rf"(?<![\w-]){shape}{ending}(?![\w-])", text, flags):
            yield _mark(MarkKind.JARGON, found, f"Not everybody knows this. Say: {plain}.")
    for found in re.finditer(r"(?<![\w.&-])[A-Z][A-Z&]{1,5}s?(?![\w&-])", text):
        bare = found[0].rstrip("s")
        folded = found[0].casefold()
        if bare in PLAIN_ABBREVIATIONS or bare in JARGON or is_ordinary(folded):
            continue
        if folded not in GIVEN_NAMES and folded not in context.known:
            yield _mark(MarkKind.JARGON, found, "An abbreviation. Say it in full.")


# What is shared ---------------------------------------------------------------------------------


def _mark(kind: MarkKind, found: re.Match[str], reason: str, *, may_be_kept: bool = True) -> Mark:
    return Mark(kind, found.start(), found.end(), found[0], reason, may_be_kept)


def _words_of(names: Iterable[str]) -> frozenset[str]:
    return frozenset(word for name in names for word in folded_words(name))


def is_one_slip_away(one: str, other: str) -> bool:
    """Whether a letter more, less, changed, or swapped with its neighbour makes one the other.

    The Damerau-Levenshtein distance is 1.
    """
    return one != other and _distance_at_most(one, other, 1)


def _distance_at_most(one: str, other: str, most: int) -> bool:
    if abs(len(one) - len(other)) > most:
        return False
    # Each letter that the other has not must be changed or taken out: most words end here.
    letters, others = set(one), set(other)
    if len(letters - others) > most or len(others - letters) > most:
        return False
    earlier: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, earlier, row = earlier, row, [i]
        for j, another in enumerate(other, 1):
            cost = min(earlier[j] + 1, row[j - 1] + 1, earlier[j - 1] + (letter != another))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == another:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1] <= most


_FINDERS: tuple[Callable[[str, NoteContext], Iterator[Mark]], ...] = (
    _protected,
    _emails,
    _numbers,
    _addresses,
    _other_children,
    _third_parties,
    _jargon,
)
