"""GitHub's published rules for a request: fields and values that it knows, sizes, pages; what breaks one is told.

Each list of fields and values is the one of the REST reference, version 2022-11-28.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

LONGEST_BODY: Final = 65_536
LONGEST_TITLE: Final = 256
LONGEST_LABEL: Final = 50
LONGEST_DESCRIPTION: Final = 100
MOST_LABELS: Final = 100
MOST_PER_PAGE: Final = 100
PAGES: Final = {"per_page", "page"}
SORTING: Final = {"sort", "direction"}
REASONS: Final = {"closed": {"completed", "not_planned", "duplicate", None}, "open": {"reopened", None}}
"""What an issue may say of the state that it gets."""

QUERIES: Final = (
    (r"/issues", {"milestone", "state", "assignee", "type", "creator", "mentioned", "labels", "since"} | SORTING),
    (r"/issues/\d+/comments", {"since"}),
    (r"/pulls", {"state", "head", "base"} | SORTING),
    (r"/pulls/\d+/(reviews|commits)", set[str]()),
    (r"/commits/[0-9a-f]{40}/pulls", set[str]()),
)
FIELDS: Final = (
    ("POST", r"/issues", {"title", "body", "milestone", "labels", "assignee", "assignees", "type"}),
    (
        "PATCH",
        r"/issues/\d+",
        {"title", "body", "state", "state_reason", "milestone", "labels", "assignee", "assignees", "type"},
    ),
    ("POST", r"/issues/\d+/comments", {"body"}),
    ("PATCH", r"/issues/comments/\d+", {"body"}),
    ("POST", r"/labels", {"name", "color", "description"}),
)
VALUES: Final = {
    "state": {"open", "closed", "all"},
    "direction": {"asc", "desc"},
    "sort": {"created", "updated", "comments", "popularity", "long-running"},
}


def broken(method: str, target: str, headers: Mapping[str, str], content: bytes, repository: str) -> list[str]:
    """Every rule that a request breaks, in words."""
    parts = urlsplit(target)
    path = parts.path.removeprefix(f"/repos/{repository}")
    found = list(_head(method, target, headers, content))
    if method == "GET":
        return found + list(_query(path, parse_qs(parts.query, keep_blank_values=True)))
    if parts.query:
        found.append(f"{method} {path} has a query")
    return found + list(_body(method, path, content))


def _head(method: str, target: str, headers: Mapping[str, str], content: bytes) -> Iterator[str]:
    if headers.get("Accept") != "application/vnd.github+json":
        yield "the Accept header is not the recommended one"
    if headers.get("X-GitHub-Api-Version") != "2022-11-28":
        yield "no known API version"
    if "token" in target.lower():
        yield "a token in an address"
    if method == "GET" and content:
        yield "a body where none is read"
    if method != "GET" and headers.get("Content-Type") != "application/json":
        yield "a body that is not application/json"


def _query(path: str, query: Mapping[str, list[str]]) -> Iterator[str]:
    known = next((names | PAGES for pattern, names in QUERIES if re.fullmatch(pattern, path)), set[str]())
    if unknown := set(query) - known:
        yield f"GET {path} has no parameter {', '.join(sorted(unknown))}"
    for name, values in query.items():
        if len(values) != 1:
            yield f"GET {path} names {name} twice"
        if name in PAGES and not re.fullmatch(r"[1-9][0-9]*", values[0]):
            yield f"GET {path} asks for {name} {values[0]}"
        if name in VALUES and values[0] not in VALUES[name]:
            yield f"GET {path} asks for {name} {values[0]}"
    if int(query.get("per_page", ["30"])[0]) > MOST_PER_PAGE:
        yield f"GET {path} asks for more than {MOST_PER_PAGE} a page"
    if "head" in query and not re.fullmatch(r"[^:]+:.+", query["head"][0]):
        yield f"GET {path} names no owner of the branch"


def _body(method: str, path: str, content: bytes) -> Iterator[str]:
    try:
        body = json.loads(content)
    except ValueError:
        yield f"{method} {path} is not JSON"
        return
    known = next((names for verb, pattern, names in FIELDS if verb == method and re.fullmatch(pattern, path)), None)
    if known is None:
        yield f"{method} {path} is nothing that this program needs"
    elif not isinstance(body, dict) or not body:
        yield f"{method} {path} has no fields"
    else:
        if unknown := set(body) - known:
            yield f"{method} {path} has no field {', '.join(sorted(unknown))}"
        yield from _label(body) if path == "/labels" else _issue(method, path, body)


def _issue(method: str, path: str, body: Mapping[str, Any]) -> Iterator[str]:
    """Sizes are not looked at here: GitHub answers 422, and so does the stand-in."""
    state = body.get("state")
    if "state" in body and state not in REASONS:
        yield f"{method} {path} has no state {state}"
    if body.get("state_reason") not in REASONS.get(state or "open", {None}):
        yield f"{method} {path} gives a reason that does not belong to {state}"
    labels = body.get("labels", [])
    if not isinstance(labels, list) or len(labels) > MOST_LABELS:
        yield f"{method} {path} does not list up to {MOST_LABELS} labels"


def _label(body: Mapping[str, Any]) -> Iterator[str]:
    """Colours are six digits without a sign; a comma in a name could not be asked for in a list of issues."""
    name, about = body.get("name"), body.get("description", "")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_LABEL or "," in name:
        yield "a label has no name that GitHub takes"
    if not isinstance(about, str) or len(about) > LONGEST_DESCRIPTION:
        yield f"the description of a label has more than {LONGEST_DESCRIPTION} characters"
    if not re.fullmatch(r"[0-9a-fA-F]{6}", str(body.get("color"))):
        yield "the colour of a label is not six digits"
