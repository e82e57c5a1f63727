"""Days as they stand in specs: ISO text that may name a day which no calendar has."""

from __future__ import annotations

from datetime import date


def day(text: str | None) -> date | None:
    """The day that a text of the form 2026-09-30 names; None for no text and for a day that does not exist."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
