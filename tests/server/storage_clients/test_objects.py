"""Objects, listings, conditions, copies and signed URLs, with boto3 as people use it."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.server.api import Api
from tests.server.storage_clients.boto import body, code

pytestmark = pytest.mark.services


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
