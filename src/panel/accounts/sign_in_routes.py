"""Signing in with a password and a code, or with a passkey; and showing again who one is."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from sqlalchemy.ext.asyncio import AsyncSession

from panel.accounts.desk import (
    AGAIN,
    FOR_ANYBODY,
    OWN_SIGN_IN,
    PRIVATE,
    Desk,
    Posted,
    go,
    leading_on,
)
from panel.accounts.entering import Claim, account_of, try_code, try_password, whose_passkey
from panel.accounts.noted import note
from panel.accounts.own_ways import ways_of, worker_of
from panel.accounts.passkeys import NotBelieved, Place, Purpose, asking_for_one, new_challenge
from panel.accounts.providers import Button, providers_for_again, providers_for_sign_in
from panel.accounts.throttle import ask_for_challenge
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
from panel.platform.audit import Kind
from panel.platform.entries import Entry, begin, entry_of
from panel.platform.problems import Gone, NotFound, Problem, TooMany
from panel.platform.sessions import Way, renew, way_of

SECOND = "second"
"""The step of an entry: the password was given, the code is to come."""
WRONG = "The e-mail address or the password is not right. Check both and try again"
WRONG_CODE = "The code is not right, or the password was not. Check both and try again"
WRONG_PASSKEY = "This passkey is not known here. Try another one, or another way"
BEGIN = "Go to the sign-in page and begin again."


# --- The page -----------------------------------------------------------------------------------


def entering(
    desk: Desk,
    next_path: str,
    *,
    status: int = 200,
    mistakes: Mapping[str, str] | None = None,
    email: str = "",
    reason: str = "",
    providers: Sequence[Button] | None = None,
) -> Response[str]:
    """The page where whoever is not signed in lands.

    Args: `providers` is None where they were not asked for: the page then leads to where they are.
    """
    return page_on_the_way(
        desk,
        "accounts/enter.html",
        status=status,
        next_path=next_path,
        mistakes=mistakes or {},
        email=email,
        reason=reason,
        providers=providers,
    )


async def _entering(desk: Desk, next_path: str, **shown: Any) -> Response[str]:
    return entering(desk, next_path, providers=await providers_for_sign_in(desk), **shown)


def entering_instead(desk: Desk, problem: Problem) -> Response[str]:
    """The page of sign-in in the place of one that asks for it; it leads on to that one."""
    return entering(desk, path_here(desk), status=problem.status, reason=problem.sentence)


def _next(desk: Desk) -> str:
    return safe_path(desk.request.query_params.get("next"))


@get("/sign-in", include_in_schema=False, opt=FOR_ANYBODY)
async def enter_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """The ways in; whoever is in already goes on."""
    if desk.who is not None:
        return go(safe_path(desk.request.query_params.get("next"), home_of(desk.viewer.kind)))
    return await _entering(desk, _next(desk))


@get("/sign-in/done", include_in_schema=False, opt=FOR_ANYBODY)
async def done_page(desk: NamedDependency[Desk]) -> Response[str]:
    """For whoever signed in beside a page that waits for it."""
    return desk.page("accounts/done.html", is_in=desk.who is not None)


# --- A password, then a code --------------------------------------------------------------------


@post("/sign-in", include_in_schema=False, opt=FOR_ANYBODY)
async def enter(desk: NamedDependency[Desk]) -> Response[Any]:
    """The first step."""
    posted = await posted_on_the_way(desk)
    email, password = posted.text("email").strip(), posted.text("password")
    next_path = safe_path(posted.text("next"))
    needed = {"email": "Enter your e-mail address", "password": "Enter your password"}
    mistakes = {name: words for name, words in needed.items() if not posted.text(name).strip()}
    claim = None
    if not mistakes:
        try:
            claim = await try_password(
                desk.tenant, desk.site.passwords, email, password, desk.address
            )
        except TooMany as problem:
            return await _entering(
                desk, next_path, status=429, email=email, mistakes={"email": wait_words(problem)}
            )
        if claim is None:
            mistakes["email"] = WRONG
    if claim is None:
        return await _entering(desk, next_path, status=422, mistakes=mistakes, email=email)
    async with desk.tenant.transaction() as session:
        cookie = await begin(
            session, desk.now, step=SECOND, facts=claim.facts(), next_path=next_path
        )
    return with_cookie(desk.request, "/sign-in/second", cookie)


@get("/sign-in/second", include_in_schema=False, opt=FOR_ANYBODY)
async def second_page(desk: NamedDependency[Desk]) -> Response[Any]:
    """The second step."""
    async with desk.tenant.transaction() as session:
        await _entry(desk, session)
    return _second(desk, {})


@post("/sign-in/second", include_in_schema=False, opt=FOR_ANYBODY)
async def second(desk: NamedDependency[Desk]) -> Response[Any]:
    """In, with the code of the app or one from paper."""
    posted = await posted_on_the_way(desk)
    async with desk.tenant.transaction() as session:
        entry = await _entry(desk, session)
    claim = Claim.read(entry.facts)
    try:
        is_in = await try_code(desk.tenant, claim, posted.text("code"), desk.address)
    except TooMany as problem:
        return _second(desk, {"code": wait_words(problem)}, status=429)
    if not is_in or claim.worker_id is None:
        return _second(desk, {"code": WRONG_CODE}, status=422)
    return await _in(desk, claim.worker_id, Way.TWO_STEPS, entry.next_path)


def _second(desk: Desk, mistakes: Mapping[str, str], status: int = 200) -> Response[str]:
    return page_on_the_way(desk, "accounts/second_step.html", status=status, mistakes=mistakes)


async def _entry(desk: Desk, session: AsyncSession) -> Entry:
    entry = None
    if desk.ended is not None:
        entry = await entry_of(session, desk.ended, desk.now)
    if entry is None or entry.step != SECOND:
        raise Gone("This took too long, or you are signed in already.", BEGIN)
    return entry


async def _in(desk: Desk, worker_id: UUID, way: Way, next_path: str) -> Response[Any]:
    async with desk.tenant.transaction() as session:
        cookie = await let_in(desk, session, worker_id, "worker", way)
    return with_cookie(desk.request, next_path, cookie)


# --- A passkey ----------------------------------------------------------------------------------


@post("/sign-in/passkey/challenge", include_in_schema=False, opt=FOR_ANYBODY, status_code=200)
async def enter_challenge(desk: NamedDependency[Desk]) -> Response[str]:
    """What a passkey is to sign to let somebody in."""
    await posted_on_the_way(desk)
    return await _challenge(desk, Purpose.ENTER)


@post("/sign-in/passkey", include_in_schema=False, opt=FOR_ANYBODY)
async def enter_by_passkey(desk: NamedDependency[Desk]) -> Response[Any]:
    """In, with a passkey alone: the device has asked its owner for a finger, a face or a PIN."""
    posted = await posted_on_the_way(desk)
    next_path = safe_path(posted.text("next"))
    try:
        worker_id = await _shown_by_passkey(desk, posted, Purpose.ENTER)
    except NotBelieved:
        async with desk.tenant.transaction() as session:
            note(session, Kind.SIGN_IN_REFUSED, way="passkey")
        return await _entering(desk, next_path, status=422, mistakes={"passkey": WRONG_PASSKEY})
    return await _in(desk, worker_id, Way.PASSKEY, next_path)


async def _challenge(desk: Desk, purpose: Purpose) -> Response[str]:
    cookie = desk.token or desk.ended or ""
    await ask_for_challenge(desk.tenant, desk.address)
    async with desk.tenant.transaction() as session:
        challenge = await new_challenge(session, cookie, purpose, desk.now)
    return as_json(asking_for_one(challenge, place_of(desk)))


async def _shown_by_passkey(desk: Desk, posted: Posted, purpose: Purpose) -> UUID:
    cookie, answer = desk.token or desk.ended or "", posted.text("credential")
    return await whose_passkey(desk.tenant, cookie, purpose, answer, place_of(desk), desk.address)


def place_of(desk: Desk) -> Place:
    """The site as this browser knows it."""
    return Place.of(desk.site.url, desk.request.headers.get("host", ""))


def as_json(options: str) -> Response[str]:
    """Options for a script, which are JSON already."""
    return Response(options, media_type=MediaType.JSON, headers=PRIVATE)


# --- Again --------------------------------------------------------------------------------------


@get(AGAIN, include_in_schema=False)
async def again_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Show again who you are, before something that asks for it."""
    return await _again(desk, _next(desk), {})


