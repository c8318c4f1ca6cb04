"""MESH, the NHS's message exchange: a mailbox asked, emptied and sent from over its HTTP API.

    async with httpx.AsyncClient(verify=…) as http:
        box = MeshClient(http, Mailbox(base, "X26HC005", password, shared_key), now=clock)
        for message_id in await box.waiting():
            message = await box.download(message_id)
            …                       # keep it, for good
            await box.acknowledge(message_id)
        await box.send(Letter(to="X26ABC1", workflow="PANEL_NOTE", content=body))

A message stays in the mailbox until it is acknowledged, so whoever dies before that is given it
again. Each part of a long one is compressed by itself. Errors hold no content.
Source: Message Exchange for Social Care and Health API (digital.nhs.uk/developer/api-catalogue).
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

import httpx
import msgspec

SCHEME = "NHSMESH"
ACCEPTS = "application/vnd.mesh.v2+json"
PART = 20 * 2**20
"""Bytes of a part that is sent; MESH takes 100 MB."""
LARGEST = 256 * 2**20
"""Bytes of a message that is taken in."""
MOST_PAGES = 100
TIMES = httpx.Timeout(60.0, connect=10.0)
"""Seconds for each part of an exchange."""

Clock = Callable[[], datetime]
Shape = TypeVar("Shape")


class MeshError(Exception):
    """MESH did not do what it was asked for, in a sentence; `status` 0 where nobody answered."""

    def __init__(self, status: int, doing: str) -> None:
        said = f"answered with {status}" if status else "did not answer"
        super().__init__(f"MESH {said} when {doing}.")
        self.status = status


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox of ours, and what MESH knows it by."""

    base: str
    """"https://msg.intspineservices.nhs.uk"."""
    id: str
    password: str = field(repr=False)
    shared_key: str = field(repr=False)
    """Of the environment, the same for all its mailboxes."""


