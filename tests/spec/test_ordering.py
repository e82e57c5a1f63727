"""Keys in order: nothing is lost, nothing means something else, and a second time changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar_gitops.spec import emit
from avatar_gitops.spec.canonical import digest
from avatar_gitops.spec.nodes import read
from avatar_gitops.spec.ordering import in_order
from avatar_gitops.spec.parse import parse_run
from avatar_gitops.spec.schema import schema
from tests.support.from_schema import from_schema

RUNS = from_schema(schema("run"), schema("run"))
COMMENTS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["", "# one", "  # two", "      # three"])), max_size=6
)

MESSY = """\
# yaml-language-server: $schema=../schemas/run.v1.schema.json
kind: AvatarRun
# the version
apiVersion: avatar-gitops/v1   # one

spec:
  # pia comes last
  pia:
    # language first
    language: en
    purpose: |
      First line

      second # no comment
    # about the purpose
  # after pia

  # the tables
  tables:
    people:
      avatarization:
        ncp: 5   # five
        # many
        k: 20
      source: {format: csv, uri: data/people.csv}
      columns:
        zone: {type: category}
        age:
          tag: sensitive
          type: int
  unknown: kept at the end
  seed: 1

# who
metadata:
  owner: "x: y"
  name: people
# the end
"""


def shuffled(value: Any, draw: Any) -> Any:
    """The same document with every mapping in another order."""
    if isinstance(value, dict):
        keys = list(value)
        draw.shuffle(keys)
        return {key: shuffled(value[key], draw) for key in keys}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


def test_a_messy_file(golden: Callable[[str, str], None]) -> None:
    ordered = in_order(MESSY)
    assert ordered is not None
    golden("workspace/ordered.yaml", ordered)
    assert in_order(ordered) == ordered


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(RUNS, COMMENTS, st.randoms(use_true_random=False))
def test_order_changes_no_meaning_and_loses_no_comment(
    document: dict[str, Any], comments: list[tuple[int, str]], draw: Any
) -> None:
    lines = emit.documents([shuffled(document, draw)]).splitlines()
    for place, comment in comments:
        lines.insert(min(place, len(lines)), comment)
    text = "\n".join(lines) + "\n"
    ordered = in_order(text)
    before, _ = read(text, "")
    assert before is not None
    assert ordered is not None
    after, _ = read(ordered, "")
    assert after is not None
    assert digest(after.data) == digest(before.data)
    assert sorted(filter(None, ordered.splitlines())) == sorted(filter(None, text.splitlines()))
    assert in_order(ordered) == ordered
    wanted = [name for name in ("apiVersion", "kind", "metadata", "spec") if name in after.data]
    assert list(after.data) == wanted
    assert list(after.data["spec"]) == [name for name in schema_fields("Spec") if name in after.data["spec"]]


def schema_fields(name: str) -> list[str]:
    return list(schema("run")["$defs"][name]["properties"])


@pytest.mark.parametrize("path", sorted((Path(__file__).parent / "bad").glob("*.yaml")), ids=lambda path: path.stem)
def test_findings_of_a_bad_file_stay_what_they_are(path: Path) -> None:
    content = path.read_bytes()
    try:
        ordered = in_order(content.decode("utf-8"))
    except UnicodeDecodeError:
        return
    if ordered is None:
        return
    codes = [finding.code for finding in parse_run(content, "a").diagnostics]
    assert sorted(finding.code for finding in parse_run(ordered, "a").diagnostics) == sorted(codes)


@pytest.mark.parametrize(
    "text",
    [
        "{kind: AvatarRun, apiVersion: avatar-gitops/v1}\n",
        "spec: {}\nkind: Other\n",
        "- 1\n",
        "kind: AvatarRun\napiVersion: \x85v1\n",
        "--- {kind: AvatarRun}\n",
        "spec: &a {seed: 1}\nmetadata: *a\nkind: AvatarRun\n",
        "kind: AvatarRun\nmetadata: &a {name: x}\nspec: &a {seed: 1}\n",
        "kind: AvatarRun\nmetadata: *a\n",
    ],
)
def test_what_cannot_be_ordered_safely_is_left_alone(text: str) -> None:
    assert in_order(text) in {text, None}


def test_files_without_a_last_line_break_get_one_and_keep_the_others() -> None:
    assert in_order("kind: Project\r\napiVersion: avatar-gitops/v1") == (
        "apiVersion: avatar-gitops/v1\r\nkind: Project\r\n"
    )
    assert in_order("kind: [") is None


def test_a_digest_is_what_it_was() -> None:
    text = MESSY.replace("  unknown: kept at the end\n", "")
    before, after = parse_run(text, "a").run, parse_run(in_order(text) or "", "a").run
    assert before is not None
    assert after is not None
    assert json.dumps(after.model_dump(mode="json"), sort_keys=True) == json.dumps(
        before.model_dump(mode="json"), sort_keys=True
    )
