"""A note as a letter: PDF/UA-1, whose title, file name and properties name nobody."""

from datetime import datetime

from panel.panels.note_sending import Letter
from panel.platform import pdf

FILE_NAME = "notes-from-the-panel.pdf"


def note_pdf(letter: Letter, authority: str, made_at: datetime) -> bytes:
    """The letter, A4, for black and white; the same bytes for the same arguments.

    Raises panel.platform.pdf.PdfNotMade with a sentence.
    """
    return pdf.render(
        "panels/templates/note.typ",
        {
            "authority": authority,
            "address": letter.address,
            "body": letter.body,
        },
        title=letter.title,
        created=made_at,
    )
