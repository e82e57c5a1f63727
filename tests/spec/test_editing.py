"""One value into a file: what stands there stays, the data is as asked, keys stay in order."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.errors import UsageError
from avatar_gitops.spec import emit
from avatar_gitops.spec.editing import value_at, with_item, with_value
from avatar_gitops.spec.nodes import Path, read

ADOPTED: Path = ("spec", "adopted")
ITEM = {"set": "ward", "id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427"}
HEAD = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: p}\n"
RUN = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: iris  # of 1936
spec:
  tables:
    iris:
      source: data/iris.csv
      columns:
        species:
          type: category

      # reviewed
      avatarization: {k: 20}  # ours
  pia:
    language: en
"""


def data(text: str) -> Any:
    document, findings = read(text, "")
    assert document is not None and not findings, text
    return document.data


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "spec: {adopted: [ITEM]}\n"),
        ("spec: {server: env}\n", "spec: {server: env, adopted: [ITEM]}\n"),
        ("spec: {server: env}  # local for now", "spec: {server: env, adopted: [ITEM]}  # local for now"),
        ("spec: {}\n", "spec: {adopted: [ITEM]}\n"),
        ("spec:\n", "spec: {adopted: [ITEM]}\n"),
        ("spec:\n  server: env # x\n  # end\n", "spec:\n  server: env # x\n  adopted:\n    - ITEM\n  # end\n"),
        (
            "spec:\n    server: env\n\n    out: o\n\n# tail\n",
            "spec:\n    server: env\n\n    out: o\n    adopted:\n      - ITEM\n\n# tail\n",
        ),
        ("spec:\n  adopted: []\n  out: o\n", "spec:\n  adopted: [ITEM]\n  out: o\n"),
        (
            "spec:\n  adopted:\n  - {set: a, id: b} # one\n  webhooks: []\n",
            "spec:\n  adopted:\n  - {set: a, id: b} # one\n  - ITEM\n  webhooks: []\n",
        ),
        (
            "spec:\n  adopted:\n    - set: a\n      id: b\n",
            "spec:\n  adopted:\n    - set: a\n      id: b\n    - ITEM\n",
        ),
        ("spec:\n  adopted: [{set: a, id: b}]\n", "spec:\n  adopted: [{set: a, id: b}, ITEM]\n"),
        ("spec:\r\n  out: o", "spec:\r\n  out: o\r\n  adopted:\r\n    - ITEM\r\n"),
        ("spec: &a\n  server: env\r\n", "spec: &a\n  server: env\r\n  adopted:\r\n    - ITEM\r\n"),
    ],
)
def test_an_item_is_added_where_the_list_is_or_belongs(before: str, after: str) -> None:
    written = with_item(HEAD + before, ADOPTED, ITEM)
    assert written == HEAD + after.replace("ITEM", emit.flow(ITEM))
    items = data(written)["spec"]["adopted"]
    assert items[-1] == ITEM


def test_a_comment_comes_along() -> None:
    written = with_item(HEAD + "spec:\n  out: o\n", ADOPTED, ITEM, "taken over from q")
    assert "  adopted:\n    # taken over from q\n    - {set: ward" in written
    again = with_item(written, ADOPTED, ITEM | {"set": "b"}, "and this one")
    flow = with_item(HEAD + "spec: {out: o}  # ours\n", ADOPTED, ITEM, "taken over from q")
    assert flow.endswith("}]}  # ours  # taken over from q\n")
    assert with_item(HEAD + "spec:\n", ADOPTED, ITEM, "here").endswith("}]}  # here\n")
    assert again == written + f"    # and this one\n    - {emit.flow(ITEM | {'set': 'b'})}\n"


