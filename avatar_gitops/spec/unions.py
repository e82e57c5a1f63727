"""Which branch of a union a document meant, so that a finding speaks of that branch and not of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Schema = dict[str, Any]


def resolve(node: Schema, root: Schema) -> Schema:
    """A schema node with its reference followed."""
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Schema = root["$defs"][reference.rsplit("/", 1)[1]]
    return found


def variants(node: Schema, root: Schema) -> Iterator[Schema]:
    """The branches of a node, unions inside unions opened; a node that is no union is its own branch."""
    node = resolve(node, root)
    branches = node.get("anyOf") or node.get("oneOf")
    if branches is None:
        yield node
        return
    for branch in branches:
        yield from variants(branch, root)


def expected_types(branches: Iterable[Schema], root: Schema) -> list[str]:
    """JSON types that a union takes, without null, each once, in order."""
    types = [str(leaf.get("type", "")) for branch in branches for leaf in variants(branch, root)]
    return [name for name in dict.fromkeys(types) if name not in {"null", ""}]


def fits(value: Any, name: str) -> bool:
    """Whether a value has a JSON type; 5.0 is an integer, true is not a number."""
    match name:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
    return False


def leaves(error: ValidationError, root: Schema) -> Iterator[ValidationError]:
    """The errors that a person should read: those of the one branch that was meant, or the union's own if none was."""
    if error.validator not in ("anyOf", "oneOf"):
        yield error
        return
    if (wrong := _wrong_constant(error, root)) is not None:
        yield wrong
        return
    branch = _meant(error, root)
    if branch is None:
        yield error
        return
    for inner in error.context or ():
        if inner.schema_path[0] == branch:
            yield from leaves(inner, root)


def _wrong_constant(error: ValidationError, root: Schema) -> ValidationError | None:
    """One error about the key that tells branches apart, such as `kind`, if it is missing or names no branch."""
    from jsonschema.exceptions import ValidationError

    instance: Any = error.instance
    branches: Any = error.validator_value
    opened = [leaf for branch in branches for leaf in variants(branch, root)]
    objects = [leaf["properties"] for leaf in opened if leaf.get("type") == "object" and "properties" in leaf]
    names = [{name for name, rule in properties.items() if "const" in rule} for properties in objects]
    shared = set.intersection(*names) if names else set()
    if not isinstance(instance, dict) or not shared:
        return None
    name = min(shared)
    choices = [properties[name]["const"] for properties in objects]
    if instance.get(name) in choices:
        return None
    rule = {"enum": choices, "title": name}
    if name not in instance:
        schema = {"properties": {name: rule}}
        wrong = ValidationError("a key is missing", validator="required", validator_value=[name], instance=instance)
    else:
        schema = rule
        wrong = ValidationError(
            "no branch", path=[name], validator="enum", validator_value=choices, instance=instance[name]
        )
    wrong.schema = schema
    wrong.parent = error
    return wrong


def _meant(error: ValidationError, root: Schema) -> int | None:
    """Index of the branch that an instance comes closest to; None if its type fits no branch."""
    branches: Any = error.validator_value
    near: list[tuple[int, Schema]] = [
        (index, branch)
        for index, branch in enumerate(branches)
        if any(fits(error.instance, str(leaf.get("type", ""))) for leaf in variants(branch, root))
    ]
    if not near:
        return None
    return max(near, key=lambda pair: (_closeness(pair[1], error, root, pair[0]), -pair[0]))[0]


def _closeness(branch: Schema, error: ValidationError, root: Schema, index: int) -> tuple[int, int]:
    """How well a branch explains an instance: same constants first, then shared keys minus errors."""
    instance = error.instance
    if not isinstance(instance, dict):
        return (0, 0)
    properties = [resolve(leaf, root).get("properties", {}) for leaf in variants(branch, root)]
    constants = sum(
        rule.get("const") == instance.get(name)
        for keys in properties
        for name, rule in keys.items()
        if "const" in rule and name in instance
    )
    shared = max((len(keys.keys() & instance.keys()) for keys in properties), default=0)
    errors = sum(inner.schema_path[0] == index for inner in error.context or ())
    return (constants, shared - errors)
