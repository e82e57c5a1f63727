"""Schemas of what people write, derived from that of a whole run: defaults with nothing required, specs with gaps.

A spec may leave out what a default or its `from` says, and `null` takes an inherited key away. Whether what comes of it
is whole is checked after the layers are merged, against the schema of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = dict[str, Any]

NULL: Final[Schema] = {"type": "null"}
INHERITED: Final = frozenset({"tables", "source"})
"""Keys that a spec may leave out because its `from` can say them."""

NAME_WITH_VALUES: Final = r"^(?:[A-Za-z0-9]|\{[^{}]+\})(?:[A-Za-z0-9_.-]|\{[^{}]+\}){0,199}$"
ONLY_IN_SPECS: Final[Mapping[str, frozenset[str]]] = {
    "Metadata": frozenset({"name"}),
    "Spec": frozenset({"from", "matrix"}),
}


def authored(run: Schema) -> Schema:
    """The schema of a spec file: what its layers can say is not required, and every inherited key can be taken away."""
    definitions = {}
    for name, node in run["$defs"].items():
        inner = node if _is_branch(node) else _open(node, frozenset())
        if "required" in inner:
            inner = {**inner, "required": [key for key in inner["required"] if key not in INHERITED]}
            inner = {key: value for key, value in inner.items() if key != "required" or value}
        definitions[name] = inner
    metadata = definitions["Metadata"]
    name = {**run["$defs"]["Metadata"]["properties"]["name"], "pattern": NAME_WITH_VALUES}
    definitions["Metadata"] = {**metadata, "properties": {**metadata["properties"], "name": name}}
    return {**run, "$defs": definitions}


def defaults(run: Schema) -> tuple[Schema, Schema]:
    """Properties `metadata` and `spec` of a defaults layer, and the definitions that they need."""
    strict = run["$defs"]
    merged = frozenset(name for name, node in strict.items() if "properties" in node and not _is_branch(node))
    partial = {_prefixed(name): _partial(name, strict[name], merged) for name in merged}
    parts = (("metadata", "Metadata"), ("spec", "Spec"))
    properties = {part: _nullable({"$ref": f"#/$defs/{_prefixed(kind)}"}) for part, kind in parts}
    return properties, _reachable(properties, {**strict, **partial})


def _partial(name: str, node: Schema, merged: frozenset[str]) -> Schema:
    opened = _open(node, merged)
    without = ONLY_IN_SPECS.get(name, frozenset())
    if "properties" in opened:
        kept = {key: _without_default(rule) for key, rule in opened["properties"].items() if key not in without}
        opened = {**opened, "properties": kept}
    opened.pop("required", None)
    return opened


def _without_default(rule: Schema) -> Schema:
    """A default layer has no defaults of its own."""
    return {key: value for key, value in rule.items() if key != "default"}


def _is_branch(node: Schema) -> bool:
    """Whether a definition is one of several that `kind` tells apart; it is said as a whole."""
    return any("const" in rule for rule in node.get("properties", {}).values())


def _open(node: Schema, merged: frozenset[str]) -> Schema:
    """A node that is merged key by key: each of its keys may be null; list items stay as they are.

    References to definitions in `merged` lead to their partial forms.
    """
    opened = {key: value for key, value in node.items() if key != "minProperties"}
    name = opened.get("$ref", "").rpartition("/")[2]
    if name in merged:
        opened["$ref"] = f"#/$defs/{_prefixed(name)}"
    for union in ("anyOf", "oneOf"):
        if union in opened:
            opened[union] = [_open(branch, merged) for branch in opened[union]]
    if "properties" in opened:
        opened["properties"] = {name: _nullable(_open(rule, merged)) for name, rule in opened["properties"].items()}
    if isinstance(opened.get("additionalProperties"), dict):
        opened["additionalProperties"] = _nullable(_open(opened["additionalProperties"], merged))
    return opened


def _nullable(rule: Schema) -> Schema:
    if NULL in rule.get("anyOf", ()):
        return rule
    outer = {key: rule[key] for key in ("default",) if key in rule}
    inner = {key: value for key, value in rule.items() if key not in outer}
    return {"anyOf": [inner, NULL], **outer}


def _prefixed(name: str) -> str:
    return f"Default{name}"


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _reachable(start: Schema, definitions: Schema) -> Schema:
    """The definitions that are referred to, directly or not."""
    wanted: dict[str, Schema] = {}
    open_names = list(_references(start))
    while open_names:
        name = open_names.pop()
        if name not in wanted:
            wanted[name] = definitions[name]
            open_names += _references(definitions[name])
    return {name: wanted[name] for name in sorted(wanted)}
