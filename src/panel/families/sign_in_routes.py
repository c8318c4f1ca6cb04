"""How a parent, a carer or a young person signs in, and where they are signed in."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from consent import ViewerKind
from panel.accounts.desk import FAMILY_HOME, FOR_ANYBODY, FOR_FAMILIES, Desk, go
from panel.accounts.my_pages import session_lines
from panel.accounts.taking import Transaction, take_here
from panel.accounts.way_in import (
    home_of,
    let_in,
    page_on_the_way,
    path_here,
    posted_on_the_way,
    safe_path,
    wait_words,
    with_cookie,
)
from panel.families.entering import Typed, ask_for_code, stays_in, try_code
from panel.families.invitation_words import SIGN_IN
from panel.families.sending import send_at_once
from panel.platform.problems import Problem, TooMany
from panel.platform.sessions import Way, end, end_others, sessions_of
from panel.web.forms import Nothing

CODE = f"{SIGN_IN}/code"
OWN_SIGN_INS = "/family/sign-ins"
LONGEST = 254
"""Characters that are read of anything that is typed on the way in."""
WRONG = (
    "That is not right. Check the code and the date or word. The first time, check the code from"
    " your letter or e-mail too. If all of it is right, ask for another code with the reference"
    " from your letter"
)
ONCE_MORE = (
    "This gives away everything that is kept. So we send you another code first, to be sure that it"
    " is you."
)
OVER = "This code is over. Ask for a new one"


# --- Asking for a code --------------------------------------------------------------------------


def _begin(desk: Desk, next_path: str, status: int = 200, **shown: str) -> Response[str]:
    """Where a family begins; `shown` are `who`, `reason` and what `mistake` there is."""
    mistake = shown.pop("mistake", "")
    return page_on_the_way(
        desk,
        "families/sign_in.html",
        status=status,
        next_path=next_path,
        mistakes={"who": mistake} if mistake else {},
        **({"who": "", "reason": ""} | shown),
    )


def entering_instead(desk: Desk, problem: Problem) -> Response[str]:
    """The page of sign-in in the place of a family's page that asks for it."""
    return _begin(desk, path_here(desk, FAMILY_HOME), problem.status, reason=problem.sentence)


@get(SIGN_IN, include_in_schema=False, opt=FOR_ANYBODY)
async def sign_in_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """Who you are. A link from an e-mail only fills the reference in: to look uses nothing up."""
    asked = desk.request.query_params
    next_path = safe_path(asked.get("next"), FAMILY_HOME)
    if desk.who is not None:
        is_family = desk.viewer.kind is ViewerKind.FAMILY
        if not is_family or "again" not in asked or await desk.is_proved():
            return go(next_path if is_family and "again" in asked else home_of(desk.viewer.kind))
        return _begin(desk, next_path, reason=ONCE_MORE)
    return _begin(desk, next_path, who=asked.get("reference", "")[:LONGEST])


@post(SIGN_IN, include_in_schema=False, opt=FOR_ANYBODY)
async def ask(desk: NamedDependency[Desk]) -> Response[Any]:
    """The same answer for whoever is known and whoever is not."""
    posted = await posted_on_the_way(desk)
    who = posted.text("who").strip()[:LONGEST]
    next_path = safe_path(posted.text("next"), FAMILY_HOME)
    if not who:
        said = "Enter your e-mail address, or the reference from your letter"
        return _begin(desk, next_path, 422, mistake=said)
    try:
        cookie = await ask_for_code(
            desk.tenant, who, desk.address, next_path, desk.token or desk.ended
        )
    except TooMany as problem:
        return _begin(desk, next_path, 429, who=who, mistake=wait_words(problem))
    await send_at_once(desk)
    if desk.token is not None:
        # Who shows again who they are comes in anew: what they were signed in with is over.
        async with desk.tenant.transaction() as session:
            await end(session, desk.token)
    return with_cookie(desk.request, CODE, cookie)


# --- Using it -----------------------------------------------------------------------------------


@get(CODE, include_in_schema=False, opt=FOR_ANYBODY)
async def code_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """The code, what they know, and the first time the invitation's code."""
    return _code(desk, {})


@post(CODE, include_in_schema=False, opt=FOR_ANYBODY)
async def use_code(desk: NamedDependency[Desk]) -> Response[Any]:
    """In, with all that is asked for; which part was wrong is not told."""
    posted = await posted_on_the_way(desk)
    typed = Typed(*(posted.text(name).strip()[:LONGEST] for name in ("code", "fact", "invitation")))
    needed = {
        "code": (typed.code, "Enter the six figures that we sent you"),
        "fact": (typed.fact, "Enter the date or word that you know"),
    }
    if mistakes := {name: said for name, (given, said) in needed.items() if not given}:
        return _code(desk, mistakes, typed, status=422)
    try:
        tried = await try_code(desk.tenant, desk.token or desk.ended or "", typed, desk.address)
    except TooMany as problem:
        return _code(desk, {"code": wait_words(problem)}, status=429)
    if tried.person is None:
        return _code(desk, {"code": OVER if tried.is_over else WRONG}, typed, status=422)
    async with desk.tenant.transaction() as session:
        cookie = await let_in(desk, session, tried.person, "family", Way.FAMILY_CODE)
    if not await stays_in(desk.tenant, tried.person):
        return _code(desk, {"code": OVER}, typed, status=422)
    return with_cookie(desk.request, tried.next_path, cookie)


def _code(
    desk: Desk, mistakes: Mapping[str, str], typed: Typed | None = None, status: int = 200
) -> Response[str]:
    return page_on_the_way(
        desk,
        "families/code.html",
        status=status,
        mistakes=mistakes,
        # The code from the letter is long to type; what is known is not shown again.
        invitation="" if typed is None else typed.invitation,
    )


# --- Where they are signed in -------------------------------------------------------------------


@get(OWN_SIGN_INS, include_in_schema=False, opt=FOR_FAMILIES)
async def sign_ins(desk: NamedDependency[Desk]) -> Response[str]:
    """Where somebody of a family is signed in, and since when."""
    async with desk.tenant.transaction(desk.viewer.id) as session:
        found = await sessions_of(session, desk.viewer.id, desk.token or "", desk.now)
    return desk.page(
        "families/sign_ins.html", sessions=session_lines(found, OWN_SIGN_INS), base=OWN_SIGN_INS
    )


@post(f"{OWN_SIGN_INS}/end-others", include_in_schema=False, opt=FOR_FAMILIES)
async def end_other_sign_ins(desk: NamedDependency[Desk]) -> Response[Any]:
    """Sign out everywhere else."""

    async def work(here: Transaction, _form: Nothing) -> None:
        await end_others(here.session, desk.viewer.id, desk.token or "")

    return await take_here(desk, Nothing, work, OWN_SIGN_INS)


HANDLERS = [sign_in_page, ask, code_page, use_code, sign_ins, end_other_sign_ins]
