"""JSON Schemas (draft 2020-12) of the spec and project files, generated from the models as deterministic text."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final, Literal

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from avatar_gitops.spec.models import AvatarRun, Model
from avatar_gitops.spec.policies import PolicyFile, PolicyTests, WaiverFile
from avatar_gitops.spec.project import Project

Kind = Literal["run", "project", "policy", "waivers", "policy-test"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ROOTS: Final[dict[Kind, tuple[type[Model], str]]] = {
    "run": (AvatarRun, "Run spec of avatar-gitops, version 1"),
    "project": (Project, "Project file of avatar-gitops, version 1"),
    "policy": (PolicyFile, "Policy of avatar-gitops, version 1"),
    "waivers": (WaiverFile, "Waivers of avatar-gitops, version 1"),
    "policy-test": (PolicyTests, "Tests of a policy of avatar-gitops, version 1"),
}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, made exact: keys of mappings are constrained, and nothing that editors show is noise."""

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        result: JsonSchemaValue = {"type": "object"}
        if keys := self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}:
            constraints = {name: value for name, value in keys.items() if name not in {"type", "title"}}
            if constraints:
                result["propertyNames"] = constraints
        if "values_schema" in schema:
            result["additionalProperties"] = self.generate_inner(schema["values_schema"])
        self.update_with_validations(result, schema, self.ValidationsMapping.object)
        return result

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        result = super().tagged_union_schema(schema)
        result.pop("discriminator", None)
        return result

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        result = super().default_schema(schema)
        if result.get("default", ...) is None:
            del result["default"]
        return result

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@cache
def schema(kind: Kind) -> dict[str, Any]:
    """The schema of one kind of file as plain data; the caller must not change it."""
    model, title = ROOTS[kind]
    generated = model.model_json_schema(schema_generator=_Generator)
    return {
        "$schema": DIALECT,
        "$id": f"urn:avatar-gitops:schema:{kind}:v1",
        **generated,
        "title": title,
    }


def file_name(kind: Kind) -> str:
    """Name of the published schema file."""
    return f"{kind}.v1.schema.json"


def schema_text(kind: Kind) -> str:
    """The schema as it is published: the same bytes for the same models."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"
