"""Jinja for templates that people write: only templates of their folder, no private attributes, no huge products."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from jinja2.exceptions import SecurityError, TemplateNotFound
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from avatar_gitops.assessment.templates import JINJA_SUFFIX, is_inside

_LARGEST: Final = 10_000  # of a factor or an exponent; a document repeats no text that often


def sandbox(package: str, own: Path | None) -> SandboxedEnvironment:
    """An environment with the templates of a package, or those of the same name in a folder of the project.

    A name that a template uses and the view does not have is an error.
    """
    loaders: list[BaseLoader] = [_OwnLoader(own)] if own else []
    return _Sandbox(
        loader=ChoiceLoader([*loaders, PackageLoader(package)]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


class _OwnLoader(FileSystemLoader):
    """Loads `.j2` files of one folder; any other file, or a link that leaves it, is not there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._folder = folder

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        if not (template.endswith(JINJA_SUFFIX) and is_inside(self._folder / template, self._folder)):
            raise TemplateNotFound(template)
        return super().get_source(environment, template)


class _Sandbox(SandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        factors = (right,) if operator == "**" else (left, right)
        is_text = any(not isinstance(value, int | float) for value in (left, right))
        if (operator == "**" or is_text) and any(isinstance(value, int) and value > _LARGEST for value in factors):
            raise SecurityError(f"a factor or an exponent is larger than {_LARGEST}")
        return super().call_binop(context, operator, left, right)
