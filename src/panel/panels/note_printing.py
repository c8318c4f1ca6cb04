"""A letter as the answer to whoever prints it."""

import asyncio

from litestar import Response

from panel.accounts.desk import PRIVATE, Desk
from panel.panels.note_document import note_pdf
from panel.panels.note_sending import Letter
from panel.platform.pdf import PdfNotMade
from panel.platform.problems import NotWorking


async def printed(desk: Desk, letter: Letter, file_name: str) -> Response[bytes]:
    """The letter as a PDF to print. Raises NotWorking where none can be made."""
    try:
        content = await asyncio.to_thread(
            note_pdf, letter, desk.tenant.record.label, letter.made_at
        )
    except PdfNotMade as refused:
        raise NotWorking("letter") from refused
    return Response(
        content,
        media_type="application/pdf",
        headers=PRIVATE | {"Content-Disposition": f'inline; filename="{file_name}"'},
    )
