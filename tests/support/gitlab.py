"""A GitLab on loopback for tests: real HTTP, the published rules for tokens, notes, approvals and paging."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

TOKEN = "glpat-CANARYsecret0123456789"
PROJECT = 42
LONGEST_NOTE = 1_000_000
ROBOT = "project_42_bot"


@dataclass
class FakeGitLab:
    """State of the stand-in, and what was asked of it. `broken_rules` must stay empty."""

    head: str
    state: str = "opened"
    merge_commit: str | None = None
    approved_by: list[str] = field(default_factory=list)
    reset_on_push: bool = True
    committers_may_not: bool = True
    notes: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    broken_rules: list[str] = field(default_factory=list)
    url: str = ""

    def note(self, body: str, username: str = ROBOT, *, system: bool = False) -> dict[str, Any]:
        made = {"id": 500 + len(self.notes), "body": body, "system": system, "author": {"username": username}}
        self.notes.append(made)
        return made

    def merge_request(self) -> dict[str, Any]:
        return {
            "iid": 7,
            "sha": self.head,
            "state": self.state,
            "author": {"username": "a.martin"},
            "merge_commit_sha": self.merge_commit,
            "squash_commit_sha": None,
        }


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    fake: FakeGitLab

    def log_message(self, format: str, *args: object) -> None:
        return None

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.fake.requests.append((self.command, self.path))
        if self.headers.get("PRIVATE-TOKEN") != TOKEN:
            self.reply(401, {"message": "401 Unauthorized"}, {})
        else:
            self.reply(*self.route(content))

    def route(self, content: bytes) -> tuple[int, Any, dict[str, str]]:
        path, base = urlsplit(self.path).path, f"/api/v4/projects/{PROJECT}"
        if path == "/api/v4/user":
            return 200, {"id": 9, "username": ROBOT}, {}
        if path == f"{base}/approvals":
            settings = {"merge_requests_disable_committers_approval": self.fake.committers_may_not}
            return 200, {"reset_approvals_on_push": self.fake.reset_on_push, **settings}, {}
        if path == f"{base}/merge_requests/7":
            return 200, self.fake.merge_request(), {}
        if path == f"{base}/merge_requests/7/approvals":
            return 200, {"approved_by": [{"user": {"username": name}} for name in self.fake.approved_by]}, {}
        if found := re.fullmatch(rf"{base}/repository/commits/([0-9a-f]{{40}})/merge_requests", path):
            return self.page([self.fake.merge_request()] if found[1] == self.fake.merge_commit else [])
        if found := re.fullmatch(rf"{base}/merge_requests/7/notes(?:/(\d+))?", path):
            return self.notes(int(found[1]) if found[1] else None, content)
        return 404, {"message": "404 Not Found"}, {}

    def notes(self, identity: int | None, content: bytes) -> tuple[int, Any, dict[str, str]]:
        if self.command == "GET":
            newest_first = parse_qs(urlsplit(self.path).query).get("sort", ["desc"])[0] == "desc"
            return self.page(self.fake.notes[::-1] if newest_first else self.fake.notes)
        body = json.loads(content)
        if set(body) != {"body"} or not body["body"].strip() or len(body["body"]) > LONGEST_NOTE:
            self.fake.broken_rules.append("a note outside of the limits")
            return 400, {"message": "400 (Bad request)"}, {}
        if self.command == "POST" and identity is None:
            return 201, self.fake.note(body["body"]), {}
        found = next((note for note in self.fake.notes if note["id"] == identity), None)
        if self.command != "PUT" or found is None:
            return 404, {"message": "404 Not Found"}, {}
        if found["author"]["username"] != ROBOT:
            self.fake.broken_rules.append("edited the note of somebody else")
        found["body"] = body["body"]
        return 200, found, {}

    def page(self, items: list[Any]) -> tuple[int, Any, dict[str, str]]:
        """One page of a list, 20 items unless asked for up to 100."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        number, amount = int(query.get("page", "1")), min(int(query.get("per_page", "20")), 100)
        headers = {}
        if number * amount < len(items):
            headers["Link"] = f'<{self.fake.url}{parts.path}?{urlencode({**query, "page": number + 1})}>; rel="next"'
        return 200, items[(number - 1) * amount : number * amount], headers

    def reply(self, status: int, content: Any, headers: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def fake_gitlab(head: str) -> Iterator[FakeGitLab]:
    """A stand-in with one merge request, number 7, that answers until the block ends."""
    fake = FakeGitLab(head)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"fake": fake}))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert fake.broken_rules == []
