"""What another system sent, as Panel's messages: FHIR R4 JSON in, nothing lost, nothing raised.

`read` takes a body apart into `Piece`s, each with its own bytes. A piece is mapped (it has a
message), kept (valid, and Panel has no place for it) or quarantined (it has problems).
"""

from interop.incoming.received import (
    Identifier,
    Limits,
    Piece,
    Problem,
    Received,
    Request,
    Subject,
)
from interop.incoming.taking_apart import read

__all__ = ["Identifier", "Limits", "Piece", "Problem", "Received", "Request", "Subject", "read"]
