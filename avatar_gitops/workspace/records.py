"""Reading of the YAML that this program writes beside specs: locks, noise, the record of releases."""

from __future__ import annotations

from typing import Any

from avatar_gitops.spec import plain_yaml


def load(content: bytes) -> Any:
    """The data of a file: fast when it is as we wrote it, and complete when a person changed it.

    Raises:
        ValueError: it is not YAML, or not UTF-8; the text names no value.
    """
    text = content.decode("utf-8")
    if (plain := plain_yaml.load(text)) is not None:
        return plain
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError):
        raise ValueError("not readable") from None
