"""How the tables of a set are anonymized, as its documents say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avatar_gitops.server.sets import SetDocuments
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.documents import DocumentKind


def standard(documents: SetDocuments) -> wire.ParametersSpec | None:
    """What the avatars are made with; None for a set that only measures."""
    kinds = (DocumentKind.PARAMETERS,)
    found = documents.find("standard", kinds) or next(iter(documents.of_kind(*kinds)), None)
    return wire.ParametersSpec.model_validate(found.spec) if found is not None else None


def method_of(documents: SetDocuments, table: str) -> tuple[str, wire.MethodRecord | None]:
    """How a table is anonymized (`avatar`, `open_dp`, `fast_dp` or `none`), and its parameters."""
    spec = standard(documents)
    if spec is None:
        return "none", None
    records: dict[str, Mapping[str, wire.MethodRecord]] = {
        "avatar": spec.avatarization or {},
        "open_dp": spec.avatarization_open_dp or {},
        "fast_dp": spec.avatarization_fast_dp or {},
    }
    unsaid = "avatar" if table in (spec.time_series or {}) else "none"
    return next(
        ((method, by_table[table]) for method, by_table in records.items() if table in by_table), (unsaid, None)
    )


def parameters_of(documents: SetDocuments, table: str) -> dict[str, Any]:
    """All that the documents say of how a table is anonymized; that of its series under `time_series`."""
    spec, (_, record) = standard(documents), method_of(documents, table)
    series = (spec.time_series or {}).get(table) if spec is not None else None
    said = record.to_plain() if record is not None else {}
    return said if series is None else {**said, "time_series": series.to_plain()}
