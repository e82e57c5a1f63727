"""A GitHub on loopback for tests: real HTTP, the published rules for headers, bodies, paging and error shapes."""

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

from tests.support.github_rules import LONGEST_BODY, LONGEST_TITLE, broken

TOKEN = "ghs_CANARYsecret0123456789"
REPOSITORY = "acme/data"
DOCS = "https://docs.github.com/rest"


@dataclass
class Pull:
    """A pull request."""

    number: int
    head: str
    owner: str = "acme"
    branch: str = "topic"
    author: str = "a.martin"
    state: str = "open"
    merge_commit: str | None = None
    reviews: list[dict[str, Any]] = field(default_factory=list)
    committers: list[str] = field(default_factory=list)
    base: str = ""

    def document(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "state": self.state,
            "user": {"login": self.author, "type": "User"},
            "head": {"sha": self.head, "ref": self.branch, "repo": {"id": 1, "full_name": f"{self.owner}/data"}},
            "base": {"ref": "main", "sha": self.base, "repo": {"id": 1, "full_name": REPOSITORY}},
            "merge_commit_sha": self.merge_commit,
        }


@dataclass
class Planned:
    """An answer instead of the real one for the next request of a method; `act` = it is carried out all the same."""

    method: str
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "planned"
    act: bool = False


