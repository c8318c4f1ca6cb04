"""Names as they are searched for: folded, in full, by sound and by their beginning.

The tokens made here are turned into blind indexes elsewhere; nothing here is stored in the clear.
The sound of a name is a skeleton of consonants with the spellings of the names that children in
England have: English, Irish, Welsh, South Asian, Arabic, Polish, Chinese. Some letters can be
said in two ways, so a name has several keys; two names sound alike when they share one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

Kind = Literal["full", "phonetic", "prefix"]
Token = tuple[Kind, str]

SHORTEST_PREFIX = 3
_LONGEST_WORD = 40
_MOST_WORDS = 12
_MOST_KEYS = 16

# Letters that Unicode does not take apart into a base and an accent.
_UNACCENTED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)
_APOSTROPHES = re.compile(r"['’‘ʼʻ`´′]")


def folded_words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case, without accents or apostrophes, split at hyphens.

    "Zoë O’Brien-Łuczak" gives zoe, obrien, luczak. Letters of any script are kept. Very long
    input is cut to what a name can be.
    """
    text = unicodedata.normalize("NFKD", name[:1000]).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c))
    text = _APOSTROPHES.sub("", unicodedata.normalize("NFC", text).translate(_UNACCENTED))
    words = re.findall(r"[^\W\d_]+", text)
    return tuple(word[:_LONGEST_WORD] for word in words[:_MOST_WORDS])


def name_tokens(names: Iterable[str]) -> set[Token]:
    """Everything by which a person with these names (given, family, known as) can be found.

    Each word and each name run together ("smithjones", "obrien"): in full, by sound, and by each
    beginning of three letters and more.
    """
    tokens: set[Token] = set()
    for word in {word for name in names for word in _words_and_joined(name)}:
        tokens |= _exact_and_alike(word)
        tokens |= {("prefix", word[:end]) for end in range(SHORTEST_PREFIX, len(word) + 1)}
    return tokens


@dataclass(frozen=True, slots=True)
class NameQuery:
    """What to look for: a child is meant when each word finds a token, or all run together do."""

    words: tuple[frozenset[Token], ...]
    joined: frozenset[Token]
    """The whole run together ("mary jane ann"); empty for a single word."""

    def finds(self, tokens: set[Token]) -> bool:
        """Whether a person with these tokens is meant; the database asks the same of indexes."""
        if self.joined & tokens:
            return True
        return bool(self.words) and all(word & tokens for word in self.words)


def name_query(text: str) -> NameQuery:
    """What a person typed into the search box, as tokens; case, accents and spelling forgiven.

    A word may also be found together with its neighbour: "o brien", "mary jane".
    """
    words = folded_words(text)
    pairs = [first + second for first, second in pairwise(words)]
    return NameQuery(
        tuple(
            frozenset().union(*(_asked(one) for one in (word, *pairs[max(0, at - 1) : at + 1])))
            for at, word in enumerate(words)
        ),
        frozenset(_exact_and_alike("".join(words)[:_LONGEST_WORD])) if pairs else frozenset(),
    )


def _words_and_joined(name: str) -> set[str]:
    words = folded_words(name)
    return {*words, "".join(words)[:_LONGEST_WORD]} - {""}


def _exact_and_alike(word: str) -> set[Token]:
    tokens: set[Token] = {("full", word)}
    return tokens | {("phonetic", key) for key in sound_keys(word)}


def _asked(word: str) -> set[Token]:
    tokens = _exact_and_alike(word)
    return tokens | {("prefix", word)} if len(word) >= SHORTEST_PREFIX else tokens


@dataclass(frozen=True, slots=True)
class _Sound:
    """Letters that are said in one or more ways; "" is silent."""

    letters: re.Pattern[str]
    said: tuple[str, ...]


def _sound(letters: str, *said: str) -> _Sound:
    return _Sound(re.compile(letters), said)


