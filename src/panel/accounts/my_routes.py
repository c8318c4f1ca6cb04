"""How I sign in: my ways in, and where I am signed in; and starting a colleague anew."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from consent import Role
from panel.accounts import codes
from panel.accounts.desk import COLLEAGUES_SIGN_IN as NEW_SIGN_IN
from panel.accounts.desk import OWN_SIGN_IN as BASE
from panel.accounts.desk import Desk, go, leading_on
from panel.accounts.models import Worker
from panel.accounts.my_forms import (
    NewSignInForm,
    PasskeyForm,
    PasswordForm,
    RecoveryForm,
    TwoStepsForm,
)
from panel.accounts.my_pages import passkey_lines, recovery_words, session_lines
from panel.accounts.own_ways import (
    add_passkey,
    change_password,
    has_ways,
    make_recovery_codes,
    remove_passkey,
    remove_two_steps,
    set_two_steps,
    start_anew,
    ways_of,
    words_about,
    worker_of,
)
from panel.accounts.passkeys import (
    NotBelieved,
    Purpose,
    asking_for_new,
    new_challenge,
    new_passkey,
    passkeys_of,
    taken_challenge,
)
from panel.accounts.passwords import password_mistake
from panel.accounts.people_joining import ANEW_WORDS, send_link
from panel.accounts.people_pages import worker_href
from panel.accounts.service import worker_by_email
from panel.accounts.sign_in_routes import as_json, place_of
from panel.accounts.switching import sites_of
from panel.accounts.taking import Transaction, take_here
from panel.accounts.way_in import safe_path, set_cookie
from panel.platform.crypto import Keys, NotSealedHere
from panel.platform.problems import Invalid, NotAllowed
from panel.platform.sessions import (
    PROVES,
    Way,
    end_listed,
    end_others,
    renew,
    sessions_of,
    was_proved,
    way_of,
)
from panel.platform.tables import KEYS
from panel.web.forms import FieldErrors, Filled, Nothing

OFFERED = "own_password.offered"
"""What the secret on the page is sealed as, until its code came."""
NOBODY_THERE = "Nobody else of your agency has this e-mail address"


async def _require_proof(desk: Desk) -> None:
    """Before how somebody signs in is read or changed, they show who they are, if they can.

    Whoever has no way in of their own yet came by a link, and chooses their first one with it.
    """
    async with desk.tenant.transaction(desk.viewer.id) as session:
        came = await way_of(session, desk.token or "")
        # Whoever came from another authority did not choose a way in here, nor may by that.
        has_shown = came in PROVES or came is Way.ELSEWHERE
        can_show = has_shown or await has_ways(session, desk.viewer.id)
    if can_show:
        await desk.require_proof()


def _next(desk: Desk) -> str:
    return safe_path(desk.request.query_params.get("next"), "")


@get(BASE, include_in_schema=False)
async def my_sign_in(desk: NamedDependency[Desk]) -> Response[str]:
    """My ways in, and where I am signed in."""
    return await _mine(desk, None)


async def _mine(desk: Desk, errors: FieldErrors | None) -> Response[str]:
    await _require_proof(desk)
    async with desk.tenant.transaction(desk.viewer.id) as session:
        ways = await ways_of(session, desk.viewer.id)
        found = await sessions_of(session, desk.viewer.id, desk.token or "", desk.now)
        return desk.page(
            "accounts/my_sign_in.html",
            status=200 if errors is None else 422,
            filled=Filled({}, errors),
            base=BASE,
            has_password=ways.password is not None,
            recovery=recovery_words(ways),
            passkeys=passkey_lines(ways, BASE),
            sessions=session_lines(found, BASE),
            has_others=bool(sites_of(desk)),
        )


@get(f"{BASE}/set-up", include_in_schema=False)
async def set_up(desk: NamedDependency[Desk]) -> Response[str]:
    """Choose how you will sign in, after a first link."""
    await _require_proof(desk)
    return desk.page("accounts/set_up.html", base=BASE, next_path=_next(desk))


# --- A password with codes ----------------------------------------------------------------------


@get(f"{BASE}/password", include_in_schema=False)
async def password_page(desk: NamedDependency[Desk]) -> Response[str]:
    """A first password with codes, or another app for them."""
    await _require_proof(desk)
    return await _two_steps(desk, None, codes.new_secret(), _next(desk))


@post(f"{BASE}/password", include_in_schema=False)
async def set_password(desk: NamedDependency[Desk]) -> Response[Any]:
    """Set both, once a code shows that the app has the secret."""
    await _require_proof(desk)
    posted = await desk.posted()
    typed, fresh = posted.text("password"), _Fresh()

    async def work(here: Transaction, form: TwoStepsForm) -> None:
        worker = await worker_of(here.session, desk.viewer.id)
        secret = _opened(here.session, worker, form.offered)
        step = codes.step_of(secret, form.code, desk.now)
        if mistake := password_mistake(typed, await words_about(here.session, worker)):
            raise Invalid.because("password", mistake)
        if step is None:
            raise Invalid.because("code", "The code is not right. Type the one that it shows now")
        hashed = await desk.site.passwords.hash(typed)
        await set_two_steps(here.session, worker, hashed=hashed, secret=secret, taken_step=step)
        await end_others(here.session, worker.id, desk.token or "")
        await fresh.prove(here.session, desk, Way.TWO_STEPS)

    async def again(errors: FieldErrors) -> Response[Any]:
        async with desk.tenant.transaction(desk.viewer.id) as session:
            worker = await worker_of(session, desk.viewer.id)
            secret = _opened(session, worker, posted.text("offered"))
        return await _two_steps(desk, errors, secret, safe_path(posted.text("next"), ""))

    def to(form: TwoStepsForm) -> str:
        return leading_on(f"{BASE}/recovery-codes", safe_path(form.next, BASE))

    answer = await take_here(desk, TwoStepsForm, work, to, again=again)
    return fresh.given_to(desk, answer)


@get(f"{BASE}/password/change", include_in_schema=False)
async def change_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Another password, with the codes that there are."""
    await _require_proof(desk)
    return _change(desk, None)