TABLE: Path = ("spec", "tables", "iris")


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ((*TABLE, "avatarization", "k"), 30, "      avatarization: {k: 30}  # ours\n"),
        ((*TABLE, "avatarization", "ncp"), 4, "      avatarization: {k: 20, ncp: 4}  # ours\n"),
        ((*TABLE, "columns", "species", "type"), "int", "          type: int\n"),
        ((*TABLE, "columns", "species", "tag"), "sensitive", "          type: category\n          tag: sensitive\n"),
        ((*TABLE, "columns", "a: b", "tag"), "sensitive", '        "a: b": {tag: sensitive}\n'),
        ((*TABLE, "privacy_metrics", "known_variables"), ["a", "b"], "privacy_metrics: {known_variables: [a, b]}\n"),
        (("spec", "tables", "b", "columns", "x", "tag"), "sensitive", "    b:\n      columns: {x: {tag: sensitive}}\n"),
        (("spec", "gates", "hidden_rate"), ">= 90", '  gates: {hidden_rate: ">= 90"}\n'),
        (("spec", "pia", "language"), "fr", "    language: fr\n"),
    ],
)
def test_a_value_is_written_and_the_rest_stays(path: Path, value: Any, line: str) -> None:
    written = with_value(RUN, path, value)
    assert line in written
    assert "# of 1936" in written and "# reviewed" in written and "# ours" in written
    kept = [row for row in RUN.splitlines() if row.strip()]
    assert sum(row in written.splitlines() for row in kept) >= len(kept) - 1


def test_keys_stay_in_order_where_they_were() -> None:
    written = with_value(RUN, ("spec", "gates", "hidden_rate"), ">= 90")
    assert written.index("gates:") < written.index("pia:")
    loose = RUN.replace("metadata:\n  name: iris  # of 1936\n", "") + "metadata: {name: iris}\n"
    assert with_value(loose, ("spec", "gates", "hidden_rate"), ">= 90").index("gates:") > loose.index("pia:")


@pytest.mark.parametrize(
    "text",
    ["spec: [", "spec:\n  a: &x {k: 1}\n  b: *x\n"],
)
def test_what_cannot_be_written_alone_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        with_value(text, ("spec", "b", "k"), 2)


NAMES = st.sampled_from(["a", "b", "c d", "yes", "1", "é"])
VALUES = st.one_of(
    st.integers(-(10**6), 10**6),
    st.booleans(),
    st.text(max_size=8).filter(str.isprintable),
    st.lists(NAMES, max_size=2),
)
TREES = st.recursive(VALUES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8)


@settings(max_examples=150, deadline=None)
@given(
    tree=st.dictionaries(NAMES, TREES, min_size=1, max_size=3),
    path=st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    value=VALUES,
)
def test_the_data_is_what_was_asked_for_or_nothing_is_written(tree: Any, path: Path, value: Any) -> None:
    wanted = copy.deepcopy(tree)
    group = wanted
    for part in path[:-1]:
        group = group.setdefault(part, {})
        if not isinstance(group, dict):
            return
    group[path[-1]] = value
    text = emit.documents([tree])
    try:
        written = with_value(text, path, value)
    except UsageError:
        assert isinstance(_at(tree, path), dict | list)  # a value of several lines is not replaced
        return
    assert data(written) == wanted


def _at(tree: Any, path: Path) -> Any:
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("links: [{to: c, method: a}]  # x\n", "links: [{to: c, method: b}]  # x\n"),
        (
            "links:\n  - to: c\n    method: a  # x\n  - {to: d}\n",
            "links:\n  - to: c\n    method: b  # x\n  - {to: d}\n",
        ),
        ("links: [{to: c}]\n", "links: [{to: c, method: b}]\n"),
        ("links:\n  - {to: c}  # x\n", "links:\n  - {to: c, method: b}  # x\n"),
    ],
)
def test_a_value_inside_a_list_is_found_by_its_place(before: str, after: str) -> None:
    path: Path = ("links", 0, "method")
    assert with_value(before, path, "b") == after
    assert value_at(after, path) == "b"
    assert value_at(after, ("links", 7, "method")) is value_at(after, ("links", "x")) is None
