"""A hundred megabytes are refused in plain words, and the site's memory does not grow by them."""

import http.client
import re
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.durability.serving import Site

pytestmark = pytest.mark.database

MEGABYTE = 1024 * 1024
SIZE = 100 * MEGABYTE
GROWTH = 48 * MEGABYTE
"""What a request of the largest size taken in (12 MB) may cost while it is read and decoded."""


def peak_memory(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def upload(site: Site, cookie: str, path: str, *, announced: bool) -> tuple[int, str]:
    """Send a hundred megabytes to an address, and read what is answered meanwhile."""
    head = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="scan.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%PDF-1.7\n"
    )
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        connection.putrequest("POST", path)
        connection.putheader("Cookie", cookie)
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        if announced:
            connection.putheader("Content-Length", str(SIZE + len(head)))
        else:
            connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        piece = b"0" * MEGABYTE
        # The site may answer and hang up before it has everything: the answer is there to read.
        with suppress(BrokenPipeError, ConnectionResetError):
            for part in (head, *([piece] * 100)):
                framed = part if announced else b"%x\r\n%s\r\n" % (len(part), part)
                connection.send(framed)
            if not announced:
                connection.send(b"0\r\n\r\n")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("announced", [True, False])
def test_a_hundred_megabytes_are_refused(served: Site, *, announced: bool) -> None:
    served.start()
    with httpx.Client(base_url=served.url, timeout=20) as browser:
        browser.get("/demo/sign-in/lead-health")
        child = re.search(r"/children/[0-9a-f-]{36}", browser.get("/children?show=team").text)
        assert child is not None
        cookie = f"panel_session={browser.cookies['panel_session']}"
        worker = served.pids()[1][0]
        before = peak_memory(worker)
        status, page = upload(served, cookie, f"{child[0]}/documents", announced=announced)
        assert status == 413
        assert "This is too large" in page
        assert "12 MB" in page
        assert peak_memory(worker) - before < GROWTH
        assert browser.get("/children").status_code == 200
        for path in ("/sign-in/x", "/nowhere"):
            status, page = upload(served, "", path, announced=announced)
            assert status in (404, 405, 410, 413), path
        assert peak_memory(worker) - before < GROWTH
