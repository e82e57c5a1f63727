"""Layers of one run: defaults of the project and of folders, a downloaded run, and the spec itself over them.

A nearer layer wins: mappings are merged key by key, everything else replaces, and `null` takes an inherited key away.
Every value keeps the place in the file that said it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final

from avatar_gitops.diagnostics import Diagnostic, Span
from avatar_gitops.spec.nodes import Document, Path

DEFAULTS_FILE: Final = "_defaults.yaml"
EVERY_TABLE: Final = "*"
TABLES: Final[Path] = ("spec", "tables")
PARTS: Final = ("metadata", "spec")
OWN: Final[dict[Path, str]] = {
    ("metadata", "name"): "each set has a name of its own",
    ("spec", "from"): "it says where one spec starts",
    ("spec", "matrix"): "it makes the sets of one spec",
}
"""What only a spec itself can say, and why."""


def overlay(below: Document, above: Document) -> Document:
    """Two layers as one document; what `above` says wins, and its `null` removes what `below` says."""
    merger = _Merger(below, above)
    data = merger.merge(below.data, above.data, ())
    return Document(above.file, data, merger.values, merger.keys, merger.plain, frozenset(merger.broken))


def stack(defaults: Sequence[Document], start: Document | None, spec: Document) -> Document:
    """The whole run: defaults from the farthest to the nearest, then what `from` names, then the spec.

    A default never adds a table: what it says about tables holds for those that the spec or its `from` names. A null in
    a default that takes nothing away is no matter; in the spec it stays and is a finding where a value is needed.
    """
    if not isinstance(spec.data, dict):
        return spec
    near = [start, spec] if start is not None else [spec]
    tables = [name for name, value in _mapping(reduce(overlay, near), TABLES).items() if value is not None]
    layers = [part for layer in defaults for part in _spread(layer, tables)]
    if not layers:
        return reduce(overlay, near)
    inherited = reduce(overlay, layers)
    return reduce(overlay, [replace(inherited, data=_without_nulls(inherited, inherited.data, ())), *near])


def subtree(document: Document, at: Path) -> Document:
    """What stands at a path as a document of its own, with its places in the file."""
    depth = len(at)

    def cut(spans: dict[Path, Any]) -> dict[Path, Any]:
        return {path[depth:]: span for path, span in spans.items() if path[:depth] == at}

    data = reduce(lambda value, name: value.get(name) if isinstance(value, dict) else None, at, document.data)
    broken = frozenset(path[depth:] for path in document.broken if path[:depth] == at)
    return Document(document.file, data, cut(document.values), cut(document.keys), cut(document.plain), broken)


def at(path: Path, value: Any, whole: Span, key: Span, plain: str | None = None) -> Document:
    """A document that says one value at a path, as if it stood at these places."""
    data = reduce(lambda inner, name: {name: inner}, reversed(path), value)
    texts = {} if plain is None else {path: plain}
    return Document(whole.file, data, {path: whole}, {path: key}, texts, frozenset())


def without_positions(data: dict[str, Any], file: str) -> Document:
    """Plain data as a document; every place is the start of the file."""
    start = Span(file, 1, 1, 1, 1)
    paths = list(_paths(data, ()))
    return Document(file, data, dict.fromkeys(paths, start), dict.fromkeys(paths[1:], start), {}, frozenset())


def own_keys(layer: Document, at: Path = ()) -> list[Diagnostic]:
    """Findings about what stands in a defaults layer, at a path of its file, and only a spec can say."""
    return [
        Diagnostic(
            code="X060",
            message=f"`{path[-1]}` cannot be a default",
            span=layer.locate_key((*at, *path)),
            path=(*at, *path),
            why=why,
            fix="write it in the spec",
        )
        for path, why in OWN.items()
        if path[-1] in _mapping(layer, (*at, *path[:-1]))
    ]


def _spread(layer: Document, tables: Iterable[str]) -> Iterator[Document]:
    """A defaults layer in parts: all but tables, then what it says for every table, then for each by name."""
    if not isinstance(layer.data, dict):
        return
    data = {part: layer.data[part] for part in PARTS if isinstance(layer.data.get(part), dict)}
    for path in OWN:
        if path[0] in data:
            data[path[0]] = {key: value for key, value in data[path[0]].items() if key != path[1]}
    said = _mapping(layer, TABLES)
    if "spec" in data:
        data["spec"] = {key: value for key, value in data["spec"].items() if key != "tables" or value is None}
    yield replace(layer, data=data)
    chosen = [name for name in tables if name != EVERY_TABLE]
    if EVERY_TABLE in said:
        every = subtree(layer, (*TABLES, EVERY_TABLE))
        for name in chosen:
            yield _moved(every, (*TABLES, name))
    yield replace(layer, data={"spec": {"tables": {name: said[name] for name in chosen if name in said}}})


def _moved(document: Document, to: Path) -> Document:
    """The document below a path."""

    def move(spans: dict[Path, Any]) -> dict[Path, Any]:
        return {(*to, *path): span for path, span in spans.items()}

    data = reduce(lambda inner, name: {name: inner}, reversed(to), document.data)
    broken = frozenset((*to, *path) for path in document.broken)
    return Document(document.file, data, move(document.values), move(document.keys), move(document.plain), broken)


def _without_nulls(document: Document, value: Any, path: Path) -> Any:
    """What defaults say in the end: a null that had nothing to take away says nothing."""
    if not isinstance(value, dict):
        return value
    return {
        key: _without_nulls(document, inner, (*path, key))
        for key, inner in value.items()
        if inner is not None or (*path, key) in document.broken
    }


def _mapping(document: Document, path: Path) -> dict[str, Any]:
    found: Any = document.data
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _other_kind(low: dict[str, Any], high: dict[str, Any], path: Path) -> bool:
    """Whether two mappings are of kinds that have different keys, so that one cannot complete the other."""
    return path[-1:] == ("pseudonymization",) and "kind" in high and low.get("kind") != high["kind"]


def _paths(value: Any, path: Path) -> Iterator[Path]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _paths(child, (*path, key))


@dataclass(slots=True)
class _Merger:
    """Data of two documents made one, and the places of what stays."""

    below: Document
    above: Document
    values: dict[Path, Span] = field(default_factory=dict)
    keys: dict[Path, Span] = field(default_factory=dict)
    plain: dict[Path, str] = field(default_factory=dict)
    broken: set[Path] = field(default_factory=set)

    def merge(self, low: Any, high: Any, path: Path) -> Any:
        if not (isinstance(low, dict) and isinstance(high, dict)) or _other_kind(low, high, path):
            return self.take(self.above, high, path)
        self.mark(self.above if path in self.above.values else self.below, path)
        data: dict[str, Any] = {}
        for key, value in high.items():
            inner = (*path, key)
            if key not in low:
                data[key] = self.take(self.above, value, inner)
            elif value is not None or inner in self.above.broken:
                data[key] = self.merge(low[key], value, inner)
        for key, value in low.items():
            if key not in high:
                data[key] = self.take(self.below, value, (*path, key))
        return data

    def take(self, source: Document, value: Any, path: Path) -> Any:
        """A value as one layer says it, with all its places."""
        for place in _paths(value, path):
            self.mark(source, place)
        return value

    def mark(self, source: Document, path: Path) -> None:
        if path in source.values:
            self.values[path] = source.values[path]
        if path in source.keys:
            self.keys[path] = source.keys[path]
        if path in source.plain:
            self.plain[path] = source.plain[path]
        if path in source.broken:
            self.broken.add(path)
