"""A release as a folder: catalogue.json, a CSV file for each table, methods.html, ledger.json."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from panel.insight import methods
from panel.insight.blocks import Block
from panel.insight.core import ledger, written
from panel.insight.core.ledger import LEDGER, Files, Tampered
from panel.insight.core.released import Entry, Release
from panel.insight.core.words import Period, period_words
from panel.insight.core.written import READ_FIRST, Unreadable, release_from
from panel.insight.saying import WHY_NOT, Areas

METHODS = "methods.html"


def files_of(release: Release, areas: Areas) -> dict[str, bytes]:
    """Every file of a release but the ledger. The same release gives the same bytes."""
    return {**written.files_of(release), METHODS: _methods(release, areas)}


def _methods(release: Release, areas: Areas) -> bytes:
    title = f"How the figures of {period_words(release.period)} were made"
    parts = "\n".join(_block(one) for one in methods.blocks(release.rules, release.error, areas))
    why = "\n".join(
        f"<dt>{escape(note.value)}</dt><dd>{escape(said)}</dd>" for note, said in WHY_NOT
    )
    tables = "\n".join(
        f"<tr><th scope='row'>{escape(one.key)}.csv</th><td>{escape(one.title)}</td>"
        f"<td>{escape(one.definition)} {escape(' '.join(one.quality))}</td>"
        f"<td>{escape(one.source)}</td></tr>"
        for one in (release.catalogue[shown.key] for shown in release.tables)
    )
    return f"""<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><title>{escape(title)}</title></head>
<body>
<h1>{escape(title)}</h1>
<p><strong>{escape(READ_FIRST)}</strong></p>
{parts}
<h2>What is not shown, and why</h2>
<dl>
{why}
</dl>
<h2>Tables</h2>
<table>
<tr><th scope="col">File</th><th scope="col">Table</th><th scope="col">What it counts</th>
<th scope="col">Source</th></tr>
{tables}
</table>
</body>
</html>
""".encode()


def _block(block: Block) -> str:
    said = "\n".join(f"<p>{escape(one)}</p>" for one in block.sentences)
    table = ""
    if block.columns:
        head = "".join(f'<th scope="col">{escape(one)}</th>' for one in block.columns)
        rows = "\n".join(
            f"<tr>{''.join(f'<td>{escape(one)}</td>' for one in row)}</tr>" for row in block.rows
        )
        caption = escape(block.caption)
        table = f"\n<table>\n<caption>{caption}</caption>\n<tr>{head}</tr>\n{rows}\n</table>"
    return f"<h2>{escape(block.heading)}</h2>\n{said}{table}"


def put(folder: Path, files: Files, entries: Sequence[Entry]) -> None:
    """Write a release with the ledger as it was then. OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**files, LEDGER: ledger.written(entries)}.items():
        (folder / name).write_bytes(content)


def read_folder(folder: Path) -> tuple[dict[str, bytes], tuple[Entry, ...]]:
    """The files of a folder and its ledger. Unreadable, OSError."""
    files = {one.name: one.read_bytes() for one in sorted(folder.iterdir()) if one.is_file()}
    if LEDGER not in files:
        raise Unreadable(f"{folder} has no {LEDGER}: it is no release")
    try:
        return files, ledger.read(files.pop(LEDGER))
    except ValueError as wrong:
        raise Unreadable(f"{folder / LEDGER}: {wrong}") from wrong


def releases_in(folders: Sequence[Path]) -> tuple[Release, ...]:
    """The releases of folders, as anybody reads them. Unreadable, OSError."""
    return tuple(release_from(read_folder(one)[0]) for one in folders)


def tampered(folders: Sequence[Path], public: str) -> tuple[Tampered, ...]:
    """What is not as it was signed, in folders of one authority. Unreadable, OSError."""
    read = [read_folder(one) for one in folders]
    longest = max((entries for _, entries in read), key=len, default=())
    found: list[Tampered] = []
    by_period: dict[Period, Mapping[str, bytes]] = {}
    for files, entries in read:
        if not entries or entries != longest[: len(entries)]:
            found.append(Tampered(len(entries), "its folder has another ledger than the others"))
            continue
        by_period[entries[-1].period] = files
    return (*found, *ledger.verify(longest, by_period, public))
