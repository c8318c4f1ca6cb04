"""How old a reader must be to read a text without effort, by the Flesch-Kincaid grade.

Pure. `textstat` and `py-readability-metrics` were looked at: the first brings the CMU dictionary
and a hyphenation package for the same formula, the second wants 100 words and more, and data that
NLTK downloads. A family's note is short, so the formula is written out here. It is a hint, not
a verdict: it counts lengths and knows nothing of meaning.
"""

import re

AIM = 9
"""Years: what a family's page is written for (STYLE.md, Ours)."""
TOO_HARD = AIM + 1
"""Years: over this a writer is advised to write more plainly."""
YOUNGEST, OLDEST = 5, 18

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NUMBER_WORD = re.compile(r"\d+")
_SENTENCE = re.compile(r"(?<![.!?:;…])[.!?:;…]++(?:\s|$)|\n+")
_ENDS = re.compile(r"(?<=[.!?:;…])\s+|\n+")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^aeiouyl]e|[aeiou]le|[^aeioutdl]ed|[^aeioucsxzghl]es|[aeiouy]l+e[sd])$")
_TWO_SOUNDS = re.compile(r"(?<![ct])i[ao](?!n\b|us\b)|[iu]um\b|eo(?!us)|[^q]ua[^r]|creat")
_EXCEPTIONS = {
    "area": 3, "areas": 3, "being": 2, "doing": 2, "going": 2, "seeing": 2, "people": 2, "every": 2,
    "everyone": 3, "everything": 3, "somebody": 3, "sometimes": 2, "something": 2, "someone": 2,
    "nursery": 3, "idea": 3, "ideas": 3, "science": 2, "quiet": 2, "diet": 2, "hour": 1, "hours": 1,
    "our": 1, "the": 1, "create": 2, "created": 3, "real": 1, "really": 2, "january": 4,
    "february": 4, "wednesday": 2, "business": 2, "evening": 2, "evenings": 2, "different": 2,
    "interesting": 3, "family": 3, "usually": 4, "physio": 3, "radio": 3, "video": 3,
    "paediatrician": 5, "poem": 2, "lion": 2, "trial": 2, "giant": 2, "one": 1, "once": 1,
    "therefore": 2, "homework": 2, "playground": 2, "safely": 2, "safety": 2, "likely": 2,
    "lately": 2, "careful": 2, "useful": 2, "hopeful": 2, "movement": 2, "movements": 2,
    "statement": 2, "placement": 2, "themselves": 2, "lifetime": 2, "clothes": 1, "coordinator": 5,
    "coordinators": 5,
}  # fmt: skip


def syllables(word: str) -> int:
    """How many syllables a word has, at least 1: groups of vowels, less what is silent."""
    word = re.sub(r"[^a-z]", "", word.lower())
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    count = len(_VOWELS.findall(word)) + len(_TWO_SOUNDS.findall(word))
    if _SILENT.search(word):
        count -= 1
    return max(count, 1)


def grade(text: str) -> float:
    """The Flesch-Kincaid grade: US school years. 0.0 for a text without words."""
    said = [word for sentence in _SENTENCE.split(text) if (word := _words(sentence))]
    words = [word for sentence in said for word in sentence]
    if not words:
        return 0.0
    spoken = sum(1 if word.isdigit() else syllables(word) for word in words)
    return 0.39 * len(words) / len(said) + 11.8 * spoken / len(words) - 15.59


def reading_age(text: str) -> int:
    """In years, from 5 to 18: the grade and five, rounded. 5 for a text without words."""
    return min(max(round(grade(text) + 5), YOUNGEST), OLDEST)


def hardest(text: str, most: int = 3) -> tuple[str, ...]:
    """The sentences of a text that are too hard by themselves, the hardest first, as written.

    The hardest of all where none is.
    """
    parts = dict.fromkeys(one.strip() for one in _ENDS.split(text) if one.strip())
    said = sorted(parts, key=grade, reverse=True)
    return tuple([one for one in said if reading_age(one) > TOO_HARD][:most] or said[:1])


def _words(sentence: str) -> list[str]:
    # A number is read as one word: "2026" must not make a date hard to read.
    return re.findall(f"{_WORD.pattern}|{_NUMBER_WORD.pattern}", sentence)
