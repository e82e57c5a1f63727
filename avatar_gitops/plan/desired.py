"""Desired state as the planner sees it: run specs with their digests and the positions of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from avatar_gitops.spec.models import AvatarRun

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Digests:
    """What decides whether anything runs again.

    `spec` covers the whole resolved spec. The three stage digests cover the fields that a stage of the job graph depends
    on (see `spec.fields`); they and `input` are the idempotency key of a launch and stand in the set's annotations.
    """

    spec: str
    standard: str
    metrics: str
    reports: str
    input: str


@dataclass(frozen=True, slots=True)
class TableInput:
    """One data file, described without a single value of it."""

    table: str
    digest: str
    bytes: int
    columns: tuple[str, ...]
    rows: str


@dataclass(frozen=True, slots=True)
class DesiredSet:
    """One run spec. `path` is relative to the project root, `lines` gives the line of each field, `resolved` the
    canonical content with defaults filled in."""

    name: str
    path: str
    run: AvatarRun
    resolved: Mapping[str, Any]
    digests: Digests
    inputs: tuple[TableInput, ...] = ()
    lines: Mapping[FieldPath, int] = field(default_factory=dict)
