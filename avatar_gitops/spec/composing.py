"""The complete YAML reader: any text to data with positions, or to findings about what is wrong with it. Slow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from avatar_gitops.characters import SURROGATE
from avatar_gitops.diagnostics import Diagnostic, Related, Span
from avatar_gitops.spec.located import MAX_DEPTH, MAX_VALUES, Document, Path
from avatar_gitops.spec.scalars import resolve
from avatar_gitops.spec.syntax import explain_syntax, span_of

STANDARD_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")
) | {"!"}
TEXT_TAGS: Final = frozenset({"tag:yaml.org,2002:str", "!"})
MERGE: Final = "<<"


@dataclass(slots=True)
class _Scalar:
    text: str
    span: Span
    plain: bool
    value: Any
    finite: bool = True


@dataclass(slots=True)
class _Sequence:
    span: Span
    items: list[_Node] = field(default_factory=list)


@dataclass(slots=True)
class _Mapping:
    span: Span
    pairs: list[tuple[_Scalar, _Node]] = field(default_factory=list)
    merged: list[_Mapping] = field(default_factory=list)


_Node = _Scalar | _Sequence | _Mapping


class _Stop(Exception):
    """The document cannot be read any further; the finding is already recorded."""


def compose(text: str, file: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Plain data of one YAML document and all that is wrong with it as YAML; None if it cannot be read at all."""
    composer = _Composer(file)
    try:
        tree = composer.document(YAML(typ="safe", pure=True).parse(text))
        expander = _Expander(file, composer.findings)
        data = expander.expand(tree, ())
    except YAMLError as error:
        return None, (*composer.findings, explain_syntax(error, text, file))
    except _Stop:
        return None, tuple(composer.findings)
    document = Document(file, data, expander.values, expander.keys, expander.plain, frozenset(expander.broken))
    return document, tuple(composer.findings)


