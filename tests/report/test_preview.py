"""A preview on paper: every verdict in text and Markdown, the document and its schema, documents of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.compare import Verdict
from avatar_gitops.plan.diff import against_lock
from avatar_gitops.plan.noise import Spread
from avatar_gitops.plan.prediction import (
    Basis,
    GateVerdict,
    MetricPrediction,
    PredictedGate,
    Preview,
    SetPreview,
    predict,
)
from avatar_gitops.report.preview import block, ending, render
from avatar_gitops.report.preview_document import document, read, to_json
from tests.support.planning import a_lock, a_version, an_input, wish

Golden = Callable[[str, str], None]
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "preview.v1.schema.json").read_text(encoding="utf-8"))
BASE = {
    1: {"patients": {"hidden_rate": 93.0, "local_cloaking": 14.0, "hellinger_mean": 0.062, "own_metric": 1.0}},
    2: {"patients": {"hidden_rate": 93.4, "local_cloaking": 14.5, "hellinger_mean": 0.064, "own_metric": 1.0}},
    3: {"patients": {"hidden_rate": 92.8, "local_cloaking": 13.5, "hellinger_mean": 0.063, "own_metric": 1.0}},
}
HEAD = {
    1: {"patients": {"hidden_rate": 88.0, "local_cloaking": 14.5, "hellinger_mean": 0.051, "own_metric": 2.0}},
    2: {"patients": {"hidden_rate": 88.9, "local_cloaking": 14.0, "hellinger_mean": 0.052, "own_metric": 2.0}},
    3: {"patients": {"hidden_rate": 87.7, "local_cloaking": 13.5, "hellinger_mean": 0.052, "own_metric": 2.0}},
}
GATES = (
    PredictedGate("hellinger_mean", "<= 0.1", 0.052, True, 3, 3),
    PredictedGate("hidden_rate", ">= 90", 88.2, False, 0, 3),
    PredictedGate("inference_continuous", ">= 1", None, False, 0, 3),
    PredictedGate("local_cloaking", ">= 14", 14.0, True, 2, 3),
)


def changed() -> SetPreview:
    before = wish("patients", seed=1)
    after = wish("patients", seed=1, table={"avatarization": {"k": 8}})
    fields = against_lock(after, a_lock(before, a_version(before)))
    return SetPreview(
        set="patients",
        path="configs/patients.yaml",
        basis=Basis.DATA,
        inputs=(an_input(),),
        fields=fields,
        seeds=(1, 2, 3),
        metrics=predict(BASE, HEAD),
        gates=GATES,
        promoted="b83e1c2d-0000-4000-8000-000000000000",
    )


def everything() -> Preview:
    fresh = SetPreview(
        set="fresh",
        path="configs/fresh.yaml",
        basis=Basis.SAMPLE,
        new=True,
        inputs=(an_input(rows="<100"),),
        seeds=(1, 2, 3),
        metrics=predict({}, HEAD),
        notes=("not promoted: it ran on a sample, and only a run on the data can be published",),
    )
    broken = SetPreview("broken", "configs/broken.yaml", Basis.DATA, error="standard failed: k is too large")
    return Preview("hospital", "prod", "avatar-gitops-engine/0.1.0", (changed(), fresh, broken), 4, "main", "4f2a91c0")


def calm() -> Preview:
    one = replace(changed(), metrics=predict(BASE, BASE), gates=(), fields=(), promoted="")
    return Preview("hospital", "local", "avatar-gitops-engine/0.1.0", (one,))


def test_text(golden: Golden) -> None:
    golden("preview/everything.txt", render(document(everything())))
    golden("preview/everything-ascii.txt", render(document(everything()), ascii_only=True))
    golden("preview/calm.txt", render(document(calm())))
    golden("preview/nothing.txt", render(document(Preview("hospital", "local", "", ()))))
    assert render(document(everything()), ascii_only=True).isascii()


def test_markdown(golden: Golden) -> None:
    golden("preview/everything.md", block(document(everything())))
    golden("preview/calm.md", block(document(calm())))
    assert block(document(Preview("hospital", "local", "", ()))) == "\n"


def test_document(golden: Golden) -> None:
    golden("preview/everything.json", to_json(everything()))


@pytest.mark.parametrize("made", [everything(), calm(), Preview("hospital", "local", "", ())])
def test_the_document_fits_its_schema_and_is_read_back_whole(made: Preview) -> None:
    content = json.loads(to_json(made))
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(content)
    again = read(content)
    assert document(replace(again.preview, sets=tuple(_with_inputs(again.preview, made)))) == content


def _with_inputs(again: Preview, made: Preview) -> list[SetPreview]:
    """Columns are counted in the document, not listed; the consequence of a field is not in it."""
    return [replace(one, inputs=two.inputs) for one, two in zip(again.sets, made.sets, strict=True)]


def test_the_schema_knows_every_verdict_and_no_key_is_left_out() -> None:
    parts = SCHEMA["$defs"]
    assert set(parts["metric"]["properties"]["verdict"]["enum"]) == {verdict.value for verdict in Verdict}
    assert set(parts["gate"]["properties"]["verdict"]["enum"]) == {verdict.value for verdict in GateVerdict}
    assert parts["set"]["properties"]["basis"]["enum"] == [basis.value for basis in Basis]
    for part in (SCHEMA, SCHEMA["properties"]["summary"], parts["set"], parts["metric"], parts["gate"]):
        assert sorted(part["required"]) == sorted(part["properties"])


def test_a_block_made_of_hostile_text_has_no_markup_of_its_own() -> None:
    evil = "</details>\n### ✅ @dpo-team approved | `x`\n[click](https://evil.example)<img src=x>"
    metric = MetricPrediction(evil, evil, Spread(1, 0, 2), Spread(2, 0, 2), 1.0, 0.0, Verdict.WORSE)
    gate = PredictedGate(evil, evil, 1.0, False, 0, 2)
    one = SetPreview(evil, evil, Basis.DATA, metrics=(metric,), gates=(gate,), notes=(evil,), error=evil)
    text = block(document(Preview(evil, evil, evil, (one,), base=evil)))
    assert "\n###" not in text
    assert "<img" not in text
    assert "](https" not in text
    assert "@dpo" not in text.replace("`", "").replace("@\N{ZERO WIDTH SPACE}", "")
    assert text.count("<details>") == text.count("</details>")
    terminal = render(document(Preview("p", "local", "\x1b[31m", (one,))))
    assert "\x1b" not in terminal


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"format": "avatar-gitops/plan", "version": "1.0"},
        {**document(everything()), "version": "2.0"},
        {**document(everything()), "sets": [{}]},
        {**document(everything()), "sets": 3},
        {**document(everything()), "summary": None},
    ],
)
def test_what_is_no_preview_is_refused_with_the_way_to_make_one(content: Any) -> None:
    with pytest.raises(IntegrityError, match="not a preview") as raised:
        read(content)
    assert raised.value.hint is not None
    assert "avatar-gitops preview" in raised.value.hint


def test_a_gate_that_contradicts_its_numbers_is_no_document_of_ours() -> None:
    content = json.loads(to_json(everything()))
    content["sets"][0]["gates"][1]["verdict"] = "passes"
    with pytest.raises(IntegrityError):
        block(content)


def test_the_ending_says_the_worst() -> None:
    assert ending(calm()) == "No metric gets worse by more than its noise, and no gate would fail."
    assert ending(everything()).startswith("1 set could not run; 2 gates would fail: hidden_rate")
    assert everything().regression
    assert not calm().regression
