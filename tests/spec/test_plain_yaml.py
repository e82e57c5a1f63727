"""The fast reader takes plain YAML only, and gives exactly what the complete reader gives."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from avatar_gitops.spec import emit, plain_yaml
from avatar_gitops.spec.composing import compose
from avatar_gitops.spec.located import Document

EXAMPLES = sorted((Path(__file__).parents[2] / "configs").rglob("*.yaml"))

STYLES = """\
# a comment

apiVersion: avatar-gitops/v1
text:   plain text, with commas [and] brackets; it's-fine
quoted: "double \\"quoted\\" # no comment"   # a comment
'single key': 'it''s'
"double key": ""
empty:
# a comment between
number: -1.5e3
flow: [1, two, "three", {a: {b: 'c'}, d: []}, {}]
map: {k: 20, ncp: 5, name: a b c}
list:
- one
- - nested
  - twice
- key: value
  other:
    - deeper
  last:
indented:
  - a:b:c
  -   spaced: 0x1F
literal: |
  first line: x

  # no comment
folded: >-
  one
  line

  another
end: ~
"""
PIECES = [
    " ", "  ", "    ", "\n", "\n\n", "- ", "- - ", ":", ": ", " # c", "#", "'", '"', "[", "]", "{", "}", ", ", ",",
    "|", ">", "|-", ">-", "\n  ", "a", "a:", "a: b", "1", "1.5", "-1", "~", "null", "true", "0x1F", ".inf", "&a ",
    "*a", "!t ", "%", "@", "`", "?", "? ", "<<: ", "é", "\t", "...", "---", "\\", "key with space: v", "a:b: c",
    "2026-01-01", "[]", "{}", "[a, b]", "{a: 1}", "\u2028", "\xa0", "=", "''", '""', "-a", "01", "1: 2", "null: 3",
    "\n#c\n", " \n", "\r\n", "\ufeff", "12345678901234567890",
]  # fmt: skip


def agree(text: str) -> bool:
    """Whether the fast reader took the text; if it did, the complete one must say the same and find nothing."""
    fast = plain_yaml.read(text, "a.yaml")
    if fast is None:
        return False
    slow, findings = compose(text, "a.yaml")
    assert findings == ()
    assert isinstance(slow, Document)
    assert json.dumps(fast.data) == json.dumps(slow.data)
    assert json.dumps(plain_yaml.load(text)) == json.dumps(slow.data)
    assert (fast.values, fast.keys, fast.plain, fast.broken) == (slow.values, slow.keys, slow.plain, slow.broken)
    return True


def changed(text: str, chance: random.Random) -> str:
    """A text with a few places overwritten, lines swapped or indented anew."""
    for _ in range(chance.choice((1, 1, 2))):
        lines = text.split("\n")
        one, other, place = chance.randrange(len(lines)), chance.randrange(len(lines)), chance.randrange(len(text) + 1)
        match chance.randrange(4):
            case 0:
                text = text[:place] + chance.choice(PIECES) + text[place:]
            case 1:
                text = text[:place] + text[place + chance.randint(1, 4) :]
            case 2:
                lines[one], lines[other] = lines[other], lines[one]
                text = "\n".join(lines)
            case _:
                lines[one] = " " * chance.randint(0, 6) + lines[one].lstrip(" ")
                text = "\n".join(lines)
    return text


def test_every_style_that_it_takes() -> None:
    assert agree(STYLES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_are_plain(path: Path) -> None:
    assert agree(path.read_text(encoding="utf-8"))


@seed(20261122)
@settings(max_examples=250, deadline=None, database=None)
@given(chance=st.randoms(use_true_random=False), parts=st.lists(st.sampled_from(PIECES), max_size=12))
def test_it_agrees_on_what_it_takes(chance: random.Random, parts: list[str]) -> None:
    agree("".join(parts) + "\n")
    start = chance.randrange(len(STYLES))
    for text in (STYLES, STYLES[start:], "a:\n- b: c\n  d: >\n    e\n    f\n\ng:\n", "a: [b, {c: d}]\n"):
        agree(changed(text, chance))


PLAIN = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9) | st.text(max_size=8)
TREES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@settings(max_examples=150, deadline=None, database=None)
@given(content=st.dictionaries(st.text("abc:# -é'\"", max_size=6), TREES, min_size=1, max_size=4))
def test_it_agrees_on_what_we_write(content: dict[str, object]) -> None:
    text = emit.documents([content])
    agree(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b",
        "- a\n",
        "text\n",
        "a: &x b\nc: *x\n",
        "a: !!str 5\n",
        "a: 1\na: 2\n",
        "<<: {a: 1}\n",
        "5: a\n",
        "a: b\n  c\n",
        "a: .nan\n",
        "a:\tb\n",
        "a: [b,\n  c]\n",
        "--- \na: b\n",
        "a: b\n---\nc: d\n",
        "a:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 40)),
        "a: [" + "1, " * 25_000 + "1]\n",
    ],
)
def test_what_is_unusual_or_wrong_is_left_to_the_complete_reader(text: str) -> None:
    assert plain_yaml.read(text, "a.yaml") is None
    assert plain_yaml.load(text) is None


def test_a_file_of_many_values_is_refused_by_the_limit_of_the_complete_reader() -> None:
    text = "".join(f"k{number}: [{', '.join(['1'] * 100)}]\n" for number in range(250))
    assert plain_yaml.read(text, "a.yaml") is None
