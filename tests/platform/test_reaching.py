"""Nothing that others give us as an address leads into a network of our own."""

import socket
from collections.abc import Sequence

import httpx
import pytest

from panel.platform.reaching import NotReached, PublicOnly, Reaching, is_public, is_sendable

INSIDE = (
    "http://example.org/told",
    "https://127.0.0.1/told",
    "https://localhost/told",
    "https://LOCALHOST./told",
    "https://[::1]/told",
    "https://10.0.0.8/told",
    "https://172.16.0.1/told",
    "https://192.168.1.1/told",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/told",
    "https://0.0.0.0/told",
    "https://[fd00::1]/told",
    "https://[fe80::1]/told",
    "https://[::ffff:10.0.0.8]/told",
    "https://[::ffff:127.0.0.1]/told",
    "https://[2002:7f00:1::]/told",
    "https://[64:ff9b::10.0.0.8]/told",
    "https://2130706433/told",
    "https://0x7f000001/told",
    "https://0x7f.1/told",
    "https://127.1/told",
    "https://017700000001/told",
    "https://postgres/told",
    "https://user:word@example.org/told",
    "https://example.org#@10.0.0.8/",
    "https://example.org:99999/told",
    "https://1.1.1.1\\@10.0.0.8/",
    "ftp://example.org/told",
    "file:///etc/passwd",
    "https:///told",
    "https://exämple.org/told",
    "https://example.org/" + "a" * 1000,
    "",
)


@pytest.mark.parametrize("address", INSIDE)
def test_what_leads_inside_is_never_sent_to(address: str) -> None:
    assert not is_sendable(address, to_this_machine=False)


def test_what_is_public_is() -> None:
    for address in (
        "https://example.org/told",
        "https://gp.example.nhs.uk:8443/x?y=z",
        "https://1.1.1.1/",
    ):
        assert is_sendable(address, to_this_machine=False)
    assert is_sendable("http://127.0.0.1:8000/told", to_this_machine=True)
    assert not is_sendable("https://10.0.0.8/told", to_this_machine=True)


@pytest.mark.parametrize(
    "text", ["224.0.0.1", "255.255.255.255", "::", "no address", "fe80::1%eth0"]
)
def test_what_is_no_address_of_somebody_is_not_public(text: str) -> None:
    assert not is_public(text)


@pytest.mark.parametrize(
    "found", [["10.0.0.8"], ["1.1.1.1", "127.0.0.1"], ["::ffff:192.168.0.1"], []]
)
async def test_a_name_that_leads_inside_is_not_sent_to(found: Sequence[str]) -> None:
    async def names(_host: str, _port: int) -> Sequence[str]:
        return found

    with pytest.raises(NotReached, match="ConnectError"):
        await Reaching(names=names).post("https://example.org/told", b"", {})


async def test_it_goes_to_the_address_that_was_looked_at_and_asks_once() -> None:
    asked: list[tuple[str, int]] = []

    async def names(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["192.0.2.1"] if len(asked) > 1 else ["1.1.1.1"]

    seen: list[tuple[str, str, object]] = []

    async def answers(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.host, request.headers["host"], request.extensions["sni_hostname"]))
        return httpx.Response(204)

    transport = PublicOnly(names=names, through=httpx.MockTransport(answers))
    async with httpx.AsyncClient(transport=transport, trust_env=False) as http:
        answer = await http.post("https://example.org:8443/told")
    assert answer.status_code == 204
    assert asked == [("example.org", 8443)]
    assert seen == [("1.1.1.1", "example.org:8443", "example.org")]


async def test_a_host_that_is_not_there_is_said() -> None:
    async def names(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror

    with pytest.raises(NotReached):
        await Reaching(names=names).post("https://example.org/told", b"", {})