# Tried in order at each letter; the first that fits is taken. X is "sh", F also "v", S also "z".
# Vowels are silent here: only a vowel at the beginning is heard, as A.
_SOUNDS = (
    _sound(r"^[ou]th(?=m)", "AT", "AS"),  # Othman, Usman
    _sound(r"^(?:kn|gn|ng)", "N"),
    _sound(r"^wr", "R"),
    _sound(r"^wh", "W"),
    _sound(r"^ps", "S"),
    _sound(r"^hs", "X"),  # Hsu, Xu
    _sound(r"^x", "S", "X"),
    _sound(r"^q(?!u)", "K", "X"),  # Qasim, Qin
    _sound(r"^gh", "G"),
    _sound(r"^j", "J", "Y"),  # Jakub, Yusuf and Joseph
    _sound(r"^y", "Y"),
    _sound(r"^w", "W", "F"),  # Wikram, Vikram
    _sound(r"^h", "H"),
    _sound(r"^[aeiouy]+h?", "A"),
    _sound(r"^s(?=e[ao])", "S", "X"),  # Sean
    _sound(r"tch|tsch", "X"),
    _sound(r"sch", "X", "SK"),
    _sound(r"sh|sz(?=a)", "X"),
    _sound(r"sz", "S", "X"),  # Szymon, Łukasz
    _sound(r"cz", "X"),
    _sound(r"rz", "R", "X"),  # Krzysztof
    _sound(r"ch(?=[rl])", "K"),  # Christopher, Chloe
    _sound(r"ch", "X", "K"),
    _sound(r"ck|kh|qu|q", "K"),
    _sound(r"cc(?=[ei])", "X", "KS"),
    _sound(r"ci(?=a)", "S", "X", "K"),  # Marcia, Ciara
    _sound(r"c(?=[eiy])", "S", "K"),  # Cian, Ciaran and Kieran
    _sound(r"[ck]+", "K"),
    _sound(r"ph", "F"),
    _sound(r"bh", "B", "F"),  # Bhavna, Siobhan
    _sound(r"mh", "M", "F"),  # Niamh
    _sound(r"dh", "D", ""),  # Sandhu, Aodhan
    _sound(r"zh", "J", "X"),
    _sound(r"gh", "", "G"),  # Hugh, Singh, Raghav
    _sound(r"dg(?=[eiy])|dj", "J"),
    _sound(r"g+(?=[eiy])", "G", "J"),  # Gethin, Geoffrey
    _sound(r"g+", "G"),
    _sound(r"j+", "J"),
    _sound(r"sc(?=[eiy])", "S"),
    _sound(r"ti(?=[ao])", "T", "X"),  # Latitia, Letisha
    _sound(r"th", "T"),
    _sound(r"t+", "T"),
    _sound(r"s+(?=i)|(?<=r)s(?=e$)|(?<=i)s(?=l)", "S", "X"),  # Siân, Saoirse, Aisling
    _sound(r"x", "KS"),
    _sound(r"[sz]+", "S"),
    _sound(r"(?<=m)p(?=[st])", ""),  # Thompson, Thomson
    _sound(r"(?<=m)b$", ""),
    _sound(r"p+", "P"),
    _sound(r"b+", "B"),
    _sound(r"[fv]+", "F"),
    _sound(r"d+", "D"),
    _sound(r"l(?=r)", "L", ""),  # Abdulrahman, Abdurrahman
    _sound(r"l+", "L"),
    _sound(r"r+h?", "R"),
    _sound(r"m+", "M"),
    _sound(r"n+", "N"),
    _sound(r"ß", "S"),
)
_FRONT = re.compile(r"[aeiouy]*?(?:ai|ay|ae|ei|ey|e[aei]|i|y|e)")


def sound_keys(word: str) -> frozenset[str]:
    """How a folded word may sound: one or more keys; none for a word in another script."""
    if not re.fullmatch(r"[a-zß]+", word):
        return frozenset()
    heard: list[tuple[str, ...]] = []
    at = 0
    while at < len(word):
        sound = next(
            ((found, sound) for sound in _SOUNDS if (found := _fits(sound, word, at))), None
        )
        if sound is None:
            at += 1
        else:
            heard.append(sound[1].said)
            at = sound[0].end()
    keys = {"".join(said) for said in product(*_within_reach(heard))} - {""}
    return frozenset(_with_vowel(key, word) for key in keys)


def _fits(sound: _Sound, word: str, at: int) -> re.Match[str] | None:
    # `match` with a position lets ^ mean the word's own beginning and lets look-behind see it.
    return sound.letters.match(word, at)


def _within_reach(heard: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The ways to say each letter, cut to the first way once there are too many together."""
    kept: list[tuple[str, ...]] = []
    keys = 1
    for said in heard:
        ways = said if keys * len(said) <= _MOST_KEYS else said[:1]
        keys *= len(ways)
        kept.append(ways)
    return kept


def _with_vowel(key: str, word: str) -> str:
    """A key of a single sound says too little (Lee, Lou), so it carries its first vowel's kind."""
    if len(key) > 1:
        return key
    vowels = re.search(r"[aeiouy]+", word[1:]) or re.search(r"[aeiouy]+", word)
    if vowels is None:
        return key
    return key + ("i" if _FRONT.match(vowels[0]) and vowels[0][0] not in "ou" else "a")
