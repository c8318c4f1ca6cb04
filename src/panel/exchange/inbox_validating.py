"""What would come of a resource that is only to be looked at ($validate)."""

from collections.abc import Iterator

from interop.incoming import Piece, Problem
from interop.outcome import Code, Issue, Severity, tellable
from panel.exchange.inbox_opening import Opened

NOT_MAPPED = "Panel keeps this as it is sent and has no words of its own for it."


def checked(opened: Opened, type_: str) -> list[Issue]:
    """Everything that is wrong with it, what is odd, and what Panel has no place for."""
    parsed = opened.parsed
    if parsed.broken is not None:
        return [_issue(parsed.broken, "structure", "error")]
    issues = [_issue(one, "invariant", "warning") for one in parsed.remarks]
    if parsed.kind == "resource" and [one.type for one in parsed.pieces] != [type_]:
        issues.append(Issue("value", "The address names another type.", ("resourceType",)))
    return [*issues, *(issue for piece in parsed.pieces for issue in _of_piece(piece))]


def _of_piece(piece: Piece) -> Iterator[Issue]:
    for one in piece.problems:
        yield _issue(one, "invalid", "error")
    for one in piece.remarks:
        yield _issue(one, "invariant", "warning")
    if piece.set_aside is not None:
        yield Issue("informational", piece.set_aside, tellable(piece.path), "information")
    for path in piece.kept:
        yield Issue("informational", NOT_MAPPED, tellable(path), "information")


def _issue(problem: Problem, code: Code, severity: Severity) -> Issue:
    return Issue(code, problem.reason, tellable(problem.path), severity)
