"""A resolved run as YAML or JSON, with the origin of each value on request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from avatar_gitops.report.values import Style, plain, safe
from avatar_gitops.spec import emit
from avatar_gitops.spec.nodes import Path

WIDEST: Final = 60
"""Column behind which a comment follows its value at once instead of standing below the others."""

Origins = Mapping[Path, str]


def as_yaml(content: Mapping[str, Any], origins: Origins | None = None, *, style: Style = plain) -> str:
    """The run as YAML that is a valid spec; with origins each value has a comment that says where it comes from."""
    if origins is None:
        return emit.documents([content])
    lines = list(_lines(content, ()))
    column = max((len(text) for text, path in lines if path and len(text) <= WIDEST), default=0)
    return "".join(_commented(text, origins.get(path, "") if path else "", column, style) for text, path in lines)


def as_json(name: str, path: str, content: Mapping[str, Any], origins: Origins | None = None) -> str:
    """The run as one JSON document."""
    document: dict[str, Any] = {
        "format": "avatar-gitops/resolved",
        "version": "1.0",
        "set": name,
        "path": path,
        "spec": content,
    }
    if origins is not None:
        document["origins"] = [{"path": list(at), "origin": origin} for at, origin in origins.items()]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _lines(content: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Path | None]]:
    """Lines of YAML with the path of the value on them; lists and empty mappings stand on one line."""
    indent = "  " * len(path)
    for key, value in content.items():
        head, inner = f"{indent}{emit.flow(str(key))}:", (*path, key)
        if isinstance(value, Mapping) and value:
            yield head, None
            yield from _lines(value, inner)
        else:
            yield f"{head} {emit.flow(value)}", inner


def _commented(text: str, origin: str, column: int, style: Style) -> str:
    return f"{text:<{column}}  {style(f'# {safe(origin)}', 'dim')}\n" if origin else f"{text}\n"
