"""What the calling client can understand, told from its User-Agent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.wire.models import JobStatus

OFFICIAL: Final = re.compile(r"avatar-python/([0-9]{1,9})\.([0-9]{1,9})")
CANCELLED_TEXT: Final = "cancelled by user"


@dataclass(slots=True, frozen=True)
class Agent:
    """The version of the official Python client, or None for every other caller (they get the newest forms)."""

    official: tuple[int, int] | None = None

    def older_than(self, major: int, minor: int) -> bool:
        """Whether this is an official client older than that version."""
        return self.official is not None and self.official < (major, minor)

    @property
    def lists_oldest_first(self) -> bool:
        return self.older_than(1, 23)

    @property
    def reads_parquet(self) -> bool:
        return not self.older_than(1, 27)

    @property
    def knows_high_variability(self) -> bool:
        return not self.older_than(1, 24)

    def knows_scope(self, scope: str) -> bool:
        """Whether the client accepts that word in the list of features; clients up to 1.24 refuse the newest one."""
        return scope != "data_augmentation" or not self.older_than(1, 25)

    def adapt_job(self, job: dict[str, Any]) -> dict[str, Any]:
        """A job with a status that this client knows: `cancelled` exists since 1.30 only."""
        if job["status"] == JobStatus.CANCELLED and self.older_than(1, 30):
            return {**job, "status": JobStatus.ERROR, "exception": job["exception"] or CANCELLED_TEXT}
        return job

    def adapt_documents(self, text: str) -> str:
        """A set without the pseudonymization key that clients before 1.24 stumble over."""
        if self.knows_high_variability or "high_variability" not in text:
            return text
        without_lines = re.sub(r"(?m)^[ \t]*high_variability:[^\n]*\n", "", text)
        return re.sub(r",?\s*high_variability:\s*\w+(?=\s*[,}])", "", without_lines)


def read_agent(header: str | None) -> Agent:
    """The agent behind a User-Agent header."""
    match = OFFICIAL.search(header or "")
    return Agent((int(match[1]), int(match[2]))) if match else Agent()
