"""Privacy metrics of one table of avatars."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from avatar_gitops.engine.params import ColumnSpec, Metrics, PrivacyParams


def measure_privacy(
    original: pa.Table, avatars: pa.Table, columns: Sequence[ColumnSpec], params: PrivacyParams, seed: int
) -> Metrics:
    """Privacy metrics of row-aligned avatars (row i is the avatar of original row i)."""
    raise NotImplementedError
