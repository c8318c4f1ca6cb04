"""What a note to a family holds of an entry that was on the wrong child. Pure: texts come in."""

import re

_SENTENCE = re.compile(r"[^.!?\n]+")
_SHORTEST = 3
"""Words of a sentence that is looked for; a shorter one is only looked for with all the rest."""


def _sentences(said: str) -> list[list[str]]:
    """The sentences of an entry, in words; the whole of an entry that has only short ones."""
    found = [one.split() for one in _SENTENCE.findall(said)]
    return [one for one in found if len(one) >= _SHORTEST] or [said.split()] * bool(said.strip())


def _as_written(words: list[str]) -> re.Pattern[str]:
    """These words one after another, in any case and with any space between."""
    row = r"\s+".join(re.escape(word) for word in words)
    return re.compile(rf"(?<!\w){row}(?!\w)[.!?]*", re.IGNORECASE)


def holds(note: str, said: str) -> bool:
    """Whether a note says a sentence of an entry word for word."""
    return any(_as_written(one).search(note) for one in _sentences(said))


def without(note: str, said: str) -> str:
    """A note without the sentences of an entry; of a list, without the lines that hold one."""
    patterns = [_as_written(one) for one in _sentences(said)]
    for pattern in patterns:
        note = "\n".join(
            line
            for line in note.split("\n")
            if not (line.startswith("- ") and pattern.search(line))
        )
        note = pattern.sub("", note)
    paragraphs = (
        "\n".join(line.strip() for line in part.split("\n") if line.strip())
        for part in re.split(r"\n\s*\n", note)
    )
    return "\n\n".join(part for part in paragraphs if part)
