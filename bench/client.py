"""A small HTTP client that costs little beside the server it measures."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter


class WrongAnswer(Exception):
    """A page did not come: what came instead."""


@dataclass
class Measured:
    """Answers of one route, over all its rounds."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    """Seconds to each answer."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.waits) / self.seconds if self.seconds else 0.0

    @property
    def p95(self) -> float:
        """Milliseconds within which 95 of 100 answers came."""
        waits = sorted(self.waits)
        return waits[int(len(waits) * 0.95)] * 1000 if waits else 0.0


async def get(port: int, path: str, cookie: str) -> tuple[int, bytes]:
    """One page: status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request(path, cookie))
    answer = await _answer(reader)
    writer.close()
    return answer


async def measure(
    into: Measured, port: int, paths: Sequence[str], cookie: str, seconds: float, at_once: int
) -> None:
    """Ask for the paths in turn, `at_once` at a time, for so long. Raises WrongAnswer."""
    requests = [_request(path, cookie) for path in paths]
    began = perf_counter()
    until = began + seconds

    async def ask(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (asked := perf_counter()) < until:
            writer.write(requests[number % len(requests)])
            status, body = await _answer(reader)
            into.waits.append(perf_counter() - asked)
            if status != 200:
                raise WrongAnswer(f"{paths[number % len(paths)]}: {status} {body[:300]!r}")
            number += at_once
        writer.close()

    await asyncio.gather(*(ask(number) for number in range(at_once)))
    into.seconds += perf_counter() - began


def _request(path: str, cookie: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: panel_session={cookie}", "", "")
    return "\r\n".join(lines).encode()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    length = lowered.index(b"content-length:") + len(b"content-length:")
    body = await reader.readexactly(int(lowered[length : lowered.index(b"\r", length)]))
    return int(head[9:12]), body
