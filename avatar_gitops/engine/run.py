"""Avatarization of one table: from an Arrow table to its avatars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from avatar_gitops.engine.params import AvatarParams, ColumnSpec, Facts


@dataclass(slots=True, frozen=True)
class Avatars:
    """The avatars of one table.

    `unshuffled` row i is the avatar of original row i (sensitive), `shuffled` is the deliverable. The projections have
    one row per row of `unshuffled` and columns `Dim. 1`, `Dim. 2`, ...
    """

    unshuffled: pa.Table
    shuffled: pa.Table
    original_projection: pa.Table
    avatar_projection: pa.Table
    facts: Facts


def avatarize(
    table: pa.Table, columns: Sequence[ColumnSpec], params: AvatarParams, seed: int, label: str = ""
) -> Avatars:
    """One avatar for each row; the same arguments always give the same bytes.

    `label` separates the random streams of tables that share a seed.
    """
    raise NotImplementedError
