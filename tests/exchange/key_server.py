"""Publishes a client's keys over HTTP on this machine, from a thread of its own."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Publisher:
    """What is published, where, and how often it was asked for."""

    address: str = ""
    keys: Sequence[object] | str = field(default_factory=list)
    """Keys, or a text: it answers that it does not work."""
    asked: int = 0


@contextmanager
def published() -> Iterator[Publisher]:
    """A server that publishes keys while the block runs."""
    publisher = Publisher()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked += 1
            works = not isinstance(publisher.keys, str)
            body = json.dumps({"keys": publisher.keys}).encode()
            self.send_response(200 if works else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_said: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    publisher.address = f"http://127.0.0.1:{server.server_port}/jwks.json"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
