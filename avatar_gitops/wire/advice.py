"""What `{table}.advice.json` holds: advised parameters, columns in numbers, and links.

Reasons come from the embedded platform only. Means, medians and most frequent values of columns are in the file, too;
they are not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of every part: unknown keys are left alone, absent and null mean the same."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ColumnStats(Part):
    """One column in numbers."""

    label: str
    dtype: str | None = None
    missing_number: int | None = None
    unique_number: int | None = None
    unique_proportion: float | None = None
    is_rare: bool | None = None
    is_identifying: bool | None = None


class Summary(Part):
    """Columns of a table."""

    stats: list[ColumnStats] = []


class AdvisedImputation(Part):
    """Advised filling of missing values."""

    method: str | None = None
    k: int | None = None
    training_fraction: float | None = None


class LinkEnd(Part):
    """The child table and its foreign key."""

    table: str
    field: str


class AdvisedLink(Part):
    """A link from the primary key `field` of the table that the advice is on; it is sure, likely or just possible."""

    field: str
    to: LinkEnd
    method: str | None = None
    confidence: str | None = None


class UnlinkedKey(Part):
    """A foreign key of the table that the advice is on, and the tables that it may lead to."""

    field: str
    candidate_tables: list[str] | None = None


class TableAdvice(Part):
    """Advice on one table."""

    k: int | None = None
    ncp: int | None = None
    use_categorical_reduction: bool | None = None
    imputation: AdvisedImputation | None = None
    summary: Summary | None = None
    reasons: dict[str, str] = {}
    links: list[AdvisedLink] | None = None
    unlinked_foreign_keys: list[UnlinkedKey] | None = None


def read_advice(content: Any) -> Iterable[tuple[str, TableAdvice]]:
    """Advice by table name; one entry or a list of them. The oldest platforms nest the parameters one level deeper."""
    for entry in content if isinstance(content, list) else [content]:
        said = entry.get("advice") or {}
        inner = said.get("parameters")
        if isinstance(inner, dict):
            said = said | inner
        yield str(entry["table_name"]), TableAdvice.model_validate(said)
