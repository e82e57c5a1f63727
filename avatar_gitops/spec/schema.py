"""JSON Schemas (draft 2020-12) of every file that people write, generated from the models as deterministic text."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final, Literal

from avatar_gitops.spec import authoring
from avatar_gitops.spec.defaults import DefaultsFile
from avatar_gitops.spec.generating import generated
from avatar_gitops.spec.models import AvatarRun, Model
from avatar_gitops.spec.policies import PolicyFile, PolicyTests, WaiverFile
from avatar_gitops.spec.project import Project
from avatar_gitops.spec.signoffs import SignOffs

Kind = Literal["run", "project", "defaults", "policy", "waivers", "policy-test", "signoffs"]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ROOTS: Final[dict[Kind, tuple[type[Model], str]]] = {
    "run": (AvatarRun, "Run spec of avatar-gitops, version 1"),
    "project": (Project, "Project file of avatar-gitops, version 1"),
    "defaults": (DefaultsFile, "Defaults for run specs of avatar-gitops, version 1"),
    "policy": (PolicyFile, "Policy of avatar-gitops, version 1"),
    "waivers": (WaiverFile, "Waivers of avatar-gitops, version 1"),
    "policy-test": (PolicyTests, "Tests of a policy of avatar-gitops, version 1"),
    "signoffs": (SignOffs, "Signatures under an assessment, of avatar-gitops, version 1"),
}


@cache
def schema(kind: Kind) -> dict[str, Any]:
    """The schema of one kind of file as plain data; the caller must not change it.

    That of a run is the schema of a whole run, when all its layers are merged; `published` is for what people write.
    """
    model, title = ROOTS[kind]
    content = generated(model)
    if kind == "defaults":
        properties, definitions = authoring.defaults(schema("run"))
        content = {"$defs": definitions, **content, "properties": {**content["properties"], **properties}}
    elif kind == "project":
        content = _with_defaults(content)
    return {
        "$schema": DIALECT,
        "$id": f"urn:avatar-gitops:schema:{kind}:v1",
        **content,
        "title": title,
    }


def _with_defaults(project: dict[str, Any]) -> dict[str, Any]:
    """The schema of the project file with all that its `defaults` may say."""
    properties, definitions = authoring.defaults(schema("run"))
    content = {"additionalProperties": False, "properties": properties, "title": "Defaults", "type": "object"}
    of_project = project["$defs"]
    settings = of_project["ProjectSpec"]
    known = {**settings["properties"], "defaults": {"anyOf": [{"$ref": "#/$defs/Defaults"}, authoring.NULL]}}
    own = {**of_project, "ProjectSpec": {**settings, "properties": known}}
    return {**project, "$defs": {"Defaults": content, **definitions, **own}}


def published(kind: Kind) -> dict[str, Any]:
    """The schema of one kind of file as editors need it: a spec may leave to its defaults what they can say."""
    return authoring.authored(schema(kind)) if kind == "run" else schema(kind)


def file_name(kind: Kind) -> str:
    """Name of the published schema file."""
    return f"{kind}.v1.schema.json"


def schema_text(kind: Kind) -> str:
    """The schema as it is published: the same bytes for the same models."""
    return json.dumps(published(kind), indent=2, ensure_ascii=False) + "\n"
