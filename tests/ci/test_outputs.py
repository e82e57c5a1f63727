"""Files of the runner: outputs that no value can break out of, a page below its limit, hidden values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.ci.outputs import SUMMARY_LIMIT, mask_command, outputs_text, write_outputs, write_summary


def parsed(text: str) -> dict[str, str]:
    """What the runner reads: `name<<delimiter`, lines, the delimiter alone on a line."""
    found: dict[str, str] = {}
    lines = text.split("\n")
    while lines and lines[0]:
        name, _, mark = lines.pop(0).partition("<<")
        end = lines.index(mark)
        found[name], lines = "\n".join(lines[:end]), lines[end + 1 :]
    return found


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
values = st.text(st.sampled_from("ab=<\n\rM"), max_size=30)


@given(st.dictionaries(names, values), st.integers(0, 3))
def test_values_come_back_as_they_were(given_values: dict[str, str], collisions: int) -> None:
    marks = ["M"] * collisions + [f"ends-{index}" for index in range(1000)]
    text = outputs_text(given_values, lambda: marks.pop(0))
    expected = {name: value.replace("\r\n", "\n").replace("\r", "\n") for name, value in given_values.items()}
    assert parsed(text) == expected


def test_delimiters_cannot_be_guessed(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write_outputs(path, {"a": "1"})
    write_outputs(path, {"b": "2\nend"})
    text = path.read_text()
    assert parsed(text) == {"a": "1", "b": "2\nend"}
    marks = {line.partition("<<")[2] for line in text.splitlines() if "<<" in line}
    assert len(marks) == 2


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "a=b", "1"])
def test_names_of_outputs_are_plain(name: str) -> None:
    with pytest.raises(ValueError, match="name of an output"):
        outputs_text({name: "x"})


def test_the_page_of_the_job_stays_below_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    assert write_summary(path, "é" * (SUMMARY_LIMIT // 2 - 100))
    assert not write_summary(path, "x" * 300)
    assert write_summary(path, "short")
    assert path.stat().st_size < SUMMARY_LIMIT
    assert path.read_text(encoding="utf-8").endswith("short\n")


def test_every_line_of_a_secret_is_hidden() -> None:
    assert mask_command("one%\r\n\ntwo") == "::add-mask::one%25\n::add-mask::two\n"
    assert mask_command("") == ""
