"""Values on their way from one document to another: what was read, where it went, and what nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from avatar_gitops.diagnostics import Span
from avatar_gitops.spec.documents import PlatformDocument
from avatar_gitops.spec.nodes import Path


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a spec cannot say, or says in another way; `span` is where the file says it."""

    message: str
    span: Span


@dataclass(slots=True)
class Notebook:
    """Notes so far, and the places that were read; `whole` places were read with all that is in them."""

    notes: list[Note] = field(default_factory=list)
    seen: set[tuple[int, Path]] = field(default_factory=set)
    whole: set[tuple[int, Path]] = field(default_factory=set)

    def add(self, message: str, at: Place) -> None:
        """Remember what a person should know."""
        self.notes.append(Note(message, at.document.locate_key(at.path)))

    def unread(self, at: Place) -> None:
        """A note for each value inside of a place that nobody read; null says nothing."""
        for inner in _children(at):
            mark = (inner.document.first, inner.path)
            if inner.value is None or mark in self.whole:
                continue
            if mark in self.seen:
                self.unread(inner)
            else:
                self.add(f"{inner} has no place in a spec", inner)


@dataclass(frozen=True, slots=True)
class Place:
    """One value of a platform document; asking for what is inside of it marks that as read."""

    document: PlatformDocument
    path: Path
    value: Any
    book: Notebook

    def __str__(self) -> str:
        where = ".".join(str(part) for part in self.path)
        return f"`{where}` of {self.document.kind} `{self.document.name}`"

    def get(self, key: str) -> Place:
        """The value of a key; null when it is not there."""
        return self._inner(key, self._mapping().get(key))

    def items(self) -> Iterator[tuple[str, Place]]:
        """The entries of a mapping."""
        for key, value in self._mapping().items():
            yield key, self._inner(key, value)

    def entries(self) -> Iterator[Place]:
        """The items of a list."""
        if self.value is not None and not isinstance(self.value, list):
            self.book.add(f"{self} should be a list and was left out", self)
            return
        for index, value in enumerate(self.value or ()):
            yield self._inner(index, value)

    def text(self) -> str:
        """The value as a name, empty when there is none."""
        nameless = self.value is None or isinstance(self.value, dict | list)
        return "" if nameless else self.document.text(self.path)

    def used(self) -> Any:
        """The value with all that is in it, without nulls, now read."""
        self.book.whole.add((self.document.first, self.path))
        return without_nulls(self.value)

    def _inner(self, key: str | int, value: Any) -> Place:
        inner = (*self.path, key)
        self.book.seen.add((self.document.first, inner))
        return Place(self.document, inner, value, self.book)

    def _mapping(self) -> Mapping[str, Any]:
        if self.value is None:
            return {}
        if isinstance(self.value, dict):
            return self.value
        self.book.add(f"{self} should be a mapping and was left out", self)
        return {}


@dataclass(slots=True)
class Draft:
    """A spec as plain data while it grows, and where each value and key of it was read."""

    data: dict[str, Any] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)
    keys: dict[Path, Span] = field(default_factory=dict)

    def put(self, path: Path, value: Any, at: Place) -> None:
        """Write a value that was read at a place; what is inside of it keeps its own positions."""
        group: Any = self.data
        for depth, part in enumerate(path[:-1], start=1):
            group = group.setdefault(part, {})
            self.mark(path[:depth], at.document.locate(at.path), at.document.locate_key(at.path))
        group[path[-1]] = value
        self._copy(path, value, at.document, at.path)

    def has(self, path: Path) -> bool:
        """Whether something stands there."""
        return self.get(path) is not None

    def get(self, path: Path) -> Any:
        """What stands there; None when nothing does."""
        value: Any = self.data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def _copy(self, path: Path, value: Any, document: PlatformDocument, source: Path) -> None:
        self.mark(path, document.locate(source), document.locate_key(source))
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in inner:
            self._copy((*path, key), item, document, (*source, key))

    def mark(self, path: Path, value: Span, key: Span) -> None:
        """Say where something was read that is not, or not yet, in the data."""
        self.values.setdefault(path, value)
        self.keys.setdefault(path, key)


def without_nulls(value: Any) -> Any:
    """Plain data without keys that hold nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def _children(at: Place) -> Iterator[Place]:
    if isinstance(at.value, dict):
        for key, value in at.value.items():
            yield Place(at.document, (*at.path, key), value, at.book)
    elif isinstance(at.value, list):
        for index, value in enumerate(at.value):
            yield Place(at.document, (*at.path, index), value, at.book)
