"""What a spec says about links: under the parent table, from its primary key to the foreign key of a child."""

from __future__ import annotations

from enum import StrEnum

from avatar_gitops.spec.columns import ColumnName, Model, TableName


class LinkMethod(StrEnum):
    """How an avatar of the child finds its parent avatar; the original order ties people to their own rows."""

    LINEAR_SUM_ASSIGNMENT = "linear_sum_assignment"
    MINIMUM_DISTANCE_ASSIGNMENT = "minimum_distance_assignment"
    SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT = "sensitive_original_order_assignment"
    TIME_SERIES = "time_series"


class LinkEnd(Model):
    """The child table and its foreign key."""

    table: TableName
    field: ColumnName


class Link(Model):
    """The primary key `field` of this table is what the foreign key `to` of a child names."""

    field: ColumnName
    to: LinkEnd
    method: LinkMethod = LinkMethod.LINEAR_SUM_ASSIGNMENT
