"""Cross-checks of the project file: servers that exist, addresses that can be called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.project import Project
from avatar_gitops.spec.wording import near

BUILT_IN: Final = ("local", "env")
ADDRESS: Final = re.compile(r"(?P<scheme>https?)://(?P<host>\[[0-9a-fA-F:]+\]|[^\s/:?#\[\]]+)(:\d+)?(/\S*)?\Z")
LOOPBACK: Final = re.compile(r"localhost|127(\.\d+){3}|\[::1\]")


def check_project(parsed: Parsed[Project]) -> list[Diagnostic]:
    """Findings about the settings of a valid project file."""
    project = parsed.value
    return [] if project is None else [*_server(parsed, project), *_servers(parsed, project)]


def _server(parsed: Parsed[Project], project: Project) -> Iterator[Diagnostic]:
    name = project.spec.server
    known = list(dict.fromkeys([*BUILT_IN, *project.spec.servers]))
    if name is None or name in known:
        return
    guess = near(name, known)
    path: Path = ("spec", "server")
    yield Diagnostic(
        code="X021",
        message=f"there is no server `{name}`",
        span=parsed.locate(path),
        path=path,
        label=f"did you mean `{guess}`? " * bool(guess) + f"one of {', '.join(known)}",
        fix="" if guess else f"add it: `servers: {{{name}: {{base_url: https://…}}}}`",
    )


def _servers(parsed: Parsed[Project], project: Project) -> Iterator[Diagnostic]:
    for name, server in project.spec.servers.items():
        if name in BUILT_IN:
            path: Path = ("spec", "servers", name)
            yield Diagnostic(
                code="X021",
                message=f"`{name}` is the name of a server that is always there",
                span=parsed.locate_key(path),
                path=path,
                why="`local` is the embedded platform, `env` is AVATAR_BASE_URL and AVATAR_API_KEY",
                fix="choose another name, such as prod",
            )
        yield from _address(parsed, name, server.base_url)


def _address(parsed: Parsed[Project], name: str, url: str) -> Iterator[Diagnostic]:
    if url.startswith("env/"):
        return
    path: Path = ("spec", "servers", name, "base_url")
    found = ADDRESS.match(url)
    if found is None:
        yield Diagnostic(
            code="X022",
            message=f"`base_url` of server `{name}` is not a web address",
            span=parsed.locate(path),
            path=path,
            fix="write it with its scheme, such as https://avatar.example.org",
        )
    elif found["scheme"] == "http" and not LOOPBACK.fullmatch(found["host"]):
        yield Diagnostic(
            code="X022",
            severity=Severity.WARNING,
            message=f"server `{name}` is called without encryption",
            span=parsed.locate(path),
            path=path,
            why="the API key and the data travel in the open",
            fix="use https",
        )
