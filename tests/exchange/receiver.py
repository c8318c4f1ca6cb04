"""A system that is told of changes: it listens on this machine and keeps what came, in order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from interop.subscriptions import EVENT


@dataclass
class Came:
    """One request."""

    event: str
    headers: dict[str, str]
    body: bytes

    def parameter(self, name: str) -> Any:
        """What a parameter of the status says; of one within the event too."""
        (entry,) = msgspec.json.decode(self.body)["entry"]
        said = list(entry["resource"]["parameter"])
        said += [part for one in said for part in one.get("part", ())]
        (found,) = (one for one in said if one["name"] == name)
        return next(value for key, value in found.items() if key.startswith("value"))

    @property
    def focus(self) -> str:
        return str(self.parameter("focus")["reference"])


@dataclass
class Receiver:
    """What came, and what is answered."""

    address: str = ""
    status: int = 200
    came: list[Came] = field(default_factory=list)
    holds: threading.Event = field(default_factory=threading.Event)
    """While it is not set, what comes after `held_after` is not answered."""
    held_after: int = 10**9
    held: threading.Event = field(default_factory=threading.Event)

    @property
    def events(self) -> list[Came]:
        """What came but for handshakes."""
        return [one for one in self.came if not one.event.startswith("handshake")]


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver while the block runs."""
    receiver = Receiver()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            receiver.came.append(Came(self.headers[EVENT], dict(self.headers), body))
            if len(receiver.came) > receiver.held_after:
                receiver.held.set()
                receiver.holds.wait(30)
                return
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            if receiver.status == 302:
                self.send_header("Location", receiver.address)
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    receiver.address = f"http://127.0.0.1:{server.server_port}/told"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.holds.set()
        server.shutdown()
        server.server_close()
        thread.join()