@dataclass(frozen=True, slots=True)
class Message:
    """One that came."""

    id: str
    sender: str
    """The mailbox that it came from; empty for what MESH itself says."""
    workflow: str
    kind: str
    """DATA; or REPORT, which says of one that we sent that it was not delivered."""
    local_id: str
    """As its sender names it; of a report, as we named the one it is about."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """One to send."""

    to: str
    workflow: str
    content: bytes = field(repr=False)
    local_id: str = ""
    """The same for the same message, however often it is sent."""
    subject: str = ""
    content_type: str = "application/fhir+json"


def authorization(mailbox: Mailbox, nonce: str, count: int, at: datetime) -> str:
    """The header by which a request shows whose it is; each is good once.

    HMAC-SHA256 with the shared key over mailbox, nonce, count, password and the minute (UTC).
    """
    minute = at.astimezone(UTC).strftime("%Y%m%d%H%M")
    secret = f"{mailbox.id}:{nonce}:{count}:{mailbox.password}:{minute}"
    signed = hmac.new(mailbox.shared_key.encode(), secret.encode(), sha256).hexdigest()
    return f"{SCHEME} {mailbox.id}:{nonce}:{count}:{minute}:{signed}"


class _Links(msgspec.Struct):
    next: str = ""


class _Inbox(msgspec.Struct):
    messages: tuple[str, ...] = ()
    links: _Links = msgspec.field(default_factory=_Links)


class _Sent(msgspec.Struct):
    id: str = msgspec.field(name="message_id")


class MeshClient:
    """One mailbox. The connections are the caller's: they bear the client's certificate."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        mailbox: Mailbox,
        *,
        now: Clock,
        part: int = PART,
        largest: int = LARGEST,
    ) -> None:
        """Args: how large a part is sent, and how large a message is taken, in bytes."""
        self._http, self._mailbox, self._now = http, mailbox, now
        self._part, self._largest = part, largest
        self._nonce, self._count = str(uuid4()), 0
        self._here = f"{mailbox.base.rstrip('/')}/messageexchange/{quote(mailbox.id)}"

    async def handshake(self) -> None:
        """See that MESH knows the mailbox. It is to be done once a day at least."""
        await self._ask("POST", "", "looking whether the mailbox is there")

    async def waiting(self) -> Sequence[str]:
        """The ids of the messages that wait, the oldest first."""
        found: list[str] = []
        query: Mapping[str, str] = {"max_results": "500"}
        for _ in range(MOST_PAGES):
            doing = "listing what waits"
            answer = await self._ask("GET", f"/inbox?{urlencode(query)}", doing)
            page = _read(answer, _Inbox, doing)
            found += page.messages
            following = httpx.URL(page.links.next).params.get("continue_from")
            if not following:
                break
            query = {"max_results": "500", "continue_from": following}
        return found

    async def download(self, message_id: str) -> Message:
        """A message with all its parts; it stays where it is. Raises MeshError."""
        here, doing = f"/inbox/{quote(message_id, safe='')}", "fetching a message"
        headers, content = await self._fetch(here, doing, self._largest)
        parts = _parts(headers)
        for number in range(2, parts + 1):
            _, more = await self._fetch(f"{here}/{number}", doing, self._largest - len(content))
            content += more
        return Message(
            id=message_id,
            sender=headers.get("mex-from", ""),
            workflow=headers.get("mex-workflowid", ""),
            kind=headers.get("mex-messagetype", "DATA").upper(),
            local_id=headers.get("mex-localid", ""),
            content=content,
        )

    async def acknowledge(self, message_id: str) -> None:
        """Have it taken out of the mailbox: whoever asks for it has kept it by then."""
        path = f"/inbox/{quote(message_id, safe='')}/status/acknowledged"
        await self._ask("PUT", path, "acknowledging a message", gone=True)

    async def send(self, letter: Letter) -> str:
        """Send a message, in parts where it is long; the id that MESH gives it.

        The first part is never sent twice by itself: MESH takes the same again for another.
        """
        content = letter.content
        parts = [content[at : at + self._part] for at in range(0, len(content), self._part)] or [
            b""
        ]
        head = {
            "Mex-To": letter.to,
            "Mex-WorkflowID": letter.workflow,
            "Mex-LocalID": letter.local_id,
            "Mex-Subject": letter.subject,
            "Content-Type": letter.content_type,
            "Mex-Chunk-Range": f"1:{len(parts)}",
        }
        doing = "taking a message"
        answer = await self._ask(
            "POST", "/outbox", doing, {name: said for name, said in head.items() if said}, parts[0]
        )
        message_id = _read(answer, _Sent, doing).id
        for number, part in enumerate(parts[1:], 2):
            more = {
                "Content-Type": "application/octet-stream",
                "Mex-Chunk-Range": f"{number}:{len(parts)}",
            }
            await self._ask(
                "POST", f"/outbox/{quote(message_id, safe='')}/{number}", doing, more, part
            )
        return message_id

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        shown = authorization(self._mailbox, self._nonce, self._count, self._now())
        self._count += 1
        return {
            "Authorization": shown,
            "Accept": ACCEPTS,
            "Mex-ClientVersion": "panel",
            "Mex-OSName": "any",
            "Mex-OSVersion": "any",
            **more,
        }

    async def _ask(
        self,
        method: str,
        path: str,
        doing: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        *,
        gone: bool = False,
    ) -> bytes:
        """The answer's content; `gone`: what is not there any more is what was asked for."""
        try:
            answer = await self._http.request(
                method,
                f"{self._here}{path}",
                headers=self._headers(headers or {}),
                content=content,
                timeout=TIMES,
                follow_redirects=False,
            )
        except httpx.HTTPError as error:
            raise MeshError(0, doing) from error
        if answer.status_code >= 300 and not (gone and answer.status_code == httpx.codes.GONE):
            raise MeshError(answer.status_code, doing)
        return answer.content

    async def _fetch(self, path: str, doing: str, most: int) -> tuple[httpx.Headers, bytes]:
        """Headers and content of a part, decompressed, of at most so many bytes."""
        content = b""
        try:
            async with self._http.stream(
                "GET",
                f"{self._here}{path}",
                headers=self._headers({"Accept-Encoding": "gzip"}),
                timeout=TIMES,
                follow_redirects=False,
            ) as answer:
                if answer.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
                    raise MeshError(answer.status_code, doing)
                async for piece in answer.aiter_bytes(64 * 1024):
                    content += piece
                    if len(content) > most:
                        raise MeshError(httpx.codes.REQUEST_ENTITY_TOO_LARGE, doing)
                return answer.headers, content
        except httpx.HTTPError as error:
            raise MeshError(0, doing) from error


def _parts(headers: httpx.Headers) -> int:
    """How many parts there are ("1:3")."""
    last = headers.get("mex-chunk-range", "1:1").rpartition(":")[2].strip()
    if not (last.isascii() and last.isdecimal() and 0 < int(last) < 100_000):
        raise MeshError(httpx.codes.BAD_GATEWAY, "saying how many parts there are")
    return int(last)


def _read(content: bytes, shape: type[Shape], doing: str) -> Shape:
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.DecodeError as error:
        raise MeshError(httpx.codes.BAD_GATEWAY, doing) from error
