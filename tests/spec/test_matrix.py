"""A matrix makes one run per combination, in a stable order, with names that say the values."""

from __future__ import annotations

from typing import Any

from avatar_gitops.spec.matrix import MOST, expand, names
from avatar_gitops.spec.nodes import Document, read
from avatar_gitops.spec.resolving import make_runs

HEAD = "apiVersion: avatar-gitops/v1\nkind: AvatarRun\n"


def document(matrix: str, tables: str = "iris: {source: a.csv}", name: str = "iris", more: str = "") -> Document:
    text = f"{HEAD}metadata: {{name: {name}}}\nspec:\n  matrix: {matrix}\n  tables: {{{tables}}}\n{more}"
    found, findings = read(text, "configs/iris.yaml")
    assert found is not None
    assert not findings
    return found


def made(*args: str, **more: str) -> list[tuple[str, dict[str, Any]]]:
    variants, findings = expand(document(*args, **more))
    assert findings == []
    datas = [variant.document.data for variant in variants]
    return [(data["metadata"]["name"], data["spec"]) for data in datas]


def codes(*args: str, **more: str) -> list[str]:
    variants, findings = expand(document(*args, **more))
    assert variants == ()
    return [finding.code for finding in findings]


def test_each_combination_is_a_set_and_the_last_key_is_fastest() -> None:
    runs = made("{k: [5, 10], seed: [1, 2]}")
    assert [name for name, _ in runs] == ["iris-k5-seed1", "iris-k5-seed2", "iris-k10-seed1", "iris-k10-seed2"]
    assert runs[1][1] == {"seed": 2, "tables": {"iris": {"source": "a.csv", "avatarization": {"k": 5}}}}


def test_names_follow_their_form_and_say_numbers_texts_and_switches() -> None:
    assert [name for name, _ in made("{k: [5, 10]}", name='"a.{k}.b"')] == ["a.5.b", "a.10.b"]
    words = "{epsilon: [0.5, 2.0], results.compute_figures: [true], generation: [barycentre]}"
    table = "t: {source: a, avatarization: {open_dp: {epsilon: 1}}}"
    assert [name for name, _ in made(words, table)] == [
        "iris-epsilon0.5-compute_figures-true-generation-barycentre",
        "iris-epsilon2-compute_figures-true-generation-barycentre",
    ]


def test_signs_that_a_name_cannot_have_are_left_out() -> None:
    found = made('{gates.hidden_rate: [">= 80", ">= 90"]}')
    assert [name for name, _ in found] == ["iris-hidden_rate-80", "iris-hidden_rate-90"]


def test_keys_that_end_alike_are_told_apart() -> None:
    tables = "a: {source: x}, b: {source: y}"
    runs = made("{tables.a.avatarization.k: [5, 6], tables.b.avatarization.k: [5, 6]}", tables)
    assert runs[1][0] == "iris-tables-a-avatarization-k5-tables-b-avatarization-k6"
    assert runs[1][1]["tables"]["b"]["avatarization"] == {"k": 6}


def test_a_short_name_is_for_the_tables_whose_method_has_it() -> None:
    tables = (
        "a: {source: x, avatarization: {k: 3, ncp: 1}}, b: {source: y, avatarization: {fast_dp: {epsilon: 1}}},"
        "c: {source: z, avatars: v}, d: {source: w}"
    )
    found = made("{k: [9], epsilon: [2], ncp: [4]}", tables)[0][1]["tables"]
    assert found["a"]["avatarization"] == {"k": 9, "ncp": 4}
    assert found["b"]["avatarization"] == {"fast_dp": {"epsilon": 2}, "ncp": 4}
    assert "avatarization" not in found["c"]
    assert found["d"]["avatarization"] == {"k": 9}


def test_a_path_may_lead_through_names_with_dots() -> None:
    found = made('{"tables.my.table.avatarization.k": [4]}', '"my.table": {source: x}')[0][1]
    assert found["tables"] == {"my.table": {"source": "x", "avatarization": {"k": 4}}}


def test_what_is_wrong_with_a_matrix_is_said_and_nothing_is_made() -> None:
    assert codes("{kk: [1]}") == ["X061"]
    assert codes("{epsilon: [1]}") == ["X061"]
    assert codes("{from.x: [1]}") == ["X061"]
    assert codes("{k: [5, 5.0]}") == ["X062"]
    assert codes("{k: [5, 6], seed: [1, 2]}", name='"i-{k}"') == ["X062"]
    assert codes("{k: [5, 6]}", name='"i-{q}"') == ["X065"]
    values = ", ".join(str(number) for number in range(2, 2 + MOST))
    assert len(made(f"{{k: [{values}]}}")) == MOST
    assert codes(f"{{k: [{values}, 100]}}") == ["X063"]


def test_names_are_known_without_the_layers() -> None:
    assert names(document("{k: [5, 10]}")) == ("iris-k5", "iris-k10")
    assert names(document("{k: []}")) == ("iris",)
    assert names(document("null")) == ("iris",)
    assert names(document("{k: [1]}", name="[a]")) == ()


def test_runs_point_to_the_value_of_the_matrix_that_is_wrong() -> None:
    runs = make_runs(document("{k: [5, 1]}"), (), (), None)
    assert [run.parsed.value is not None for run in runs] == [True, False]
    finding = runs[1].parsed.diagnostics[0]
    assert (finding.code, finding.span.line, finding.edit) == ("S004", 5, "")
    assert runs[0].matrix == {("spec", "tables", "iris", "avatarization", "k")}
    typo = make_runs(document("{tables.iris.avatarization.ncpp: [1, 2]}"), (), (), None)[0].parsed.diagnostics
    assert [(one.code, one.edit) for one in typo if one.code == "S002"] == [("S002", "")]


def test_a_matrix_that_does_not_fit_is_all_that_is_said() -> None:
    for matrix, code in (("{k: []}", "S007"), ("{}", "S007"), ("{k: 5}", "S005"), ("[1]", "S005")):
        (run,) = make_runs(document(matrix, name='"i-{k}"'), (), (), None)
        assert run.parsed.value is None
        assert [finding.code for finding in run.parsed.diagnostics] == [code], matrix
