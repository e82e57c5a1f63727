"""Cross-checks: every place that names a column, methods, jobs of measured tables, and headers that may be data."""

from __future__ import annotations

import pytest

from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.spec.checks import check_names, check_run
from avatar_gitops.spec.facts import Shape
from avatar_gitops.spec.parse import parse_run

HEAD = "apiVersion: avatar-gitops/v1\nkind: AvatarRun\nmetadata: {name: patients}\nspec:\n"
TABLE = "  tables:\n    t:\n      source: t.csv\n"
COLUMNS = ("id", "age", "sex", "start", "end")


def findings(body: str, columns: tuple[str, ...] = COLUMNS, rows: int = 1000) -> list[Diagnostic]:
    parsed = parse_run(HEAD + TABLE + body, "a.yaml")
    assert parsed.run is not None, parsed.diagnostics
    return check_run(parsed, {"t": Shape(columns, rows)})


def codes(body: str, columns: tuple[str, ...] = COLUMNS, rows: int = 1000) -> list[str]:
    return [finding.code for finding in findings(body, columns, rows)]


@pytest.mark.parametrize(
    "body",
    [
        "      columns: {COLUMN: {type: int}}\n      avatarization: {k: 5}\n",
        "      avatarization: {k: 5, column_weights: {COLUMN: 2}}\n",
        "      avatarization: {k: 5}\n      privacy_metrics: {column_weights: {COLUMN: 2}}\n",
        "      avatarization: {k: 5}\n      signal_metrics: {column_weights: {COLUMN: 2}}\n",
        "      avatarization: {k: 5, exclude_variables: {variable_names: [COLUMN], replacement_strategy: row_order}}\n",
        "      avatarization: {k: 5}\n      privacy_metrics: {known_variables: [COLUMN]}\n",
        "      avatarization: {k: 5}\n      privacy_metrics: {target: COLUMN}\n",
        "      avatarization: {k: 5, data_augmentation: {augmentation_strategy: minority, target_column: COLUMN}}\n",
        "      avatarization: {k: 5, avatarization_processors_parameters: [{target: COLUMN, references: [age]}]}\n",
        "      avatarization: {k: 5, avatarization_processors_parameters: [{target: age, references: [COLUMN]}]}\n",
        "      avatarization: {k: 5, avatarization_processors_parameters: "
        "[{id_variable: COLUMN, target_start_variable: start, target_end_variable: end}]}\n",
        *(
            f"      processors: [{processor}]\n      avatarization: {{k: 5}}\n"
            for processor in (
                "{kind: group_modalities, variable_thresholds: {COLUMN: 3}}",
                "{kind: perturbation, perturbation_level: {COLUMN: 0.5}}",
                "{kind: proportions, variable_names: [age, COLUMN], reference: start}",
                "{kind: proportions, variable_names: [age], reference: COLUMN}",
                "{kind: expected_mean, target_variables: [age], groupby_variables: [COLUMN]}",
                "{kind: geolocation_normalization, latitude_variable: age, longitude_variable: COLUMN,"
                " n_reference_lat: 3, n_bins: 3}",
                "{kind: inter_record_cumulated_difference, id_variable: id, target_variable: COLUMN}",
                "{kind: inter_record_bounded_range_difference, id_variable: id, target_start_variable: start,"
                " target_end_variable: end, sort_by_variable: COLUMN}",
            )
        ),
        "      columns: {id: {pseudonymization: {kind: SPECIFIC_ID, pattern: '##{{COLUMN}}'}}}\n"
        "      avatarization: {k: 5}\n",
    ],
)
def test_every_place_that_names_a_column_is_compared_with_the_header(body: str) -> None:
    assert codes(body.replace("COLUMN", "sex")) == []
    (finding,) = findings(body.replace("COLUMN", "sexx"))
    assert (finding.code, finding.severity) == ("X003", Severity.ERROR)
    assert finding.label.startswith("did you mean `sex`?")
    line = (HEAD + TABLE + body.replace("COLUMN", "sexx")).splitlines()[finding.span.line - 1]
    assert "sexx" in line[finding.span.column - 1 : finding.span.end_column - 1]


