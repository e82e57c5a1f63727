"""`python -m avatar_gitops.server`: the server process itself; the command `avatar-gitops serve` calls `serve`."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.server.lifecycle import DEFAULT_PATIENCE_SECONDS, DEFAULT_WORKERS, ServeOptions, serve


def main() -> int:
    """Parse the options and serve; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m avatar_gitops.server")
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--workers", type=int, default=DEFAULT_WORKERS)
    parser.add_argument("--retention-days", type=int, default=None)
    parser.add_argument("--job-memory", type=int, default=None)
    parser.add_argument("--job-seconds", type=int, default=None)
    parser.add_argument("--database", default=None)
    parser.add_argument("--bucket", default=None)
    parser.add_argument("--executor", default=None)
    parser.add_argument("--patience", type=float, default=DEFAULT_PATIENCE_SECONDS)
    parser.add_argument("--exit-with-parent", action="store_true")
    options = ServeOptions(**vars(parser.parse_args()))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("avatar_gitops.server.naming_requests").setLevel(logging.INFO)
    try:
        serve(options)
    except AvatarGitOpsError as error:
        sys.stderr.write(f"{error.message} {error.hint or ''}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
