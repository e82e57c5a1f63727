"""How far the avatars of each column are from its originals, as metrics tell it for the documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

COLUMN_HELLINGER: Final = "column_hellinger"
"""Key of the distances in the metadata of metrics."""


def column_distances(metadata: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Hellinger distances in [0, 1] by column, of the first of these metadata of metrics that has them.

    Whatever else stands there is left out: results may be those of another server.
    """
    for about in metadata:
        said = about.get(COLUMN_HELLINGER)
        if isinstance(said, Mapping):
            return {str(name): float(value) for name, value in said.items() if _is_distance(value)}
    return {}


def _is_distance(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
