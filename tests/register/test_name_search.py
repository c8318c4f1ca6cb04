"""Finding a child by name, however it is spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.register.names import folded_words, name_query, name_tokens, sound_keys

ALIKE = [
    "Mohammed Muhammad Mohamed Mohamad Muhammed",
    "Catherine Kathryn Katherine Cathryn",
    "Siobhan Shivawn Shivaun Chevonne Siobhán",
    "Niamh Neve Neeve",
    "Aoife Eefa",
    "Saoirse Seersha",
    "Caoimhe Keeva",
    "Seán Shaun Shawn",
    "Roisin Rosheen",
    "Aisling Ashling",
    "Eoghan Owen",
    "Ciarán Kieran",
    "Stephen Steven",
    "Philip Phillip Filip",
    "Zoë Zoe Zoey",
    "Aisha Ayesha Aaishah",
    "Yusuf Yousef Youssef",
    "Fatima Fathima Fatimah",
    "Hussain Hussein Husain",
    "Ahmed Ahmad",
    "Abdulrahman Abdurrahman",
    "Usman Osman Othman",
    "Tariq Tarik Tareq",
    "Qureshi Kureshi",
    "Chaudhry Chowdhury Choudhury",
    "Singh Sing",
    "Syed Sayed",
    "Chloe Khloe",
    "Caitlin Kaitlyn Katelyn",
    "Lee Leigh",
    "Thompson Thomson",
    "Davies Davis",
    "Rhys Reece Rees",
    "Llewellyn Lewelyn",
    "Geoffrey Jeffrey",
    "Hugh Huw",
    "Xu Hsu",
    "Zhang Chang",
    "Krzysztof Krystof",
    "Szymon Simon",
    "Łukasz Lukash",
    "Michał Michal",
    "O'Brien OBrien O’Brien",
    "McDonald MacDonald",
]

PAIRS = [(first, other) for line in ALIKE for first, *rest in [line.split()] for other in rest]


@pytest.mark.parametrize(("stored", "typed"), [*PAIRS, *((b, a) for a, b in PAIRS)])
def test_a_child_is_found_by_another_spelling(stored: str, typed: str) -> None:
    assert name_query(typed).finds(name_tokens(["Ida", stored]))


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        (("Mary", "O’Brien"), "mary o brien"),
        (("Mary", "O’Brien"), "OBRIEN"),
        (("Amina", "Smith-Jones"), "smith jones"),
        (("Amina", "Smith-Jones"), "Smithjones"),
        (("Amina", "Smith-Jones"), "jones amina"),
        (("Amina", "Smith-Jones"), "Amina Smith"),
        (("Mary-Jane", "Example"), "maryjane example"),
        (("Maryjaneann", "Example"), "mary jane ann"),
        (("Zoë", "Łuczak"), "zoe luczak"),
        (("Catherine", "Example"), "cath"),
        (("Catherine", "Example"), "cat exa"),
        (("Jose\u0301", "Nu\u0301n\u0303ez"), "José Núñez"),
        (("Li", "Xu"), "li xu"),
        (("王", "芳"), "王 芳"),
    ],
)
def test_hyphens_accents_order_and_beginnings(stored: tuple[str, str], typed: str) -> None:
    assert name_query(typed).finds(name_tokens(stored))


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        (("Amina", "Smith"), "amina jones"),
        (("Amina", "Smith"), "ami smythers"),
        (("Amina", "Smith"), "am"),
        (("Amina", "Smith"), "mina"),
        (("Amina", "Smith"), ""),
        (("Amina", "Smith"), "123 !"),
        (("Lee", "Example"), "Lou"),
        (("Sarah", "Patel"), "Sandra"),
        (("David", "Patel"), "Daniel"),
        (("Oliver", "Patel"), "Olivia"),
    ],
)
def test_another_name_does_not_find_the_child(stored: tuple[str, str], typed: str) -> None:
    assert not name_query(typed).finds(name_tokens(stored))


def test_the_tokens_of_a_name() -> None:
    assert name_tokens(["Zoë"]) == {("full", "zoe"), ("prefix", "zoe"), ("phonetic", "Sa")}
    kinds = name_tokens(["Smith-Jones"])
    assert {token for kind, token in kinds if kind == "full"} == {"smith", "jones", "smithjones"}
    assert {t for kind, t in kinds if kind == "prefix" and t.startswith("j")} == {
        "jon", "jone", "jones",
    }  # fmt: skip


def test_a_flood_stays_small() -> None:
    assert name_tokens(["😀" * 10_000]) == set()
    assert len(name_tokens(["sgshcidhghbh" * 1_000])) < 100
    assert len(name_tokens(["Ng " * 10_000])) < 100


@given(st.text(max_size=60))
def test_everybody_is_found_by_their_own_name(name: str) -> None:
    if folded_words(name):
        assert name_query(name).finds(name_tokens([name]))


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(name: str) -> None:
    once = folded_words(name)
    assert folded_words(" ".join(once)) == once


@given(st.from_regex(r"[a-z]{1,30}", fullmatch=True))
def test_every_latin_word_has_few_keys(word: str) -> None:
    keys = sound_keys(word)
    assert 0 <= len(keys) <= 16
    assert all(key.isalpha() for key in keys)
