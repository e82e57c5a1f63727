"""Calls that the tutorials of 1.24.0 make and a newer client no longer has: the only changes made to any tutorial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(slots=True, frozen=True)
class Change:
    """One call in one tutorial, what stands there for this client instead, and why the client needs that."""

    client: str
    tutorial: str
    before: str
    after: str
    times: int
    why: str


CHANGES: Final[tuple[Change, ...]] = ()
