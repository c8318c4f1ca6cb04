"""Whether a narrative can be shown without running or fetching anything (R4, narrative.html)."""

import re
from typing import Final

_ALLOWED: Final = re.compile(
    r"a|abbr|acronym|b|big|blockquote|br|caption|cite|code|col|colgroup|dd|del|dfn|div|dl|dt|em"
    r"|h[1-6]|hr|i|img|ins|kbd|li|ol|p|pre|q|samp|small|span|strong|sub|sup|table|tbody|td|tfoot"
    r"|th|thead|tr|tt|ul|var"
)
_TAG: Final = re.compile(
    r"<\s*+/?\s*+([^\s/<>]++)((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>",
)
_ATTRIBUTE: Final = re.compile(
    r"([^\s=\"'/]++)(?:\s*+=\s*+(\"[^\"]*+\"|'[^']*+'|[^\s>]++))?+",
)
_FETCHED: Final = frozenset({"src", "srcset", "background", "data", "poster", "action"})


def unsafe(div: str) -> str | None:
    """Why a narrative may not be shown; None where it may."""
    div = _without_comments(div)
    if "<!" in div or "<?" in div:
        return "The narrative declares something of its own."
    if "<" in _TAG.sub("", div):
        return "The narrative is not well-formed."
    for name, attributes in _TAG.findall(div):
        if not _ALLOWED.fullmatch(name.lower().rpartition(":")[2]):
            return "The narrative holds something else than text."
        for attribute, quoted in _ATTRIBUTE.findall(attributes):
            reason = _unsafe_attribute(attribute.lower(), _plain(quoted))
            if reason is not None:
                return reason
    return None


def _without_comments(div: str) -> str:
    """The rest; a comment that does not end, or holds the start of another, is left to be seen."""
    before, *parts = div.split("<!--")
    for part in parts:
        _, end, after = part.partition("-->")
        if not end:
            return "<!"
        before += after
    return before


def _unsafe_attribute(name: str, value: str) -> str | None:
    if name.startswith("on"):
        return "The narrative runs something."
    if value.startswith(("javascript:", "vbscript:", "data:text")):
        return "The narrative runs something."
    if name in _FETCHED and not value.startswith(("#", "data:image/")):
        return "The narrative fetches something from elsewhere."
    if name == "style" and re.search(r"url\(|expression\(|@import|behavior:", value):
        return "The narrative fetches something from elsewhere."
    return None


def _plain(quoted: str) -> str:
    """An attribute's value without quotes, layout and letters written as numbers."""
    text = re.sub(
        r"&#(x[0-9a-f]{1,6}|[0-9]{1,7});?", _character, quoted.strip("\"'"), flags=re.IGNORECASE
    )
    return re.sub(r"[\s\x00-\x1f]", "", text).lower()


def _character(found: re.Match[str]) -> str:
    digits = found[1].lower()
    number = int(digits[1:], 16) if digits.startswith("x") else int(digits)
    return chr(number) if number < 0x110000 else ""