@dataclass
class FakeGitHub:
    """State of the stand-in, and what was asked of it. `broken_rules` must stay empty."""

    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    broken_rules: list[str] = field(default_factory=list)
    login: str = "github-actions[bot]"
    may_write: bool = True
    url: str = ""

    def comment(self, number: int, body: str, login: str = "github-actions[bot]") -> dict[str, Any]:
        identity = 1000 + len(self.comments)
        made = {
            "id": identity,
            "number": number,
            "body": body,
            "user": {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"},
            "html_url": f"https://github.com/{REPOSITORY}/pull/{number}#issuecomment-{identity}",
        }
        self.comments.append(made)
        return made

    @property
    def writes(self) -> list[str]:
        return [method for method, _ in self.requests if method != "GET"]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    fake: FakeGitHub

    def log_message(self, format: str, *args: object) -> None:
        return None

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PATCH(self) -> None:
        self.answer()

    def do_DELETE(self) -> None:
        self.answer()

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.fake.requests.append((self.command, self.path))
        self.fake.bodies.append(content)
        planned = next((item for item in self.fake.planned if item.method == self.command), None)
        if planned is not None:
            self.fake.planned.remove(planned)
            if planned.act:
                self.route(content)
            self.reply(planned.status, {"message": planned.message, "documentation_url": DOCS}, planned.headers)
            return
        self.reply(*self.checked(content))

    def checked(self, content: bytes) -> tuple[int, Any, dict[str, str]]:
        """Rules that hold for every request, then the route."""
        if not self.headers.get("User-Agent"):
            self.fake.broken_rules.append("no User-Agent")
            return 403, {"message": "Request forbidden by administrative rules."}, {}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials", "documentation_url": DOCS, "status": "401"}, {}
        self.fake.broken_rules += broken(self.command, self.path, dict(self.headers), content, REPOSITORY)
        return self.route(content)

    def route(self, content: bytes) -> tuple[int, Any, dict[str, str]]:
        path = urlsplit(self.path).path
        prefix = f"/repos/{REPOSITORY}"
        if found := re.fullmatch(prefix + r"/issues/(\d+)/comments", path):
            return self.comments(int(found[1]), content)
        if found := re.fullmatch(prefix + r"/issues/comments/(\d+)", path):
            return self.edit(int(found[1]), content)
        if found := re.fullmatch(prefix + r"/pulls/(\d+)(/reviews|/commits)?", path):
            pull = self.fake.pulls.get(int(found[1]))
            if pull is None:
                return self.missing()
            if found[2] == "/commits":
                return self.page(
                    [{"author": {"login": one}, "committer": {"login": "web-flow"}} for one in pull.committers]
                )
            return self.page(pull.reviews) if found[2] else (200, pull.document(), {})
        if path == prefix + "/pulls":
            return self.page([pull.document() for pull in self.fake.pulls.values() if self.wanted(pull)])
        if found := re.fullmatch(prefix + r"/commits/([0-9a-f]{40})/pulls", path):
            return self.page([p.document() for p in self.fake.pulls.values() if p.merge_commit == found[1]])
        return self.route_issues(path.removeprefix(prefix), content)

    def route_issues(self, path: str, content: bytes) -> tuple[int, Any, dict[str, str]]:
        if path == "/labels" and self.command == "POST":
            return self.label(content)
        found = re.fullmatch(r"/issues(?:/(\d+))?", path)
        return self.issues(int(found[1]) if found[1] else None, content) if found else self.missing()

    def wanted(self, pull: Pull) -> bool:
        query = parse_qs(urlsplit(self.path).query)
        head = query.get("head", [f"{pull.owner}:{pull.branch}"])[0]
        return f"{pull.owner}:{pull.branch}" == head and query.get("state", ["open"])[0] in {pull.state, "all"}

    def comments(self, number: int, content: bytes) -> tuple[int, Any, dict[str, str]]:
        if number not in self.fake.pulls and number not in self.fake.issues:
            return self.missing()
        if self.command == "GET":
            return self.page([item for item in self.fake.comments if item["number"] == number])
        refused = self.refused(content)
        if refused is not None:
            return refused
        return 201, self.fake.comment(number, json.loads(content)["body"], self.fake.login), {}

    def edit(self, identity: int, content: bytes) -> tuple[int, Any, dict[str, str]]:
        found = next((item for item in self.fake.comments if item["id"] == identity), None)
        if found is None:
            return self.missing()
        if self.command != "PATCH":
            self.fake.broken_rules.append(f"{self.command} on a comment")
            return self.missing()
        refused = self.refused(content)
        if refused is not None:
            return refused
        if found["user"]["login"] != self.fake.login:
            self.fake.broken_rules.append("edited the comment of somebody else")
        found["body"] = json.loads(content)["body"]
        return 200, found, {}

    def label(self, content: bytes) -> tuple[int, Any, dict[str, str]]:
        """Names are unique whatever their case."""
        body = json.loads(content)
        known = [{"resource": "Label", "code": "already_exists", "field": "name"}]
        if body["name"].lower() in map(str.lower, self.fake.labels):
            return 422, {"message": "Validation Failed", "errors": known, "documentation_url": DOCS}, {}
        self.fake.labels.append(body["name"])
        return 201, body, {}

    def issues(self, number: int | None, content: bytes) -> tuple[int, Any, dict[str, str]]:
        """List, open or change issues; a pull request is listed as an issue with a key of its own."""
        if self.command == "GET" and number is None:
            query = parse_qs(urlsplit(self.path).query)
            state, label = query.get("state", ["open"])[0], query.get("labels", [""])[0]
            pulls = [{**pull.document(), "labels": [], "pull_request": {}} for pull in self.fake.pulls.values()]
            listed = [*self.fake.issues.values(), *pulls]
            chosen = [item for item in listed if state in {item["state"], "all"}]
            return self.page([item for item in chosen if not label or label in item["labels"]])
        if not self.fake.may_write:
            return 403, {"message": "Resource not accessible by integration", "status": "403"}, {}
        body = json.loads(content)
        text, title = body.get("body", ""), body.get("title", "-")
        if len(text) > LONGEST_BODY or len(title) > LONGEST_TITLE or not title.strip():
            return 422, {"message": "Validation Failed", "documentation_url": DOCS}, {}
        if self.command == "POST" and number is None:
            return self.open_issue(body)
        found = self.fake.issues.get(number or 0)
        if self.command != "PATCH" or found is None:
            return self.missing()
        found.update(body)
        return 200, found, {}

    def open_issue(self, body: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        number = 100 + len(self.fake.issues)
        made = {
            "number": number,
            "title": body["title"],
            "body": body.get("body") or "",
            "state": "open",
            "labels": list(body.get("labels", [])),
            "user": {"login": self.fake.login, "type": "Bot"},
            "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
        }
        self.fake.issues[number] = made
        return 201, made, {}

    def refused(self, content: bytes) -> tuple[int, Any, dict[str, str]] | None:
        if not self.fake.may_write:
            message = "Resource not accessible by integration"
            return 403, {"message": message, "documentation_url": DOCS, "status": "403"}, {}
        try:
            body = json.loads(content)
        except ValueError:
            return 400, {"message": "Problems parsing JSON", "documentation_url": DOCS}, {}
        if set(body) != {"body"} or not isinstance(body["body"], str) or not body["body"].strip():
            errors = [{"resource": "IssueComment", "field": "body", "code": "missing_field"}]
            return 422, {"message": "Validation Failed", "errors": errors, "documentation_url": DOCS}, {}
        if len(body["body"]) > LONGEST_BODY:
            errors = [{"message": f"body is too long (maximum is {LONGEST_BODY} characters)"}]
            return 422, {"message": "Validation Failed", "errors": errors, "documentation_url": DOCS}, {}
        return None

    def page(self, items: list[Any]) -> tuple[int, Any, dict[str, str]]:
        """One page of a list, 30 items unless asked for up to 100, with the links that GitHub gives."""
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        number, amount = int(query.get("page", "1")), min(int(query.get("per_page", "30")), 100)
        shown = items[(number - 1) * amount : number * amount]
        headers = {}
        if number * amount < len(items):
            following = urlencode({**query, "page": number + 1})
            headers["Link"] = f'<{self.fake.url}{parts.path}?{following}>; rel="next", <{self.fake.url}>; rel="last"'
        return 200, shown, headers

    def missing(self) -> tuple[int, Any, dict[str, str]]:
        return 404, {"message": "Not Found", "documentation_url": DOCS, "status": "404"}, {}

    def reply(self, status: int, content: Any, headers: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json; charset=utf-8"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def fake_github() -> Iterator[FakeGitHub]:
    """A stand-in that answers until the block ends."""
    fake = FakeGitHub()
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
