"""The page of all components, rendered; shared by the tests of this room and the browser's."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from panel.web import assets, forms
from panel.web.manifest import read_manifest
from panel.web.render import Frame, Link, PageHelp, Renderer

GALLERY = Path(__file__).with_name("gallery.html")
AGENDA = """
1|9:30|Amina Khalil|3 years 2 months|Escalation|orange|No equipment|Rosa Whitlow|Health|18 June 2026
2|9:40|Theo Barnaby|1 year 11 months|New|green|Referred by Paediatrics|Beth Amory|Portage|first time
3|10:00|Freya Lindqvist|4 years|Transition|purple|No school yet|Hana Oduya|Early years|4 June 2026
"""
HELP = PageHelp(
    ["Move a row by Up or Down."], [Link("freeze", "/glossary#freeze")], for_family=False
)


class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
    """A form with one field of most kinds."""

    given_name: Annotated[str, forms.line("Given name", at_most=70)]
    born: Annotated[dt.date, forms.on_day("Date of birth")]
    sex: Annotated[Literal["f", "m", "x"], forms.chosen("Sex")]
    about: Annotated[str, forms.paragraphs("About them", at_most=200)] = ""
    ways: Annotated[list[Literal["post", "telephone"]], forms.chosen("Ways to reach them")] = []
    agree: Annotated[bool, forms.chosen("They know that this is recorded")] = False
    minutes: Annotated[int | None, forms.amount("Minutes", at_least=1, at_most=60)] = None


def renderer() -> Renderer:
    """Build the assets where needed and give a renderer of this room's templates."""
    assets.build()
    return Renderer(read_manifest(), help={"error.html": HELP})


def frame(**changed: Any) -> Frame:
    """Give a frame as a coordinator would see it."""
    shown: dict[str, Any] = {
        "navigation": (
            Link("Home", "/"),
            Link("Panels", "/panels", current=True),
            Link("Children", "/children"),
            Link("Calendar", "/calendar"),
        ),
        "authority": "Wexcombe Borough (demo)",
        "role": "Coordinator",
        "notice": "Everyone in this demonstration is invented.",
        "notice_tag": "Demo",
        "csrf_token": "token",
        "footer": (Link("Accessibility", "/accessibility"), Link("Privacy", "/privacy")),
    }
    return Frame(**(shown | changed))


def gallery(render: Renderer, shown_in: Frame | None = None) -> str:
    """Render every component on one page."""
    refused = forms.read_form(
        NewPerson,
        [("given_name", ""), ("born-day", "31"), ("born-month", "2"), ("born-year", "2022")],
    )
    assert isinstance(refused, forms.FieldErrors)
    template = render.environment.from_string(GALLERY.read_text(encoding="utf-8"))
    return template.render(
        frame=shown_in or frame(),
        page_help=render.help_panels["error.html"],
        today=dt.date(2026, 12, 3),
        visited=forms.DateParts("27", "11", "2026"),
        mistakes=forms.Filled(errors=refused),
        agenda=_agenda(),
    )


def _agenda() -> list[dict[str, str]]:
    keys = ("id", "time", "name", "age", "why", "colour", "note", "lead", "agency", "last")
    return [dict(zip(keys, row.split("|"), strict=True)) for row in AGENDA.strip().splitlines()]
