"""Routes about files: where to upload, and credentials of the object storage."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from avatar_gitops.characters import NO_TEXT
from avatar_gitops.server.accounts import Account, storage_key
from avatar_gitops.server.answers import answers
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.requests import CurrentAccount, CurrentPlatform
from avatar_gitops.wire.models import FileAccess

Url = Annotated[str, Query(description="`<api base>/access?url=s3://<bucket>/<key>`, or the inner part alone")]
Urls = Annotated[list[Any], Body(description="URLs; what is not one is left out of the answer")]

router = APIRouter(tags=["files"])


@router.get("/upload_url", **answers(str))
def upload_url(platform: CurrentPlatform, account: CurrentAccount) -> str:
    """Where the caller uploads."""
    return platform.input_url(account.id)


@router.get("/access", **answers(FileAccess, 403))
def access(platform: CurrentPlatform, account: CurrentAccount, url: Url) -> dict[str, Any]:
    """Storage credentials for one file of the caller."""
    if not _may_access(account, url):
        raise ApiFault(403, "This file lies outside your storage.")
    return _file_access(platform, account, url)


@router.post("/access/batch", **answers(list[FileAccess]))
def access_batch(platform: CurrentPlatform, account: CurrentAccount, urls: Urls) -> list[dict[str, Any]]:
    """The same for several files; those that are not permitted are left out."""
    permitted = [url for url in urls if isinstance(url, str) and _may_access(account, url)]
    return [_file_access(platform, account, url) for url in permitted]


def _may_access(account: Account, url: str) -> bool:
    """Whether the path inside an envelope, taken literally, lies in the caller's bucket; `..` is just part of a key."""
    inner = url.partition("?url=")[2] or url
    return inner.startswith(f"s3://{account.id}/") and NO_TEXT.search(url) is None


def _file_access(platform: Platform, account: Account, url: str) -> dict[str, Any]:
    assert account.credential is not None, "requests come with a credential"
    key = storage_key(platform.installation_secret, account.credential)
    credentials = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    return {"url": url, "credentials": credentials}
