"""The process in which splink weighs pairs: an order on standard input, weights on the output.

It counts agreement in bits (Fellegi and Sunter), on one thread, from a fixed seed, over entries in
a fixed order: the same lists give the same weights. Long lists teach it how often what agrees in
them; short ones cannot, and are judged by settled shares. NHS numbers are no part of the weight:
the rules look at them. The database inside it may open no file and no network.
"""

import logging
import resource
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import splink.comparison_level_library as levels
import splink.comparison_library as library
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from panel.insight.linking.matching import SECONDS, Asked
from panel.register.marks import Marks

LEAST_TO_LEARN = 1000
"""Entries on each side from which shares are learnt and not settled."""
WORST = -4.0
"""Bits under which a pair is not even told of."""
SEED = 1
MOST_PAIRS = 200_000
"""Random pairs from which it is learnt how often what agrees by chance."""
_FOUND_AT_LEAST = 0.7
"""The share of true pairs that agree in both names and the birth date, where it is learnt how
many true pairs there are: the share that splink's own guides begin with."""

_NAMES = ([0.86, 0.06, 0.02, 0.06], [0.004, 0.003, 0.008, 0.985])
_DAYS = ([0.95, 0.03, 0.02], [0.0003, 0.005, 0.9947])
_POSTCODES = ([0.8, 0.04, 0.16], [0.002, 0.003, 0.995])
_ADDRESSES = ([0.6, 0.15, 0.1, 0.15], [0.002, 0.008, 0.15, 0.84])
_SEXES = ([0.98, 0.02], [0.5, 0.5])
"""Settled shares of each degree of agreement, from all the same to quite different: among pairs of
one child, and among pairs of two."""
_KINDS: Mapping[str, pa.DataType] = {
    one.name: pa.list_(pa.string()) if one.type is not str else pa.string()
    for one in msgspec.structs.fields(Marks)
}
"""The columns of marks: one, or several."""
_BLOCKS = (
    ("given", "family"), ("born",), ("family", "postcode"), ("given", "postcode"), ("address",),
    ("number",),
)  # fmt: skip
"""What must all agree for a pair to be looked at: any one of these lines."""


def weighed(order: Asked) -> list[tuple[int, int, float]]:
    """(place on the list, place in the register, bits), in the order of the places."""
    used = [name for name in _KINDS if _is_said(order, name)]
    learns = min(len(order.listed), len(order.known)) >= LEAST_TO_LEARN
    linker = _linker(
        order,
        SettingsCreator(
            link_type="link_only",
            unique_id_column_name="place",
            probability_two_random_records_match=0.5 / max(len(order.listed), len(order.known)),
            comparisons=[one for name, one in _comparisons(settled=not learns) if name in used],
            blocking_rules_to_generate_predictions=[
                block_on(*names) for names in _BLOCKS if all(name in used for name in names)
            ],
        ),
    )
    if learns:
        _learn(linker, used)
    found = linker.inference.predict(threshold_match_weight=WORST).as_record_list()
    return sorted((one["place_l"], one["place_r"], float(one["match_weight"])) for one in found)


def _is_said(order: Asked, name: str) -> bool:
    """Whether both sides say something in a column at all."""
    return all(any(getattr(one, name) for one in side) for side in (order.listed, order.known))


def _linker(order: Asked, settings: SettingsCreator) -> Linker:
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": "1",
            "memory_limit": "2GB",
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    api = DuckDBAPI(connection=connection)
    sides = []
    # The first side of a pair is the one whose name comes first in the alphabet.
    for name, rows in (("a_listed", order.listed), ("b_known", order.known)):
        table = pa.table(
            {"place": pa.array(range(len(rows)), pa.int64())}
            | {
                key: pa.array([getattr(one, key) or None for one in rows], kind)
                for key, kind in _KINDS.items()
            }
        )
        sides.append(api.register(table, dataset_display_name=name))
    return Linker(sides, settings)


def _comparisons(*, settled: bool) -> list[tuple[str, Any]]:
    """How each column is compared; with settled shares, or to be learnt."""
    made: Mapping[str, tuple[Any, tuple[list[float], list[float]]]] = {
        "given": (_alike("given", _shares("given_slips"), _shares("given_sounds")), _NAMES),
        "family": (_alike("family", _shares("family_slips"), _shares("family_sounds")), _NAMES),
        "born": (_alike("born", _shares("born_parts")), _DAYS),
        "postcode": (_alike("postcode", _shares("postcode_slips")), _POSTCODES),
        "address": (
            _alike("address", _shares("address_words", 0.7), _shares("address_words", 0.4)),
            _ADDRESSES,
        ),
        "sex": (_alike("sex"), _SEXES),
    }
    if settled:
        for comparison, (same, others) in made.values():
            comparison.configure(m_probabilities=same, u_probabilities=others)
    return [(name, comparison) for name, (comparison, _shares) in made.items()]


def _alike(name: str, *nearly: str) -> library.CustomComparison:
    """A column that is the same, nearly so in one degree after the other, or quite another."""
    return library.CustomComparison(
        output_column_name=name,
        comparison_levels=[
            levels.NullLevel(name),
            levels.ExactMatchLevel(name),
            *(levels.CustomLevel(one, one) for one in nearly),
            levels.ElseLevel(),
        ],
    )


def _shares(marks: str, part: float = 0.0) -> str:
    """SQL: two have a mark in common, or that part of the longer one's."""
    common = f"len(list_intersect({marks}_l, {marks}_r))"
    if not part:
        return f"{common} > 0"
    return f"{common} >= {part} * greatest(len({marks}_l), len({marks}_r))"


def _learn(linker: Linker, used: Sequence[str]) -> None:
    """Learn how often what agrees, by chance and among pairs of one child."""
    training = linker.training
    surely = [name for name in ("given", "family", "born") if name in used]
    training.estimate_probability_two_random_records_match(
        [block_on(*surely)], recall=_FOUND_AT_LEAST
    )
    training.estimate_u_using_random_sampling(
        max_pairs=MOST_PAIRS, seed=SEED, min_count_per_level=None
    )
    for name in ("born", "family"):
        if name in used:
            training.estimate_parameters_using_expectation_maximisation(block_on(name))


def _main() -> int:
    """The order on standard input, the pairs on standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    sys.stdout.buffer.write(msgspec.json.encode(weighed(order)))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
