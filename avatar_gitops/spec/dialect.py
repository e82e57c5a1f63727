"""JSON Schema as our schemas mean it, for `jsonschema`: one error for all keys that are missing or unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import jsonschema.validators
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError


def _pattern(validator: Any, pattern: str, instance: Any, node: Any) -> Iterator[ValidationError]:
    """`pattern` as JSON Schema and pydantic mean it: `$` matches at the very end only, not before a line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"does not match {pattern}")


def _required(validator: Any, required: list[str], instance: Any, node: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict) and any(name not in instance for name in required):
        yield ValidationError("keys are missing")


def _additional(validator: Any, allowed: Any, instance: Any, node: Any) -> Iterator[ValidationError]:
    extra = [key for key in instance if key not in node.get("properties", {})] if isinstance(instance, dict) else []
    if allowed is False:
        if extra:
            yield ValidationError("unknown keys")
        return
    for key in extra:
        yield from validator.descend(instance[key], allowed, path=key)


Validator: Final = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern, "required": _required, "additionalProperties": _additional}
)
