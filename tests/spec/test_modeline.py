"""The line by which editors find a schema: added, corrected, and left alone where it names a web address."""

from __future__ import annotations

import pytest

from avatar_gitops.spec.modeline import modeline, with_modeline
from avatar_gitops.spec.ordering import kind_of

PATH = "../schemas/run.v1.schema.json"
LINE = "# yaml-language-server: $schema=../schemas/run.v1.schema.json"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("kind: AvatarRun\n", f"{LINE}\nkind: AvatarRun\n"),
        ("kind: AvatarRun\r\n", f"{LINE}\r\nkind: AvatarRun\r\n"),
        (f"{LINE}\nkind: AvatarRun\n", f"{LINE}\nkind: AvatarRun\n"),
        ("# yaml-language-server: $schema=old.json  \nkind: A\n", f"{LINE}  \nkind: A\n"),
        ("# mine\n\n#yaml-language-server: $schema=old.json\n---\nkind: A\n", f"# mine\n\n{LINE}\n---\nkind: A\n"),
        ("# mine\nkind: A\n", f"{LINE}\n# mine\nkind: A\n"),
        ("kind: A\n# yaml-language-server: $schema=x\n", f"{LINE}\nkind: A\n# yaml-language-server: $schema=x\n"),
    ],
)
def test_the_line_is_written_once_and_corrected(before: str, after: str) -> None:
    assert modeline(PATH) == LINE
    assert with_modeline(before, PATH) == after
    assert with_modeline(after, PATH) == after


def test_a_web_address_stays() -> None:
    text = "# yaml-language-server: $schema=https://example.org/run.json\nkind: AvatarRun\n"
    assert with_modeline(text, PATH) == text


def test_a_file_says_what_it_is() -> None:
    assert kind_of("kind: Defaults\n") == "defaults"
    assert kind_of("kind: Waivers\n") == "waivers"
    assert kind_of("kind: Deployment\n") is None
    assert kind_of("- 1\n") is None
    assert kind_of("a: [\n") is None
