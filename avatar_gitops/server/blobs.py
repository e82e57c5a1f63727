"""Where the bytes of objects are: files of the state folder, or objects of a bucket. A blob never changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from obstore.store import S3Store

READ_SIZE: Final = 1 << 18
PART_SIZE: Final = 8 << 20
PARTS_AT_ONCE: Final = 4


class Blobs(Protocol):
    """A place for blobs. All methods may raise OSError when the place fails."""

    def adopt(self, path: Path, blob: str) -> None:
        """Take over a complete file."""
        ...

    def read(self, blob: str, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end` (exclusive), piece by piece.

        Raises FileNotFoundError at once, not at the first piece.
        """
        ...

    def local(self, blob: str, folder: Path) -> Path:
        """A file with the bytes: the blob itself, or a copy in the folder. It must not be changed."""
        ...

    def remove(self, blob: str) -> None:
        """Remove a blob; an absent one is fine."""
        ...

    def names(self) -> Iterator[str]:
        """All blobs, among them those that nothing points at."""
        ...


class FolderBlobs:
    """One file per blob; readers that have one open keep reading it when it is removed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def adopt(self, path: Path, blob: str) -> None:
        target = self.path(blob)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        path.replace(target)

    def read(self, blob: str, start: int, end: int) -> Iterator[bytes]:
        file = self.path(blob).open("rb")

        def pieces() -> Iterator[bytes]:
            with file:
                file.seek(start)
                left = end - start
                while left and (piece := file.read(min(READ_SIZE, left))):
                    left -= len(piece)
                    yield piece

        return pieces()

    def local(self, blob: str, folder: Path) -> Path:
        return self.path(blob)

    def remove(self, blob: str) -> None:
        self.path(blob).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        return (path.name for path in list(self._root.glob("*/*")) if path.is_file())

    def path(self, blob: str) -> Path:
        """File of a blob."""
        return self._root / blob[:2] / blob


class BucketBlobs:
    """One object per blob, below the prefix of the store; nothing is ever in memory as a whole."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    def adopt(self, path: Path, blob: str) -> None:
        from obstore.exceptions import BaseError

        try:
            self._store.put(self._name(blob), path, chunk_size=PART_SIZE, max_concurrency=PARTS_AT_ONCE)
        except BaseError as error:
            raise unreachable(error) from None
        path.unlink()

    def read(self, blob: str, start: int, end: int) -> Iterator[bytes]:
        from obstore.exceptions import BaseError, NotFoundError

        if start == end:
            return iter(())
        try:
            stream = self._store.get(self._name(blob), options={"range": (start, end)}).stream(READ_SIZE)
        except NotFoundError:
            raise FileNotFoundError(blob) from None
        except BaseError as error:
            raise unreachable(error) from None

        def pieces() -> Iterator[bytes]:
            try:
                for piece in stream:
                    yield bytes(piece)
            except BaseError as error:
                raise unreachable(error) from None

        return pieces()

    def local(self, blob: str, folder: Path) -> Path:
        from obstore.exceptions import BaseError, NotFoundError

        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / blob
        if path.exists():
            return path
        try:
            with path.open("xb") as file:
                for piece in self._store.get(self._name(blob)).stream(READ_SIZE):
                    file.write(piece)
        except NotFoundError:
            path.unlink()
            raise FileNotFoundError(blob) from None
        except BaseError as error:
            path.unlink()
            raise unreachable(error) from None
        return path

    def remove(self, blob: str) -> None:
        from obstore.exceptions import BaseError, NotFoundError

        try:
            self._store.delete(self._name(blob))
        except NotFoundError:
            return
        except BaseError as error:
            raise unreachable(error) from None

    def names(self) -> Iterator[str]:
        from obstore.exceptions import BaseError

        try:
            for page in self._store.list("blobs/"):
                yield from (str(item["path"]).rpartition("/")[2] for item in page)
        except BaseError as error:
            raise unreachable(error) from None

    def probe(self, name: str) -> None:
        """Write, read and remove an object, and list; OSError when one of these is not possible."""
        from obstore.exceptions import BaseError

        try:
            self._store.put(name, b"probe")
            self._store.get(name).bytes()
            next(iter(self._store.list("blobs/")), None)
            self._store.delete(name)
        except BaseError as error:
            raise unreachable(error) from None

    @staticmethod
    def _name(blob: str) -> str:
        return f"blobs/{blob[:2]}/{blob}"


def unreachable(error: Exception) -> OSError:
    """A fault of the bucket in our words; what the library says may hold URLs and headers."""
    return OSError(f"the bucket of the platform does not do what it is asked ({type(error).__name__})")
