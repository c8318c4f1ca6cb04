"""The copy that is handed out: one HTML file that people read, with the same data in it as JSON.

Both are made from the same parts, so that what is taken out of one is in neither. The JSON stands
in the element `machine-readable`; its shape is docs/rights/access-file.schema.json.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

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


@dataclass(frozen=True, slots=True)
class About:
    """What stands above the copy."""

    authority: str
    reference: str
    made_on: date
    contact: str
    retention: tuple[tuple[str, str], ...]


def parts_of(text: str, outs: Sequence[Out]) -> list[dict[str, str]]:
    """A text as the parts that stay and, in the place of the others, why they are out."""
    whole = next((one for one in outs if one.start is None), None)
    if whole is not None:
        return [{"taken_out": TAKEN_OUT[whole.exemption]}]
    found: list[dict[str, str]] = []
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


def content(
    about: About, pieces: Iterable[Piece], outs: Mapping[str, Sequence[Out]]
) -> dict[str, Any]:
    """The copy as data."""
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
                        "says": parts_of(piece.text, outs.get(piece.id, ())),
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


_PAGE = Markup(
    """<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What is kept about {reference} – {authority}</title>
<style>body{{font:1.1rem/1.5 Arial,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;\
color:#0b0c0c}}dt{{font-weight:700;margin-top:1rem}}dd{{margin:0;white-space:pre-wrap}}\
.out{{background:#0b0c0c;color:#fff;padding:0 .3em}}.when{{color:#505a5f;font-size:.9rem}}</style>
</head><body><main>
<h1>What is kept about {reference}</h1>
<p>This copy was made on {made_on} by {authority}. You have a right to it (UK GDPR Article 15).</p>
<p>Words on black were taken out, and say why. To ask about them, or to say that something is wrong,
turn to {contact}. You can also complain to the Information Commissioner, ico.org.uk.</p>
<p>The same is in this file as data, for a computer.</p>
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


def render(told: Mapping[str, Any]) -> str:
    """The file that is handed out."""
    data = json.dumps(told, ensure_ascii=False, indent=1)
    # Nothing in a text ends the element that holds the data.
    safe = data.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return str(
        _PAGE.format(
            reference=told["reference"],
            authority=told["authority"],
            made_on=words.day(date.fromisoformat(told["made_on"])),
            contact=told["contact"],
            sections=Markup("").join(map(_section, told["sections"])),
            kept_for=Markup("").join(
                Markup("<dt>{}</dt><dd>{}</dd>").format(one["what"], one["how_long"])
                for one in told["kept_for"]
            ),
            data=Markup(safe),  # noqa: S704 - escaped for JSON within HTML just above
        )
    )


def _section(section: Mapping[str, Any]) -> Markup:
    return _SECTION.format(
        title=section["title"], entries=Markup("").join(map(_entry, section["entries"]))
    )


def _entry(entry: Mapping[str, Any]) -> Markup:
    when = ", ".join(filter(None, (entry["written_on"], entry["written_by"])))
    says = Markup("").join(
        _OUT.format(part["taken_out"]) if "taken_out" in part else escape(part["text"])
        for part in entry["says"]
    )
    return _ENTRY.format(label=entry["label"], says=says, when=when)
