"""YAML text to plain data with the position of every key and value; YAML 1.2, safe, with limits on everything."""

from __future__ import annotations

from typing import Final

from avatar_gitops.diagnostics import Diagnostic, Span
from avatar_gitops.spec import plain_yaml
from avatar_gitops.spec.located import MAX_DEPTH, MAX_VALUES, Document, Path

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_VALUES", "Document", "Path", "read"]

MAX_BYTES: Final = 1 << 20


def read(text: str | bytes, file: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Plain data of one YAML document and all that is wrong with it as YAML; None if it cannot be read at all.

    Most files are so plain that a fast reader takes them; the complete one reads all others, and whatever is wrong.
    """
    decoded = _decode(text, Span(file, 1, 1, 1, 1))
    if isinstance(decoded, Diagnostic):
        return None, (decoded,)
    if (document := plain_yaml.read(decoded, file)) is not None:
        return document, ()
    from avatar_gitops.spec.composing import compose

    return compose(decoded, file)


def _decode(text: str | bytes, start: Span) -> str | Diagnostic:
    if len(text) > MAX_BYTES:
        return Diagnostic(
            code="Y008",
            message="the file is larger than 1 MiB",
            span=start,
            why="a run spec is a few hundred lines at most; a file of this size is usually data that has lost its way",
            fix="keep data in a data file and name it in `source`",
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            return Diagnostic(
                code="Y009",
                message="the file is not UTF-8 text",
                span=Span(start.file, line, 1, line, 1),
                hide_source=True,
                fix="save it as UTF-8 in your editor",
            )
    return text.removeprefix("\ufeff")
