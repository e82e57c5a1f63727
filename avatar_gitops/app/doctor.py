"""`doctor`: can this project be planned and applied from here? Looks, changes nothing but one small test object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from avatar_gitops import __version__
from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.servers import open_server
from avatar_gitops.app.validate import ValidationResult, validate
from avatar_gitops.client.gateway import connect
from avatar_gitops.diagnostics import Severity
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.spec.project import PROJECT_FILE


class Health(StrEnum):
    """Result of one check."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    subject: str
    health: Health
    text: str
    fix: str = ""


def doctor(project: Path | None, server: str | None) -> Iterator[Check]:
    """Each check as it is made; a failed one that others need ends the list."""
    yield Check("program", Health.GOOD, f"avatar-gitops {__version__}")
    yield _extra()
    try:
        found = validate(project)
    except AvatarGitOpsError as error:
        yield _bad("project file", error)
        return
    yield _project(found)
    yield _specs(found)
    if found.project is None:
        return
    try:
        with open_server(found.root, found.project, server) as connection:
            gateway = connect(
                connection.base_url,
                connection.api_key,
                root=found.root,
                clock=SystemClock(),
                verify=connection.verify_tls,
            )
            with closing(gateway):
                yield Check("server", Health.GOOD, f"{connection.name}, {connection.base_url}")
                yield Check("sign-in", Health.GOOD, f"accepted for {gateway.check()}")
                gateway.check_storage()
                yield Check("object storage", Health.GOOD, "accepts signed requests")
                observed = gateway.observe(found.project.metadata.name)
                yield Check("engine", Health.GOOD, observed.engine or "of the server, it does not say which")
                yield Check("sets", Health.GOOD, f"{len(observed.sets)} versions listed for this key")
    except AvatarGitOpsError as error:
        yield _bad("server", error)


def _extra() -> Check:
    missing = [name for name in ("numpy", "pyarrow", "fastapi", "docx", "typst") if find_spec(name) is None]
    if not missing:
        return Check("extra `local`", Health.GOOD, "installed: embedded platform, engine and documents")
    return Check(
        "extra `local`",
        Health.WARNING,
        f"not complete ({', '.join(missing)} missing): only hosted servers, no PIA as DOCX",
        "pip install 'avatar-gitops[local]'",
    )


def _project(found: ValidationResult) -> Check:
    if found.project is None:
        return Check("project file", Health.BAD, f"{PROJECT_FILE} is not valid", "avatar-gitops validate")
    return Check("project file", Health.GOOD, f"{PROJECT_FILE}, project {found.project.metadata.name}")


def _specs(found: ValidationResult) -> Check:
    errors = sum(item.severity is Severity.ERROR for item in found.diagnostics)
    if errors:
        return Check("specs", Health.BAD, f"{errors} errors", "avatar-gitops validate")
    warnings = len(found.diagnostics)
    text = f"{len(found.runs)} valid" + (f", {warnings} warnings" if warnings else "")
    return Check("specs", Health.WARNING if warnings or not found.runs else Health.GOOD, text)


def _bad(subject: str, error: AvatarGitOpsError) -> Check:
    return Check(subject, Health.BAD, error.message, error.hint or "")
