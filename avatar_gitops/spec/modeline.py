"""The comment by which editors find the schema of a file: `# yaml-language-server: $schema=PATH`."""

from __future__ import annotations

import re
from typing import Final

MODELINE: Final = re.compile(r"# *yaml-language-server: *\$schema=(?P<schema>[^\r\n]*?)(?P<end> *(?:\r\n|\n|\r|\Z))")
REMOTE: Final = re.compile(r"[a-z][a-z0-9+.-]+:")
COMMENTS: Final = re.compile(r"(?:[ \t]*#[^\r\n]*(?:\r\n|\n|\r)|[ \t]*(?:\r\n|\n|\r))*")


def modeline(schema: str) -> str:
    """The comment for a schema at this path, relative to the file."""
    return f"# yaml-language-server: $schema={schema}"


def with_modeline(text: str, schema: str) -> str:
    """The text whose opening comments name this schema; one that names a web address stays."""
    head = COMMENTS.match(text)
    found = MODELINE.search(text, 0, head.end()) if head else None
    if found is None:
        ending = "\r\n" if "\r\n" in text else "\n"
        return f"{modeline(schema)}{ending}{text}"
    if REMOTE.match(found["schema"]):
        return text
    return text[: found.start()] + modeline(schema) + found["end"] + text[found.end() :]
