"""A chain of processors fitted on a table, and avatars on their way back through it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

from avatar_gitops.engine.params import ColumnSpec, Space
from avatar_gitops.engine.processors.chain import Chain, fit_chain
from avatar_gitops.engine.processors.params import Processor

DAY = dt.datetime.fromisoformat("2024-02-28T06:30")
HOUR = dt.timedelta(hours=1)


def chain(table: pa.Table, *processors: Processor, columns: Sequence[ColumnSpec] = ()) -> Chain:
    return fit_chain(table, columns, Space(), processors)


def back(fitted: Chain, avatars: dict[str, list[object]], seed: int = 1) -> dict[str, list[object]]:
    reverted: dict[str, list[object]] = fitted.revert(pa.table(avatars), seed, "").to_pydict()
    return reverted