def test_columns_are_not_compared_with_a_header_that_was_not_read() -> None:
    parsed = parse_run(HEAD + TABLE + "      avatarization: {k: 5, column_weights: {x: 2}}\n", "a.yaml")
    assert check_run(parsed, {}) == []


def test_a_long_header_is_not_listed_in_full() -> None:
    columns = tuple(f"column_{number:02}" for number in range(40))
    (finding,) = findings("      avatarization: {k: 5, column_weights: {zzz: 2}}\n", columns)
    assert "column_11" in finding.label
    assert "column_12" not in finding.label
    assert "and 28 more" in finding.label


@pytest.mark.parametrize(
    "cell",
    [
        "54",
        "-7",
        "61.25",
        "1972-03-01",
        "01/03/1972",
        "anna@example.org",
        " ",
        "75011",
        "-3,5",
        "1e5.0@x.y",
        "sex\nCanary",
    ],
)
def test_a_header_that_may_be_data_is_never_quoted(cell: str) -> None:
    columns = ("Canary", "Canary", cell)
    found = findings("      avatarization: {k: 5, column_weights: {canari: 2}}\n", columns)
    assert [finding.code for finding in found] == ["X018", "X017", "X003"]
    assert not [finding for finding in found if "Canary" in repr(finding)]


@pytest.mark.parametrize(
    "columns",
    [
        ("age", "x1", "BMI (kg/m2)", "a.b", "e-mail", "@id", "Q1 2024"),
        ("region", "2023", "2024", "2025"),
        ("0", "1", "2", "3"),
        ("1", "2", "3"),
        ("", "age", "sex"),
    ],
)
def test_ordinary_headers_do_not_look_like_data(columns: tuple[str, ...]) -> None:
    shape = Shape(columns, 10)
    assert not shape.looks_like_data
    assert shape.safe_columns == columns


@pytest.mark.parametrize(("k", "rows", "wrong"), [(5, 6, False), (5, 5, True), (5, 0, True), (99, 100, False)])
def test_k_needs_more_rows_than_neighbours(k: int, rows: int, wrong: bool) -> None:
    found = findings(f"      avatarization: {{k: {k}}}\n", rows=rows)
    assert [finding.code for finding in found] == ["X007"] * wrong
    assert not [finding for finding in found if str(rows) in finding.label.replace("<100", "").replace(f"got {k}", "")]


def test_a_measured_table_needs_no_method_and_no_standard_job() -> None:
    measured = "      avatars: a.csv\n  jobs: [privacy_metrics, signal_metrics, report]\n"
    assert codes(measured) == []
    assert codes("      avatarization: {k: 5}\n  jobs: [privacy_metrics]\n") == ["X008"]


@pytest.mark.parametrize("method", ["k: 5", "open_dp: {epsilon: 1}", "fast_dp: {epsilon: 1}"])
def test_each_method_is_enough_alone(method: str) -> None:
    assert codes(f"      avatarization: {{{method}}}\n") == []


def test_three_methods_are_two_too_many() -> None:
    body = "      avatarization: {k: 5, fast_dp: {epsilon: 1}, open_dp: {epsilon: 1}}\n"
    assert codes(body) == ["X005", "X005"]


def test_only_the_second_use_of_a_name_is_wrong_and_it_shows_the_first() -> None:
    text = HEAD + TABLE + "      avatarization: {k: 5}\n"
    parsed = [parse_run(text, name) for name in ("a.yaml", "b.yaml", "c.yaml")]
    found = check_names(parsed)
    assert [(finding.span.file, finding.related[0].span.file) for finding in found] == [
        ("b.yaml", "a.yaml"),
        ("c.yaml", "a.yaml"),
    ]


def test_files_that_could_not_be_read_have_no_name() -> None:
    assert check_names([parse_run("[", "a.yaml"), parse_run("metadata: 5", "b.yaml")]) == []
    assert check_run(parse_run("[", "a.yaml"), {}) == []
