"""Files to and from the server's object storage; results that link an avatar to a person are refused here."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from avatar_gitops.client import api
from avatar_gitops.client.transport import Transport, is_loopback
from avatar_gitops.errors import AvatarGitOpsError, RemoteRefused, RemoteUnavailable
from avatar_gitops.wire import routes
from avatar_gitops.wire.models import SENSITIVE_RESULTS, FileAccess

if TYPE_CHECKING:
    from obstore.store import ClientConfig, S3Credential, S3Store

PART_BYTES: Final = 16 << 20
PARALLEL_PARTS: Final = 4
MIB: Final = 1 << 20
LIMITS: Final = {"json": 32 * MIB, "pdf": 256 * MIB, "docx": 256 * MIB, "csv": 4096 * MIB, "parquet": 4096 * MIB}
SENSITIVE_NAMES: Final = re.compile(r"\.(unshuffled|projections\.original)(-\d+)?\.[A-Za-z0-9]+$")
MARK: Final = "?url="


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A result file: its name, as the server calls it, and its bytes."""

    name: str
    content: bytes


class SensitiveRefused(AvatarGitOpsError):
    """Somebody asked for a result that links an avatar to its original."""


class Objects:
    """Object storage of one server, path style, with the credentials that the API hands out."""

    def __init__(self, http: Transport, *, verify: bool = True) -> None:
        self._http = http
        self._verify = verify
        self._stores: dict[tuple[str, str, str], S3Store] = {}
        self._guard = threading.Lock()

    def upload(self, key: str, path: Path) -> bool:
        """Send a file to the input area, in parts from disk; False when an object of this key and size was there."""
        store, inner = self.input_area(key)
        if _size(store, inner) == path.stat().st_size:
            return False
        _send(store, inner, path)
        return True

    def check(self) -> None:
        """Ask for an object of the input area, with a signature. Raises RemoteRefused when the storage says no."""
        _size(*self.input_area("avatar-gitops-check"))

    def input_area(self, key: str) -> tuple[S3Store, str]:
        """The store of the caller's input area, and the full key of an object in it."""
        place = f"{api.upload_url(self._http)}/{key}"
        envelope = f"{self._http.server}{routes.API_PREFIX}{routes.ACCESS}{MARK}{place}"
        bucket, inner = _split(place)
        return self._store(bucket, api.access(self._http, envelope)), inner

    def download(self, kind: str, urls: Sequence[str]) -> tuple[Downloaded, ...]:
        """All files of one kind of result, in the order of the listing. Raises SensitiveRefused, RemoteRefused."""
        refuse_sensitive(kind, urls)
        if not urls:
            return ()
        granted = {access.url: access for access in api.access_batch(self._http, urls)}
        missing = [url for url in urls if url not in granted]
        if missing:
            raise RemoteRefused(f"{self._http.server} gives no access to {len(missing)} of its {kind} files")
        return tuple(self._read(url, granted[url]) for url in urls)

    def _read(self, url: str, access: FileAccess) -> Downloaded:
        bucket, key = _split(url.partition(MARK)[2])
        store = self._store(bucket, access)
        name = key.rpartition("/")[2]
        limit = LIMITS.get(name.rpartition(".")[2].lower(), LIMITS["json"])
        return Downloaded(name, _fetch(store, key, limit))

    def _store(self, bucket: str, access: FileAccess) -> S3Store:
        pair = access.credentials
        with self._guard:
            identity = (bucket, pair.access_key_id, pair.secret_access_key)
            if identity not in self._stores:
                self._stores[identity] = self._open(*identity)
            return self._stores[identity]

    def _open(self, bucket: str, access_key: str, secret_key: str) -> S3Store:
        from obstore.store import S3Store

        endpoint = self._http.server + routes.STORAGE_PREFIX

        def credentials() -> S3Credential:
            return {
                "access_key_id": access_key,
                "secret_access_key": secret_key,
                "token": None,
                "expires_at": None,
            }

        return S3Store(
            bucket,
            endpoint=endpoint,
            # Said twice: the environment's AWS_ENDPOINT_URL_S3 would otherwise send the data to another place.
            aws_endpoint_url_s3=endpoint,
            region="us-east-1",
            virtual_hosted_style_request=False,
            skip_signature=False,
            credential_provider=credentials,
            client_options=self._line(endpoint),
            retry_config={"max_retries": 4},
        )

    def _line(self, endpoint: str) -> ClientConfig:
        line: ClientConfig = {
            "allow_http": endpoint.startswith("http://"),
            "allow_invalid_certificates": not self._verify,
            "timeout": "300s",
            "connect_timeout": "10s",
            "default_headers": {routes.REQUEST_ID.lower(): self._http.run},
        }
        if is_loopback(endpoint):
            # The library asks through HTTP_PROXY unless it is given a proxy of its own and told not to use it.
            line["proxy_url"] = endpoint
            line["proxy_excludes"] = urlsplit(endpoint).hostname or ""
        return line


def refuse_sensitive(kind: str, urls: Sequence[str]) -> None:
    """Raise SensitiveRefused for kinds and for file names of results that link an avatar to a person."""
    if kind in SENSITIVE_RESULTS or any(SENSITIVE_NAMES.search(url) for url in urls):
        raise SensitiveRefused(
            f"refused: {kind} links avatars to the people they come from",
            hint="avatar-gitops never downloads such results; use the shuffled table",
        )


def _split(place: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` address; the key is taken literally."""
    rest = place.removeprefix("s3://")
    bucket, _, key = rest.partition("/")
    if rest == place or not bucket or not key:
        raise RemoteRefused("the server named a file that is not in its object storage")
    return bucket, key


def _size(store: S3Store, key: str) -> int | None:
    import obstore

    try:
        return obstore.head(store, key)["size"]
    except FileNotFoundError:
        return None
    except Exception as error:
        raise _trouble(error, "be read") from None


def _send(store: S3Store, key: str, path: Path) -> None:
    import obstore

    try:
        obstore.put(store, key, path, chunk_size=PART_BYTES, max_concurrency=PARALLEL_PARTS)
    except Exception as error:
        raise _trouble(error, "be written") from None


def _fetch(store: S3Store, key: str, limit: int) -> bytes:
    import obstore

    try:
        found = obstore.get(store, key)
        size: Any = found.meta["size"]
        if size > limit:
            raise RemoteRefused(f"a result file is larger than {limit // MIB} MiB and was not read")
        return bytes(found.bytes())
    except AvatarGitOpsError:
        raise
    except FileNotFoundError:
        raise RemoteRefused("a result file is no longer in the server's object storage", status=404) from None
    except Exception as error:
        raise _trouble(error, "be read") from None


def _trouble(error: Exception, what: str) -> RemoteUnavailable:
    """What went wrong, from the class alone: texts of the storage may quote addresses and signatures."""
    return RemoteUnavailable(
        f"the server's object storage cannot {what} ({type(error).__name__})",
        hint="nothing is lost: run the same command again later",
    )
