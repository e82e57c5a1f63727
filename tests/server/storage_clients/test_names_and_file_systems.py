"""Names of any form, and s3fs and obstore as their users know them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.api import Api
from tests.server.storage_clients.boto import MIB, body, code

pytestmark = pytest.mark.services


STRANGE = (
    "dots/../up", "./x", "a//b", "/leading", "trailing/", "...", ".hidden", "end.", " space ", "plus+plus",
    "per%cent%20", "q?x=1&y", "hash#", "quo'te\"s", "<xml>&amp;", "emoji-🐘", "é-composed", "e\u0301-decomposed",
    "tab\t", "new\nline", "back\\slash", "x" * 1024, "[brackets]{}|^~`", ":;,@!$*()",
)  # fmt: skip


@pytest.mark.parametrize("name", STRANGE, ids=range(len(STRANGE)))
def test_strange_names(admin: Api, s3: Any, bucket: str, name: str) -> None:
    content = name.encode()
    s3.put_object(Bucket=bucket, Key=name, Body=content)
    assert body(s3, bucket, name) == content
    assert name in [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=name)["Contents"]]
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": name}]})
    assert code(s3.head_object, Bucket=bucket, Key=name)[0] == 404
    assert code(s3.put_object, Bucket=bucket, Key="x" * 1025, Body=b"") == (400, "KeyTooLongError")


# Without control characters: XML, in which keys are deleted in batches, cannot hold them.
keys = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=40
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(keys, min_size=1, max_size=4, unique=True), content=st.binary(max_size=2000))
def test_any_names_come_back_as_they_went(s3: Any, bucket: str, names: list[str], content: bytes) -> None:
    prefix = f"property/{uuid.uuid4().hex}/"
    for number, name in enumerate(names):
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=content + bytes([number]))
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert [item["Key"] for item in found] == sorted((prefix + name for name in names), key=str.encode)
    for number, name in enumerate(names):
        assert body(s3, bucket, prefix + name) == content + bytes([number])
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": prefix + name} for name in names]})
    assert "Errors" not in done


@pytest.fixture
def files(admin: Api) -> Any:
    import s3fs

    keys = admin.credentials()
    return s3fs.S3FileSystem(
        key=keys["access_key_id"],
        secret=keys["secret_access_key"],
        endpoint_url=f"{admin.base_url}/storage",
        skip_instance_cache=True,
        config_kwargs={"signature_version": "s3v4"},
        use_listings_cache=False,
    )


def test_s3fs_as_a_file_system(files: Any, bucket: str, key: str) -> None:
    root = f"{bucket}/{key}"
    files.pipe(f"{root}/a b/1.txt", b"one")
    with files.open(f"{root}/2.bin", "wb", block_size=5 * MIB) as file:
        file.write(b"x" * (11 * MIB))
    with files.open(f"{root}/2.bin", "rb") as file:
        file.seek(11 * MIB - 3)
        assert file.read() == b"xxx"
    assert files.size(f"{root}/2.bin") == 11 * MIB
    assert sorted(files.find(root)) == [f"{root}/2.bin", f"{root}/a b/1.txt"]
    assert sorted(files.ls(root, detail=False)) == [f"{root}/2.bin", f"{root}/a b"]
    assert files.glob(f"{root}/**/*.txt") == [f"{root}/a b/1.txt"]
    files.copy(f"{root}/a b/1.txt", f"{root}/copy+é.txt")
    files.mv(f"{root}/copy+é.txt", f"{root}/moved.txt")
    assert files.cat(f"{root}/moved.txt") == b"one"
    assert files.isdir(f"{root}/a b")
    assert not files.exists(f"{root}/copy+é.txt")
    assert files.info(f"{root}/moved.txt")["size"] == 3
    assert bucket in files.ls("", detail=False)
    assert httpx.get(files.sign(f"{root}/moved.txt", expiration=60)).content == b"one"
    files.rm(root, recursive=True)
    assert files.find(root) == []
    with pytest.raises(FileNotFoundError):
        files.cat(f"{root}/moved.txt")


def test_obstore_as_this_product_and_arrow_users_know_it(admin: Api, key: str) -> None:
    import obstore
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    store = admin.store()
    first = store.put(f"{key}/1", b"one", mode="create", attributes={"Content-Type": "text/x", "purpose": "test"})
    with pytest.raises(AlreadyExistsError):
        store.put(f"{key}/1", b"two", mode="create")
    store.put(f"{key}/2", b"y" * (11 * MIB), use_multipart=True, chunk_size=5 * MIB)
    got = store.get(f"{key}/1", options={"if_match": first["e_tag"]})
    assert (bytes(got.bytes()), got.attributes["purpose"]) == (b"one", "test")
    with pytest.raises(PreconditionError):
        store.get(f"{key}/1", options={"if_match": '"other"'})
    assert [bytes(piece) for piece in store.get_ranges(f"{key}/1", starts=[0, 2], ends=[1, 3])] == [b"o", b"e"]
    store.copy(f"{key}/1", f"{key}/3 é+")
    store.rename(f"{key}/3 é+", f"{key}/4")
    assert [item["path"] for page in store.list(f"{key}/") for item in page] == [f"{key}/{n}" for n in (1, 2, 4)]
    assert {item["path"] for item in store.list_with_delimiter(key)["objects"]} == {f"{key}/{n}" for n in (1, 2, 4)}
    url = obstore.sign(store, "GET", f"{key}/1", timedelta(seconds=60))
    assert httpx.get(url).content == b"one"
    store.delete([f"{key}/{n}" for n in (1, 2, 4)])
    assert [page for page in store.list(f"{key}/") if page] == []