@post(AGAIN, include_in_schema=False)
async def again(desk: NamedDependency[Desk]) -> Response[Any]:
    """By password and code."""
    viewer, posted = desk.viewer, await desk.posted()
    next_path = safe_path(posted.text("next"))
    async with desk.tenant.transaction(viewer.id) as session:
        worker = await worker_of(session, viewer.id)
        email = worker.email
        account = await account_of(session, viewer.id)
    try:
        claim = await try_password(
            desk.tenant, desk.site.passwords, email, posted.text("password"), desk.address
        )
        is_right = claim is not None and await try_code(
            desk.tenant, Claim(account, viewer.id, claim.right), posted.text("code"), desk.address
        )
    except TooMany as problem:
        return await _again(desk, next_path, {"password": wait_words(problem)}, status=429)
    if not is_right:
        wrong = {"password": "The password or the code is not right. Check both and try again"}
        return await _again(desk, next_path, wrong, status=422)
    return await _shown(desk, Way.TWO_STEPS, next_path)


@post(f"{AGAIN}/passkey/challenge", include_in_schema=False, status_code=200)
async def again_challenge(desk: NamedDependency[Desk]) -> Response[str]:
    """What a passkey is to sign to show again who is here."""
    await desk.posted()
    return await _challenge(desk, Purpose.AGAIN)


