"""Which server a command talks to: the embedded platform, the one in the environment, or one of the project file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from avatar_gitops.errors import UsageError
from avatar_gitops.spec.project import Project

LOCAL: Final = "local"
ENVIRONMENT: Final = "env"
STATE_FOLDER: Final = ".avatar/server"


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a server; the key is never shown."""

    name: str
    base_url: str
    api_key: str = field(repr=False)
    verify_tls: bool = True


def reference(text: str, environment: Mapping[str, str], where: str) -> str:
    """The value behind `env/NAME` or `env/NAME/default`; UsageError when neither is there."""
    _, name, *default = text.split("/", 2)
    value = environment.get(name) or (default[0] if default else "")
    if not value:
        raise UsageError(
            f"{where} refers to the environment variable {name}, which is not set", hint=f"export {name}=…"
        )
    return value


def server_name(project: Project, wanted: str | None, environment: Mapping[str, str]) -> str:
    """The server to use: asked for, else the project's, else `env` when AVATAR_BASE_URL is set, else `local`."""
    if wanted or project.spec.server:
        return wanted or str(project.spec.server)
    return ENVIRONMENT if environment.get("AVATAR_BASE_URL") else LOCAL


def remote(project: Project, name: str, environment: Mapping[str, str]) -> Connection:
    """Address and key of a server that already runs."""
    if name == ENVIRONMENT:
        base_url = reference("env/AVATAR_BASE_URL", environment, "server `env`")
        return Connection(name, base_url, reference("env/AVATAR_API_KEY", environment, "server `env`"))
    if name not in project.spec.servers:
        known = ", ".join(sorted({LOCAL, ENVIRONMENT, *project.spec.servers}))
        raise UsageError(f"there is no server `{name}` in the project file", hint=f"one of {known}")
    server = project.spec.servers[name]
    where = f"server `{name}` of the project file"
    base_url = reference(server.base_url, environment, where) if server.base_url.startswith("env/") else server.base_url
    return Connection(name, base_url, reference(server.api_key, environment, where), server.verify_tls)


@contextmanager
def open_server(root: Path, project: Project, wanted: str | None) -> Iterator[Connection]:
    """A server that answers; the embedded platform is started when nobody serves its state folder yet."""
    name = server_name(project, wanted, os.environ)
    if name != LOCAL:
        yield remote(project, name, os.environ)
        return
    with embedded(root / STATE_FOLDER, f"server `{name}`") as (base_url, api_key):
        yield Connection(name, base_url, api_key)


@contextmanager
def embedded(state: Path, who: str, *, workers: int = 2) -> Iterator[tuple[str, str]]:
    """Address and key of the embedded platform over a state folder below `.avatar/`; `who` needs it, for the error."""
    try:
        from avatar_gitops.server.local import start
    except ImportError as error:
        raise UsageError(
            f"{who} needs the embedded platform ({error.name} is missing)",
            hint="pip install 'avatar-gitops[local]', or use a hosted server: --server env",
        ) from None
    state.parent.mkdir(parents=True, exist_ok=True)
    _ignore(state.parent)
    with start(state, workers=workers) as local:
        yield local.base_url, local.api_key


def _ignore(folder: Path) -> None:
    """Keep state out of git even where nobody wrote an ignore file."""
    marker = folder / ".gitignore"
    if not marker.exists():
        marker.write_text("*\n", encoding="utf-8")
