"""Substitutes that follow from the number of a value, for tables whose values do not stay in memory.

`engine.pseudonyms.substitution` deals substitutes to all values of a column at once. Here each one is computed where it
is needed, from a number that was dealt by chance and a key of the random stream: equal numbers have equal substitutes,
and whoever does not know the seed learns nothing from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.permutation import Rows, draw_permutation
from avatar_gitops.engine.pseudonyms.kinds import (
    ConstantPseudonym,
    FakerPseudonym,
    HashPseudonym,
    IntegerPseudonym,
    PatternPseudonym,
    UuidPseudonym,
)
from avatar_gitops.engine.pseudonyms.patterns import Scrambled, check_capacity, parse, references
from avatar_gitops.engine.pseudonyms.realistic import POOL, realistic, realistic_by_seed
from avatar_gitops.engine.pseudonyms.substitution import constant_key, hashes, in_order
from avatar_gitops.engine.streams import stream, stream_key
from avatar_gitops.errors import EngineError

Others: TypeAlias = Mapping[str, Sequence[str]]  # the texts of other columns in the same rows
Substitutes: TypeAlias = Callable[[Rows, Others], pa.Array]

_SEEDS: Final = 1 << 62


def is_consistent(spec: ColumnSpec) -> bool:
    """Whether equal values of a column have one number; otherwise each row has its own."""
    kind = spec.pseudonym
    return spec.primary_key or isinstance(kind, HashPseudonym | ConstantPseudonym | None) or kind.consistent


def check_numbered(specs: Sequence[ColumnSpec], output: Collection[str]) -> None:
    """Raises EngineError for pseudonyms that cannot be made from numbers, or cannot be made at all."""
    kinds = {spec.name: spec.pseudonym for spec in specs if spec.pseudonym is not None}
    in_order(kinds, output)
    for spec in specs:
        kind = spec.pseudonym
        if isinstance(kind, HashPseudonym):
            hashes(pa.array([], pa.string()), kind.key)
        elif isinstance(kind, ConstantPseudonym) and spec.primary_key:
            raise constant_key()
        elif isinstance(kind, FakerPseudonym) and spec.primary_key:
            raise EngineError(
                "Realistic values repeat themselves, so the key of a table that does not fit into memory cannot have"
                " them.",
                hint="Take UUID4, INTEGER or SPECIFIC_ID for keys.",
            )
        elif isinstance(kind, PatternPseudonym) and references(kind) and is_consistent(spec):
            raise _refers(spec)


def _refers(spec: ColumnSpec) -> EngineError:
    if spec.primary_key:
        return EngineError(
            f"The pseudonym pattern of the primary key {spec.name!r} takes values from other columns, so its"
            " substitutes have to be compared with each other, which does not work in a table that does not fit into"
            " memory.",
            hint="Leave {{...}} out, or take UUID4 or INTEGER.",
        )
    return EngineError(
        f"The pseudonym pattern of column {spec.name!r} takes values from other columns, so equal values need"
        " the first row of each, which a table that does not fit into memory does not keep.",
        hint="Set consistent to false, or leave {{...}} out.",
    )


def numbered(spec: ColumnSpec, count: int, seed: int, label: str) -> Substitutes:
    """What makes the substitutes of a column whose values have the numbers 1 to `count`; 0 stands for missing.

    The column has passed `check_numbered`, and its kind is neither a hash nor a constant. Raises EngineError when there
    are not so many different substitutes as wanted.
    """
    stage = f"pseudonyms of {spec.name}"
    kind, random = spec.pseudonym, stream(seed, label, stage)
    if isinstance(kind, IntegerPseudonym):
        return lambda numbers, _: to_arrow(numbers, numbers == 0)
    if isinstance(kind, UuidPseudonym):
        key = stream_key(seed, label, stage).to_bytes(16)
        return lambda numbers, _: _once(numbers, lambda known: [_uuid(number, key) for number in known.tolist()])
    if isinstance(kind, FakerPseudonym):
        return _realistic(kind, count, random)
    assert isinstance(kind, PatternPseudonym)
    return _patterns(kind, count, random, different=is_consistent(spec))


def _once(numbers: Rows, make: Callable[[Rows], list[str]]) -> pa.Array:
    """Texts that are made once for each number."""
    known, places = np.unique(np.maximum(numbers, 1), return_inverse=True)
    return pa.array(make(known), pa.string()).take(to_arrow(places, numbers == 0))


def _uuid(number: int, key: bytes) -> str:
    return str(UUID(bytes=hashlib.blake2b(number.to_bytes(8), digest_size=16, key=key).digest(), version=4))


def _realistic(kind: FakerPseudonym, count: int, random: np.random.Generator) -> Substitutes:
    seeds = draw_permutation(_SEEDS, random)
    if kind.high_variability or count <= POOL:
        return lambda numbers, _: _once(numbers, lambda known: realistic_by_seed(kind, seeds.places(known).tolist()))
    pool = pa.array(realistic(kind, POOL, random, different=False), pa.string())
    return lambda numbers, _: pool.take(to_arrow(seeds.places(numbers) % POOL, numbers == 0))


def _patterns(kind: PatternPseudonym, count: int, random: np.random.Generator, *, different: bool) -> Substitutes:
    tokens, names = parse(kind), references(kind)
    if different:
        check_capacity(tokens, count)
    scrambled = Scrambled(tokens, random)

    def make(numbers: Rows, others: Others) -> pa.Array:
        taken = [*(others[name] for name in names), [""] * len(numbers)]
        parts = scrambled.texts(np.maximum(numbers, 1) - 1)
        rows = zip(parts, zip(*taken, strict=True), strict=True)
        texts = ["".join(part + value for part, value in zip(*row, strict=True)) for row in rows]
        return pa.array(texts, pa.string(), mask=numbers == 0)

    return make
