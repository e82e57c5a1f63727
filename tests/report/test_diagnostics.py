"""Findings in their four forms, and that no file can break out of the form it is shown in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.diagnostics import Diagnostic, Related, Severity, Span
from avatar_gitops.report.diagnostics import as_github, as_json, as_short, as_text, explain_line, summary

SOURCE = "metadata:\n  name: patients\nspec:\n  k: 0\n  password: hunter2\n"


def finding(**changes: object) -> Diagnostic:
    values: dict[str, object] = {
        "code": "S004",
        "message": "`k` must be at least 2",
        "span": Span("a.yaml", 4, 6, 4, 7),
        "path": ("spec", "k"),
        "label": "got 0",
        "why": "each avatar needs neighbours",
        "fix": "write 2 or more",
    }
    return Diagnostic(**(values | changes))  # type: ignore[arg-type]


def test_a_finding_shows_the_parent_line_the_line_and_the_caret() -> None:
    assert as_text([finding()], {"a.yaml": SOURCE}) == (
        "error[S004]: `k` must be at least 2\n"
        "   --> a.yaml:4:6\n"
        "    |\n"
        "  3 | spec:\n"
        "  4 |   k: 0\n"
        "    |      ^ got 0\n"
        "    = why: each avatar needs neighbours\n"
        "    = fix: write 2 or more\n"
    )


def test_a_second_place_in_another_file_follows_behind_colons() -> None:
    other = Related(Span("b.yaml", 12, 9, 12, 17), "first use")
    text = as_text(
        [finding(code="X001", label="second use", span=Span("a.yaml", 2, 9, 2, 17), related=(other,), why="")],
        {"a.yaml": SOURCE, "b.yaml": "metadata:\n" + "#\n" * 10 + "  name: patients\n"},
    )
    assert text.splitlines()[1:9] == [
        "   --> a.yaml:2:9",
        "    |",
        "  1 | metadata:",
        "  2 |   name: patients",
        "    |         ^^^^^^^^ second use",
        "   ::: b.yaml:12:9",
        "    |",
        " 12 |   name: patients",
    ]


def test_a_file_without_source_shows_the_place_only() -> None:
    assert as_text([finding(why="", fix="")], {}) == (
        "error[S004]: `k` must be at least 2\n   --> a.yaml:4:6\n    | got 0\n"
    )


def test_long_lines_are_cut_around_the_caret_and_never_wider_than_asked() -> None:
    line = "a: {" + ", ".join(f"key{number}: {number}" for number in range(60)) + "}"
    column = line.index("key40") + 1
    text = as_text(
        [finding(span=Span("a.yaml", 1, column, 1, column + 5), label="")], {"a.yaml": line + "\nspec:\n"}, width=80
    )
    shown, caret = text.splitlines()[3:5]
    assert len(shown) <= 80
    assert shown[caret.index("^") :].startswith("key40")
    assert shown.count("…") == 2


def test_secrets_are_hidden_also_in_lines_that_another_finding_shows() -> None:
    text = as_text([finding(span=Span("a.yaml", 5, 3, 5, 11), label="unknown")], {"a.yaml": SOURCE})
    assert "  5 |   password: ********\n    |   ^^^^^^^^ unknown\n" in text
    hidden = finding(code="S020", span=Span("a.yaml", 4, 6, 4, 7), hide_source=True, label="hidden")
    assert "  4 |   k: ********\n    |      ^^^^^^^^ hidden\n" in as_text([hidden], {"a.yaml": SOURCE})


def test_styles_mark_words_and_carets_and_change_nothing_else() -> None:
    styled = as_text([finding()], {"a.yaml": SOURCE}, style=lambda text, kind: f"<{kind}>{text}</{kind}>")
    assert "<error>error[S004]</error>: <bold>`k` must be at least 2</bold>" in styled
    assert "<error>^ got 0</error>" in styled
    bare = styled
    for kind in ("error", "bold", "dim"):
        bare = bare.replace(f"<{kind}>", "").replace(f"</{kind}>", "")
    assert bare == as_text([finding()], {"a.yaml": SOURCE})


def test_control_characters_of_a_file_never_reach_a_terminal() -> None:
    evil = finding(message="`\x1b[31mk\n::error::x`", label="\x07", span=Span("a\x1b.yaml", 4, 6, 4, 7))
    for text in (as_text([evil], {"a\x1b.yaml": SOURCE.replace("k", "\x1b[2J")}), as_short([evil])):
        assert not {"\x1b", "\x07"} & set(text)
        assert "\n::error" not in text
    assert "\n" not in as_github([evil]).rstrip("\n")


def test_one_line_per_finding() -> None:
    guess = finding(code="S002", message="unknown key `kk`", label="did you mean `k`? one of k, ncp")
    assert as_short([finding(), guess]) == (
        "a.yaml:4:6: error S004 `k` must be at least 2\na.yaml:4:6: error S002 unknown key `kk`; did you mean `k`?\n"
    )


def test_json_has_every_part() -> None:
    document = json.loads(as_json([finding(severity=Severity.WARNING)], 6))
    assert (document["format"], document["version"], document["files"]) == ("avatar-gitops/diagnostics", "1.0", 6)
    assert document["diagnostics"] == [
        {
            "code": "S004",
            "severity": "warning",
            "message": "`k` must be at least 2",
            "file": "a.yaml",
            "start": {"line": 4, "column": 6},
            "end": {"line": 4, "column": 7},
            "path": ["spec", "k"],
            "label": "got 0",
            "why": "each avatar needs neighbours",
            "fix": {"text": "write 2 or more", "edits": []},
            "note": None,
            "related": [],
        }
    ]


def test_github_annotations_are_sentences_on_a_line() -> None:
    assert as_github([finding()]) == (
        "::error file=a.yaml,line=4,col=6,title=S004::`k` must be at least 2. Write 2 or more.\n"
    )
    odd = finding(message="100 % of\r\nit", span=Span("a,b:c%.yaml", 1, 1, 1, 2), fix="")
    assert as_github([odd]) == ("::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=S004::100 %25 of%0D%0Ait.\n")


@given(text=st.text(max_size=30), file=st.text(max_size=20))
def test_no_text_can_start_a_workflow_command_of_its_own(text: str, file: str) -> None:
    lines = as_github([finding(message=text or "x", fix="", label="", span=Span(file, 1, 1, 1, 1))])
    assert lines.count("\n") == 1
    assert "\r" not in lines
    assert lines.split("::")[1].startswith("error file=")
    assert lines.split("::")[1].endswith(",title=S004")


def test_annotations_stop_at_ten_per_level_and_nothing_is_lost() -> None:
    errors = [finding(span=Span("a.yaml", number, 1, number, 2)) for number in range(1, 25)]
    warnings = [finding(severity=Severity.WARNING, span=Span("b.yaml", n, 1, n, 2)) for n in range(1, 12)]
    lines = as_github([*errors, *warnings]).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert [line.split(" ")[0] for line in commands] == ["::error"] * 10 + ["::warning"] * 10
    assert commands[9].endswith("(+14 more)")
    assert commands[19].endswith("(+1 more)")
    assert len(lines) == 35


@pytest.mark.parametrize(
    ("findings", "files", "text"),
    [
        ([], 6, "6 files checked: 6 valid."),
        ([], 1, "1 file checked: 1 valid."),
        ([finding()], 6, "6 files checked: 5 valid, 1 with 1 error."),
        (
            [finding()] * 4 + [finding(span=Span("b.yaml", 1, 1, 1, 1))],
            6,
            "6 files checked: 4 valid, 2 with 5 errors.",
        ),
        ([finding(severity=Severity.WARNING)] * 2, 3, "3 files checked: 3 valid, 2 warnings."),
        ([finding(), finding(severity=Severity.WARNING)], 1, "1 file checked: 0 valid, 1 with 1 error, 1 warning."),
    ],
)
def test_the_verdict_is_one_line(findings: list[Diagnostic], files: int, text: str) -> None:
    assert summary(findings, files) == text


def test_the_last_line_explains_the_first_error() -> None:
    warning = finding(code="X010", severity=Severity.WARNING)
    assert explain_line([warning, finding()]) == "Explain one: avatar-gitops explain S004"
    assert explain_line([]) == ""
