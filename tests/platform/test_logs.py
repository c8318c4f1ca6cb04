"""A log line holds no NHS number, no address and no one-time link."""

from hypothesis import given
from hypothesis import strategies as st

from panel.platform.logs import redact, redacted


def test_what_identifies_people_is_taken_out() -> None:
    said = "999 054 8609 and 9990548609 of rosa@hv.example at /sign-in/abc_DEF-1 or /guest/a/b"
    assert redacted(said) == (
        "(number) and (number) of (address) at /sign-in/(link) or /guest/(link)"
    )


def test_every_text_of_an_event_is_redacted() -> None:
    event = redact(None, "info", {"event": "seen 999-054-8609", "count": 3})
    assert event == {"event": "seen (number)", "count": 3}


@given(st.integers(999_000_0000, 999_999_9999), st.text(alphabet="abc ,;:", max_size=12))
def test_no_number_survives(number: int, around: str) -> None:
    assert str(number) not in redacted(f"{around} {number} {around}")
