"""A note in the server's object storage that is only replaced by who has read it; the lease of an apply is one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from avatar_gitops.client.objects import Objects
from avatar_gitops.errors import RemoteUnavailable

if TYPE_CHECKING:
    from obstore.store import S3Store

LOG: Final = logging.getLogger(__name__)
LARGEST: Final = 64 << 10
UNSUPPORTED: Final = ("NotImplemented", "status code: 501", "status code: 400")


def key_of(project: str) -> str:
    """Key of a project's lease below the input area."""
    return f"avatar-gitops-lease-{project}.json"


class StoredNote:
    """Implements `ports.Board` on object storage, with conditional writes (If-None-Match, If-Match) where it has them.

    Storage that refuses such writes, or takes them and ignores the condition, is found out by the first write; from
    then on a write compares the tag itself, which leaves a moment between reading and writing: `exact` is False.
    """

    def __init__(self, objects: Objects, key: str) -> None:
        self._objects = objects
        self._key = key
        self._area: tuple[S3Store, str] | None = None
        self._proved = False
        self.exact = True

    def read(self) -> tuple[bytes, str] | None:
        """The note and its ETag."""
        import obstore

        store, key = self._reach()
        try:
            found = obstore.get(store, key)
            if found.meta["size"] > LARGEST:
                return b"", found.meta["e_tag"] or ""
            return bytes(found.bytes()), found.meta["e_tag"] or ""
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._trouble(error) from None

    def write(self, content: bytes, tag: str | None) -> str | None:
        """Replace the note if its ETag is still this one; returns the new one."""
        if self.exact:
            try:
                written = self._put(content, tag)
                self._prove(content, written)
                return written
            except _NoConditionsError:
                self._inexact()
        now = self.read()
        return self._put_anyhow(content) if (now[1] if now else None) == tag else None

    def _prove(self, content: bytes, written: str | None) -> None:
        """Once: what was just written cannot be made again, unless the storage ignores conditions."""
        if written is None or self._proved:
            return
        self._proved = True
        if self._put(content, None) is not None:
            self._inexact()

    def _inexact(self) -> None:
        self.exact = False
        LOG.info("the object storage has no conditional writes; the lease is kept as well as that allows")

    def _put(self, content: bytes, tag: str | None) -> str | None:
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        store, key = self._reach()
        try:
            return obstore.put(store, key, content, mode="create" if tag is None else {"e_tag": tag})["e_tag"] or ""
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            return None
        except Exception as error:
            if any(mark in str(error) for mark in UNSUPPORTED):
                raise _NoConditionsError from None
            raise self._trouble(error) from None

    def _put_anyhow(self, content: bytes) -> str:
        import obstore

        store, key = self._reach()
        try:
            return obstore.put(store, key, content)["e_tag"] or ""
        except Exception as error:
            raise self._trouble(error) from None

    def _reach(self) -> tuple[S3Store, str]:
        """The input area, asked for again after trouble: credentials can end while an apply goes on."""
        if self._area is None:
            self._area = self._objects.input_area(self._key)
        return self._area

    def _trouble(self, error: Exception) -> RemoteUnavailable:
        self._area = None
        return RemoteUnavailable(
            f"the lease in the server's object storage cannot be read or written ({type(error).__name__})",
            hint="nothing is lost: run the same command again later",
        )


class _NoConditionsError(Exception):
    """The storage does not offer conditional writes."""
