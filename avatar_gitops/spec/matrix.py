"""`spec.matrix`: one spec that makes one set per combination of values, with names that say the values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce
from math import prod
from typing import Any, Final

from avatar_gitops.diagnostics import Diagnostic, Related
from avatar_gitops.spec.layers import TABLES, at, overlay
from avatar_gitops.spec.nodes import Document, Path
from avatar_gitops.spec.wording import near

MATRIX: Final[Path] = ("spec", "matrix")
NAME: Final[Path] = ("metadata", "name")
MOST: Final = 64
PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")

Values = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One set of a matrix: its document, and the paths whose values the matrix gave."""

    document: Document
    paths: frozenset[Path]


def has_matrix(document: Document) -> bool:
    """Whether a spec says that it makes several sets."""
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    return isinstance(spec, dict) and spec.get("matrix") is not None


def expand(document: Document) -> tuple[tuple[Variant, ...], list[Diagnostic]]:
    """The sets of a merged run whose matrix fits the schema, in the order of its keys, the last key fastest.

    With findings there are no sets.
    """
    matrix: Values = document.data["spec"]["matrix"]
    found = list(_too_many(document, matrix)) or [
        *_unknown_keys(document, matrix),
        *_placeholders(document, matrix),
    ]
    if found:
        return (), found
    variants = tuple(_variant(document, matrix, chosen) for chosen in _combinations(matrix))
    found = list(_same_names(document, matrix, variants))
    return ((), found) if found else (variants, [])


def names(document: Document) -> tuple[str, ...]:
    """The set names that a spec makes, as far as they can be told from the spec alone."""
    matrix = document.data["spec"]["matrix"] if has_matrix(document) else None
    name = _name(document)
    if name is None:
        return ()
    if not isinstance(matrix, dict) or not all(isinstance(values, list) and values for values in matrix.values()):
        return (name,)
    if prod(map(len, matrix.values())) > MOST:
        return ()
    return tuple(_named(name, matrix, chosen) for chosen in _combinations(matrix))


def _combinations(matrix: Values) -> Iterator[tuple[int, ...]]:
    """Positions of the chosen value of each key."""
    return itertools.product(*(range(len(values)) for values in matrix.values()))


def _variant(document: Document, matrix: Values, chosen: Sequence[int]) -> Variant:
    base = replace(document, data=_without_matrix(document.data))
    layers, paths = [base], set[Path]()
    for key, index in zip(matrix, chosen, strict=True):
        item: Path = (*MATRIX, key, index)
        for path in _targets(key, document):
            place = (document.locate(item), document.locate_key((*MATRIX, key)), document.plain.get(item))
            layers.append(at(path, matrix[key][index], *place))
            paths.add(path)
    made = reduce(overlay, layers)
    name = _name(document)
    if name is not None:
        whole, key_span = document.locate(NAME), document.locate_key(NAME)
        made = overlay(made, at(NAME, _named(name, matrix, chosen), whole, key_span))
    return Variant(replace(made, file=document.file), frozenset(paths))


def _without_matrix(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "spec": {key: value for key, value in data["spec"].items() if key != "matrix"}}


