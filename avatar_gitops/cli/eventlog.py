"""The stream of one command: what is shown on the terminal and the file of `--events`, as listeners."""

from __future__ import annotations

import json
import os
import select
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from avatar_gitops import __version__
from avatar_gitops.cli.console import note
from avatar_gitops.cli.progress import progress_for
from avatar_gitops.errors import AvatarGitOpsError, UsageError
from avatar_gitops.events import Event, Listener, Stream, new_run
from avatar_gitops.report.event_lines import as_data, stamped, version

STANDARD_ERROR: Final = "-"
SLOW_READER_SECONDS: Final = 5.0


class EventFile:
    """Writes each event as one JSON line, at once. What breaks is told one time and never raised: the work goes on."""

    def __init__(self, target: str, run: str, command: str) -> None:
        self._target, self._run, self._broken = target, run, False
        self._handle = None if target == STANDARD_ERROR else _opened(target)
        self._put(version(__version__, command))

    def __call__(self, event: Event) -> None:
        data = as_data(event)
        if data is not None:
            self._put(data)

    def close(self) -> None:
        """Close the file; standard error stays open."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _put(self, data: dict[str, Any]) -> None:
        from avatar_gitops.app.clock import SystemClock

        line = json.dumps(stamped(data, self._run, SystemClock().now()), ensure_ascii=False)
        if self._target == STANDARD_ERROR:
            note(line)
        elif self._handle is not None:
            try:
                _write(self._handle, f"{line}\n".encode())
            except OSError as error:
                self.close()
                why = error.strerror or "it takes nothing any more"
                note(f"warning: no more events are written to {self._target}: {why}")


@contextmanager
def telling(command: str, events: str | None, shown: Listener | None = None) -> Iterator[Stream]:
    """The stream of one call of a command; an error that ends the call is told before it goes on."""
    run = new_run()
    listeners = [shown] if shown is not None else []
    file = EventFile(events, run, command) if events else None
    stream = Stream(run, *listeners, *([file] if file else []))
    try:
        yield stream
    except AvatarGitOpsError as error:
        from avatar_gitops.app.telling import tell_error

        if file is not None:
            tell_error(file, error)
        raise
    finally:
        if file is not None:
            file.close()


@contextmanager
def told(command: str, events: str | None, *, verbose: bool) -> Iterator[Stream]:
    """The same for a command that shows no progress: on standard error there are at most its requests."""
    progress = progress_for("lines" if verbose and events != STANDARD_ERROR else "none", note, verbose=verbose)
    with telling(command, events, progress) as stream:
        yield stream


def _opened(target: str) -> int:
    try:
        handle = os.open(Path(target), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except OSError as error:
        raise UsageError(f"--events {target}: {error.strerror or 'it cannot be written'}") from None
    if stat.S_ISFIFO(os.fstat(handle).st_mode):
        os.set_blocking(handle, False)
    return handle


def _write(handle: int, data: bytes) -> None:
    """Write everything; a reader that takes nothing for some seconds counts as gone."""
    while data:
        try:
            data = data[os.write(handle, data) :]
        except BlockingIOError:
            if not select.select([], [handle], [], SLOW_READER_SECONDS)[1]:
                raise OSError(0, "nobody reads it") from None
