"""Files `signoffs/NAME.yaml`: read strictly, added to without touching what people wrote there."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.signoff import Decision, SignOff
from avatar_gitops.spec.parse import has_errors
from avatar_gitops.spec.parse import parse_signoffs as parse
from avatar_gitops.spec.signoffs import FOLDER
from avatar_gitops.workspace.files import write_atomic

MAX_BYTES: Final = 1 << 20
HEADER: Final = (
    "# yaml-language-server: $schema=../schemas/signoffs.v1.schema.json\n"
    "# Who signed the assessment of this set; add to it with: avatar-gitops report sign\n"
)
MEND: Final = "mend the file, or restore it from git"


def signoffs_path(root: Path, name: str) -> Path:
    """The file of a set."""
    return root / FOLDER / f"{name}.yaml"


def read_signoffs(root: Path, name: str) -> tuple[SignOff, ...]:
    """The decisions about a set, the oldest first; none without a file.

    Raises SpecError with every finding for a file that is not valid, IntegrityError for one that cannot be read.
    """
    path = signoffs_path(root, name)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise IntegrityError(f"{shown(path)} cannot be read ({error.strerror or 'unknown reason'})") from None
    return parse_signoffs(content, shown(path), name)


def parse_signoffs(content: bytes, file: str, name: str) -> tuple[SignOff, ...]:
    """The decisions in the bytes of a file; raises as `read_signoffs` does."""
    if len(content) > MAX_BYTES:
        raise IntegrityError(f"{file} is too large to be a file of signatures", hint=MEND)
    parsed = parse(content, file)
    found = parsed.value
    if found is None or has_errors(parsed.diagnostics):
        raise SpecError(f"{file} is not valid", parsed.diagnostics, hint=MEND)
    if found.metadata.name != name:
        raise IntegrityError(f"{file} is about the set {found.metadata.name}, not {name}", hint=MEND)
    return tuple(
        SignOff(
            item.person,
            item.role,
            item.date,
            Decision(item.decision),
            item.statement,
            item.run,
            item.note or "",
        )
        for item in found.signatures
    )


def add_signoff(root: Path, name: str, item: SignOff) -> Path:
    """Add a decision at the end of the file of a set, which is made when there is none; return its path.

    Raises as `read_signoffs` does when what is there is not valid; nothing is written then.
    """
    from ruamel.yaml import YAML

    path = signoffs_path(root, name)
    read_signoffs(root, name)
    yaml = YAML()
    yaml.width = 1 << 16
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    existing = path.read_text(encoding="utf-8") if path.is_file() else _fresh(name)
    content = yaml.load(existing)
    content.setdefault("signatures", []).append(_entry(item))
    text = io.StringIO()
    yaml.dump(content, text)
    parse_signoffs(text.getvalue().encode(), shown(path), name)
    write_atomic(path, text.getvalue())
    return path


def _fresh(name: str) -> str:
    return f"{HEADER}apiVersion: avatar-gitops/v1\nkind: SignOffs\nmetadata:\n  name: {name}\n"


def _entry(item: SignOff) -> dict[str, str]:
    said = {
        "person": item.person,
        "role": item.role,
        "date": item.date,
        "decision": item.decision.value,
        "statement": item.statement,
        "run": item.run,
        "note": item.note,
    }
    return {name: text for name, text in said.items() if text}


def shown(path: Path) -> str:
    """A file of signatures as messages name it."""
    return f"{FOLDER}/{path.name}"
