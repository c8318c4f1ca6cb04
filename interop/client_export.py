"""A bulk export as its reader goes through it: asked for, waited for, read line by line, given up.

Source: FHIR Bulk Data Access 2.0.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic

import msgspec

from interop.client_answers import NotUnderstood, Resource, resource_of
from interop.client_sending import Answer, Asked, Sender, seconds_to_wait

USUAL = 5.0
"""Seconds between two looks, where the server says nothing."""
LONGEST = 300.0
"""Seconds between two looks, whatever it says."""
LONGEST_LINE = 16 * 2**20
"""Bytes of one resource."""


class File(msgspec.Struct, frozen=True):
    """One file of an export."""

    type: str
    url: str
    count: int | None = None


class _Manifest(msgspec.Struct):
    output: tuple[File, ...] = ()
    error: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """An export that the server prepares, or has prepared."""

    sender: Sender
    address: str
    """Where it is asked how far it is."""

    async def files(self, at_most: float = 3600.0) -> tuple[File, ...]:
        """Wait until it is ready, looking as often as the server says (Retry-After).

        Raises: TimeoutError after so many seconds.
        """
        begun = monotonic()
        asked = Asked("GET", self.address, {"Accept": "application/json"}, changes=False)
        while True:
            answer = await self.sender.send(asked)
            if answer.status != 202:
                return _files(answer)
            wait = min(LONGEST, seconds_to_wait(answer.headers) or USUAL)
            if monotonic() - begun + wait > at_most:
                raise TimeoutError
            await self.sender.sleep(wait)

    async def resources(self) -> AsyncIterator[Resource]:
        """Every resource of every file, once it is ready; no file is held in memory."""
        for file in await self.files():
            async for line in self.lines(file):
                yield resource_of(line)

    async def lines(self, file: File) -> AsyncIterator[bytes]:
        """The lines of one file.

        Cut at line feeds alone: JSON may hold other signs that end a line elsewhere.
        """
        asked = Asked("GET", file.url, {"Accept": "application/fhir+ndjson"}, changes=False)
        rest = b""
        async with self.sender.stream(asked) as parts:
            async for part in parts:
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    if line.strip():
                        yield line
                if len(rest) > LONGEST_LINE:
                    raise NotUnderstood("a line that is too long")
        if rest.strip():
            yield rest

    async def give_up(self) -> None:
        """Let the server throw it away, whether it is ready or not."""
        await self.sender.send(Asked("DELETE", self.address, takes=(404,)))


def started(sender: Sender, answer: Answer) -> Export:
    """The export that an answer begins. Raises NotUnderstood where it begins none."""
    address = answer.headers.get("content-location", "")
    if answer.status != 202 or not address:
        raise NotUnderstood("no export was begun")
    return Export(sender, sender.within(address))


def _files(answer: Answer) -> tuple[File, ...]:
    try:
        manifest = msgspec.json.decode(answer.body, type=_Manifest)
    except msgspec.DecodeError:
        raise NotUnderstood("no list of files") from None
    return manifest.output
