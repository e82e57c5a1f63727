"""The YAML of a run as a file that starts another one: its documents as stored, and those that clients left out."""

from __future__ import annotations

import io
from collections.abc import Sequence

from ruamel.yaml import YAML

from avatar_gitops.server.jobs import SEPARATOR
from avatar_gitops.server.sets import SetDocuments


def run_yaml(stored: str, documents: SetDocuments, parameters_names: Sequence[str]) -> str:
    """The stored text, byte for byte, followed by the documents of the jobs that ran without one.

    Clients launch metrics and reports also for sets that have no document about them; the file must say so, or a run
    made from it would be a smaller one.
    """
    present = {document.metadata.name for document in documents.documents}
    parts = [stored.rstrip("\n")]
    for name in dict.fromkeys(parameters_names):
        made = documents.parameters(name) if name not in present else None
        if made is not None:
            plain: dict[str, object] = {"kind": str(made.kind), "metadata": {"name": name}, "spec": dict(made.spec)}
            parts.append(_dumped(plain).rstrip("\n"))
    return SEPARATOR.join(parts) + "\n"


def _dumped(plain: dict[str, object]) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    text = io.StringIO()
    yaml.dump(plain, text)
    return text.getvalue()
