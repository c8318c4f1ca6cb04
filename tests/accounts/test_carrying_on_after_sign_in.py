"""A session ends while somebody types: what they wrote is kept, and sent once they are back."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest

from panel.platform.sessions import IDLE
from tests.panels.conftest import add_child, house
from tests.panels.meeting_world import Hall, client_id, hall

__all__ = ["add_child", "hall", "house"]

SAID = "First line, with “quotes” & <b>marks</b>.\nSecond line."
FIELDS = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def hidden(page: str) -> dict[str, str]:
    """The fields of the form on the page that keeps what was typed."""
    form = page[page.index('<form method="post" action="/panels') :]
    found = FIELDS.findall(form[: form.index("</form>")])
    return {name: unescape(value) for name, value in found}


@pytest.fixture
async def typed(hall: Hall) -> dict[str, str]:
    """The coordinator has typed; then their time runs out."""
    await hall.begin("chair", "member")
    address = hall.screen("Amina")
    form = await hall.form(address, f"{address}/say")
    hall.clock.set(hall.clock.now() + IDLE + timedelta(minutes=1))
    return form | {"text": SAID, "client_id": client_id()}


async def late(hall: Hall, form: dict[str, str]) -> httpx.Response:
    return await hall.client.post(f"{hall.screen('Amina')}/say", data=form)


async def test_it_is_kept_and_sent_once_after_signing_in(hall: Hall, typed: dict[str, str]) -> None:
    kept = await late(hall, typed)
    assert kept.status_code == 401
    assert "Not saved yet" in kept.text
    assert "&lt;b&gt;marks" in kept.text
    assert "<b>marks" not in kept.text
    assert hidden(kept.text)["text"] == SAID
    assert "_csrf_token" not in hidden(kept.text)
    await hall.as_("coordinator")
    back = await late(hall, hidden(kept.text))
    assert back.status_code == 409
    assert "You are signed in as Ada Quill" in back.text
    assert await hall.said("Amina") == []
    sent = await late(hall, hidden(back.text))
    assert sent.status_code == 200
    await late(hall, hidden(back.text))
    assert await hall.said("Amina") == [("discussion", "panel", SAID)]


async def test_nobody_else_sends_it(hall: Hall, typed: dict[str, str]) -> None:
    kept = hidden((await late(hall, typed)).text)
    await hall.as_("chair")
    assert (await late(hall, kept)).status_code == 403
    await hall.as_("coordinator")
    changed = kept | {"text": "Something else"}
    assert (await late(hall, changed)).status_code == 403
    assert (await late(hall, kept | {"_kept": "x"})).status_code == 403
    elsewhere = f"{hall.screen('Theo')}/say"
    assert (await hall.client.post(elsewhere, data=kept)).status_code == 403
    assert await hall.said("Amina") == await hall.said("Theo") == []


async def test_a_form_of_nobodys_is_not_kept(hall: Hall, typed: dict[str, str]) -> None:
    for token in ("", "x", "é"):
        assert "Not saved yet" not in (await late(hall, typed | {"_csrf_token": token})).text
    hall.client.cookies.clear()
    assert "Not saved yet" not in (await late(hall, typed)).text
    hall.client.cookies.set("panel_session", "y" * 43)
    answer = await late(hall, typed)
    assert answer.status_code == 403
    assert "Not saved yet" not in answer.text


async def test_a_page_left_open_is_sent_after_a_look(hall: Hall, typed: dict[str, str]) -> None:
    await hall.as_("coordinator")
    address = f"{hall.screen('Amina')}/say"
    for origin in ("http://elsewhere.example", "null", "http://testshire.localhost.example", "x"):
        foreign = await hall.client.post(address, data=typed, headers={"Origin": origin})
        assert foreign.status_code == 403, origin
        assert "Not saved yet" not in foreign.text
    here = {"Origin": "http://testshire.localhost"}
    shown = await hall.client.post(address, data=typed, headers=here)
    assert shown.status_code == 409
    assert "You are signed in as Ada Quill" in shown.text
    assert await hall.said("Amina") == []
    assert (await late(hall, hidden(shown.text))).status_code == 200
    assert await hall.said("Amina") == [("discussion", "panel", SAID)]
