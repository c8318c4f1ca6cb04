"""Logs: one JSON line an event, with nothing of what people wrote or who they are in it."""

import logging
import re

import structlog
from structlog.typing import EventDict, WrappedLogger

_TEN_DIGITS = re.compile(r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b")
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++\.[\w.-]+")
_LINK = re.compile(r"/(sign-in|guest)/[\w./-]+")


def redacted(text: str) -> str:
    """A text without NHS numbers, e-mail addresses and one-time links."""
    without_numbers = _TEN_DIGITS.sub("(number)", text)
    return _LINK.sub(r"/\1/(link)", _ADDRESS.sub("(address)", without_numbers))


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor of structlog: every text of an event is redacted."""
    return {
        key: redacted(value) if isinstance(value, str) else value for key, value in event.items()
    }


def configure() -> None:
    """Log from this process as JSON on standard error; libraries only when something is wrong.

    httpx writes every URL it calls at INFO, and a URL can hold an NHS number (TRAPS.md).
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
