"""Refusals of the platform, as exceptions that the application turns into the error bodies of its two interfaces."""

from __future__ import annotations

import errno
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class ApiFault(Exception):
    """A refusal of the API; the text goes to the client as `detail`."""

    def __init__(self, status: int, detail: str | dict[str, Any]) -> None:
        super().__init__(str(detail))
        self.status = status
        self.detail = detail
        self.more: dict[str, Any] = {}
        self.headers: dict[str, str] = {}


class TooManyRequests(ApiFault):
    """The caller has to wait; whole seconds, in the header and in the body, are what all clients understand."""

    def __init__(self, wait: float) -> None:
        seconds = max(1, math.ceil(wait))
        super().__init__(429, f"Too many requests. Try again in {seconds} s.")
        self.more = {"retry_after": seconds}
        self.headers = {"Retry-After": str(seconds)}


class StorageFault(Exception):
    """A refusal of the object storage; the client gets it as S3's XML error."""

    def __init__(self, status: int, code: str, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields or {}


class JobFault(Exception):
    """A job cannot do what it was asked; the text becomes the job's `exception`, so it never holds a cell value."""


def place_of(error: Exception) -> str:
    """File and line where an error was raised: what may be logged of one whose text may hold cell values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown"
