"""A small page on which several write at once, served by the real site in a process of its own.

Started with the port as its argument; PANEL_DATA_DIR and PANEL_DATABASE_URL say where the data are.
The address of a page names its meeting and its child.
"""

import sys
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Litestar, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import select

from panel.accounts.desk import Desk, go
from panel.app import make_app
from panel.commands.serving import run_server
from panel.panels.models import Discussion, Meeting
from panel.platform.clock import SystemClock
from panel.platform.live import tell
from panel.platform.problems import NotAllowed
from panel.platform.tenancy import load_keys
from panel.records.child_scoped import JOB
from panel.settings import from_environment
from panel.web.forms import FieldErrors, paragraphs

ADDRESS = "/typing/{meeting:uuid}/{child:uuid}"
PAGE = """{% extends "layout.html" %}
{% from "macros/forms.html" import hidden_fields %}
{% block title %}Discussion{% endblock %}
{% block head %}<meta name="panel-drafts" content="{{ drafts_key }}">{% endblock %}
{% block content %}
<h1 class="govuk-heading-l">Discussion</h1>
<div data-live="/live/typing-{{ meeting }}"><p data-presence role="status"></p></div>
<section id="discussion" data-refresh aria-labelledby="said">
<h2 class="govuk-heading-m" id="said">Said so far</h2>
<ol>{% for who, text in said %}<li>{{ who }}: {{ text }}</li>{% endfor %}</ol>
<form method="post" action="/typing/{{ meeting }}/{{ child }}" data-contribution novalidate>
{{ hidden_fields(frame) }}<input type="hidden" name="client_id" value="{{ frame.new_form_id() }}">
<input type="hidden" name="heading" value="discussion">
<label class="govuk-label" for="discussion-text">Your words</label>
<textarea class="govuk-textarea" id="discussion-text" name="text"></textarea>
<button class="govuk-button">Add</button>
</form>
</section>
{% endblock %}
"""


class Words(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody adds."""

    client_id: UUID
    text: Annotated[str, paragraphs("Your words", at_most=5_000)]
    heading: str = "discussion"


@get(ADDRESS, include_in_schema=False)
async def page(
    desk: NamedDependency[Desk], meeting: FromPath[UUID], child: FromPath[UUID]
) -> Response[str]:
    """What was said, and a form to add to it."""
    assert desk.viewer.agency is not None
    async with desk.tenant.transaction(JOB) as session:
        await load_keys(session, {child})
        rows = await session.scalars(
            select(Discussion).where(Discussion.child_id == child, Discussion.meeting_id == meeting)
        )
        said = [(str(row.worker_id)[-4:], row.text) for row in sorted(rows, key=lambda r: r.id)]
    text = desk.site.renderer.environment.from_string(PAGE).render(
        frame=desk.frame(),
        today=date(2026, 12, 3),
        page_help="",
        drafts_key=desk.drafts_key,
        meeting=meeting,
        child=child,
        said=said,
    )
    return Response(text, media_type="text/html", headers={"Cache-Control": "no-store"})


@post(ADDRESS, include_in_schema=False)
async def add(
    desk: NamedDependency[Desk], meeting: FromPath[UUID], child: FromPath[UUID]
) -> Response[Any]:
    """Keep what somebody adds, once, and tell the others."""
    posted = await desk.posted()
    form = posted.read(Words)
    if isinstance(form, FieldErrors):
        raise NotAllowed("; ".join(form.sentences.values()))
    if "refuse this" in form.text:
        raise NotAllowed("The meeting has ended")
    agency = desk.viewer.agency
    assert agency is not None
    async with desk.tenant.transaction(JOB) as session:
        known = select(Discussion.id).where(Discussion.client_id == form.client_id)
        if await session.scalar(known) is None:
            row = Discussion(
                child_id=child,
                meeting_id=meeting,
                author_agency_id=agency,
                worker_id=desk.viewer.id,
                said_at=desk.now,
                client_id=form.client_id,
                text=form.text,
            )
            session.add(row)
            await session.flush()
            await tell(session, f"typing-{meeting}", row.id)
    return go(f"/typing/{meeting}/{child}")


async def may_listen(desk: Desk, meeting: UUID) -> bool:
    """Whoever is signed in, to any meeting there is."""
    async with desk.tenant.transaction() as session:
        known = await session.get(Meeting, meeting) is not None
    return desk.viewer.agency is not None and known


def make() -> Litestar:
    """The site for granian."""
    settings = from_environment()
    assert settings.database_url is not None
    app = make_app(
        settings,
        settings.database_url,
        SystemClock(),
        compiled=settings.data_dir / "templates",
        listening={"typing": may_listen},
    )
    app.register(page)
    app.register(add)
    return app


if __name__ == "__main__":
    run_server("127.0.0.1", int(sys.argv[1]), 2, "typing_site:make")
