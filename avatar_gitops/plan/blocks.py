"""What the project file says about sets beyond their specs: names that changed, sets that went, sets that came."""

from __future__ import annotations

from dataclasses import dataclass

from avatar_gitops.spec.project import Adopted, Moved, Project, Removed

__all__ = ["Adopted", "Blocks", "Moved", "Removed"]


@dataclass(frozen=True, slots=True)
class Blocks:
    """The lists `moved`, `removed` and `adopted` of a project file, in the order of the file."""

    moved: tuple[Moved, ...] = ()
    removed: tuple[Removed, ...] = ()
    adopted: tuple[Adopted, ...] = ()

    @staticmethod
    def of(project: Project) -> Blocks:
        """The blocks of a project."""
        spec = project.spec
        return Blocks(tuple(spec.moved), tuple(spec.removed), tuple(spec.adopted))

    def removal(self, name: str) -> Removed | None:
        """What the project says about a set that left git; the last word counts."""
        return next((entry for entry in reversed(self.removed) if entry.set == name), None)