@post(f"{BASE}/password/change", include_in_schema=False)
async def change(desk: NamedDependency[Desk]) -> Response[Any]:
    """Change it, and end my other sessions."""
    await _require_proof(desk)
    typed = (await desk.posted()).text("password")

    async def work(here: Transaction, _form: PasswordForm) -> None:
        worker = await worker_of(here.session, desk.viewer.id)
        if mistake := password_mistake(typed, await words_about(here.session, worker)):
            raise Invalid.because("password", mistake)
        await change_password(here.session, worker, await desk.site.passwords.hash(typed))
        await end_others(here.session, worker.id, desk.token or "")

    async def again(errors: FieldErrors) -> Response[Any]:
        return _change(desk, errors)

    return await take_here(desk, PasswordForm, work, BASE, again=again)


@post(f"{BASE}/password/remove", include_in_schema=False)
async def remove_password(desk: NamedDependency[Desk]) -> Response[Any]:
    """No password any more."""
    await _require_proof(desk)

    async def work(here: Transaction, _form: Nothing) -> None:
        worker = await worker_of(here.session, desk.viewer.id)
        await remove_two_steps(here.session, worker)
        await end_others(here.session, worker.id, desk.token or "")

    return await _taken(desk, work)


@get(f"{BASE}/recovery-codes", include_in_schema=False)
async def recovery_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Before new codes are made."""
    await _require_proof(desk)
    return desk.page("accounts/recovery_codes.html", made=(), base=BASE, next_path=_next(desk))


@post(f"{BASE}/recovery-codes", include_in_schema=False)
async def make_codes(desk: NamedDependency[Desk]) -> Response[Any]:
    """New codes, shown this once."""
    await _require_proof(desk)
    made: list[str] = []

    async def work(here: Transaction, _form: RecoveryForm) -> None:
        if (await ways_of(here.session, desk.viewer.id)).password is None:
            raise Invalid.because("", "Recovery codes belong to a password. Set one first")
        worker = await worker_of(here.session, desk.viewer.id)
        made.extend(await make_recovery_codes(here.session, worker))

    async def again(errors: FieldErrors) -> Response[Any]:
        return await _mine(desk, errors)

    next_path = safe_path((await desk.posted()).text("next"), BASE)
    answer = await take_here(desk, RecoveryForm, work, BASE, again=again)
    if not made:
        return answer
    return desk.page("accounts/recovery_codes.html", made=made, base=BASE, next_path=next_path)


async def _two_steps(
    desk: Desk, errors: FieldErrors | None, secret: str, next_path: str
) -> Response[str]:
    async with desk.tenant.transaction(desk.viewer.id) as session:
        worker = await worker_of(session, desk.viewer.id)
        keys = cast("Keys", session.info[KEYS])
        sealed = keys.seal(worker.agency_id, OFFERED, worker.id, secret)
        email = worker.email
    return desk.page(
        "accounts/password.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        action=f"{BASE}/password",
        offered=base64.urlsafe_b64encode(sealed).decode(),
        secret=codes.as_shown(secret),
        picture=codes.picture(secret, email, desk.tenant.record.label),
        email=email,
        next_path=next_path,
        back_href=BASE,
    )


def _change(desk: Desk, errors: FieldErrors | None) -> Response[str]:
    return desk.page(
        "accounts/change_password.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        action=f"{BASE}/password/change",
        back_href=BASE,
    )


def _opened(session: AsyncSession, worker: Worker, offered: str) -> str:
    """The secret that was on the page. Raises Invalid where it is none of ours."""
    keys = cast("Keys", session.info[KEYS])
    try:
        sealed = base64.urlsafe_b64decode(offered.encode())
        return keys.open(worker.agency_id, OFFERED, worker.id, sealed)
    except (binascii.Error, NotSealedHere) as error:
        raise NotAllowed(
            "This page is not whole any more.", "Reload it and begin again."
        ) from error


# --- Passkeys -----------------------------------------------------------------------------------


@get(f"{BASE}/passkeys/new", include_in_schema=False)
async def passkey_page(desk: NamedDependency[Desk]) -> Response[str]:
    """Add a passkey on this device."""
    await _require_proof(desk)
    return _passkey(desk, None, _next(desk))


@post(f"{BASE}/passkeys/challenge", include_in_schema=False, status_code=200)
async def passkey_challenge(desk: NamedDependency[Desk]) -> Response[str]:
    """What the new passkey is to sign."""
    await _require_proof(desk)
    await desk.posted()
    async with desk.tenant.transaction(desk.viewer.id) as session:
        worker = await worker_of(session, desk.viewer.id)
        challenge = await new_challenge(session, desk.token or "", Purpose.ADD, desk.now)
        present = await passkeys_of(session, worker.id)
        authority = desk.tenant.record.label
        return as_json(asking_for_new(challenge, place_of(desk), worker, authority, present))


@post(f"{BASE}/passkeys", include_in_schema=False)
async def new(desk: NamedDependency[Desk]) -> Response[Any]:
    """Add the passkey that the browser made."""
    await _require_proof(desk)
    posted = await desk.posted()
    answer, fresh = posted.text("credential"), _Fresh()
    challenge = b""
    # It is void from here on, also where what came with it is not believed.
    async with desk.tenant.transaction(desk.viewer.id) as session:
        with suppress(NotBelieved):
            challenge = await taken_challenge(session, desk.token or "", Purpose.ADD, desk.now)

    async def work(here: Transaction, form: PasskeyForm) -> None:
        worker = await worker_of(here.session, desk.viewer.id)
        try:
            made = new_passkey(answer, challenge, place_of(desk), worker, form.name)
        except NotBelieved as error:
            sentence = "The device did not answer as it was asked. Try again"
            raise Invalid.because("name", sentence) from error
        await add_passkey(here.session, worker, made)
        await fresh.prove(here.session, desk, Way.PASSKEY)

    async def again(errors: FieldErrors) -> Response[Any]:
        return _passkey(desk, errors, safe_path(posted.text("next"), ""))

    def to(form: PasskeyForm) -> str:
        return safe_path(form.next, BASE)

    taken = await take_here(desk, PasskeyForm, work, to, again=again)
    return fresh.given_to(desk, taken)


@post(f"{BASE}/passkeys/{{passkey_id:uuid}}/remove", include_in_schema=False)
async def remove(desk: NamedDependency[Desk], passkey_id: FromPath[UUID]) -> Response[Any]:
    """Take a passkey away; it signs nobody in from then on."""
    await _require_proof(desk)

    async def work(here: Transaction, _form: Nothing) -> None:
        worker = await worker_of(here.session, desk.viewer.id)
        await remove_passkey(here.session, worker, passkey_id)
        await end_others(here.session, worker.id, desk.token or "")

    return await _taken(desk, work)


def _passkey(desk: Desk, errors: FieldErrors | None, next_path: str) -> Response[str]:
    return desk.page(
        "accounts/new_passkey.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        action=f"{BASE}/passkeys",
        challenge=f"{BASE}/passkeys/challenge",
        next_path=next_path,
        back_href=BASE,
    )


# --- Where I am signed in -----------------------------------------------------------------------


@post(f"{BASE}/sessions/{{session_id:uuid}}/end", include_in_schema=False)
async def end_session(desk: NamedDependency[Desk], session_id: FromPath[UUID]) -> Response[Any]:
    """End one of my sessions, wherever it is."""
    await _require_proof(desk)

    async def work(here: Transaction, _form: Nothing) -> None:
        await end_listed(here.session, desk.viewer.id, session_id)

    return await _taken(desk, work)


@post(f"{BASE}/sessions/end-others", include_in_schema=False)
async def end_other_sessions(desk: NamedDependency[Desk]) -> Response[Any]:
    """End all of my sessions but this."""
    await _require_proof(desk)

    async def work(here: Transaction, _form: Nothing) -> None:
        await end_others(here.session, desk.viewer.id, desk.token or "")

    return await _taken(desk, work)


# --- A colleague who cannot sign in -------------------------------------------------------------


@get(NEW_SIGN_IN, include_in_schema=False)
async def new_sign_in_page(desk: NamedDependency[Desk]) -> Response[str]:
    """A new way in for a colleague who lost theirs."""
    desk.require(Role.ADMINISTRATOR)
    await desk.require_proof()
    return _new_sign_in(desk, None)


@post(NEW_SIGN_IN, include_in_schema=False)
async def new_sign_in(desk: NamedDependency[Desk]) -> Response[Any]:
    """End all their ways in and their sessions, and send one link to their own work e-mail.

    Whoever holds the link is them, so that nobody is shown it.
    """
    administrator = desk.require(Role.ADMINISTRATOR).viewer
    await desk.require_proof()
    sent: list[Worker] = []

    async def work(here: Transaction, form: NewSignInForm) -> None:
        worker = await worker_by_email(here.session, form.email)
        is_theirs = worker is not None and worker.agency_id == administrator.agency
        if worker is None or not is_theirs or worker.id == administrator.id:
            raise Invalid.because("email", NOBODY_THERE)
        await start_anew(here.session, worker)
        await send_link(here.session, administrator, worker, desk.site.url, ANEW_WORDS)
        sent.append(worker)

    async def again(errors: FieldErrors) -> Response[Any]:
        return _new_sign_in(desk, errors)

    answer = await take_here(desk, NewSignInForm, work, NEW_SIGN_IN, again=again)
    return go(worker_href(sent[0].id)) if sent else answer


def _new_sign_in(desk: Desk, errors: FieldErrors | None) -> Response[str]:
    return desk.page(
        "accounts/new_sign_in.html",
        status=200 if errors is None else 422,
        filled=Filled({}, errors),
        action=NEW_SIGN_IN,
    )


# --- What the forms share -----------------------------------------------------------------------


class _Fresh:
    """A new cookie, for whoever chose their first way in and so showed who they are."""

    def __init__(self) -> None:
        self._cookie = ""

    async def prove(self, session: AsyncSession, desk: Desk, way: Way) -> None:
        """Put a session that a link began under a new cookie; one that was proved stays."""
        token = desk.token or ""
        if not await was_proved(session, token, desk.now):
            self._cookie = await renew(session, token, desk.now, way=way)

    def given_to(self, desk: Desk, answer: Response[Any]) -> Response[Any]:
        """The answer, with the cookie where there is one."""
        if self._cookie:
            set_cookie(desk.request, answer, self._cookie)
        return answer


async def _taken(
    desk: Desk, work: Callable[[Transaction, Nothing], Awaitable[None]]
) -> Response[Any]:
    """A form with a button only, of the page with my ways in."""

    async def again(errors: FieldErrors) -> Response[Any]:
        return await _mine(desk, errors)

    return await take_here(desk, Nothing, work, BASE, again=again)


HANDLERS = [
    my_sign_in,
    set_up,
    password_page,
    set_password,
    change_page,
    change,
    remove_password,
    recovery_page,
    make_codes,
    passkey_page,
    passkey_challenge,
    new,
    remove,
    end_session,
    end_other_sessions,
    new_sign_in_page,
    new_sign_in,
]
