"""The copy that is handed out: one HTML file that people read, with the same data in it as JSON.

Both are made from the same parts, so that what is taken out of one is in neither. The JSON stands
in the element `machine-readable`; its shape is docs/rights/access-file.schema.json. Attached files
that a person let in stand in it once, each in a link that saves it; the JSON names the link.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import groupby
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape

from panel.governance.rights_gather import Piece
from panel.governance.rights_models import Exemption
from panel.web import words

FORMAT = "panel-subject-access/1"
MEDIA_TYPE = "text/html; charset=utf-8"

TAKEN_OUT: Mapping[Exemption, str] = {
    Exemption.SOMEBODY_ELSE: "Taken out: it is about somebody else",
    Exemption.PROTECTED: "Taken out: the law lets us leave this out",
    Exemption.SERIOUS_HARM: "Taken out: the law lets us leave this out",
    Exemption.EXPECTED: "Taken out: the law lets us leave this out",
    Exemption.LEGAL: "Taken out: it is between a lawyer and who they advise",
}
"""Said in the place of words. Protection and harm are told alike: which it is could harm."""


@dataclass(frozen=True, slots=True)
class Out:
    """A part that is taken out of an entry; `start` is None for the whole."""

    start: int | None
    end: int | None
    exemption: Exemption


EMBEDDED_EACH = 3 * 1024 * 1024
EMBEDDED_ALL = 15 * 1024 * 1024
"""Bytes of one attached file, and of all, that stand in a copy; a larger one is given beside it."""
GIVEN_BESIDE = " It is too large to stand in here and is given to you beside this copy."


@dataclass(frozen=True, slots=True)
class Attached:
    """An attached file that may be told; without its bytes it is given beside the copy."""

    file_name: str
    media_type: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class About:
    """What stands above the copy."""

    authority: str
    reference: str
    made_on: date
    contact: str
    retention: tuple[tuple[str, str], ...]


def parts_of(text: str, outs: Sequence[Out]) -> list[dict[str, Any]]:
    """A text as the parts that stay and, in the place of the others, why they are out."""
    whole = next((one for one in outs if one.start is None), None)
    if whole is not None:
        return [{"taken_out": TAKEN_OUT[whole.exemption]}]
    found: list[dict[str, Any]] = []
    place = 0
    for one in sorted(outs, key=lambda out: (out.start or 0, out.end or 0)):
        start, end = max(one.start or 0, place), one.end or 0
        if end <= place:
            continue
        if text[place:start]:
            found.append({"text": text[place:start]})
        found.append({"taken_out": TAKEN_OUT[one.exemption]})
        place = end
    if text[place:]:
        found.append({"text": text[place:]})
    return found


def element_of(piece: Piece) -> str:
    """What the link is called that holds the file of an entry."""
    return f"file-{piece.document_id}"


def _says(piece: Piece, outs: Sequence[Out], files: Mapping[str, Attached]) -> list[dict[str, Any]]:
    said = parts_of(piece.text, outs)
    file = files.get(element_of(piece)) if piece.document_id is not None else None
    if file is None:
        return said
    if file.content is None:
        return [*said, {"text": GIVEN_BESIDE}]
    link = {"name": file.file_name, "media_type": file.media_type, "element": element_of(piece)}
    return [*said, {"file": link}]


def content(
    about: About,
    pieces: Iterable[Piece],
    outs: Mapping[str, Sequence[Out]],
    files: Mapping[str, Attached],
) -> dict[str, Any]:
    """The copy as data; `files` by the name of the link that holds each."""
    sections = []
    for title, group in groupby(pieces, key=lambda piece: piece.section):
        sections.append(
            {
                "title": title,
                "entries": [
                    {
                        "label": piece.label,
                        "written_on": piece.day,
                        "written_by": piece.by,
                        "says": _says(piece, outs.get(piece.id, ()), files),
                    }
                    for piece in group
                ],
            }
        )
    return {
        "format": FORMAT,
        "authority": about.authority,
        "reference": about.reference,
        "made_on": about.made_on.isoformat(),
        "contact": about.contact,
        "kept_for": [{"what": what, "how_long": how_long} for what, how_long in about.retention],
        "sections": sections,
    }


_STYLE = Markup(
    "body{font:1.1rem/1.5 Arial,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "color:#0b0c0c}dt{font-weight:700;margin-top:1rem}dd{margin:0;white-space:pre-wrap}"
    ".out{background:#0b0c0c;color:#fff;padding:0 .3em}.when{color:#505a5f;font-size:.9rem}"
)
_OF_STYLE = b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_OF_STYLE}'; base-uri 'none'; form-action 'none'"
"""The file runs nothing and fetches nothing, whatever stands in it."""

_PAGE = Markup(
    """<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What is kept about {reference} – {authority}</title>
<style>{style}</style>
</head><body><main>
<h1>What is kept about {reference}</h1>
<p>This copy was made on {made_on} by {authority}. You have a right to it (UK GDPR Article 15).</p>
<p>Words on black were taken out, and say why. To ask about them, or to say that something is wrong,
turn to {contact}. You can also complain to the Information Commissioner, ico.org.uk.</p>
<p>The same is in this file as data, for a computer. Files that were attached are in it too, where
they say so: choose one to save it.</p>
{sections}
<h2>How long it is kept</h2>
<dl>{kept_for}</dl>
</main>
<script type="application/json" id="machine-readable">{data}</script>
</body></html>
"""
)
_SECTION = Markup("<h2>{title}</h2>\n<dl>\n{entries}</dl>\n")
_ENTRY = Markup('<dt>{label}</dt><dd>{says}</dd><dd class="when">{when}</dd>\n')
_OUT = Markup('<span class="out">[{}]</span>')
_FILE = Markup(
    ' <a id="{element}" download="{name}" href="data:{media_type};base64,{data}">Save {name}</a>'
)


def render(told: Mapping[str, Any], files: Mapping[str, Attached]) -> str:
    """The file that is handed out."""
    return str(
        _PAGE.format(
            policy=POLICY,
            style=_STYLE,
            reference=told["reference"],
            authority=told["authority"],
            made_on=words.day(date.fromisoformat(told["made_on"])),
            contact=told["contact"],
            sections=Markup("").join(_section(one, files) for one in told["sections"]),
            kept_for=Markup("").join(
                Markup("<dt>{}</dt><dd>{}</dd>").format(one["what"], one["how_long"])
                for one in told["kept_for"]
            ),
            # Nothing in a text ends the element that holds the data.
            data=htmlsafe_json_dumps(told, ensure_ascii=False, indent=1),
        )
    )


def _section(section: Mapping[str, Any], files: Mapping[str, Attached]) -> Markup:
    return _SECTION.format(
        title=section["title"],
        entries=Markup("").join(_entry(one, files) for one in section["entries"]),
    )


def _part(part: Mapping[str, Any], files: Mapping[str, Attached]) -> Markup:
    if "taken_out" in part:
        return _OUT.format(part["taken_out"])
    if "file" in part:
        link = part["file"]
        content = files[link["element"]].content or b""
        return _FILE.format(**link, data=b64encode(content).decode())
    return escape(part["text"])


def _entry(entry: Mapping[str, Any], files: Mapping[str, Attached]) -> Markup:
    when = ", ".join(filter(None, (entry["written_on"], entry["written_by"])))
    says = Markup("").join(_part(part, files) for part in entry["says"])
    return _ENTRY.format(label=entry["label"], says=says, when=when)
