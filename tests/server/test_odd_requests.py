"""Requests that no client sends: each is answered in the form of its interface, and leaves no traceback in the log."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import anyio
import pytest
from starlette.types import Message, Receive, Scope, Send

from avatar_gitops.server import routes_storage
from avatar_gitops.server.app import LastResort
from avatar_gitops.server.digits import number_in
from avatar_gitops.server.state import StateFolder
from tests.server.api import Api
from tests.server.signing import call, signed

MANY = "9" * 5000
CONTENT = b"odd content"


@dataclass(frozen=True)
class Odd:
    """A request with the placeholders {object}, {upload}, {day} and {now}, and what its answer has to be."""

    method: str
    target: str
    status: int
    says: str = ""  # the code of an XML error, or a part of the answer
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    payload: str = "UNSIGNED-PAYLOAD"


def presigned(expires: str = "60", date: str = "{now}", signature: str = "0" * 64) -> str:
    """A signed URL with a wrong signature."""
    day = date.partition("T")[0] if date != "{now}" else "{day}"
    said = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F{day}%2Fr%2Fs3%2Faws4_request&X-Amz-Date={date}"
    return f"/storage/u/x?{said}&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}"


OBJECT = "/storage/{object}"
JSON_BODY = {"content-type": "application/json"}
FAR_YEAR = f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT"
FAR_OFFSET = "Mon, 01 Jan 2024 00:00:00 +9999999999999"
COPIED = {"x-amz-copy-source": "/{object}", "x-amz-copy-source-range": f"bytes=0-{MANY}"}
BULK, USERS = "/api/jobs/bulk-delete", "/api/users"
ODD = {
    "unsigned-expires": Odd("GET", presigned(expires=MANY), 400, "AuthorizationQueryParametersError"),
    "unsigned-signature": Odd("GET", presigned(signature="%C3%A9"), 403, "SignatureDoesNotMatch"),
    "unsigned-last-year": Odd("GET", presigned(date="99991231T235959Z"), 403, "RequestTimeTooSkewed"),
    "page-file": Odd("GET", f"/runs/x/files/y/{MANY}", 404, "404"),
    "page-figure": Odd("GET", f"/runs/x/figures/y/{MANY}/picture", 404, "404"),
    "jobs-surrogate": Odd("POST", BULK, 422, "job_names", JSON_BODY, b'{"job_names": ["\\ud800"]}'),
    "jobs-nul": Odd("POST", BULK, 422, "job_names", JSON_BODY, b'{"job_names": ["\\u0000"]}'),
    "user-surrogate": Odd("POST", USERS, 422, "email", JSON_BODY, b'{"email": "a\\ud800@example.org"}'),
    "agent-major": Odd("GET", "/api/jobs", 200, "jobs", {"user-agent": f"avatar-python/{MANY}.1.1"}),
    "agent-minor": Odd("GET", "/api/jobs", 200, "jobs", {"user-agent": f"avatar-python/1.{MANY}.1"}),
    "range-first": Odd("GET", OBJECT, 416, "InvalidRange", {"range": f"bytes={MANY}-"}),
    "range-last": Odd("GET", OBJECT, 206, "odd content", {"range": f"bytes=0-{MANY}"}),
    "range-suffix": Odd("GET", OBJECT, 206, "odd content", {"range": f"bytes=-{MANY}"}),
    "range-both": Odd("GET", OBJECT, 416, "InvalidRange", {"range": f"bytes={MANY}-{MANY}"}),
    "part-of-object": Odd("GET", f"{OBJECT}?partNumber={MANY}", 400, "InvalidArgument"),
    "part-put": Odd("PUT", f"{OBJECT}?partNumber={MANY}&uploadId={{upload}}", 400, "InvalidArgument"),
    "part-range": Odd("PUT", f"{OBJECT}?partNumber=1&uploadId={{upload}}", 400, "InvalidArgument", COPIED),
    "marker-30": Odd("GET", f"{OBJECT}?part-number-marker={MANY[:30]}&uploadId={{upload}}", 200, "ListPartsResult"),
    "marker-5000": Odd("GET", f"{OBJECT}?part-number-marker={MANY}&uploadId={{upload}}", 200, "ListPartsResult"),
    "since-year": Odd("GET", OBJECT, 200, "odd content", {"if-modified-since": FAR_YEAR}),
    "since-offset": Odd("GET", OBJECT, 200, "odd content", {"if-modified-since": FAR_OFFSET}),
    "declared-length": Odd("PUT", OBJECT, 400, "EntityTooLarge", {"x-amz-decoded-content-length": MANY}),
    "xml-encoding": Odd(
        "POST", f"{OBJECT}?uploadId={{upload}}", 400, "MalformedXML", {}, b'<?xml version="1.0" encoding="foo"?><a/>'
    ),
    "xml-multi-byte": Odd(
        "POST", f"{OBJECT}?uploadId={{upload}}", 400, "MalformedXML", {}, b'<?xml version="1.0" encoding="big5"?><a/>'
    ),
    "chunk-signature": Odd(
        "PUT",
        OBJECT,
        403,
        "SignatureDoesNotMatch",
        {},
        b"3;chunk-signature=\xff\r\nabc\r\n0;chunk-signature=\xff\r\n\r\n",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    ),
}


@pytest.fixture(scope="module")
def places(admin: Api) -> Iterator[dict[str, str]]:
    """What the placeholders stand for: an object that is there, and an upload that is open."""
    path = f"{admin.area}/odd.txt"
    admin.upload("odd.txt", CONTENT)
    begun = ElementTree.fromstring(call(admin, "POST", path, query="uploads=").content)
    upload = begun.findtext("{*}UploadId", "")
    yield {"object": path, "upload": upload}
    call(admin, "DELETE", path, query=f"uploadId={upload}")


def send(admin: Api, odd: Odd, places: Mapping[str, str]) -> tuple[int, str, bytes]:
    """Status, content type and body of the answer; everything is sent as it is written."""
    now = datetime.now(UTC)
    values = {**places, "day": f"{now:%Y%m%d}", "now": f"{now:%Y%m%dT%H%M%SZ}"}
    target = odd.target.format(**values)
    headers = {name: value.format(**values) for name, value in odd.headers.items()}
    if target.startswith("/api"):
        headers = {"authorization": f"api-key-v1 {admin.key}", **headers}
    elif "{object}" in odd.target:
        url = f"{admin.base_url}{target}"
        headers |= signed(odd.method, url, admin.credentials(), payload=odd.payload, more=headers)
    where = urlsplit(admin.base_url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
    try:
        connection.request(odd.method, target, body=odd.body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get_content_type(), answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("name", ODD)
def test_an_odd_request_is_answered_and_leaves_no_traceback(
    admin: Api, state_dir: Path, places: Mapping[str, str], name: str
) -> None:
    odd, log = ODD[name], StateFolder(state_dir).log
    before = log.stat().st_size
    status, kind, body = send(admin, odd, places)
    assert status == odd.status, body
    if status < 400:
        assert odd.says.encode() in body
    elif odd.target.startswith("/storage"):
        assert (kind, ElementTree.fromstring(body).findtext("Code")) == ("application/xml", odd.says)
    elif odd.target.startswith("/api"):
        assert kind == "application/json"
        assert odd.says in str(json.loads(body)["detail"])
    else:
        assert kind == "text/html"
        assert odd.says in body.decode()
    logged = log.read_bytes()[before:].decode()
    assert "Traceback" not in logged
    assert "Error" not in logged
    assert call(admin, "GET", places["object"]).content == CONTENT


def test_of_a_batch_with_one_impossible_name_nothing_is_deleted(admin: Api) -> None:
    answer = admin.http.post("/jobs/bulk-delete", content=b'{"job_names": ["known", "\\ud800"]}', headers=JSON_BODY)
    assert (answer.status_code, "\\ud800" in answer.text) == (422, False)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("7", 7), ("007", 7), ("0", 0), (MANY, 10), ("0" * 5000 + "3", 3), ("11", 10)),
        *((text, None) for text in ("", "-1", "\u0663", "\u00b2", "1_0", " 1")),
    ],
)
def test_numbers_are_ascii_digits_of_any_length(text: str, number: int | None) -> None:
    assert number_in(text, 10) == number


def test_a_fault_of_the_storage_is_an_xml_error_and_its_text_is_not_logged(
    admin: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from fastapi import Request

    def broken(_request: Request) -> None:
        raise KeyError("canary-value")

    monkeypatch.setattr(routes_storage, "authorized", broken)
    answer = anyio.run(routes_storage.handle, Request({"type": "http", "method": "GET", "headers": []}))
    code = ElementTree.fromstring(bytes(answer.body)).findtext("Code")
    assert (answer.status_code, answer.media_type, code) == (500, "application/xml", "InternalError")
    assert "storage GET: KeyError at test_odd_requests.py:" in caplog.text
    assert "canary-value" not in caplog.text


def test_a_fault_after_the_answer_has_begun_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Message] = []

    async def torn(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("canary-value")

    async def receive() -> Message:
        return {"type": "http.request"}

    async def keep(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/api/jobs"}
    anyio.run(LastResort(torn), scope, receive, keep)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert "GET ['api', 'jobs']: KeyError at test_odd_requests.py:" in caplog.text
    assert "canary-value" not in caplog.text
