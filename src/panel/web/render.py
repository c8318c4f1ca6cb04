"""Turn a template and a read model into a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)
from markupsafe import Markup, escape

from panel.platform.ids import new_id
from panel.web import words
from panel.web.manifest import Manifest

FORGERY_FIELD = "_csrf_token"
ACCENTS = ("teal", "navy", "green", "purple", "plum", "brick", "slate")


@dataclass(frozen=True)
class Link:
    """A link of the navigation; `current` marks where the reader is."""

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class PageHelp:
    """What helps on one page: a few sentences, and links to words that are explained elsewhere."""

    says: Sequence[str]
    terms: Sequence[Link]
    for_family: bool


@dataclass(frozen=True)
class Frame:
    """What surrounds every page: who is here, for whom, and where they may go.

    `accent` is one of ACCENTS. `csrf_token` is empty where nobody is signed in; then there is no
    sign-out button. `notice` is a sentence under the header (the demonstration says so there),
    with `notice_tag` before it. `language` is the page's BCP 47 tag, `direction` ltr or rtl.
    """

    service: str = "Panel"
    home: str = "/"
    navigation: Sequence[Link] = ()
    authority: str = ""
    role: str = ""
    accent: str = "teal"
    notice: str = ""
    notice_tag: str = ""
    csrf_token: str = ""
    csrf_field: str = FORGERY_FIELD
    sign_out: str = "/sign-out"
    footer: Sequence[Link] = ()
    language: str = "en"
    direction: str = "ltr"

    @staticmethod
    def new_form_id() -> str:
        """Give an id to one form of the page, so that posting it twice does its work once."""
        return str(new_id())

    def __post_init__(self) -> None:
        """Refuse an accent whose contrast was not checked."""
        if self.accent not in ACCENTS:
            raise ValueError(f"“{self.accent}” is not one of {words.in_a_row(ACCENTS, 'or')}.")


# Chance at each start, so that nothing that somebody writes can stand for them.
_TOKEN_SLOT = f"token-{token_hex(16)}"
_FORM_SLOT = f"form-{token_hex(16)}"


@dataclass(frozen=True)
class _Unfilled(Frame):
    """The frame of a part that is kept between requests: its forms get their secrets later."""

    csrf_token: str = _TOKEN_SLOT

    @staticmethod
    def new_form_id() -> str:
        """Where the form's id goes."""
        return _FORM_SLOT


UNFILLED: Frame = _Unfilled()


def fill(part: Markup, csrf_token: str) -> Markup:
    """A kept part for one request: its forms with their token, and an id that is new each time."""
    return part.replace(_TOKEN_SLOT, csrf_token).replace(_FORM_SLOT, Frame.new_form_id())


@dataclass(frozen=True)
class Renderer:
    """Renders pages of every room with one set of components.

    Templates of this room are named plainly (`layout.html`, `macros/forms.html`); those of
    another room by the room: `rooms=("register",)` finds `register/list.html` in the package
    panel.register, folder templates. A misspelt variable raises jinja2.UndefinedError.
    `compiled` is a folder to keep compiled templates in between starts. `help` is what helps on
    each page, by the name of its template.
    """

    manifest: Manifest
    rooms: Sequence[str] = ()
    compiled: Path | None = None
    help: Mapping[str, PageHelp] = field(default_factory=dict)
    environment: Environment = field(init=False)
    help_panels: Mapping[str, Markup] = field(init=False)
    """The help of each page, written out once: a page only looks it up."""

    def __post_init__(self) -> None:
        """Build the environment once."""
        cache: BytecodeCache | None = None
        if self.compiled is not None:
            self.compiled.mkdir(parents=True, exist_ok=True)
            cache = FileSystemBytecodeCache(str(self.compiled))
        environment = Environment(
            loader=ChoiceLoader(
                [
                    PackageLoader("panel.web"),
                    PrefixLoader({room: PackageLoader(f"panel.{room}") for room in self.rooms}),
                ]
            ),
            autoescape=True,
            auto_reload=False,
            bytecode_cache=cache,
            cache_size=-1,
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=StrictUndefined,
        )
        environment.filters.update(
            day=words.day,
            short_day=words.short_day,
            time=words.time,
            day_and_time=words.day_and_time,
            relative_day=words.relative_day,
            day_and_distance=words.day_and_distance,
            initials=words.initials,
            plural=words.plural,
            number=words.number,
            in_a_row=words.in_a_row,
        )
        environment.globals["asset"] = self.manifest.url
        object.__setattr__(self, "environment", environment)
        help_panel = vars(environment.get_template("macros/content.html").module)["help_panel"]
        panels = {template: help_panel(one) for template, one in self.help.items()}
        object.__setattr__(self, "help_panels", panels)

    def page(self, template: str, frame: Frame, **shown: object) -> str:
        """Render a page that extends layout.html; `shown` is what the template names.

        The layout knows `page_help`, what helps on this page, if anything was written.
        """
        return self.environment.get_template(template).render(
            shown, frame=frame, page_help=self.help_panels.get(template, "")
        )

    def part(self, template: str, **shown: object) -> Markup:
        """Render a template that stands without the layout: a part of a page."""
        return escape(self.environment.get_template(template).make_module(shown))
