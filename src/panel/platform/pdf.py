"""Tagged PDF (PDF/UA-1) from a typst template and plain data.

The compiler runs in a process of its own: it can be stopped when it takes too long, it cannot take
the site down with it, and it is given neither the site's environment nor a network address. What
people wrote reaches the template as JSON and is set as text; it is never read as markup.

Only the fonts inside the typst wheel are used, so that every machine makes the same bytes. What
they cannot draw is said in words instead: a face as "[grinning face]", a stretch of Bengali as
"[12 characters in Bengali, shown on screen only]".
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import unicodedata
from datetime import datetime
from itertools import groupby
from pathlib import Path

import msgspec
import typst

from panel.platform.elsewhere import asked
from panel.platform.pdf_glyphs import drawable_ranges

LONGEST_DATA = 4_000_000
"""Bytes of JSON in one paper, about a thousand pages."""
LONGEST_TITLE = 300
SECONDS = 60
MEMORY = 2 * 1024**3

_PACKAGE = Path(__file__).parents[1]
_TEMPLATE = re.compile(r"(?:[a-z0-9_]+/)+[a-z0-9_]+\.typ")
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:-([A-Z]{2}))?")

_DRAWN = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in drawable_ranges())
_JOINERS = "\u200c\u200d"
_BREAKS = "\u00ad\u200b"
_NOT_DRAWN = re.compile(f"(?:[^{_DRAWN}\\n\\t{_JOINERS}{_BREAKS}]\u200d?)+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\U0001f3fb-\U0001f3ff]")
_LONG_WORD = re.compile(r"\S{41,}")
_SCRIPTS = {"CJK": "Chinese or Japanese", "HANGUL": "Korean"}


class PdfNotMade(Exception):
    """A PDF could not be made; the message is a sentence for the person who asked for it."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def render(
    template: str,
    data: dict[str, object],
    *,
    title: str,
    language: str = "en-GB",
    created: datetime,
) -> bytes:
    """One PDF/UA-1 file; the same bytes for the same arguments. Blocks for up to `SECONDS`.

    `template` is a path inside the panel package, "panels/templates/pack.typ". The template finds
    `title`, `language`, `region` and `data` in `json(bytes(sys.inputs.paper))`. `data` is anything
    JSON can carry. `created` is an aware moment. Raises PdfNotMade.
    """
    if not _TEMPLATE.fullmatch(template) or not (_PACKAGE / template).is_file():
        raise PdfNotMade(f"There is no paper called {template}.")
    spoken = _LANGUAGE.fullmatch(language)
    if spoken is None:
        raise PdfNotMade(f"{language} is not a language code such as en-GB.")
    if created.tzinfo is None:
        raise PdfNotMade("The moment a paper was made needs its time zone.")
    paper = {
        "title": _one_line(printable(title)) or "Untitled",
        "language": spoken[1],
        "region": spoken[2],
        "data": _all_printable(data),
    }
    order = msgspec.json.encode(_Order(template, int(created.timestamp()), paper))
    if len(order) > LONGEST_DATA:
        raise PdfNotMade(
            "This is too much text for one PDF. Make it for fewer children, or read it on screen."
        )
    return _made_elsewhere(order)


def _one_line(text: str) -> str:
    whole = " ".join(text.split())
    return whole if len(whole) <= LONGEST_TITLE else whole[: LONGEST_TITLE - 1] + "…"


def printable(text: str) -> str:
    """The text with everything our fonts can draw, and the rest said in words in brackets.

    Control and direction-changing characters go: they draw nothing and can disguise what is read.
    A word of more than 40 characters may break after every 20, so that it stays on the page.
    """
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _SELECTORS.sub("", text.replace("\u2028", "\n").replace("\u2029", "\n\n"))
    text = "".join(sign for sign in text if not _is_hidden(sign))
    text = _NOT_DRAWN.sub(lambda found: _said(found[0]), text)
    return _LONG_WORD.sub(lambda found: _breakable(found[0]), text)


def _is_hidden(sign: str) -> bool:
    if sign in "\n\t" or sign in _JOINERS or sign in _BREAKS:
        return False
    return unicodedata.category(sign) in {"Cc", "Cf"}


def _said(signs: str) -> str:
    parts = []
    for name, group in groupby((sign for sign in signs if sign not in _JOINERS), key=_spoken_name):
        count = len(list(group))
        if name.islower():
            parts.append(f"[{name}]" if count == 1 else f"[{name}, {count} times]")
        else:
            characters = "character" if count == 1 else "characters"
            parts.append(f"[{count} {characters} in {name}, shown on screen only]")
    return "".join(parts)


def _spoken_name(sign: str) -> str:
    """A picture's own name in small letters; a letter's script with a capital."""
    name = unicodedata.name(sign, "")
    if not name:
        return "unknown character"
    if unicodedata.category(sign)[0] in "LMN":
        script = name.split()[0].partition("-")[0]
        return _SCRIPTS.get(script, script.capitalize())
    return name.lower()


def _breakable(word: str) -> str:
    return "\u200b".join(word[start : start + 20] for start in range(0, len(word), 20))


def _all_printable(value: object) -> object:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {str(key): _all_printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_all_printable(inner) for inner in value]
    return value


def _made_elsewhere(order: bytes) -> bytes:
    try:
        done = asked("panel.platform.pdf", order, SECONDS)
    except subprocess.TimeoutExpired as late:
        raise PdfNotMade(
            f"The PDF was not ready after {SECONDS} seconds. Try again, or read it on screen."
        ) from late
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        said = reason[0] if done.returncode == _REFUSED and reason else "the PDF maker stopped"
        raise PdfNotMade(f"The PDF could not be made ({said}). Read it on screen for now.")
    return done.stdout


_REFUSED = 3


class _Order(msgspec.Struct, frozen=True):
    """What the compiler's process is asked to make; `moment` in seconds since 1970."""

    template: str
    moment: int
    paper: dict[str, object]


def _compile(order: _Order) -> bytes:
    """Compile, and once more without accents that no single font can set on their letter."""
    try:
        return _compiled(order)
    except typst.TypstError as refused:
        if "could not be displayed" not in refused.message:
            raise
    bare = {name: _without_marks(value) for name, value in order.paper.items()}
    return _compiled(msgspec.structs.replace(order, paper=bare))


def _compiled(order: _Order) -> bytes:
    return typst.compile(
        str(_PACKAGE / order.template),
        root=str(_PACKAGE),
        format="pdf",
        pdf_standards=["ua-1"],
        ignore_system_fonts=True,
        sys_inputs={"paper": msgspec.json.encode(order.paper).decode()},
        timestamp=order.moment,
    )


def _without_marks(value: object) -> object:
    if isinstance(value, str):
        return "".join(sign for sign in value if unicodedata.category(sign)[0] != "M")
    if isinstance(value, dict):
        return {key: _without_marks(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_marks(inner) for inner in value]
    return value


def _main() -> int:
    """The compiler's own process: the order on standard input, the PDF on standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS, 2 * SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        made = _compile(msgspec.json.decode(sys.stdin.buffer.read(), type=_Order))
    except typst.TypstError as refused:
        # typst quotes the text it stumbled over, which may be about a child.
        sys.stderr.write(re.sub(r"`[^`]*`|\"[^\"]*\"", "…", refused.message.partition("\n")[0]))
        return _REFUSED
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
