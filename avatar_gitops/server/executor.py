"""Where jobs run: in worker processes of the server, or on a Dask cluster by the URL of its scheduler."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from avatar_gitops.errors import UsageError

EXECUTOR: Final = "AVATAR_GITOPS_EXECUTOR"
SCHEMES: Final = frozenset({"tcp", "tls"})


def find_executor(said: str | None, environment: Mapping[str, str] | None = None) -> str | None:
    """URL of the scheduler, from the option or else from the environment; None when jobs run on this machine.

    Raises:
        UsageError: it is not `tcp://host:port` or `tls://host:port`.
    """
    url = said or (os.environ if environment is None else environment).get(EXECUTOR, "").strip()
    if not url:
        return None
    parts = urlsplit(url)
    try:
        complete = parts.scheme in SCHEMES and parts.hostname and parts.port and not parts.path.strip("/")
    except ValueError:  # a port that is no number
        complete = False
    if not complete or parts.username is not None:
        raise UsageError(
            "--executor does not name the scheduler of a Dask cluster.",
            hint="Say tcp://HOST:PORT or tls://HOST:PORT; `dask scheduler` prints it.",
        )
    return url
