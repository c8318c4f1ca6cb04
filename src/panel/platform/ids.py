"""Identifiers: UUIDv7, made here, so that rows sort by when they were made."""

from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7 as a standard `uuid.UUID` (psycopg adapts no other)."""
    return uuid7()


def new_id_text() -> str:
    """A new UUIDv7 as text, for JSON: a sixth of the time."""
    return str(uuid_utils.uuid7())
