"""Whether a text is one of our documents or of the platform's; of other texts nothing is repeated: they may be data.

A table, or a link to one, can stand where a YAML file is expected: its lines are rows of people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from avatar_gitops.diagnostics import Diagnostic, Span
from avatar_gitops.spec.nodes import Document, read

YAML_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
MESSAGE: Final = "this is no document of avatar-gitops or of the Avatar platform"
BEGINNING: Final = "name a YAML file that begins with `apiVersion`, `kind` and `metadata`"
WHY: Final = (
    "no line begins with `apiVersion:`, `metadata:`, `spec:` or `kind: Avatar…`; the text may be data, so no line of it"
    " is shown"
)
SILENT: Final = frozenset({"Y005", "Y006", "Y007", "Y008"})
"""Codes whose findings repeat nothing of the text."""
_KEY: Final = re.compile(
    r"""(?x) (?: ^ | [\r\n] | \A\ufeff) (?: -\ + )? (?: \{\s* )? (?P<quote>["']?)
    (?: (?: apiVersion | metadata | spec ) (?P=quote) [ \t]* : (?= [\s{] | \Z )
      | kind (?P=quote) [ \t]* : [ \t]* ["']? (?: Avatar | Project | Defaults | Policy | Waivers | SignOffs ) )"""
)
_INDENTED: Final = re.compile(r"""\A\s*\{\s*["']?(?:apiVersion|metadata|spec|kind)["']?\s*:""")


def is_known(text: str) -> bool:
    """Whether a text, right or wrong, is meant as a document: it has one of the keys that all of them begin with."""
    return _KEY.search(text) is not None or _INDENTED.search(text) is not None


def read_known(text: str | bytes, file: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """As `nodes.read`, but of a text that is no document only that is told."""
    document, found = read(text, file)
    plain = text if isinstance(text, str) else text.decode("utf-8-sig", errors="replace")
    if is_known(plain) or _says_nothing(found):
        return document, found
    return None, (_foreign(file, "S001", BEGINNING),)


def told(text: str, file: str, found: Sequence[Diagnostic], fix: str) -> tuple[Diagnostic, ...]:
    """The findings about a text that should be documents of the platform; of another text only that it is none."""
    if not found or is_known(text) or _says_nothing(found):
        return tuple(found)
    return (_foreign(file, "S009", fix),)


def _says_nothing(found: Sequence[Diagnostic]) -> bool:
    """Whether no finding repeats any of the text, and there are some."""
    return bool(found) and all(one.code in SILENT or one.hide_source for one in found)


def _foreign(file: str, code: str, fix: str) -> Diagnostic:
    return Diagnostic(code=code, message=MESSAGE, span=Span(file, 1, 1, 1, 1), why=WHY, fix=fix, hide_source=True)
