"""The joint report of a release, to take away."""

import asyncio

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from panel.accounts.desk import PRIVATE, Desk
from panel.insight import report
from panel.insight.opened import HOME, NOT_HERE, open_release
from panel.platform.pdf import PdfNotMade
from panel.platform.problems import NotFound, Problem


@get(f"{HOME}/report.pdf", include_in_schema=False)
async def report_as_pdf(desk: NamedDependency[Desk], term: FromQuery[str] = "") -> Response[bytes]:
    """The report of a term, or of the newest, as PDF/UA."""
    opened = await open_release(desk, term)
    if opened.seen is None:
        raise NotFound(NOT_HERE)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await report.read(
            session, opened.published, opened.seen.head, desk.tenant.record.label, opened.invented
        )
    try:
        content = await asyncio.to_thread(report.pdf, found)
    except PdfNotMade as error:
        raise Problem(
            503, "The report was not made", error.sentence, "Read the four questions on screen."
        ) from error
    return Response(
        content,
        media_type="application/pdf",
        headers=PRIVATE | {"Content-Disposition": f'attachment; filename="{found.file_name}"'},
    )


HANDLERS = [report_as_pdf]
