"""The comment about a fork: whatever its plan document holds, no text of it is published and nothing can be applied."""

from __future__ import annotations

import json
import re
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from avatar_gitops.ci.comment import read_body
from avatar_gitops.report.comment import Origin
from avatar_gitops.report.comment_fork import fork_comment

HEAD = "a" * 40
CHANGE = {"set": "people", "action": "relaunch", "reason": "spec_changed", "privacy": "weaker", "fields": ["CANARY"]}
HOSTILE = st.sampled_from(["CANARY | ✅", "<!-- CANARY -->", "[CANARY](https://evil.example)", "a\nCANARY", "`CANARY`"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
)


def test_names_and_words_of_closed_lists_are_shown() -> None:
    text = fork_comment({"project": "demo", "digest": "sha256:12", "changes": [CHANGE]}, Origin(head=HEAD))
    body = read_body(text)
    assert (body.mark, body.head, body.state, body.digest) == (
        "<!-- avatar-gitops:plan:v1 project=demo -->", HEAD, "unverified", "",
    )  # fmt: skip
    assert "### ℹ️ Avatar plan of a fork: not verified · 1 change" in text
    assert "| ▼ weaker | `people` | relaunch | spec changed |" in text


@given(
    st.one_of(
        ANYTHING,
        st.fixed_dictionaries(
            {
                "project": ANYTHING,
                "digest": ANYTHING,
                "changes": ANYTHING
                | st.lists(st.fixed_dictionaries({key: ANYTHING | st.just(CHANGE[key]) for key in CHANGE}), max_size=5),
            }
        ),
    )
)
def test_no_text_of_a_fork_is_published(content: Any) -> None:
    text = fork_comment(content, Origin(head=HEAD))
    shown = re.sub(r"<!-- avatar-gitops:plan:v1 project=[A-Za-z0-9_.-]+ -->", "", text)
    assert "CANARY" not in shown
    assert "evil" not in shown
    assert read_body(text).digest == ""


def test_many_changes_stay_below_the_limit() -> None:
    changes = [{**CHANGE, "set": f"{number}-" + "x" * 180} for number in range(600)]
    assert len(fork_comment(json.loads(json.dumps({"project": "p", "changes": changes})), Origin(head=HEAD))) < 65_536
