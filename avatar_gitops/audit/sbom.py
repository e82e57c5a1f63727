"""The bill of materials of the engine that made a run: CycloneDX 1.6 in JSON, without time, host or registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from avatar_gitops.wire.environment import DISTRIBUTIONS

FILE: Final = "sbom.cdx.json"
PACKAGE: Final = "avatar-gitops"


def sbom(engine: str, environment: Mapping[str, Any]) -> dict[str, Any]:
    """The packages that avatar-gitops requires for its engine, as the engine listed them itself, and its interpreter.

    `environment` is the one of `wire.environment`.
    """
    packages: Mapping[str, str] = environment[DISTRIBUTIONS]
    version = packages.get(PACKAGE, engine.rpartition("/")[2])
    root = _component(PACKAGE, version) | {
        "type": "application",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    others = [_component(name, packages[name]) for name in sorted(packages) if name != PACKAGE]
    interpreter, _, number = str(environment["python"]).partition(" ")
    python = {"type": "platform", "bom-ref": "python", "name": interpreter, "version": number}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": root,
            "properties": [
                {"name": "avatar-gitops:engine", "value": engine},
                {"name": "avatar-gitops:platform", "value": str(environment["platform"])},
            ],
        },
        "components": [python, *others],
    }


def _component(name: str, version: str) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{quote(version)}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
