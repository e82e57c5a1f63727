"""Refusals of the platform, as exceptions that the application turns into the error bodies of its two interfaces."""

from __future__ import annotations

from typing import Any


class ApiFault(Exception):
    """A refusal of the API; the text goes to the client as `detail`."""

    def __init__(self, status: int, detail: str | dict[str, Any]) -> None:
        super().__init__(str(detail))
        self.status = status
        self.detail = detail


class StorageFault(Exception):
    """A refusal of the object storage; the client gets it as S3's XML error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class JobFault(Exception):
    """A job cannot do what it was asked; the text becomes the job's `exception`, so it never holds a cell value."""
