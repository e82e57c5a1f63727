"""Plain data to YAML text that every YAML reader understands alike: block style, keys in given order, stable bytes.

Strings stand without quotes only when no version of YAML could take them for anything else (`yes`, `12:30`, `1e3`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
RESERVED: Final = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"})
ESCAPED: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def documents(parts: Iterable[Mapping[str, Any]]) -> str:
    """Several documents in one text, each ended by a newline, with `---` between them."""
    return "\n---\n".join("\n".join(_block(part, 0)) + "\n" for part in parts)


def _block(value: Mapping[str, Any], depth: int) -> list[str]:
    lines: list[str] = []
    for key, item in value.items():
        lines += _entry(f"{'  ' * depth}{_scalar(str(key))}:", item, depth)
    return lines


def _entry(head: str, item: Any, depth: int) -> list[str]:
    if isinstance(item, Mapping):
        return [head, *_block(item, depth + 1)] if item else [f"{head} {{}}"]
    if isinstance(item, Sequence) and not isinstance(item, str):
        return [head, *_items(item, depth)] if item else [f"{head} []"]
    return [f"{head} {_scalar(item)}"]


def _items(items: Sequence[Any], depth: int) -> list[str]:
    lines: list[str] = []
    indent = "  " * depth
    for item in items:
        if isinstance(item, Mapping) and item:
            first, *rest = _block(item, depth + 1)
            lines += [f"{indent}- {first.lstrip()}", *rest]
        elif isinstance(item, Mapping | Sequence) and not isinstance(item, str):
            lines.append(f"{indent}- {flow(item)}")
        else:
            lines.append(f"{indent}- {_scalar(item)}")
    return lines


def flow(value: Any) -> str:
    """Any value on one line, in brackets where it needs them."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case _:
            return _text(str(value))


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("a document holds finite numbers only")
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _text(value: str) -> str:
    if PLAIN.fullmatch(value) and value.lower() not in RESERVED:
        return value
    return ESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(value, ensure_ascii=False))
