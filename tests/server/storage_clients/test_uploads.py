"""Objects that go up and down in parts, with boto3."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests.server.storage_clients.boto import MIB, body, code

pytestmark = pytest.mark.services


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
