"""Identifiers: UUIDv7, made here, so that rows sort by when they were made."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new UUIDv7 as a standard `uuid.UUID` (psycopg adapts no other)."""
    return uuid7()