def _name(document: Document) -> str | None:
    metadata = document.data.get("metadata") if isinstance(document.data, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def _named(name: str, matrix: Values, chosen: Sequence[int]) -> str:
    """The name with the values in place of its placeholders, or behind it when it has none."""
    values = {key: _word(matrix[key][index]) for key, index in zip(matrix, chosen, strict=True)}
    labels = _labels(matrix)
    if PLACEHOLDER.search(name):
        known = {labels[key]: value for key, value in values.items()} | values
        return PLACEHOLDER.sub(lambda part: known.get(part[1], part[0]), name)
    numbers = {key for key, index in zip(matrix, chosen, strict=True) if _is_number(matrix[key][index])}
    return name + "".join(f"-{labels[key]}{'' if key in numbers else '-'}{value}" for key, value in values.items())


def _labels(matrix: Values) -> dict[str, str]:
    """What a name calls each key: its last word, or all of it where two keys end alike."""
    last = [key.rpartition(".")[2] for key in matrix]
    return {
        key: word if last.count(word) == 1 else re.sub(r"[^A-Za-z0-9_-]+", "-", key)
        for key, word in zip(matrix, last, strict=True)
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = re.sub(r"[^A-Za-z0-9_.-]+", "-", str(value))
    return text.strip("-") if isinstance(value, str) else text


@cache
def _short_names() -> Mapping[str, Path]:
    """Fields that a key may name alone: the seed, and those of a table's `avatarization` that hold one value."""
    from avatar_gitops.spec.models import FastDp, Geometry, OpenDp

    shared = [name for name in Geometry.model_fields if name in ("ncp", "use_categorical_reduction")]
    methods = {name: ("open_dp", name) for name in OpenDp.model_fields}
    methods |= {name: ("fast_dp", name) for name in FastDp.model_fields}
    plain: dict[str, Path] = {name: (name,) for name in ("k", *shared, "generation")}
    return plain | methods | {"seed": ("seed",)}


def _targets(key: str, document: Document) -> tuple[Path, ...]:
    """The paths that a key of the matrix sets."""
    if "." in key:
        return (_dotted(key, document.data["spec"]),)
    if key == "seed":
        return (("spec", "seed"),)
    tables = document.data["spec"].get("tables")
    named = tables.items() if isinstance(tables, dict) else ()
    return tuple(path for name, table in named for path in _in_table(key, (*TABLES, name), table))


def _in_table(key: str, base: Path, table: Any) -> Iterator[Path]:
    """Where a short name stands in one table, if the table has the method that it belongs to."""
    method = table.get("avatarization") if isinstance(table, dict) else None
    method = method if isinstance(method, dict) else {}
    private = [name for name in ("open_dp", "fast_dp") if isinstance(method.get(name), dict)]
    inner: Path = (*base, "avatarization")
    if key == "epsilon":
        yield from ((*inner, name, key) for name in private)
    elif len(where := _short_names()[key]) == 2:
        if where[0] in private:
            yield (*inner, *where)
    elif key == "k":
        if not private and isinstance(table, dict) and not table.get("avatars"):
            yield (*inner, key)
    elif method:
        yield (*inner, key)


def _dotted(key: str, spec: Any) -> Path:
    """A path below `spec`; where names hold dots, the longest name that exists is meant."""
    words, path, here = key.split("."), ["spec"], spec
    while words:
        known = here if isinstance(here, dict) else {}
        lengths = range(len(words), 0, -1)
        length = next((size for size in lengths if ".".join(words[:size]) in known), 1)
        name = ".".join(words[:length])
        path.append(name)
        here, words = known.get(name), words[length:]
    return tuple(path)


def _too_many(document: Document, matrix: Values) -> Iterator[Diagnostic]:
    count = prod(map(len, matrix.values()))
    if count > MOST:
        yield Diagnostic(
            code="X063",
            message=f"the matrix makes {count:,} sets",
            span=document.locate_key(MATRIX),
            path=MATRIX,
            label=f"at most {MOST}",
            why="each set is a run that costs time and stays on the server",
            fix="take fewer values, or write several specs",
        )


def _unknown_keys(document: Document, matrix: Values) -> Iterator[Diagnostic]:
    known = tuple(_short_names())
    for key in matrix:
        path: Path = (*MATRIX, key)
        if "." not in key and key not in known:
            guess = near(key, known)
            yield Diagnostic(
                code="X061",
                message=f"unknown key `{key}` in `matrix`",
                span=document.locate_key(path),
                path=path,
                label=f"did you mean `{guess}`?" if guess else f"one of {', '.join(known)}, or a path below `spec`",
                fix=f"rename it to `{guess}`" if guess else "write a path such as `tables.NAME.avatarization.ncp`",
            )
        elif not _targets(key, document):
            yield Diagnostic(
                code="X061",
                message=f"`{key}` in `matrix` belongs to no table of this spec",
                span=document.locate_key(path),
                path=path,
                why="a short name sets the field in every table whose method has it",
                fix=f"write a path such as `tables.NAME.avatarization.{key}`, or remove the line",
            )
        elif key.startswith(("matrix.", "from.")):
            yield Diagnostic(
                code="X061",
                message=f"`{key}` cannot stand in `matrix`",
                span=document.locate_key(path),
                path=path,
                fix="name a field of the run",
            )


def _placeholders(document: Document, matrix: Values) -> Iterator[Diagnostic]:
    labels = _labels(matrix)
    known = [*dict.fromkeys([*labels.values(), *labels])]
    for part in PLACEHOLDER.findall(_name(document) or ""):
        if part not in known:
            yield Diagnostic(
                code="X065",
                message=f"`{{{part}}}` in the name is no key of the matrix",
                span=document.locate(NAME),
                path=NAME,
                label=f"keys: {', '.join(labels.values())}",
                fix="name a key of the matrix, or remove the braces to have the values behind the name",
            )


def _same_names(document: Document, matrix: Values, variants: Sequence[Variant]) -> Iterator[Diagnostic]:
    """Names that two combinations share: a value stands twice, or the name leaves a key out."""
    seen: set[str] = set()
    shared = []
    for variant in variants:
        name = _name(variant.document)
        shared += [name] if name in seen else []
        seen |= {name} if name else set()
    if not shared:
        return
    for key, values in matrix.items():
        words = [_word(value) for value in values]
        second = next((index for index, word in enumerate(words) if word in words[:index]), None)
        if second is not None:
            first: Path = (*MATRIX, key, words.index(words[second]))
            yield Diagnostic(
                code="X062",
                message=f"`{key}` has one value twice",
                span=document.locate((*MATRIX, key, second)),
                path=(*MATRIX, key, second),
                label="second",
                fix="remove one",
                related=(Related(document.locate(first), "first"),),
            )
            return
    missing = [label for key, label in _labels(matrix).items() if not _in_name(document, key, label)]
    braces = " and ".join(f"{{{label}}}" for label in missing)
    yield Diagnostic(
        code="X062",
        message=f"the matrix makes several sets with the name `{shared[0]}`",
        span=document.locate(NAME),
        path=NAME,
        label=f"does not say {', '.join(missing)}" if missing else "",
        fix=f"add {braces} to the name" if missing else "choose another name",
    )


def _in_name(document: Document, key: str, label: str) -> bool:
    return not {key, label}.isdisjoint(PLACEHOLDER.findall(_name(document) or ""))
