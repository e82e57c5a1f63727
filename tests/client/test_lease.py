"""The note of a lease in object storage that has conditional writes, refuses them, or ignores them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from avatar_gitops.client.lease import StoredNote, key_of
from avatar_gitops.client.objects import Objects
from avatar_gitops.errors import RemoteUnavailable


class Bucket(ThreadingHTTPServer):
    """One object of S3; `conditions` says what becomes of conditional writes: kept, refused or ignored."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content: bytes | None = None
        self.conditions = "kept"
        self.broken = False


class Handler(BaseHTTPRequestHandler):
    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    @property
    def tag(self) -> str:
        content = cast("Bucket", self.server).content
        return f'"{hashlib.md5(content or b"", usedforsecurity=False).hexdigest()}"'

    def do_GET(self) -> None:
        bucket = cast("Bucket", self.server)
        if bucket.broken:
            self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        elif bucket.content is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            dated = {"ETag": self.tag, "Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
            self._answer(200, bucket.content, **dated)

    def do_PUT(self) -> None:
        bucket = cast("Bucket", self.server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        absent, wanted = self.headers.get("If-None-Match"), self.headers.get("If-Match")
        if (absent or wanted) and bucket.conditions == "refused":
            self._answer(400, b"<Error><Code>NotImplemented</Code></Error>")
            return
        if bucket.conditions == "kept" and ((absent and bucket.content is not None) or (wanted and wanted != self.tag)):
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        bucket.content = body
        self._answer(200, ETag=self.tag)

    def log_message(self, *said: Any) -> None:
        return None


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with Bucket() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def note(bucket: Bucket) -> StoredNote:
    from obstore.store import S3Store

    class Area:
        def input_area(self, key: str) -> tuple[S3Store, str]:
            endpoint = f"http://127.0.0.1:{bucket.server_port}"
            options: Any = {"allow_http": True, "proxy_url": endpoint, "proxy_excludes": "127.0.0.1"}
            store = S3Store(
                "bucket",
                endpoint=endpoint,
                region="us-east-1",
                access_key_id="a",
                secret_access_key="b",
                client_options=options,
                retry_config={"max_retries": 0},
            )
            return store, key

    return StoredNote(cast("Objects", Area()), key_of("hospital"))


@pytest.mark.parametrize("conditions", ["kept", "refused", "ignored"])
def test_only_who_has_read_a_note_replaces_it(bucket: Bucket, conditions: str) -> None:
    bucket.conditions = conditions
    one, two = note(bucket), note(bucket)
    assert one.read() is None
    first = one.write(b"1", None)
    assert first is not None
    assert one.exact is (conditions == "kept"), "what the storage cannot do is found out by the first write"
    if conditions != "ignored":  # a first write that is no first write is all that tells such storage
        assert two.write(b"2", None) is None
        assert one.read() == (b"1", first)
    second = one.write(b"3", first)
    assert second is not None
    assert one.write(b"4", first) is None
    assert one.read() == (b"3", second)


def test_trouble_says_what_and_quotes_nothing(bucket: Bucket) -> None:
    bucket.broken = True
    with pytest.raises(RemoteUnavailable) as caught:
        note(bucket).read()
    assert "127.0.0.1" not in str(caught.value)
    assert caught.value.exit_code == 9


def test_a_note_that_is_far_too_large_is_not_read(bucket: Bucket) -> None:
    bucket.content = b"x" * (65 << 10)
    found = note(bucket).read()
    assert found is not None
    assert found[0] == b""