@post(f"{AGAIN}/passkey", include_in_schema=False)
async def again_by_passkey(desk: NamedDependency[Desk]) -> Response[Any]:
    """By a passkey of the same person's."""
    viewer, posted = desk.viewer, await desk.posted()
    next_path = safe_path(posted.text("next"))
    try:
        is_right = await _shown_by_passkey(desk, posted, Purpose.AGAIN) == viewer.id
    except NotBelieved:
        is_right = False
    if not is_right:
        async with desk.tenant.transaction(viewer.id) as session:
            note(session, Kind.SIGN_IN_REFUSED, viewer.id, way="passkey")
        return await _again(desk, next_path, {"passkey": WRONG_PASSKEY}, status=422)
    return await _shown(desk, Way.PASSKEY, next_path)


@post(f"{AGAIN}/demonstration", include_in_schema=False)
async def again_in_demonstration(desk: NamedDependency[Desk]) -> Response[Any]:
    """By one button, where an invented person was let in by the demonstration."""
    viewer, posted = desk.viewer, await desk.posted()
    async with desk.tenant.transaction(viewer.id) as session:
        way = await way_of(session, desk.token or "")
    if not desk.tenant.record.demo or way is not Way.DEMONSTRATION:
        raise NotFound
    return await _shown(desk, Way.DEMONSTRATION, safe_path(posted.text("next")))


async def _again(
    desk: Desk, next_path: str, mistakes: Mapping[str, str], status: int = 200
) -> Response[str]:
    viewer = desk.viewer
    async with desk.tenant.transaction(viewer.id) as session:
        ways = await ways_of(session, viewer.id)
        way = await way_of(session, desk.token or "")
    return desk.page(
        "accounts/again.html",
        status=status,
        next_path=next_path,
        mistakes=mistakes,
        has_password=ways.password is not None,
        has_passkey=bool(ways.passkeys),
        providers=await providers_for_again(desk),
        is_invented=desk.tenant.record.demo and way is Way.DEMONSTRATION,
        set_up=leading_on(f"{OWN_SIGN_IN}/set-up", next_path),
    )


async def _shown(desk: Desk, way: Way, next_path: str) -> Response[Any]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        cookie = await renew(session, desk.token or "", desk.now, way=way)
        note(session, Kind.SHOWN_AGAIN, desk.viewer.id, way=way.value)
    return with_cookie(desk.request, next_path, cookie)


HANDLERS = [
    enter_page,
    enter,
    second_page,
    second,
    enter_challenge,
    enter_by_passkey,
    done_page,
    again_page,
    again,
    again_challenge,
    again_by_passkey,
]
DEMO = [again_in_demonstration]
