"""From values to substitutes: one mapping for a column, or for a key and all columns that refer to it.

The mapping exists in memory only, while it is applied. Which value gets which substitute follows from the random stream
and from the order in which values first appear, never from the value itself; hashes alone are computed from it. Whoever
knows the seed of a run and has the original table can therefore build the mapping again: the seed is as secret as the
table.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.buffers import cast_or_none, null_mask, to_arrow, to_numpy
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.pseudonyms.kinds import (
    ConstantPseudonym,
    FakerPseudonym,
    HashPseudonym,
    IntegerPseudonym,
    PatternPseudonym,
    Pseudonym,
    UuidPseudonym,
)
from avatar_gitops.engine.pseudonyms.patterns import draw, parse, references
from avatar_gitops.engine.pseudonyms.realistic import realistic
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError

SHORTEST_KEY: Final = 16  # bytes

Rows = npt.NDArray[np.int64]
Values: TypeAlias = pa.ChunkedArray | pa.Array


def substitute(
    columns: Sequence[Values], pseudonym: Pseudonym, seed: int, label: str, *, key: bool = False
) -> list[pa.Array]:
    """Substitutes of the columns by one mapping: a primary key first, then the foreign keys that refer to it.

    Equal values get equal substitutes across all columns (as text, so that the numbers of one file are those of
    another), whatever `pseudonym.consistent` says when there are several. `label` names the mapping: the same label,
    seed and columns give the same mapping. With `key` different values get different substitutes. Missing values stay
    missing, except in a constant column. Raises EngineError when the kind cannot do what is asked.
    """
    if isinstance(pseudonym, PatternPseudonym) and references(pseudonym):
        raise EngineError("A pseudonym pattern of a key takes values from other columns.", hint="Leave {{...}} out.")
    codes, distinct = _encode(columns)
    made = _substitutes(codes, distinct, pseudonym, stream(seed, label, "pseudonyms"), key or len(columns) > 1)
    ends = np.cumsum([len(column) for column in columns])
    return [made.slice(int(end) - len(column), len(column)) for column, end in zip(columns, ends, strict=True)]


def substitute_rows(
    columns: Sequence[ColumnSpec],
    originals: pa.Table,
    rows: tuple[Rows, Rows],
    output: Mapping[str, pa.Array | pa.ChunkedArray],
    seed: int,
    label: str,
) -> dict[str, pa.Array]:
    """Substitutes of the columns of one table that have a pseudonym, for its avatars.

    `rows` are the original of each avatar and which of its avatars it is (0 for the first): further avatars of one
    person get substitutes of their own, so that these do not tell that they belong together. `output` holds the other
    columns of the avatars, which patterns may take values from. Raises EngineError when a kind cannot do what is asked,
    such as different values for a primary key.
    """
    kinds = {column.name: column.pseudonym for column in columns if column.pseudonym is not None}
    keys = {column.name for column in columns if column.primary_key}
    made: dict[str, pa.Array] = {}
    for name in in_order(kinds, output):
        pseudonym = kinds[name]
        values = originals[name].take(to_arrow(rows[0]))
        codes, distinct = _encode([values])
        if not isinstance(pseudonym, HashPseudonym):
            codes = _by_copy(codes, rows[1])
        random = stream(seed, label, f"pseudonyms of {name}")
        others = {other: texts_of(made.get(other, output.get(other))) for other in sources(pseudonym)}
        made[name] = _substitutes(codes, distinct, pseudonym, random, name in keys, others)
        if name in keys and len(made[name].unique()) < len(codes):
            raise repeated_key(name)
    return made


def repeated_key(name: str) -> EngineError:
    """What is said when the substitutes of a primary key are not all different."""
    return EngineError(
        f"Column {name!r} is the primary key, but its pseudonym gives several rows the same value.",
        hint="Take UUID4, INTEGER or SPECIFIC_ID for the primary key, and look for duplicates in it.",
    )


def constant_key() -> EngineError:
    """What is said when a key would be one value everywhere."""
    return EngineError("A key cannot be replaced by a constant.", hint="Take UUID4, INTEGER or SPECIFIC_ID.")


def _substitutes(
    codes: Rows,
    distinct: pa.Array,
    pseudonym: Pseudonym,
    random: np.random.Generator,
    different: bool,
    others: Mapping[str, Sequence[str]] | None = None,
) -> pa.Array:
    """Substitutes of codes (-1 is missing) that number the values of `distinct` or copies of them."""
    if isinstance(pseudonym, ConstantPseudonym):
        if different:
            raise constant_key()
        return pa.array([pseudonym.value] * len(codes), pa.string())
    if isinstance(pseudonym, HashPseudonym):
        return pa.array(hashes(distinct, pseudonym.key), pa.string()).take(to_arrow(codes, codes < 0))
    known = codes >= 0
    if not (pseudonym.consistent or different):
        codes = np.where(known, np.cumsum(known) - 1, -1)
    first = _first_rows(codes)
    if isinstance(pseudonym, FakerPseudonym):
        made = pa.array(realistic(pseudonym, len(first), random, different=different), pa.string())
    elif isinstance(pseudonym, UuidPseudonym):
        made = pa.array([str(UUID(bytes=random.bytes(16), version=4)) for _ in first], pa.string())
    elif isinstance(pseudonym, IntegerPseudonym):
        made = pa.array(random.permutation(len(first)) + 1, pa.int64())
    else:
        made = pa.array(_patterns(pseudonym, first, random, different, others or {}), pa.string())
    return made.take(to_arrow(_rank(codes, first), codes < 0))


def _patterns(
    pseudonym: PatternPseudonym,
    first: Rows,
    random: np.random.Generator,
    different: bool,
    others: Mapping[str, Sequence[str]],
) -> list[str]:
    """Texts of a pattern; what it takes from other columns is that of the first row of each value."""
    names = references(pseudonym)
    apart = not names and (different or pseudonym.consistent)
    texts = []
    for row, parts in zip(first, draw(parse(pseudonym), len(first), random, different=apart), strict=True):
        taken = [others[name][row] for name in names]
        texts.append("".join(part + value for part, value in zip(parts, [*taken, ""], strict=True)))
    return texts


def hashes(distinct: pa.Array, key: bytes | None) -> list[str]:
    """The hashes of some values as text; raises EngineError for a key that could be guessed."""
    if key is not None and len(key) < SHORTEST_KEY:
        raise EngineError(
            f"The key of a hash is shorter than {SHORTEST_KEY} bytes.",
            hint="Take 32 random bytes, such as `openssl rand -hex 32`.",
        )
    texts = [text.encode() for text in texts_of(distinct)]
    if key is None:
        return [hashlib.sha256(text).hexdigest() for text in texts]
    return [hmac.new(key, text, hashlib.sha256).hexdigest() for text in texts]


def _encode(columns: Sequence[Values]) -> tuple[Rows, pa.Array]:
    """Codes of the values of all columns together in order of first appearance (-1 is missing), and the values."""
    parts = [column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in columns]
    parts = [part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part for part in parts]
    if len({part.type for part in parts}) > 1:
        parts = [_as_text(part) for part in parts]
    whole = pa.chunked_array(parts).combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in whole.chunks])
    encoded = whole.dictionary_encode()
    codes = np.where(null_mask(encoded.indices), -1, to_numpy(encoded.indices).astype(np.int64))
    return codes, encoded.dictionary


def _by_copy(codes: Rows, copies: Rows) -> Rows:
    return np.where(codes < 0, -1, codes * (int(copies.max(initial=0)) + 1) + copies)


def _first_rows(codes: Rows) -> Rows:
    """The row in which each code appears first, in order of appearance."""
    values, first = np.unique(codes, return_index=True)
    return np.sort(first[values >= 0])


def _rank(codes: Rows, first: Rows) -> Rows:
    """Codes numbered by their first appearance."""
    order = np.argsort(codes[first])
    return (
        order[np.minimum(np.searchsorted(codes[first][order], codes), max(0, len(first) - 1))] if len(first) else codes
    )


def sources(pseudonym: Pseudonym) -> tuple[str, ...]:
    """Columns that substitutes take values from."""
    return references(pseudonym) if isinstance(pseudonym, PatternPseudonym) else ()


def in_order(kinds: Mapping[str, Pseudonym], output: Collection[str]) -> list[str]:
    """Columns such that each comes after those that its pattern takes values from.

    Raises EngineError when one takes them from itself, or from a column that is not in the output.
    """
    order: list[str] = []
    waiting = dict(kinds)
    while waiting:
        ready = [name for name, kind in waiting.items() if not any(other in waiting for other in sources(kind))]
        if not ready:
            raise EngineError(
                f"The pseudonym pattern of column {next(iter(waiting))!r} takes values from itself in a circle.",
                hint="Let patterns take values from columns that do not depend on them.",
            )
        for name in ready:
            for other in sources(waiting.pop(name)):
                if other not in output and other not in kinds:
                    raise EngineError(
                        f"The pseudonym pattern of column {name!r} names {other!r}, which the output does not have."
                    )
            order.append(name)
    return order


def texts_of(values: Values | None) -> list[str]:
    """Values as they are printed; missing ones are empty."""
    assert values is not None
    return [text or "" for text in _as_text(values).to_pylist()]


def _as_text(values: Values) -> Values:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    texts = cast_or_none(values, pa.string())
    if texts is None:
        raise EngineError(
            "A pseudonymized column holds values that cannot be written as text.", hint="Drop the column."
        )
    return texts
