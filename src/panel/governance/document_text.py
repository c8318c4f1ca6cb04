"""A document as parts, and the parts as Markdown and as a page of HTML. Pure."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from markupsafe import Markup


class Heading(msgspec.Struct, tag="heading", frozen=True):
    """A heading of the second level; the title is not among the parts."""

    text: str


class Words(msgspec.Struct, tag="words", frozen=True):
    """A paragraph."""

    text: str


class Points(msgspec.Struct, tag="points", frozen=True):
    """A list."""

    items: tuple[str, ...]


class Grid(msgspec.Struct, tag="grid", frozen=True):
    """A table; the first column heads its row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class ToFill(msgspec.Struct, tag="to_fill", frozen=True):
    """What the system cannot know: for the authority's lawyers to write."""

    text: str


Part = Heading | Words | Points | Grid | ToFill
MARK = "TO FILL IN"

_MARKUP = re.compile(r"[\\\[`]|<(?=[A-Za-z/!?])")
"""What begins a link, a picture, code or a tag in Markdown."""

_READ = msgspec.json.Decoder(tuple[Part, ...])


def stored(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """The parts as the database keeps them."""
    kept: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(parts))
    return kept


def read(kept: list[dict[str, Any]]) -> tuple[Part, ...]:
    """The parts again."""
    return _READ.decode(msgspec.json.encode(kept))


def fingerprint(title: str, parts: Sequence[Part]) -> str:
    """The same for the same text, and for nothing else."""
    return sha256(msgspec.json.encode([title, parts])).hexdigest()


def markdown(title: str, state: str, parts: Iterable[Part]) -> str:
    """The document as Markdown; `state` says which version it is and whether it is approved."""
    blocks = [f"# {title}", f"*{state}*"]
    for part in parts:
        match part:
            case Heading(text):
                blocks.append(f"## {_plain(text)}")
            case Words(text):
                blocks.append(_plain(text))
            case Points(items):
                blocks.append("\n".join(f"- {_plain(item)}" for item in items))
            case Grid(columns, rows):
                lines = [columns, tuple("---" for _ in columns), *rows]
                blocks.append("\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines))
            case ToFill(text):
                blocks.append(f"> **{MARK}:** {_plain(text)}")
    return "\n\n".join(blocks) + "\n"


def html(title: str, state: str, parts: Iterable[Part]) -> str:
    """The document as a page of its own, without script or anything from elsewhere."""
    body = Markup("\n").join(_html(part) for part in parts)
    return str(
        Markup(
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            "<title>{title}</title>\n<style>body{{font:1.1rem/1.5 Arial,sans-serif;max-width:45rem;"
            "margin:2rem auto;padding:0 1rem}}table{{border-collapse:collapse;width:100%}}"
            "th,td{{border-bottom:1px solid #767676;text-align:left;vertical-align:top;"
            "padding:.4rem .6rem .4rem 0}}.to-fill{{border-left:.5rem solid #b58800;"
            "padding-left:1rem}}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
            "<p><em>{state}</em></p>\n{body}\n</main>\n</body>\n</html>\n"
        ).format(title=title, state=state, body=body)
    )


def _html(part: Part) -> Markup:
    match part:
        case Heading(text):
            return Markup("<h2>{}</h2>").format(text)
        case Words(text):
            return Markup("<p>{}</p>").format(text)
        case Points(items):
            listed = Markup("").join(Markup("<li>{}</li>").format(item) for item in items)
            return Markup("<ul>{}</ul>").format(listed)
        case Grid(columns, rows):
            heads = Markup("").join(Markup('<th scope="col">{}</th>').format(c) for c in columns)
            lines = Markup("\n").join(_html_row(row) for row in rows)
            return Markup(
                "<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}\n</tbody>\n</table>"
            ).format(heads, lines)
        case ToFill(text):
            return Markup('<p class="to-fill"><strong>{}:</strong> {}</p>').format(MARK, text)


def _html_row(row: Sequence[str]) -> Markup:
    first, *rest = row
    cells = Markup("").join(Markup("<td>{}</td>").format(cell) for cell in rest)
    return Markup('<tr><th scope="row">{}</th>{}</tr>').format(first, cells)


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def _plain(text: str) -> str:
    """Words as words: whoever named an agency puts no link, picture or tag into the file."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
