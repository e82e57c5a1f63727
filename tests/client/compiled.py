"""A spec as what is wanted of it, and as the documents that the platform gets."""

from __future__ import annotations

import json
from typing import Any

from ruamel.yaml import YAML

from avatar_gitops.client.compile import to_yaml
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire, input_name
from avatar_gitops.spec.models import AvatarRun

DIGEST = "sha256:" + "0123456789abcdef" * 4
Plain = dict[str, Any]


def desired(name: str, tables: Plain, **spec: Any) -> DesiredSet:
    plain = {
        "apiVersion": "avatar-gitops/v1",
        "kind": "AvatarRun",
        "metadata": {"name": name},
        "spec": {"tables": tables, **spec},
    }
    roles = ("source", "avatars", "holdout")
    names = [input_name(table, role) for table, said in tables.items() for role in roles if role in said]
    inputs = [TableInput(table, DIGEST, 10, (), "<100") for table in names]
    return desire(AvatarRun.model_validate_json(json.dumps(plain)), f"configs/{name}.yaml", inputs)


def documents(item: DesiredSet, annotations: dict[str, str] | None = None) -> list[Plain]:
    return list(YAML(typ="safe", pure=True).load_all(to_yaml(item, annotations or {})))
