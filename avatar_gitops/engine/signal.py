"""Utility (signal) metrics of one table of avatars."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from avatar_gitops.engine.params import ColumnSpec, Metrics, SignalParams


def measure_signal(
    original: pa.Table, avatars: pa.Table, columns: Sequence[ColumnSpec], params: SignalParams, seed: int
) -> Metrics:
    """Utility metrics of avatars."""
    raise NotImplementedError