class _Composer:
    """Events to a tree of nodes; aliases share the node that they name."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Diagnostic] = []
        self.anchors: dict[str, _Node | None] = {}
        self.count = 0

    def document(self, events: Iterator[Event]) -> _Node:
        root: _Node | None = None
        for event in events:
            if isinstance(event, StreamStartEvent | StreamEndEvent | DocumentEndEvent):
                continue
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    raise self.stop(
                        "Y004",
                        "the file holds more than one document",
                        self.span(event),
                        label="a second document starts here",
                        fix="keep one run per file: move what follows to a file of its own",
                    )
                continue
            root = self.node(event, events, 0)
        if root is None or (isinstance(root, _Scalar) and root.value is None):
            raise self.stop(
                "Y005",
                "the file is empty",
                Span(self.file, 1, 1, 1, 1),
                fix="delete it, or start with the line `apiVersion: avatar-gitops/v1`",
            )
        return root

    def span(self, event: Event) -> Span:
        return span_of(self.file, event.start_mark, event.end_mark)

    def add(self, code: str, message: str, span: Span, **texts: Any) -> None:
        self.findings.append(Diagnostic(code=code, message=message, span=span, **texts))

    def stop(self, code: str, message: str, span: Span, **texts: Any) -> _Stop:
        self.add(code, message, span, **texts)
        return _Stop()

    def node(self, event: Event, events: Iterator[Event], depth: int) -> _Node:
        self.count += 1
        if self.count > MAX_VALUES:
            raise self.stop("Y006", f"the file holds more than {MAX_VALUES:,} values", self.span(event))
        if depth > MAX_DEPTH:
            raise self.stop(
                "Y007",
                f"values are nested more than {MAX_DEPTH} levels deep",
                self.span(event),
                fix="a spec needs fewer than 12 levels; look for brackets that are never closed",
            )
        if isinstance(event, AliasEvent):
            return self.alias(event)
        assert isinstance(event, NodeEvent)
        anchor = event.anchor
        if anchor:
            self.anchors[anchor] = None
        self.check_tag(event)
        node: _Node
        if isinstance(event, ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node = self.sequence(event, events, depth)
        else:
            assert isinstance(event, MappingStartEvent)
            node = self.mapping(event, events, depth)
        if anchor:
            self.anchors[anchor] = node
        return node

    def alias(self, event: AliasEvent) -> _Node:
        name = event.anchor
        node = self.anchors.get(name)
        if node is None:
            inside = name in self.anchors
            label = "the anchor contains itself" if inside else f"no `&{name}` stands above this line"
            raise self.stop(
                "Y014",
                f"alias `*{name}` has no value",
                self.span(event),
                label=label,
                fix=f'for text that starts with a star, use quotes: "*{name}"',
            )
        return node

    def check_tag(self, event: NodeEvent) -> None:
        tag = str(getattr(event, "tag", None) or "")
        if tag and tag not in STANDARD_TAGS:
            self.add(
                "Y013",
                f"tag `{tag.replace('tag:yaml.org,2002:', '!!')}` is not allowed",
                self.span(event),
                why="tags can make a YAML reader build any object; a spec is plain data",
                fix="remove the tag; quote text that starts with `!`",
            )

    def scalar(self, event: ScalarEvent) -> _Scalar:
        text: str = event.value
        tag = str(event.tag) if event.tag else None
        plain = event.style is None and tag not in TEXT_TAGS
        span = self.span(event)
        if SURROGATE.search(text):
            self.add("Y009", "the text holds half of a character", span, fix="write the character itself, not `\\ud…`")
            return _Scalar(text, span, plain, None, finite=False)
        if not plain:
            return _Scalar(text, span, plain, text)
        value = resolve(text)
        finite = not (isinstance(value, float) and not math.isfinite(value))
        if not finite:
            self.add(
                "Y010",
                f"`{text[:40]}` is not a number that can be used",
                span,
                why="NaN, infinity and numbers outside the range of a computer's number have no meaning in a spec",
                fix="write a finite number, or remove the line for the default; quote it if it is text",
            )
        return _Scalar(text, span, plain, value if finite else None, finite)

    def sequence(self, event: Event, events: Iterator[Event], depth: int) -> _Sequence:
        node = _Sequence(self.span(event))
        for item in events:
            if isinstance(item, SequenceEndEvent):
                node.span = span_of(self.file, event.start_mark, item.end_mark)
                break
            node.items.append(self.node(item, events, depth + 1))
        return node

    def mapping(self, event: Event, events: Iterator[Event], depth: int) -> _Mapping:
        node = _Mapping(self.span(event))
        seen: dict[str, Span] = {}
        for item in events:
            if isinstance(item, MappingEndEvent):
                node.span = span_of(self.file, event.start_mark, item.end_mark)
                break
            key = self.node(item, events, depth + 1)
            value = self.node(next(events), events, depth + 1)
            if isinstance(key, _Scalar) and key.plain and key.text == MERGE:
                node.merged.extend(self.merge(value, key.span))
            elif self.check_key(key, seen):
                assert isinstance(key, _Scalar)
                node.pairs.append((key, value))
        return node

    def merge(self, value: _Node, span: Span) -> list[_Mapping]:
        parts = value.items if isinstance(value, _Sequence) else [value]
        mappings = [part for part in parts if isinstance(part, _Mapping)]
        if len(mappings) < len(parts):
            self.add(
                "Y014", "`<<` can only merge mappings", span, fix="write `<<: *name` where `&name` marks a mapping"
            )
        return mappings

    def check_key(self, key: _Node, seen: dict[str, Span]) -> bool:
        """Whether a key can be used; a key that cannot is reported."""
        if not isinstance(key, _Scalar):
            self.add("Y012", "a key is a list or a mapping", key.span, fix="write the key as text")
            return False
        if key.text in seen:
            self.add(
                "Y002",
                f"key `{key.text}` appears twice in one mapping",
                key.span,
                label="second; YAML readers disagree on which one wins",
                related=(Related(seen[key.text], "first"),),
            )
            return False
        seen[key.text] = key.span
        if not key.finite:
            return False
        if not isinstance(key.value, str):
            kind = {bool: "true or false", type(None): "nothing"}.get(type(key.value), "a number")
            self.add("Y012", f"key `{key.text}` is {kind}, not text", key.span, fix=f'put it in quotes: "{key.text}":')
        return True


class _Expander:
    """The tree to plain data, with the position of every path; counts what aliases multiply."""

    def __init__(self, file: str, findings: list[Diagnostic]) -> None:
        self.file = file
        self.findings = findings
        self.values: dict[Path, Span] = {}
        self.keys: dict[Path, Span] = {}
        self.plain: dict[Path, str] = {}
        self.broken: set[Path] = set()
        self.visited = 0

    def expand(self, node: _Node, path: Path) -> Any:
        self.count(node)
        self.values[path] = node.span
        if isinstance(node, _Scalar):
            if node.plain:
                self.plain[path] = node.text
            if not node.finite:
                self.broken.add(path)
            return node.value
        if isinstance(node, _Sequence):
            return [self.expand(item, (*path, index)) for index, item in enumerate(node.items)]
        data: dict[str, Any] = {}
        for key, value in self.pairs(node):
            if key.text not in data:
                inner = (*path, key.text)
                self.keys[inner] = key.span
                if not isinstance(key.value, str):
                    self.broken.add(inner)
                data[key.text] = self.expand(value, inner)
        return data

    def pairs(self, node: _Mapping) -> Iterator[tuple[_Scalar, _Node]]:
        """Own pairs first, then those of merged mappings: what comes first wins."""
        yield from node.pairs
        for merged in node.merged:
            self.count(merged)
            yield from self.pairs(merged)

    def count(self, node: _Node) -> None:
        self.visited += 1
        if self.visited > MAX_VALUES:
            self.findings.append(
                Diagnostic(
                    code="Y006",
                    message=f"anchors and aliases expand to more than {MAX_VALUES:,} values",
                    span=node.span,
                    why="a few lines of aliases that name each other can fill the memory of any reader",
                    fix="write the values out, or use fewer aliases",
                )
            )
            raise _Stop
