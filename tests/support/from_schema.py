"""Documents that a JSON Schema of ours accepts, as a hypothesis strategy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]

NAMES = st.text("abcxyzé_ 019", min_size=1, max_size=8)


def from_schema(node: Schema, root: Schema) -> st.SearchStrategy[Any]:
    """Values that a node of the schema accepts; covers every keyword that our generated schemas use."""
    if "$ref" in node:
        return from_schema(root["$defs"][node["$ref"].rsplit("/", 1)[1]], root)
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if branches := node.get("anyOf") or node.get("oneOf"):
        return st.one_of(*(from_schema(branch, root) for branch in branches))
    return _TYPES[node["type"]](node, root)


def _object(node: Schema, root: Schema) -> st.SearchStrategy[Any]:
    if "properties" not in node:
        keys = _string({"type": "string"} | node.get("propertyNames", {}), root)
        values = from_schema(node["additionalProperties"], root)
        return st.dictionaries(keys, values, min_size=node.get("minProperties", 0), max_size=2)
    properties = {name: from_schema(rule, root) for name, rule in node["properties"].items()}
    required = node.get("required", [])
    return st.fixed_dictionaries(
        {name: properties[name] for name in required},
        optional={name: value for name, value in properties.items() if name not in required},
    )


def _array(node: Schema, root: Schema) -> st.SearchStrategy[Any]:
    return st.lists(from_schema(node["items"], root), min_size=node.get("minItems", 0), max_size=3)


def _string(node: Schema, root: Schema) -> st.SearchStrategy[str]:
    if "pattern" in node:
        pattern = node["pattern"].removesuffix("$") + r"\Z"
        return st.from_regex(pattern.replace("{0,199}", "{0,9}").replace("{1,200}", "{1,9}")).filter(_encodable)
    return st.text(st.characters(codec="utf-8"), min_size=node.get("minLength", 0), max_size=10)


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _number(node: Schema, root: Schema) -> st.SearchStrategy[Any]:
    low = node.get("minimum", node.get("exclusiveMinimum"))
    high = node.get("maximum", node.get("exclusiveMaximum"))
    return st.floats(
        low,
        high,
        exclude_min="exclusiveMinimum" in node,
        exclude_max="exclusiveMaximum" in node,
        allow_nan=False,
        allow_infinity=False,
    )


def _integer(node: Schema, root: Schema) -> st.SearchStrategy[Any]:
    whole = st.integers(node["minimum"], node["maximum"])
    return whole | whole.map(float)


_TYPES: dict[str, Callable[[Schema, Schema], st.SearchStrategy[Any]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": lambda node, root: st.booleans(),
    "null": lambda node, root: st.none(),
}
