"""What can go wrong, as sentences for the person it goes wrong for.

Pure: a status, a title, what is wrong and what to do. How a problem becomes a page or JSON is
decided where requests are answered. The words never carry a name, an identifier or a stack trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class Problem(Exception):
    """Something that stopped a request, told plainly.

    `status` is the HTTP status; `title` heads the page; `sentence` says what is wrong;
    `what_to_do` says the next step, and may be empty where there is none.
    """

    def __init__(self, status: int, title: str, sentence: str, what_to_do: str = "") -> None:
        self.status = status
        self.title = title
        self.sentence = sentence
        self.what_to_do = what_to_do
        super().__init__(sentence)


class NotFound(Problem):
    """There is no such thing, or this person may not know that there is: the same words for both.

    Two different answers would tell a stranger that a child is known here.
    """

    def __init__(
        self,
        sentence: str = "This page does not exist, or it is not yours to see.",
        what_to_do: str = "Check the address, or search by name, date of birth or reference.",
    ) -> None:
        super().__init__(404, "Page not found", sentence, what_to_do)


class NotAllowed(Problem):
    """The person may know of the thing but may not do this with it."""

    def __init__(
        self, sentence: str, what_to_do: str = "Ask your coordinator if you need to."
    ) -> None:
        super().__init__(403, "You cannot do this", sentence, what_to_do)


class NotSignedIn(Problem):
    """Nobody is signed in, or the session ended; what was typed is kept where a page keeps it."""

    def __init__(self, sentence: str = "You are not signed in, or your time ran out.") -> None:
        super().__init__(401, "Sign in", sentence, "Sign in and carry on where you were.")


class NotLetIn(Problem):
    """A system brought nothing that lets it in, or not enough; `challenge` says what is asked for.

    It goes into WWW-Authenticate (RFC 6750, 3).
    """

    def __init__(self, status: int, sentence: str, challenge: str) -> None:
        self.challenge = challenge
        super().__init__(status, "Not let in", sentence, "Ask for a new access token.")


TYPED_AGAIN = " A password or an agreed word is not kept: you are asked to type it again."


class NotSentYet(NotSignedIn):
    """A form came in after its session ended: its page keeps what was typed, to be sent again.

    `path` is where it goes, `fields` what it holds, and `csrf_token` that of the session that its
    writer has again; empty before they signed in. `elsewhere` is where to sign in meanwhile.
    `is_whole` is False where a password or an agreed word is left out of what the page holds.
    """

    def __init__(
        self,
        path: str,
        fields: Sequence[tuple[str, str]],
        *,
        name: str = "",
        csrf_token: str = "",
        elsewhere: str = "/sign-in?next=/sign-in/done",
        is_whole: bool = True,
    ) -> None:
        super().__init__("Your time ran out before this arrived, so it was not saved.")
        self.path, self.fields, self.csrf_token = path, fields, csrf_token
        self.elsewhere = "" if csrf_token else elsewhere
        self.what_to_do = (
            f"You are signed in as {name}. Send it now."
            if csrf_token
            else "It is kept on this page. Sign in again in another window, come back here and"
            " carry on."
        )
        if not is_whole:
            self.what_to_do += TYPED_AGAIN
        self.title = "Not saved yet"
        if csrf_token:
            self.status = 409


class ShowAgain(Problem):
    """This asks who is here to show again who they are; `path` is where, and leads back."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            403,
            "Show again who you are",
            "This asks you to show again who you are.",
            "Sign in again and carry on where you were.",
        )


class NotShownYet(NotSentYet):
    """A form that asks its sender to show again who they are; the page keeps what was typed."""

    def __init__(
        self,
        path: str,
        fields: Sequence[tuple[str, str]],
        elsewhere: str,
        *,
        is_whole: bool = True,
    ) -> None:
        super().__init__(path, fields, elsewhere=elsewhere)
        self.status = 403
        self.sentence = "This asks you to show again who you are, so it was not saved yet."
        self.what_to_do = (
            "It is kept on this page. Show who you are in another window, come back here and"
            " carry on."
        )
        if not is_whole:
            self.what_to_do += TYPED_AGAIN


@dataclass(frozen=True, slots=True)
class Clash:
    """One field that two people changed: what it is called, what you wrote, what is there now."""

    label: str
    yours: str
    theirs: str


class Conflict(Problem):
    """Somebody else saved first; both texts are carried, so that nothing is lost.

    `theirs_by` is who saved, as that person may be named to this one, or empty.
    """

    def __init__(self, clashes: tuple[Clash, ...], theirs_by: str = "") -> None:
        self.clashes = clashes
        self.theirs_by = theirs_by
        somebody = theirs_by or "Somebody else"
        super().__init__(
            409,
            "Both of you changed this",
            f"{somebody} saved a change while you were writing. Neither text is lost.",
            "Read both, put together what should stay, and save again.",
        )


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one answer: the field's name in the form, and a sentence."""

    field: str
    sentence: str


class Invalid(Problem):
    """Some answers cannot be saved as they are; each is named, in the order of the form."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        self.errors = errors
        count = "One answer needs" if len(errors) == 1 else f"{len(errors)} answers need"
        super().__init__(
            422,
            "There is a problem",
            f"{count} another look. Nothing you wrote is lost.",
            "Change what is marked and save again.",
        )

    @classmethod
    def because(cls, field: str, sentence: str) -> Invalid:
        """One wrong answer."""
        return cls((FieldError(field, sentence),))


class TooLarge(Problem):
    """More came in than is accepted; the limit is in bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            413,
            "This is too large",
            f"This is larger than {_megabytes(limit)}.",
            "Send a smaller file, or split it into parts.",
        )


class Gone(Problem):
    """It was here and is not any more: a used link, a closed request, a disposed record."""

    def __init__(
        self, sentence: str, what_to_do: str = "Ask the person who sent it for a new one."
    ) -> None:
        super().__init__(410, "This is no longer here", sentence, what_to_do)


class TooMany(Problem):
    """Too many attempts in a short time; `wait` is in seconds."""

    def __init__(self, wait: int, sentence: str = "That was tried too many times.") -> None:
        self.wait = wait
        super().__init__(429, "Please wait", sentence, f"Try again in {_duration(wait)}.")


class NotWorking(Problem):
    """A fault of ours. The reference finds it in the log, where the details are."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(
            500,
            "Something went wrong on our side",
            "This did not work, and it is not your doing. What was saved before is safe.",
            f"Try again in a few minutes. If it happens again, give your help desk {reference}.",
        )


def _megabytes(size: int) -> str:
    whole, rest = divmod(size, 1024 * 1024)
    return f"{whole} MB" if whole and not rest else f"{max(size // 1024, 1)} KB"


def _duration(seconds: int) -> str:
    if seconds < 60:
        return "1 second" if seconds == 1 else f"{max(seconds, 0)} seconds"
    minutes = -(-seconds // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
