"""The object storage driven by the clients that people use: boto3, s3fs and obstore, unmodified."""

from __future__ import annotations

import base64
import hashlib
import io
import uuid
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.api import Api

pytestmark = pytest.mark.services
MIB = 1 << 20


def config(**more: Any) -> Any:
    from botocore.config import Config

    return Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **more)


def boto(api: Api, **more: Any) -> Any:
    import boto3

    keys = api.credentials()
    return boto3.client(
        "s3",
        endpoint_url=f"{api.base_url}/storage",
        region_name="eu-west-3",
        aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
        config=config(**more),
    )


@pytest.fixture
def s3(admin: Api) -> Iterator[Any]:
    client = boto(admin)
    yield client
    client.close()


@pytest.fixture
def bucket(admin: Api) -> str:
    return admin.bucket


@pytest.fixture
def key() -> str:
    return f"clients/{uuid.uuid4().hex}"


def code(call: Callable[..., Any], **arguments: Any) -> tuple[int, str]:
    """Status and code of a refusal."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"], caught.value.response["Error"]["Code"]


def body(s3: Any, bucket: str, key: str, **more: Any) -> bytes:
    return bytes(s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read())


def test_buckets_are_one_per_user(s3: Any, bucket: str) -> None:
    assert [item["Name"] for item in s3.list_buckets()["Buckets"]] == [bucket]
    s3.head_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert code(s3.delete_bucket, Bucket=bucket) == (403, "AccessDenied")
    assert code(s3.list_objects_v2, Bucket="somebody-else") == (403, "AccessDenied")


def test_an_object_keeps_its_headers_and_metadata(s3: Any, bucket: str, key: str) -> None:
    said = {
        "ContentType": "text/csv; charset=utf-8",
        "CacheControl": "no-store",
        "ContentDisposition": 'attachment; filename="x.csv"',
        "ContentLanguage": "fr",
        "ContentEncoding": "gzip",
        "Metadata": {"purpose": "a b=c", "other": "1"},
    }
    put = s3.put_object(Bucket=bucket, Key=key, Body=b"content", **said)
    for found in (s3.head_object(Bucket=bucket, Key=key), s3.get_object(Bucket=bucket, Key=key)):
        assert {name: found[name] for name in said} == said
        assert (found["ETag"], found["ContentLength"]) == (put["ETag"], 7)
        assert "Body" not in found or found["Body"].read() == b"content"
        assert abs(found["LastModified"] - datetime.now(UTC)) < timedelta(minutes=5)
    too_much = {"x": "y" * 2100}
    assert code(s3.put_object, Bucket=bucket, Key=key, Metadata=too_much) == (400, "MetadataTooLarge")


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_verified_kept_and_given_back(s3: Any, bucket: str, key: str, algorithm: str) -> None:
    put = s3.put_object(Bucket=bucket, Key=key, Body=io.BytesIO(b"123456789"), ChecksumAlgorithm=algorithm)
    name = f"Checksum{algorithm}"
    got = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"123456789"  # boto3 compares it by itself, too
    assert put[name] == got[name]
    known = {
        "CRC32": zlib.crc32(b"123456789").to_bytes(4, "big"),
        "CRC32C": 0xE3069283.to_bytes(4, "big"),  # the check values of the catalogue of CRCs
        "CRC64NVME": 0xAE8B14860A799888.to_bytes(8, "big"),
        "SHA1": hashlib.sha1(b"123456789").digest(),
        "SHA256": hashlib.sha256(b"123456789").digest(),
    }
    assert base64.b64decode(got[name]) == known[algorithm]
    wrong = {name: base64.b64encode(bytes(len(known[algorithm]))).decode()}
    assert code(s3.put_object, Bucket=bucket, Key=f"{key}-wrong", Body=b"x", **wrong) == (400, "BadDigest")
    assert code(s3.head_object, Bucket=bucket, Key=f"{key}-wrong")[0] == 404
    partial = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED", Range="bytes=0-1")
    assert (partial["Body"].read(), name in partial) == (b"12", False)


@pytest.mark.parametrize(
    ("asked", "content"),
    [
        ("bytes=0-3", b"0123"),
        ("bytes=7-", b"789"),
        ("bytes=-2", b"89"),
        ("bytes=3-99", b"3456789"),
        ("bytes=-99", None),
    ],
)
def test_ranges(s3: Any, bucket: str, key: str, asked: str, content: bytes | None) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key=key, Range=asked)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["Body"].read() == (content or b"0123456789")
    assert s3.head_object(Bucket=bucket, Key=key, Range=asked)["ContentLength"] == len(content or b"0123456789")


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "bytes=5-2", "lines=1-2", "bytes=-", "bytes=a-b"])
def test_ranges_that_s3_ignores_give_the_whole_object(s3: Any, bucket: str, key: str, asked: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key=key, Range=asked)
    assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()) == (200, b"0123456789")


@pytest.mark.parametrize(("asked", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-0", 0)])
def test_ranges_behind_the_end_are_refused(s3: Any, bucket: str, key: str, asked: str, size: int) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=bytes(size))
    assert code(s3.get_object, Bucket=bucket, Key=key, Range=asked) == (416, "InvalidRange")


def test_conditional_reads(s3: Any, bucket: str, key: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key=key, Body=b"x")["ETag"]
    past, future = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)

    def get_object(**asked: Any) -> None:
        s3.get_object(**asked)["Body"].read()

    for read in (get_object, s3.head_object):
        read(Bucket=bucket, Key=key, IfMatch=etag, IfUnmodifiedSince=past)  # the ETag wins
        read(Bucket=bucket, Key=key, IfNoneMatch='"other"', IfModifiedSince=future)
        read(Bucket=bucket, Key=key, IfModifiedSince=past)
        assert code(read, Bucket=bucket, Key=key, IfMatch='"other"')[0] == 412
        assert code(read, Bucket=bucket, Key=key, IfUnmodifiedSince=past)[0] == 412
        assert code(read, Bucket=bucket, Key=key, IfNoneMatch=etag)[0] == 304
        assert code(read, Bucket=bucket, Key=key, IfModifiedSince=future)[0] == 304


def test_conditional_writes_and_deletions(s3: Any, bucket: str, key: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key=key, Body=b"1", IfNoneMatch="*")["ETag"]
    assert code(s3.put_object, Bucket=bucket, Key=key, Body=b"2", IfNoneMatch="*") == (412, "PreconditionFailed")
    assert code(s3.put_object, Bucket=bucket, Key=key, Body=b"2", IfMatch='"x"') == (412, "PreconditionFailed")
    assert code(s3.delete_object, Bucket=bucket, Key=key, IfMatch='"x"') == (412, "PreconditionFailed")
    assert code(s3.put_object, Bucket=bucket, Key=f"{key}-absent", Body=b"2", IfMatch=etag) == (404, "NoSuchKey")
    s3.put_object(Bucket=bucket, Key=key, Body=b"3", IfMatch=etag)
    assert body(s3, bucket, key) == b"3"
    s3.delete_object(Bucket=bucket, Key=key, IfMatch=s3.head_object(Bucket=bucket, Key=key)["ETag"])
    assert code(s3.head_object, Bucket=bucket, Key=key)[0] == 404
    s3.delete_object(Bucket=bucket, Key=key)  # an absent one is fine


def test_a_copy_takes_metadata_or_replaces_it(s3: Any, bucket: str, key: str) -> None:
    put = s3.put_object(Bucket=bucket, Key=key, Body=b"content", Metadata={"a": "1"}, ContentType="text/x")
    source = {"Bucket": bucket, "Key": key}
    copied = s3.copy_object(Bucket=bucket, Key=f"{key} copy é+%", CopySource=source)
    assert copied["CopyObjectResult"]["ETag"] == put["ETag"]
    found = s3.get_object(Bucket=bucket, Key=f"{key} copy é+%")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"content", {"a": "1"}, "text/x")
    same = {"Bucket": bucket, "Key": key, "CopySource": source}
    assert code(s3.copy_object, **same) == (400, "InvalidRequest")
    s3.copy_object(**same, MetadataDirective="REPLACE", Metadata={"b": "2"}, ContentType="text/y")
    found = s3.get_object(Bucket=bucket, Key=key)
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"content", {"b": "2"}, "text/y")
    assert code(s3.copy_object, **same | {"Key": "z"}, CopySourceIfMatch='"x"') == (412, "PreconditionFailed")
    assert code(s3.copy_object, **same | {"Key": "z"}, CopySourceIfNoneMatch=found["ETag"])[0] == 412
    assert code(s3.copy_object, Bucket=bucket, Key="z", CopySource={"Bucket": bucket, "Key": "no"})[1] == "NoSuchKey"
    other = {"Bucket": "somebody-else", "Key": key}
    assert code(s3.copy_object, Bucket=bucket, Key="z", CopySource=other) == (403, "AccessDenied")
    s3.delete_object(Bucket=bucket, Key=key)  # the copy does not need its source
    assert body(s3, bucket, f"{key} copy é+%") == b"content"


def test_batches_are_deleted_and_say_what_was_not(s3: Any, bucket: str, key: str) -> None:
    names = [f"{key}/<&>{number}" for number in range(3)]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    protected = "3650d/results/x"
    wanted = [{"Key": name} for name in [*names, f"{key}/absent", protected]]
    done = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert {item["Key"] for item in done["Deleted"]} == {*names, f"{key}/absent"}
    assert [(item["Key"], item["Code"]) for item in done["Errors"]] == [(protected, "AccessDenied")]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": True})
    assert "Deleted" not in quiet
    assert s3.list_objects_v2(Bucket=bucket, Prefix=key)["KeyCount"] == 0
    many = [{"Key": str(number)} for number in range(1001)]
    assert code(s3.delete_objects, Bucket=bucket, Delete={"Objects": many}) == (400, "MalformedXML")


NAMES = ("a", "a/1", "a/2", "a b", "a+b", "a%20b", "B", "b/é/1", "b/z", "z.", ".z", "é")


def test_both_listings_in_byte_order(s3: Any, bucket: str, key: str) -> None:
    names = [f"{key}/{name}" for name in sorted(NAMES, key=str.encode)]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=b"")
    for method in ("list_objects_v2", "list_objects"):
        for size in (1, 2, 5, 1000):
            pages = s3.get_paginator(method).paginate(
                Bucket=bucket, Prefix=f"{key}/", PaginationConfig={"PageSize": size}
            )
            assert [item["Key"] for page in pages for item in page.get("Contents", [])] == names
            pages = s3.get_paginator(method).paginate(
                Bucket=bucket, Prefix=f"{key}/", Delimiter="/", PaginationConfig={"PageSize": size}
            )
            found = list(pages)
            folders = [item["Prefix"] for page in found for item in page.get("CommonPrefixes", [])]
            assert folders == [f"{key}/a/", f"{key}/b/"]
            flat = [item["Key"] for page in found for item in page.get("Contents", [])]
            assert flat == [name for name in names if "/" not in name.removeprefix(f"{key}/")]
    after = s3.list_objects_v2(Bucket=bucket, Prefix=f"{key}/", StartAfter=f"{key}/b/z")
    assert [item["Key"] for item in after["Contents"]] == [name for name in names if name > f"{key}/b/z"]
    none = s3.list_objects_v2(Bucket=bucket, Prefix=f"{key}/", MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"]) == (0, False)
    assert code(s3.list_objects_v2, Bucket=bucket, ContinuationToken="?") == (400, "InvalidArgument")


def test_a_multipart_upload_step_by_step(s3: Any, bucket: str, key: str) -> None:
    where = {"Bucket": bucket, "Key": key}
    made = s3.create_multipart_upload(**where, Metadata={"a": "1"}, ContentType="text/x", ChecksumAlgorithm="CRC32C")
    upload = {**where, "UploadId": made["UploadId"]}
    parts = {}
    for number, content in ((3, b"c"), (1, b"first"), (1, b"a" * 9), (2, b"b")):  # in any order, one sent again
        said = s3.upload_part(**upload, PartNumber=number, Body=content, ChecksumAlgorithm="CRC32C")
        parts[number] = {"PartNumber": number, "ETag": said["ETag"], "ChecksumCRC32C": said["ChecksumCRC32C"]}
    listed = [
        p
        for page in s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2})
        for p in page["Parts"]
    ]
    assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in listed] == [
        (number, size, parts[number]["ETag"]) for number, size in ((1, 9), (2, 1), (3, 1))
    ]
    assert made["UploadId"] in [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket, Prefix=key)["Uploads"]]
    wrong = {"Parts": [parts[1] | {"ETag": parts[2]["ETag"]}]}
    assert code(s3.complete_multipart_upload, **upload, MultipartUpload=wrong) == (400, "InvalidPart")
    unordered = {"Parts": [parts[2], parts[1]]}
    assert code(s3.complete_multipart_upload, **upload, MultipartUpload=unordered) == (400, "InvalidPartOrder")
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [parts[n] for n in (1, 2, 3)]})
    assert done["ETag"].endswith('-3"')
    assert done["ChecksumCRC32C"].endswith("-3")
    found = s3.get_object(**where, ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["Metadata"], found["ContentType"]) == (b"aaaaaaaaabc", {"a": "1"}, "text/x")
    second = s3.get_object(**where, PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"], second["ContentRange"]) == (b"b", 3, "bytes 9-9/11")
    assert code(s3.get_object, **where, PartNumber=4)[0] == 416
    assert code(s3.upload_part, **upload, PartNumber=4, Body=b"late") == (404, "NoSuchUpload")


def test_an_upload_that_is_aborted_leaves_nothing(s3: Any, bucket: str, key: str) -> None:
    upload = {"Bucket": bucket, "Key": key, "UploadId": s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]}
    s3.upload_part(**upload, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(**upload)
    assert code(s3.list_parts, **upload) == (404, "NoSuchUpload")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket, Prefix=key)
    assert code(s3.head_object, Bucket=bucket, Key=key)[0] == 404


def test_parts_can_be_copies(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=f"{key}-source", Body=b"0123456789")
    upload = {"Bucket": bucket, "Key": key, "UploadId": s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]}
    source = {"Bucket": bucket, "Key": f"{key}-source"}
    parts = []
    for number, more in ((1, {}), (2, {"CopySourceRange": "bytes=2-4"})):
        said = s3.upload_part_copy(**upload, PartNumber=number, CopySource=source, **more)
        parts.append({"PartNumber": number, "ETag": said["CopyPartResult"]["ETag"]})
    outside = {"CopySource": source, "CopySourceRange": "bytes=5-99"}
    assert code(s3.upload_part_copy, **upload, PartNumber=3, **outside) == (400, "InvalidArgument")
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert body(s3, bucket, key) == b"0123456789234"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA256"])
def test_large_files_go_up_and_down_in_parts(s3: Any, bucket: str, key: str, algorithm: str) -> None:
    from boto3.s3.transfer import TransferConfig

    content = bytes(range(256)) * (11 * MIB // 256)
    transfer = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    more = {"ChecksumAlgorithm": algorithm}
    s3.upload_fileobj(io.BytesIO(content), bucket, key, Config=transfer, ExtraArgs=more)
    target = io.BytesIO()
    s3.download_fileobj(bucket, key, target, Config=transfer)
    assert target.getvalue() == content
    assert s3.head_object(Bucket=bucket, Key=key)["ETag"].endswith('-3"')


def test_urls_that_are_signed_in_advance(admin: Api, s3: Any, bucket: str, key: str) -> None:
    def url(method: str, **more: Any) -> str:
        return str(s3.generate_presigned_url(method, Params={"Bucket": bucket, "Key": key, **more}, ExpiresIn=60))

    assert httpx.put(url("put_object"), content=b"content").status_code == 200
    got = httpx.get(url("get_object", ResponseContentType="text/plain", ResponseContentDisposition="attachment"))
    assert (got.content, got.headers["content-type"]) == (b"content", "text/plain")
    assert got.headers["content-disposition"] == "attachment"
    assert "sandbox" in got.headers["content-security-policy"]  # no page of a user acts in the name of this origin
    assert httpx.get(url("get_object"), headers={"range": "bytes=0-1"}).content == b"co"
    assert httpx.delete(url("get_object")).status_code == 403
    assert httpx.get(url("get_object").replace(key, f"{key}x")).status_code == 403
    assert httpx.get(url("get_object").replace("X-Amz-Expires=60", "X-Amz-Expires=61")).status_code == 403
    sneaky = httpx.put(url("put_object"), headers={"x-amz-copy-source": f"/{bucket}/{key}"})
    assert sneaky.status_code == 403  # a header that was not signed
    past = url("get_object").partition("?")[0]
    assert httpx.get(f"{past}?AWSAccessKeyId=x&Signature=y&Expires=1").status_code == 400


def test_what_is_not_offered_is_said_and_never_something_else(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"kept")
    acl = {"Bucket": bucket, "Key": key, "ACL": "public-read"}
    assert code(s3.put_object_acl, **acl) == (501, "NotImplemented")
    assert code(s3.put_object, **acl, Body=b"x") == (501, "NotImplemented")
    tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
    assert code(s3.put_object_tagging, Bucket=bucket, Key=key, Tagging=tags) == (501, "NotImplemented")
    encrypted = {"Bucket": bucket, "Key": key, "ServerSideEncryption": "AES256"}
    assert code(s3.put_object, **encrypted, Body=b"x") == (501, "NotImplemented")  # no promise that is not kept
    assert code(s3.get_bucket_policy, Bucket=bucket) == (501, "NotImplemented")
    assert body(s3, bucket, key) == b"kept"


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
