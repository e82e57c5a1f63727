"""What `git:REF` selectors mean in a project, and which commit a revision is: git is asked, and told nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avatar_gitops.app.loading import Loaded
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.select import Selection, refs
from avatar_gitops.plan.touched import touched
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.workspace.git import changed_files, head_commit, merge_base, resolve


def looked_up(loaded: Loaded, selection: Selection) -> Selection:
    """The selection with the sets that each `git:REF` stands for. Raises UsageError for what git does not know."""
    found = {ref: _touched(loaded, ref) for ref in refs(selection)}
    return replace(selection, touched=found) if found else selection


def commit_of(root: Path, ref: str, asked: str) -> str:
    """The commit that a revision means; `asked` is what the user wrote. Raises UsageError when there is none."""
    commit = "" if ref.startswith("-") else resolve(root, ref)
    if commit:
        return commit
    if not head_commit(root):
        raise UsageError(f"`{asked}` needs a git repository with a commit, and {root.name} is in none")
    raise UsageError(
        f"`{asked}`: git knows no commit of that name", hint="a branch, a tag or a commit; git fetch first"
    )


def _touched(loaded: Loaded, ref: str) -> frozenset[str]:
    asked = f"git:{ref}"
    base = merge_base(loaded.root, commit_of(loaded.root, ref, asked))
    changed = changed_files(loaded.root, base) if base else None
    if changed is None:
        raise UsageError(
            f"`{asked}`: git cannot tell what changed since then",
            hint="a shallow clone may lack the common commit: git fetch --unshallow",
        )
    if loaded.project.spec.defaults is not None and PROJECT_FILE in changed:
        changed |= {item.path for item in loaded.desired}
    starts = {name: [run.start] for name, run in loaded.runs.items() if run.start}
    return touched(loaded.desired, loaded.locks, changed, starts)
