"""The object storage: an S3 client library against it, and the corners that libraries do not reach."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.server.chunked import AwsChunkedDecoder, ChunkSignatures
from avatar_gitops.server.faults import StorageFault
from avatar_gitops.server.signature import SignedRequest, verify
from tests.server.api import Api
from tests.server.signing import call, raw_call, signed

AWS_EXAMPLE = SignedRequest(
    "GET",
    "/test.txt",
    "",
    [
        ("host", "examplebucket.s3.amazonaws.com"),
        ("range", "bytes=0-9"),
        ("x-amz-content-sha256", hashlib.sha256(b"").hexdigest()),
        ("x-amz-date", "20130524T000000Z"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
    ],
)
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
AWS_TIME = datetime(2013, 5, 24, tzinfo=UTC)


def test_the_example_of_the_signature_specification_verifies() -> None:
    assert verify(AWS_EXAMPLE, lambda key: AWS_SECRET, AWS_TIME).access_key_id == "AKIAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize(
    ("secret", "now", "code"),
    [
        ("another secret", AWS_TIME, "SignatureDoesNotMatch"),
        (None, AWS_TIME, "SignatureDoesNotMatch"),
        (AWS_SECRET, AWS_TIME + timedelta(minutes=16), "RequestTimeTooSkewed"),
        (AWS_SECRET, AWS_TIME - timedelta(minutes=16), "RequestTimeTooSkewed"),
    ],
)
def test_a_wrong_secret_and_a_wrong_clock_are_refused(secret: str | None, now: datetime, code: str) -> None:
    with pytest.raises(StorageFault) as fault:
        verify(AWS_EXAMPLE, lambda key: secret, now)
    assert (fault.value.status, fault.value.code) == (403, code)


def test_every_signed_part_counts(admin: Api) -> None:
    url = f"{admin.base_url}/storage/{admin.area}/signed.txt"
    keys = admin.credentials()
    assert httpx.put(url, headers=signed("PUT", url, keys), content=b"x").status_code == 200
    good = signed("GET", url, keys)
    assert httpx.get(url, headers=good).content == b"x"
    assert httpx.get(url).status_code == 403
    assert httpx.head(url, headers=good).status_code == 403
    assert httpx.get(f"{url}?partNumber=1", headers=good).status_code == 403
    assert httpx.get(url.replace("signed", "sighed"), headers=good).status_code == 403
    assert httpx.get(url, headers={**good, "x-amz-content-sha256": "0" * 64}).status_code == 403
    late = signed("GET", url, keys, when=datetime.now(UTC) - timedelta(minutes=20))
    response = httpx.get(url, headers=late)
    assert (response.status_code, response.headers["content-type"]) == (403, "application/xml")
    assert "<Code>RequestTimeTooSkewed</Code>" in response.text


def test_nobody_reaches_the_bucket_of_another(admin: Api, other: Api) -> None:
    admin.upload("private.csv", b"secret")
    for method, path in (("GET", f"{admin.area}/private.csv"), ("PUT", f"{admin.area}/planted"), ("GET", admin.bucket)):
        response = call(other, method, path)
        assert response.status_code == 403
        assert "<Code>AccessDenied</Code>" in response.text
    envelope = f"{admin.base_url}/api/access?url=s3://{admin.area}/private.csv"
    assert other.http.get("/access", params={"url": envelope}).status_code == 403
    sneaky = f"{admin.base_url}/api/access?url=s3://{other.bucket}/../{admin.area}/private.csv"
    status, body = raw_call(other, "GET", f"{other.bucket}/../{admin.area}/private.csv")
    assert (status, b"NoSuchKey" in body) == (404, True)
    batch = other.http.post("/access/batch", json=[envelope, sneaky, 7, "nonsense"]).json()
    assert [item["url"] for item in batch] == [sneaky]
    assert batch[0]["credentials"] == other.credentials()


@pytest.mark.parametrize(
    "key",
    [
        "..%2F..%2Fescape",
        "../../escape",
        "%2e%2e/%2e%2e/escape",
        "/etc/passwd",
        "a+b",
        "%C3%A9%20trailing%20",
        "dots...",
    ],
)
def test_keys_are_names_not_paths(admin: Api, state_dir: Path, key: str) -> None:
    before = {path for path in state_dir.parent.rglob("*") if state_dir / "blobs" not in path.parents}
    content = key.encode()
    assert raw_call(admin, "PUT", f"{admin.bucket}/{key}", content)[0] == 200
    assert raw_call(admin, "GET", f"{admin.bucket}/{key}") == (200, content)
    after = {path for path in state_dir.parent.rglob("*") if state_dir / "blobs" not in path.parents}
    assert {path.name for path in after - before} <= {"platform.sqlite3-wal", "platform.sqlite3-shm"}


def test_keys_that_differ_by_case_or_normal_form_stay_apart(admin: Api) -> None:
    store, keys = admin.store(), ["form/A.csv", "form/a.csv", "form/\u00e9", "form/e\u0301", "form/a b", "form/a+b"]
    for key in keys:
        store.put(key, key.encode())
    assert [bytes(store.get(key).bytes()) for key in keys] == [key.encode() for key in keys]


def test_a_library_uploads_in_parts_lists_and_deletes(admin: Api) -> None:
    store = admin.store()
    big = bytes(range(256)) * (20 << 12)
    result = store.put("big/20MiB.bin", big)
    assert str(result["e_tag"]).strip('"').endswith("-4"), "the library is expected to send parts"
    assert bytes(store.get("big/20MiB.bin").bytes()) == big
    assert bytes(store.get_range("big/20MiB.bin", start=5_000_000, end=5_000_010)) == big[5_000_000:5_000_010]
    store.put("big/inner/small", b"1")
    listing = store.list_with_delimiter("big")
    assert [item["path"] for item in listing["objects"]] == ["big/20MiB.bin"]
    assert list(listing["common_prefixes"]) == ["big/inner"]
    store.delete(["big/20MiB.bin", "big/inner/small"])
    assert [item for batch in store.list("big") for item in batch] == []


def test_a_listing_is_paged_in_key_order(admin: Api) -> None:
    store = admin.store()
    for number in range(7):
        store.put(f"page/{number // 3}/{number}", b"")
    seen: list[str] = []
    token = ""
    while True:
        query = f"{token}delimiter=&list-type=2&max-keys=2&prefix=page%2F"
        text = call(admin, "GET", admin.bucket, query=query).text
        seen += [part.partition("</Key>")[0] for part in text.split("<Key>")[1:]]
        if "<IsTruncated>false" in text:
            break
        last = text.partition("<NextContinuationToken>")[2].partition("<")[0]
        token = f"continuation-token={quote(last, safe='')}&"
    assert seen == [f"page/{number // 3}/{number}" for number in range(7)]
    folders = call(admin, "GET", admin.bucket, query="delimiter=%2F&list-type=2&max-keys=2&prefix=page%2F").text
    assert folders.count("<CommonPrefixes>") == 2
    assert "<IsTruncated>true" in folders


@pytest.mark.parametrize(
    ("header", "status", "content", "window"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=0-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
    ],
)
def test_ranges(admin: Api, header: str, status: int, content: bytes | None, window: str | None) -> None:
    admin.store().put("ranges", b"0123456789")
    response = call(admin, "GET", f"{admin.bucket}/ranges", headers={"range": header})
    assert response.status_code == status
    assert content is None or response.content == content
    assert response.headers.get("content-range") == window


def test_conditions_and_missing_objects(admin: Api) -> None:
    path = f"{admin.bucket}/conditional"
    first = call(admin, "PUT", path, content=b"1")
    tag = first.headers["etag"]
    assert call(admin, "GET", path, headers={"if-match": tag}).content == b"1"
    call(admin, "PUT", path, content=b"2")
    assert call(admin, "GET", path, headers={"if-match": tag}).status_code == 412
    assert call(admin, "PUT", path, content=b"3", headers={"if-none-match": "*"}).status_code == 412
    assert call(admin, "PUT", path, content=b"3", headers={"if-none-match": tag}).status_code == 501
    assert call(admin, "GET", path).content == b"2"
    missing = call(admin, "GET", f"{admin.bucket}/missing")
    assert (missing.status_code, "<Code>NoSuchKey</Code>" in missing.text) == (404, True)
    assert call(admin, "HEAD", f"{admin.bucket}/missing").status_code == 404
    assert call(admin, "HEAD", admin.bucket).status_code == 200
    assert call(admin, "PUT", admin.bucket).status_code == 200
    assert "LocationConstraint" in call(admin, "GET", admin.bucket, query="location=").text


def test_a_write_can_rest_on_what_was_read(admin: Api, state_dir: Path) -> None:
    path = f"{admin.bucket}/replaced"
    assert call(admin, "PUT", path, content=b"0", headers={"if-match": "*"}).status_code == 404
    first = call(admin, "PUT", path, content=b"1", headers={"if-none-match": "*"}).headers["etag"]
    second = call(admin, "PUT", path, content=b"2", headers={"if-match": first}).headers["etag"]
    blobs = {blob.name for blob in (state_dir / "blobs").glob("*/*")}
    late = call(admin, "PUT", path, content=b"3", headers={"if-match": first})
    assert (late.status_code, "<Code>PreconditionFailed</Code>" in late.text) == (412, True)
    assert {blob.name for blob in (state_dir / "blobs").glob("*/*")} == blobs, "a refused body leaves nothing behind"
    assert call(admin, "GET", path).content == b"2"
    assert call(admin, "PUT", path, content=b"4", headers={"if-match": second}).status_code == 200


def test_of_many_writes_that_rest_on_the_same_reading_one_wins(admin: Api) -> None:
    path = f"{admin.bucket}/raced"

    def statuses(condition: dict[str, str]) -> list[int]:
        def one(number: int) -> int:
            return call(admin, "PUT", path, content=f"{condition}{number}".encode(), headers=condition).status_code

        with ThreadPoolExecutor(8) as pool:
            return sorted(pool.map(one, range(8)))

    assert statuses({"if-none-match": "*"}) == [200] + [412] * 7
    assert statuses({"if-match": call(admin, "HEAD", path).headers["etag"]}) == [200] + [412] * 7


def test_a_body_must_have_the_digests_that_were_declared(admin: Api) -> None:
    path = f"{admin.bucket}/digests"
    right = hashlib.sha256(b"body").hexdigest()
    assert call(admin, "PUT", path, content=b"body", payload=right).status_code == 200
    wrong = call(admin, "PUT", path, content=b"b0dy", payload=right)
    assert "<Code>XAmzContentSHA256Mismatch</Code>" in wrong.text
    bad_crc = call(admin, "PUT", path, content=b"b0dy", headers={"x-amz-checksum-crc32": "AAAAAA=="})
    assert "<Code>BadDigest</Code>" in bad_crc.text
    assert call(admin, "GET", path).content == b"body"


def test_the_framing_of_chunked_uploads_is_removed(admin: Api) -> None:
    content = b"avatar" * 1000
    crc = b64encode(zlib.crc32(content).to_bytes(4, "big"))
    headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(content))}
    undeclared, headers = headers, {**headers, "x-amz-trailer": "x-amz-checksum-crc32"}
    path, streaming = f"{admin.bucket}/framed", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    body = frame(content, [100, 4000, 1900]) + b"x-amz-checksum-crc32:" + crc + b"\r\n\r\n"
    assert call(admin, "PUT", path, content=body, payload=streaming, headers=headers).status_code == 200
    assert call(admin, "GET", path).content == content
    assert call(admin, "PUT", path, content=body, payload=streaming, headers=undeclared).status_code == 400
    damaged = body.replace(crc, b"AAAAAA==")
    assert call(admin, "PUT", path, content=damaged, payload=streaming, headers=headers).status_code == 400
    unsigned = call(admin, "PUT", path, content=body, payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
    assert (unsigned.status_code, "SignatureDoesNotMatch" in unsigned.text) == (403, True)
    other = call(admin, "PUT", path, content=body, payload="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")
    assert other.status_code == 501


CHUNKED_EXAMPLE = SignedRequest(
    "PUT",
    "/examplebucket/chunkObject.txt",
    "",
    [
        ("host", "s3.amazonaws.com"),
        ("content-encoding", "aws-chunked"),
        ("content-length", "66824"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-decoded-content-length", "66560"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
            "x-amz-decoded-content-length;x-amz-storage-class,"
            "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
        ),
    ],
)
CHUNKS = (
    (65536, b"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1024, b"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, b"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)


def chunked(chunks: Sequence[tuple[int, bytes]], letter: bytes = b"a") -> bytes:
    return b"".join(b"%x;chunk-signature=%s\r\n%s\r\n" % (size, sign, letter * size) for size, sign in chunks)


@pytest.mark.parametrize("step", [1, 7, 70_000])
def test_the_example_of_signed_chunks_verifies(step: int) -> None:
    seed = verify(CHUNKED_EXAMPLE, lambda key: AWS_SECRET, AWS_TIME)
    decoder, body = AwsChunkedDecoder(ChunkSignatures(seed)), chunked(CHUNKS)
    out = b"".join(decoder.feed(body[at : at + step]) for at in range(0, len(body), step))
    decoder.finish()
    assert out == b"a" * 66560


@pytest.mark.parametrize(
    "body",
    [
        chunked(CHUNKS, b"b"),
        chunked([CHUNKS[1], CHUNKS[0], CHUNKS[2]]),
        chunked([CHUNKS[0], CHUNKS[2]]),
        chunked([*CHUNKS[:2], (0, b"0" * 64)]),
    ],
    ids=["other bytes", "other order", "one left out", "no signature of the end"],
)
def test_chunks_cannot_be_changed_swapped_or_cut(body: bytes) -> None:
    decoder = AwsChunkedDecoder(ChunkSignatures(verify(CHUNKED_EXAMPLE, lambda key: AWS_SECRET, AWS_TIME)))
    with pytest.raises(StorageFault, match="signature of a chunk"):
        decoder.feed(body)


def test_signed_chunks_that_end_early_are_not_complete() -> None:
    decoder = AwsChunkedDecoder(ChunkSignatures(verify(CHUNKED_EXAMPLE, lambda key: AWS_SECRET, AWS_TIME)))
    decoder.feed(chunked(CHUNKS[:2]))
    with pytest.raises(StorageFault, match="damaged"):
        decoder.finish()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_with_declarations_is_refused(admin: Api, encoding: str) -> None:
    body = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>'
    response = call(admin, "POST", admin.bucket, query="delete=", content=body.encode(encoding))
    assert (response.status_code, "<Code>MalformedXML</Code>" in response.text) == (400, True)


def test_results_cannot_be_forged(admin: Api) -> None:
    path = f"{admin.area}/results/some-set/some-job/wbcd.shuffled-0.csv"
    for method in ("PUT", "DELETE"):
        assert call(admin, method, path).status_code == 403


def frame(content: bytes, sizes: list[int]) -> bytes:
    """The aws-chunked form of some bytes up to its trailers."""
    pieces, start = [], 0
    for size in [*sizes, len(content)]:
        piece = content[start : start + size]
        start += size
        if piece:
            pieces.append(f"{len(piece):x}".encode() + b"\r\n" + piece + b"\r\n")
    return b"".join(pieces) + b"0\r\n"


@given(content=st.binary(max_size=200), sizes=st.lists(st.integers(1, 40)), cuts=st.lists(st.integers(1, 30)))
def test_framing_is_removed_wherever_the_network_cuts_it(content: bytes, sizes: list[int], cuts: list[int]) -> None:
    body = frame(content, sizes) + b"x-amz-checksum-crc32:AAAA\r\n\r\n"
    decoder, out = AwsChunkedDecoder(), b""
    for cut in [*cuts, len(body)]:
        out += decoder.feed(body[:cut])
        body = body[cut:]
    decoder.finish()
    assert out == content
    assert decoder.trailers == {"x-amz-checksum-crc32": "AAAA"}
