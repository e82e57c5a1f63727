"""Models of what is said for several runs at once: `spec.defaults` of the project file, and `_defaults.yaml` files."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ValidationError, WithJsonSchema, model_validator

from avatar_gitops.spec import authoring
from avatar_gitops.spec.columns import Model
from avatar_gitops.spec.generating import generated
from avatar_gitops.spec.models import API_VERSION, AvatarRun


def _fits(value: dict[str, Any]) -> dict[str, Any]:
    """A part of a run, judged by the schema that is derived from the model of a run.

    What makes a whole run when its gaps are filled fits, and most defaults do; that saves making the schema. Whether a
    null may stand where it does is for the schema.
    """
    if not _completes_a_run(value) and not _validator().is_valid(value):
        raise ValueError("this does not fit into a run")
    return value


def _completes_a_run(value: dict[str, Any]) -> bool:
    content = {part: inner for part, inner in value.items() if inner is not None or part not in ("metadata", "spec")}
    metadata, spec = content.get("metadata", {}), content.get("spec", {})
    if _has_null(content) or content.keys() - {"metadata", "spec"}:
        return False
    if not isinstance(metadata, dict) or not isinstance(spec, dict):
        return False
    if "name" in metadata or not {"from", "matrix"}.isdisjoint(spec):
        return False
    tables = spec.get("tables", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        return False
    filled = {name: {"source": "x", **table} for name, table in tables.items()} or {"t": {"source": "x"}}
    run = {
        "apiVersion": API_VERSION,
        "kind": "AvatarRun",
        "metadata": {**metadata, "name": "x"},
        "spec": {**spec, "tables": filled},
    }
    try:
        AvatarRun.model_validate_json(json.dumps(run))
    except ValidationError:
        return False
    return True


def _has_null(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else ()
    return value is None or any(map(_has_null, inner))


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    properties, definitions = authoring.defaults(generated(AvatarRun))
    return Draft202012Validator(
        {"type": "object", "additionalProperties": False, "properties": properties, "$defs": _exact(definitions)}
    )


def _exact(node: Any) -> Any:
    """A schema whose patterns mean the same to Python: `$` is the very end."""
    if isinstance(node, dict):
        return {
            key: re.sub(r"\$$", r"\\Z", value) if key == "pattern" and isinstance(value, str) else _exact(value)
            for key, value in node.items()
        }
    return [_exact(item) for item in node] if isinstance(node, list) else node


Defaults = Annotated[dict[str, Any], AfterValidator(_fits), WithJsonSchema({"type": "object"})]
"""A part of a run: `metadata` and `spec` with nothing required. `spec.schema` derives what may stand in it."""


class DefaultsFile(Model):
    """Defaults for the specs of a folder and of the folders below it."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815 - the field's name in Kubernetes-style documents
    kind: Literal["Defaults"]
    metadata: dict[str, Any] | None = None
    spec: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_part_of_a_run(self) -> Self:
        _fits({"metadata": self.metadata, "spec": self.spec})
        return self
