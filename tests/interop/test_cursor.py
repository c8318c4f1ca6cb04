"""A cursor goes on with its own search, for whoever was given it, and nothing else is one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interop.cursor import LONGEST, Position, decode, encode

_KEY = bytes(range(32))
_HERE = Position("Task", "d" * 32, (1_795_000_000_000_000, "0192"))


def _decoded(text: str, *, key: bytes = _KEY, holder: str = "client") -> Position | None:
    return decode(key, text, type_="Task", search="d" * 32, holder=holder)


@given(
    st.lists(st.one_of(st.text(max_size=20), st.integers(-(2**63), 2**63 - 1)), max_size=4),
    st.text(max_size=30),
)
def test_it_comes_back(after: list[str | int], holder: str) -> None:
    there = Position("Task", "d" * 32, tuple(after))
    text = encode(_KEY, there, holder)
    assert text.isascii()
    assert text.replace("-", "").replace("_", "").isalnum()
    assert _decoded(text, holder=holder) == there


def test_another_search_type_client_or_key_has_none() -> None:
    text = encode(_KEY, _HERE, "client")
    assert _decoded(text) == _HERE
    assert decode(_KEY, text, type_="Goal", search="d" * 32, holder="client") is None
    assert decode(_KEY, text, type_="Task", search="e" * 32, holder="client") is None
    assert _decoded(text, holder="client2") is None
    assert _decoded(text, key=bytes(32)) is None


def test_every_changed_letter_spoils_it() -> None:
    text = encode(_KEY, _HERE, "client")
    for at, letter in enumerate(text):
        other = "A" if letter != "A" else "B"
        assert _decoded(text[:at] + other + text[at + 1 :]) is None
        assert _decoded(text[:at]) is None


@given(st.text(max_size=80))
def test_what_was_not_made_here_is_none(text: str) -> None:
    assert _decoded(text) is None
    assert _decoded(base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode()) is None


def test_too_long_is_none_and_is_never_made() -> None:
    assert _decoded("A" * (LONGEST + 1)) is None
    with pytest.raises(ValueError, match="too long"):
        encode(_KEY, Position("Task", "", ("x" * LONGEST,)), "client")


def test_a_short_key_is_none() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encode(b"short", _HERE, "client")
