"""What is not kept is refused in a sentence that says what it is and what to do."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.documents.rules import LIMIT, NotAccepted, kind_of_file


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00" + b"\0" * 100, "a program"),
        (b"\x7fELF\x02", "a program"),
        (b"L\x00\x00\x00\x01\x14\x02\x00\0\0", "a shortcut"),
        (b"#!/bin/sh\nrm -rf /", "a script"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"\xef\xbb\xbf  <html>", "web page"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "web page"),
        ("<html>".encode("utf-16"), "web page"),
        (b"{\\rtf1 hello}", "rich text"),
        (b"Rar!\x1a\x07", "archive"),
        (b"Dear panel, she sleeps better.", "not a kind of file"),
        (b"\0", "not a kind of file"),
    ],
)
def test_refused_with_a_reason(content: bytes, says: str) -> None:
    with pytest.raises(NotAccepted, match=says):
        kind_of_file(content)


def test_too_large_says_how_large_and_how_large_it_may_be() -> None:
    with pytest.raises(NotAccepted, match=r"is 10\.5 MB and may have at most 10 MB"):
        kind_of_file(b"%PDF-1.7" + b"\0" * (LIMIT + 500_000))


def test_the_limit_is_a_setting() -> None:
    with pytest.raises(NotAccepted, match="is 2 KB and may have at most 1 KB"):
        kind_of_file(b"x" * 2_048, limit=1_024)


def outcome(content: bytes) -> str:
    """What is said of a file: the words for its kind, or the sentence of the refusal."""
    try:
        return f"Kept as {kind_of_file(content).words}."
    except NotAccepted as refused:
        return refused.sentence


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=500))
def test_no_bytes_crash(content: bytes) -> None:
    assert outcome(content).endswith(".")
