"""Whatever is changed in a release or in the ledger after it was signed is found and named."""

from dataclasses import replace
from pathlib import Path

import pytest

from panel.insight.core import ledger
from panel.insight.core.ledger import LEDGER, Tampered, append, canonical, signing_key, verify
from panel.insight.core.released import AuditResult, Entry
from panel.insight.core.written import Unreadable, release_from, rules_of
from panel.insight.release_files import METHODS, files_of, put, read_folder, tampered
from panel.insight.saying import Areas
from tests.insight.releases import AUTUMN, RULES, SPRING, release, table, whole

SIGN, KEY = signing_key(bytes(range(32)))
SAFE = AuditResult(safe=True, findings=(), cells=3, solves=2, seconds=0.5, unfinished=0)
BY_AGE = table("known_by_age", "area", "age")
FIRST = release((BY_AGE, whole(BY_AGE, {("*", "*"): 40, ("c1", "*"): 25, ("c2", "*"): 0})))
SECOND = replace(
    FIRST,
    period=SPRING,
    tables=tuple(replace(one, period=SPRING) for one in FIRST.tables),
)
FILES = {one.period: files_of(one, Areas()) for one in (FIRST, SECOND)}


def line(before: Entry | None, period: str) -> Entry:
    of = next(one for one in (FIRST, SECOND) if one.period == period)
    return append(
        before,
        of.period,
        FILES[of.period],
        canonical(rules_of(RULES)),
        SAFE,
        made_at="2026-01-05T09:00:00+00:00",
        sign=SIGN,
        key=KEY,
    )


ONE = line(None, AUTUMN)
TWO = line(ONE, SPRING)


def test_what_was_signed_is_whole() -> None:
    assert verify((ONE, TWO), FILES, KEY) == ()
    assert verify((), {}, KEY) == ()


def test_a_release_is_read_back_from_its_files_as_it_was() -> None:
    assert release_from(FILES[AUTUMN]) == FIRST
    assert files_of(release_from(FILES[AUTUMN]), Areas()) == FILES[AUTUMN]


def test_a_table_has_a_column_for_each_dimension_and_the_whole_grid() -> None:
    lines = FILES[AUTUMN]["known_by_age.csv"].decode().splitlines()
    assert lines[:2] == ["area,age,measure,value,note", "*,*,children,40,"]
    assert "c2,*,children,0,0 to 4" in lines
    assert len(lines) == 1 + 3 * 9


def test_any_changed_byte_of_any_file_is_found_and_the_file_named() -> None:
    for name, content in FILES[AUTUMN].items():
        # Of the long ones every seventeenth byte: SHA-256 does not know one from another.
        for at in range(0, len(content), 1 if name.endswith(".csv") else 17):
            changed = bytearray(content)
            changed[at] ^= 1
            files = {**FILES, AUTUMN: {**FILES[AUTUMN], name: bytes(changed)}}
            assert verify((ONE, TWO), files, KEY) == (Tampered(1, f"{name} was changed"),)


def test_any_changed_byte_of_the_ledger_is_found() -> None:
    content = ledger.written((ONE, TWO))
    for at in range(len(content)):
        for bit in (1, 32):
            changed = bytearray(content)
            changed[at] ^= bit
            try:
                entries = ledger.read(bytes(changed))
            except ValueError:
                continue
            assert verify(entries, FILES, KEY), changed[max(0, at - 20) : at + 20]


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ((TWO,), "its line says that it is release 2"),
        ((ONE, replace(TWO, previous=ledger.FIRST)), "the line before it is not the one"),
        ((replace(ONE, made_at="2026-01-06T09:00:00+00:00"), TWO), "changed after it was signed"),
        ((ONE, replace(TWO, signature=ONE.signature)), "changed after it was signed"),
    ],
)
def test_a_line_that_is_missing_or_changed_is_named(entries: tuple[Entry, ...], what: str) -> None:
    assert any(what in one.what for one in verify(entries, FILES, KEY))


def test_who_signs_everything_anew_with_another_key_is_found() -> None:
    sign, key = signing_key(bytes(32))
    forged = append(
        None, AUTUMN, FILES[AUTUMN], b"{}", SAFE, made_at=ONE.made_at, sign=sign, key=key
    )
    found = verify((forged,), {AUTUMN: FILES[AUTUMN]}, KEY)
    assert "its line is signed with another key" in {one.what for one in found}


def test_a_missing_file_an_added_file_and_a_release_of_no_line_are_named() -> None:
    files = dict(FILES[AUTUMN])
    files["more.csv"] = files.pop(METHODS)
    found = {one.what for one in verify((ONE,), {AUTUMN: files, SPRING: {}}, KEY)}
    assert found == {
        "methods.html is missing",
        "more.csv is in no line",
        "2026-spring is in no line of the ledger",
    }


def test_what_is_not_safe_gets_no_line() -> None:
    with pytest.raises(ValueError, match="not safe"):
        append(
            None,
            AUTUMN,
            FILES[AUTUMN],
            b"",
            replace(SAFE, safe=False),
            made_at="",
            sign=SIGN,
            key=KEY,
        )


def test_folders_are_verified_together(tmp_path: Path) -> None:
    put(tmp_path / "one", FILES[AUTUMN], (ONE,))
    put(tmp_path / "two", FILES[SPRING], (ONE, TWO))
    folders = (tmp_path / "one", tmp_path / "two")
    assert sorted(one.name for one in folders[0].iterdir()) == [
        "catalogue.json", "known_by_age.csv", LEDGER, METHODS,
    ]  # fmt: skip
    assert tampered(folders, KEY) == ()
    file = tmp_path / "one" / "known_by_age.csv"
    file.write_bytes(file.read_bytes().replace(b"*,*,children,40,", b"*,*,children,45,"))
    assert [one.in_words() for one in tampered(folders, KEY)] == [
        "Release 1: known_by_age.csv was changed."
    ]
    (tmp_path / "two" / LEDGER).write_bytes(b"[]\n")
    assert any("another ledger" in one.what for one in tampered(folders, KEY))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("catalogue.json", b"{}"),
        ("catalogue.json", b"\xff"),
        ("known_by_age.csv", b""),
        ("known_by_age.csv", b"area,age,measure,value,note\n"),
        ("known_by_age.csv", b"area,age,measure,value,note\n*,*,children,many,\n"),
    ],
)
def test_what_is_no_release_is_said_in_a_sentence(name: str, content: bytes) -> None:
    with pytest.raises(Unreadable, match=name):
        release_from({**FILES[AUTUMN], name: content})


def test_a_folder_without_a_ledger_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=LEDGER):
        read_folder(tmp_path)


def test_what_an_audit_proved_is_known_by_lines_that_are_whole_alone() -> None:
    audit = replace(SAFE, proven=("ab", "cd"))
    one = append(
        None,
        AUTUMN,
        FILES[AUTUMN],
        canonical(rules_of(RULES)),
        audit,
        made_at="2026-01-05T09:00:00+00:00",
        sign=SIGN,
        key=KEY,
    )
    assert ledger.proven((one,), KEY) == {"ab", "cd"}
    assert ledger.read(ledger.written((one,))) == (one,)
    more = replace(one, audit=replace(one.audit, proven=("ab", "cd", "ef")))
    assert ledger.proven((more,), KEY) == frozenset()


def test_a_line_from_before_parts_were_named_is_still_whole() -> None:
    assert ONE.audit.proven == ()
    assert b"proven" not in ledger.written((ONE, TWO))
    assert ledger.read(ledger.written((ONE, TWO))) == (ONE, TWO)
