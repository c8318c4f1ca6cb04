"""Invented microdata for the attack: a county's children, term by term, and their true counts.

Nothing of the product is used here: codes, sizes and changes are made up, from a seed. There are
twins who share everything, needs that a handful of children have, wards of thirty, and kinds of
service with one child in them; between two releases children join, leave, move, grow older, and
the records of some are corrected, also in the past.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CODES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "age": ("0–2", "3–4", "5–7", "8–11", "12–15", "16–18", "19–25"),
        "sex": ("male", "female", "indeterminate", ""),
        "ethnicity": ("white", "asian", "black", "mixed", "other", ""),
        "need": tuple(f"need{number:02}" for number in range(15)),
        "level": ("1", "2", "3", "4", ""),
        "kind": tuple(f"kind{number:02}" for number in range(12)),
        "reason": ("no_place", "too_far", "waiting", "refused", "no_service", "other"),
        "basis": ("statutory", "assessed", "family", "other"),
        "residential": ("false", "true"),
        "decision": ("agreed", "agreed_in_part", "declined", ""),
    }
)
"""Codes by dimension, the commonest first."""
AGE_FROM: Final = np.array([0, 3, 5, 8, 12, 16, 19])
"""First whole year of each age band."""
TERMS_A_YEAR: Final = 3
OF_SERVICES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"Request": ("basis", "decision"), "Unmet": ("reason",), "Package": ("residential",)}
)
"""Facts that a child can have of several kinds of service at once; what else is said of each."""
HOW_OFTEN: Final = MappingProxyType({"Request": 0.22, "Unmet": 0.3, "Package": 0.45})
HOW_LASTING: Final = MappingProxyType({"Request": 0.3, "Unmet": 0.8, "Package": 0.9})
"""How many have one, as a share of children; how many of these have it in the next term too."""
HOW_MANY_KEYS: Final = 2**63


@dataclass(frozen=True)
class Places:
    """Wards in clusters of wards that touch; every fifth ward is small, and every tenth has hardly thirty children."""

    wards: int = 20
    clusters: int = 5

    def ward(self, number: int) -> str:
        """The code of a ward."""
        return f"W{number:02}"

    def cluster_of(self, number: int) -> int:
        """The cluster that a ward lies in."""
        return number * self.clusters // self.wards

    def cluster(self, number: int) -> str:
        """The code of a cluster."""
        return f"C{number}"

    def weights(self) -> NDArray[np.float64]:
        """How many of the children live in each ward, as shares: from 1 in 130 to 1 in 10."""
        small = {4: 0.9, 9: 2.0}
        sizes = np.array([small.get(ward % 10, 4.0 + ward % 7) for ward in range(self.wards)])
        return sizes / sizes.sum()


AUTHORITY: Final = "A"


@dataclass(frozen=True)
class Rows:
    """Facts of one kind: the child of each row, and a column of code numbers for each dimension."""

    child: Ints
    columns: Mapping[str, Ints]


@dataclass(frozen=True)
class Count:
    """How many different children a cell counts, and the exclusive-or of their record keys."""

    children: int
    xor: int


@dataclass
class World:
    """Children by number; what is said of each in each term, now and after the corrections."""

    keys: Ints
    places: Places
    codes: Mapping[str, tuple[str, ...]]
    terms: int
    here: Bools
    said: Mapping[str, Ints]
    of_services: Mapping[str, Ints]
    """By fact: for each term, child and kind of service a number for what is said of it, or -1."""
    corrected: Mapping[str, Ints] = field(default_factory=dict)
    """As `said` and `here`, seen from the last release: the past of some children is another."""

    def rows(self, fact: str, term: int, *, seen: int) -> Rows:
        """Facts of a term as they stand at the end of term `seen`."""
        late = seen == self.terms - 1
        here = self.corrected["here"][term] > 0 if late else self.here[term]
        said = self.corrected if late else self.said
        if fact == "ChildTerm":
            child = np.flatnonzero(here)
            return Rows(child, {name: said[name][term][child] for name in self.said})
        found = self.of_services[fact][term]
        child, kind = np.nonzero((found >= 0) & here[:, None])
        columns = {name: said[name][term][child] for name in self.said}
        columns["kind"] = kind.astype(np.int64)
        number = found[child, kind]
        for name in OF_SERVICES[fact]:
            number, columns[name] = np.divmod(number, len(self.codes[name]))
        return Rows(child.astype(np.int64), columns)

    def of_span(self, fact: str, terms: range, *, seen: int) -> Rows:
        """Facts of several terms together."""
        each = [self.rows(fact, term, seen=seen) for term in terms if term >= 0]
        return Rows(
            np.concatenate([rows.child for rows in each]),
            {
                name: np.concatenate([rows.columns[name] for rows in each])
                for name in each[0].columns
            },
        )

    def narrowed(self, rows: Rows, column: str, codes: frozenset[str]) -> Rows:
        """The facts that have one of these codes in a column."""
        wanted = [self.codes[column].index(code) for code in codes if code in self.codes[column]]
        kept = np.isin(rows.columns[column], wanted)
        return Rows(rows.child[kept], {name: of[kept] for name, of in rows.columns.items()})

    def count(self, rows: Rows, dims: tuple[str, ...], level: str) -> dict[tuple[str, ...], Count]:
        """Different children by cell; `area` stands for the ward, cluster or authority of `level`."""
        pairs = self._pairs(rows, dims, level)
        if not len(pairs):
            return {}
        cell, child = np.divmod(pairs, len(self.keys))
        which, first, how_many = np.unique(cell, return_index=True, return_counts=True)
        xor = np.bitwise_xor.reduceat(self.keys[child], first)
        counts = zip(which.tolist(), how_many.tolist(), xor.tolist(), strict=True)
        names = [self._names(dim, level) for dim in dims]
        return {_codes(cell, names): Count(children, mixed) for cell, children, mixed in counts}

    def differing(
        self, one: Rows, other: Rows, dims: tuple[str, ...], level: str
    ) -> dict[tuple[str, ...], int]:
        """By cell, how many children are in one of two sets of facts and not in the other."""
        pairs = np.setxor1d(self._pairs(one, dims, level), self._pairs(other, dims, level))
        which, how_many = np.unique(pairs // len(self.keys), return_counts=True)
        names = [self._names(dim, level) for dim in dims]
        return {
            _codes(cell, names): children
            for cell, children in zip(which.tolist(), how_many.tolist(), strict=True)
        }

    def _pairs(self, rows: Rows, dims: tuple[str, ...], level: str) -> Ints:
        """A number for each cell and child in it, each once, sorted."""
        cell = np.zeros(len(rows.child), dtype=np.int64)
        for dim in dims:
            cell = cell * len(self._names(dim, level)) + self._numbers(rows, dim, level)
        return np.unique(cell * len(self.keys) + rows.child)

    def _names(self, dim: str, level: str) -> tuple[str, ...]:
        if dim != "area":
            return self.codes[dim]
        if level == "ward":
            return tuple(self.places.ward(ward) for ward in range(self.places.wards))
        if level == "cluster":
            return tuple(self.places.cluster(number) for number in range(self.places.clusters))
        return (AUTHORITY,)

    def _numbers(self, rows: Rows, dim: str, level: str) -> Ints:
        if dim != "area":
            return rows.columns[dim]
        ward = rows.columns["ward"]
        if level == "ward":
            return ward
        if level == "cluster":
            return ward * self.places.clusters // self.places.wards
        return np.zeros_like(ward)


def _codes(cell: int, names: list[tuple[str, ...]]) -> tuple[str, ...]:
    codes = []
    for of_dim in reversed(names):
        cell, code = divmod(cell, len(of_dim))
        codes.append(of_dim[code])
    return tuple(reversed(codes))


def make_world(
    seed: int,
    *,
    children: int = 3_000,
    terms: int = 4,
    turnover: float = 1.0,
    codes: Mapping[str, tuple[str, ...]] = CODES,
    places: Places = Places(),
) -> World:
    """A world of about `children` children in each of `terms` terms; the same seed, the same world.

    `turnover`: how much changes from one term to the next; at 1 as much as in a busy county, below
    it less of everything but of growing older.
    """
    rng = np.random.default_rng(seed)
    everyone = int(children * (1 + 0.06 * terms))
    here = _coming_and_going(rng, everyone, children, terms, turnover)
    said = _said(rng, everyone, terms, turnover, codes, places)
    _make_twins(rng, here, said)
    of_services = {fact: _of_services(rng, here, fact, turnover, codes) for fact in OF_SERVICES}
    corrected = _corrected(rng, here, said, turnover, codes, places)
    keys = rng.integers(-HOW_MANY_KEYS, HOW_MANY_KEYS, everyone, dtype=np.int64)
    return World(keys, places, codes, terms, here, said, of_services, corrected)


def _coming_and_going(
    rng: np.random.Generator, everyone: int, first: int, terms: int, turnover: float
) -> Bools:
    """Who is known in which term: 5 in 100 leave each term, 6 in 100 join, few come back."""
    here = np.zeros((terms, everyone), dtype=np.bool_)
    here[0, :first] = True
    joined = first
    for term in range(1, terms):
        here[term] = here[term - 1] & (rng.random(everyone) > 0.05 * turnover)
        more = int(first * 0.06 * turnover)
        here[term, joined : joined + more] = True
        joined += more
        came_back = ~here[term] & here[:term].any(axis=0) & (rng.random(everyone) < 0.05)
        here[term] |= came_back
    here[:, 0] = True
    return here


def _skewed(how_many: int, steepness: float) -> NDArray[np.float64]:
    shares = np.arange(1, how_many + 1, dtype=float) ** -steepness
    return shares / shares.sum()


def _said(
    rng: np.random.Generator,
    everyone: int,
    terms: int,
    turnover: float,
    codes: Mapping[str, tuple[str, ...]],
    places: Places,
) -> dict[str, Ints]:
    """Ward, age, sex, ethnicity, need and level of each child in each term; 1 to 3 in 100 change."""

    def chosen(shares: NDArray[np.float64]) -> Ints:
        return rng.choice(len(shares), size=everyone, p=shares)

    shares = {
        "ward": places.weights(),
        "sex": _skewed(len(codes["sex"]), 3.0),
        "ethnicity": _skewed(len(codes["ethnicity"]), 1.6),
        "need": _skewed(len(codes["need"]), 1.7),
        "level": _skewed(len(codes["level"]), 1.0),
    }
    changes = {"ward": 0.02, "need": 0.015, "level": 0.03}
    said: dict[str, Ints] = {}
    for name, of_all in shares.items():
        each = [chosen(of_all)]
        for _ in range(1, terms):
            moved = rng.random(everyone) < changes.get(name, 0.0) * turnover
            each.append(np.where(moved, chosen(of_all), each[-1]))
        said[name] = np.array(each, dtype=np.int64)
    born = rng.integers(0, 23 * TERMS_A_YEAR, everyone)
    years = (born[None, :] + np.arange(terms)[:, None]) // TERMS_A_YEAR
    said["age"] = (np.searchsorted(AGE_FROM, years, side="right") - 1).astype(np.int64)
    return said


def _make_twins(rng: np.random.Generator, here: Bools, said: Mapping[str, Ints]) -> None:
    """Every fiftieth child is the twin of the one before: all is said of both, in every term."""
    twins = np.arange(1, here.shape[1], 50)
    here[:, twins] = here[:, twins - 1]
    for name, column in said.items():
        same = twins if name != "sex" else twins[rng.random(len(twins)) < 0.6]
        column[:, same] = column[:, same - 1]


def _of_services(
    rng: np.random.Generator,
    here: Bools,
    fact: str,
    turnover: float,
    codes: Mapping[str, tuple[str, ...]],
) -> Ints:
    """Facts of one kind by term, child and kind of service; the last two kinds are rare."""
    terms, everyone = here.shape
    kinds = len(codes["kind"])
    share = _skewed(kinds, 1.2) * HOW_OFTEN[fact]
    share[-2:] = 3 / everyone, 1 / everyone
    lasts = 1 - (1 - HOW_LASTING[fact]) * turnover
    found = np.full((terms, everyone, kinds), -1, dtype=np.int64)
    for term in range(terms):
        said = np.zeros((everyone, kinds), dtype=np.int64)
        for name in reversed(OF_SERVICES[fact]):
            code = rng.choice(len(codes[name]), size=said.shape, p=_skewed(len(codes[name]), 1.2))
            said = said * len(codes[name]) + code
        new = rng.random(said.shape) < (share * (1 - lasts) if term else share)
        found[term] = np.where(new, said, -1)
        if term:
            kept = (found[term - 1] >= 0) & (rng.random(said.shape) < lasts)
            found[term] = np.where(kept, found[term - 1], found[term])
        found[term][0, -1] = 0  # there is always one child in the rarest
    return found


def _corrected(
    rng: np.random.Generator,
    here: Bools,
    said: Mapping[str, Ints],
    turnover: float,
    codes: Mapping[str, tuple[str, ...]],
    places: Places,
) -> dict[str, Ints]:
    """What is said from the last term on: 1 in 100 had another ward or need all along, a few were
    never to be counted."""
    everyone = here.shape[1]
    seen = {name: column.copy() for name, column in said.items()}
    for name, how_many in (("ward", places.wards), ("need", len(codes["need"]))):
        wrong = rng.random(everyone) < 0.01 * turnover
        seen[name][:, wrong] = rng.integers(0, how_many, int(wrong.sum()))
    seen["here"] = (here & (rng.random(everyone) > 0.003 * turnover)).astype(np.int64)
    seen["here"][:, 0] = 1
    return seen
