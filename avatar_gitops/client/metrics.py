"""Metrics entries of the platform, JSON of several generations, to blocks in natural units."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from avatar_gitops.plan.outcome import MetricBlock
from avatar_gitops.wire.metrics import SCORES, from_score, target_from_score, uses_scores

STRUCTURE: Final = frozenset({"targets", "metadata"})
ESCAPES: Final = {"_dot_": ".", "_slash_": "/", "_ampersand_": "&", "_plus_": "+"}
STANDALONE: Final = "standalone"
READ: Final = frozenset({"table_name", "computation_type", "reference", "intervals", "references"})
DECIMALS: Final = 10


def entries(content: bytes) -> tuple[Mapping[str, Any], ...]:
    """Objects in one metrics file, which holds one object or a list of them; anything else is nothing."""
    try:
        loaded = json.loads(content)
    except ValueError:
        return ()
    listed = loaded if isinstance(loaded, list) else [loaded]
    return tuple(entry for entry in listed if isinstance(entry, dict))


def blocks(found: Iterable[Mapping[str, Any]], family: str) -> tuple[MetricBlock, ...]:
    """One block for each entry that names its table; metrics without a finite number were not measured."""
    return tuple(_block(entry, family) for entry in found if _table(entry))


def real_name(escaped: str) -> str:
    """Table name as the user wrote it, from a file name or from metadata."""
    return re.sub("|".join(ESCAPES), lambda token: ESCAPES[token[0]], escaped)


def _table(entry: Mapping[str, Any]) -> str:
    metadata = entry.get("metadata")
    name = metadata.get("table_name") if isinstance(metadata, dict) else None
    return real_name(name) if isinstance(name, str) else ""


def _block(entry: Mapping[str, Any], family: str) -> MetricBlock:
    metadata = _map(entry["metadata"])
    targets = _map(entry.get("targets"))
    scaled = uses_scores({"targets": targets})
    reference = metadata.get("reference")
    found = {name: value for name, value in entry.items() if name not in STRUCTURE}
    intervals = {name: _ends(name, pair, scaled) for name, pair in _map(metadata.get("intervals")).items()}
    rest = {name: value for name, value in metadata.items() if name not in READ}
    if references := _values(_map(metadata.get("references")), scaled):
        rest["references"] = references
    return MetricBlock(
        table=_table(entry),
        family=family,
        computation_type=str(metadata.get("computation_type") or STANDALONE),
        reference=real_name(reference) if isinstance(reference, str) else None,
        values=_values(found, scaled),
        intervals={name: pair for name, pair in intervals.items() if pair is not None},
        targets={
            str(name): target_from_score(name, str(target)) if scaled else str(target)
            for name, target in targets.items()
        },
        metadata=rest,
        not_measured=tuple(sorted(name for name, value in found.items() if _is_missing(value))),
    )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _values(found: Mapping[str, Any], scaled: bool) -> dict[str, float]:
    return {name: _natural(name, float(value), scaled) for name, value in found.items() if _finite(value)}


def _natural(name: str, value: float, scaled: bool) -> float:
    """The value in natural units, without the noise that a change of scale leaves in the last digits."""
    if not scaled or name not in SCORES:
        return value
    return round(from_score(name, value), DECIMALS) + 0.0


def _ends(name: str, pair: Any, scaled: bool) -> tuple[float, float] | None:
    """Both ends of an interval in natural units, lower one first; None when it is no pair of numbers."""
    if not isinstance(pair, list) or len(pair) != 2 or not all(_finite(end) for end in pair):
        return None
    low, high = sorted(_natural(name, float(end), scaled) for end in pair)
    return low, high
