"""From a model to its JSON Schema, made exact and free of what only programs need."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


@cache
def generated(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model, with its definitions; the caller must not change it."""
    return model.model_json_schema(schema_generator=_Generator)


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
