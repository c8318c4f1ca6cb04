"""E-mail as a way out of the outbox: one SMTP server, named by a URL."""

import asyncio
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from panel.platform.outbox import Bounced, NotSent

TIMEOUT = 30
"""Seconds."""
PERMANENT = 500
"""An SMTP reply from here on means: do not try again (RFC 5321)."""


class Smtp:
    """A server such as `smtps://user:secret@mail.example.org:465` or `smtp://localhost:25`.

    `smtps` is TLS from the first byte; `smtp` takes STARTTLS where the server is not this machine.
    """

    def __init__(self, url: str, sender: str) -> None:
        """Args: the server's URL; the address that messages come from."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise NotSent("PANEL_SMTP_URL must look like smtps://user:secret@host:465.")
        self._implicit = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._implicit else 587)
        self._user = unquote(parts.username or "")
        self._secret = unquote(parts.password or "")
        self._sender = sender

    async def send(self, message: EmailMessage) -> None:
        """Hand a message over. Raises NotSent, Bounced."""
        message["From"] = self._sender
        await asyncio.to_thread(self._hand_over, message)

    def _hand_over(self, message: EmailMessage) -> None:
        try:
            with self._server() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            if all(code >= PERMANENT for code, _ in error.recipients.values()):
                raise Bounced("The mail server says that there is no such address.") from error
            raise NotSent("The mail server does not take it for this address now.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"The mail server did not take it ({type(error).__name__}).") from error

    @contextmanager
    def _server(self) -> Iterator[smtplib.SMTP]:
        context = ssl.create_default_context()
        if self._implicit:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT, context=context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT)
        with server:
            if not self._implicit and self._host not in ("localhost", "127.0.0.1", "::1"):
                server.starttls(context=context)
            if self._user:
                server.login(self._user, self._secret)
            yield server
