"""Read a project: its file, its specs, the headers of its tables, with every finding; `validate` and `plan` use it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avatar_gitops.app.inputs import check_inputs, facts_of
from avatar_gitops.app.policy_files import read_book
from avatar_gitops.diagnostics import Diagnostic, Severity, Span, SpecError
from avatar_gitops.errors import UsageError
from avatar_gitops.spec.checks import check_names, check_run
from avatar_gitops.spec.checks_project import check_project
from avatar_gitops.spec.facts import InputFacts
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.nodes import Path as FieldPath
from avatar_gitops.spec.nodes import read
from avatar_gitops.spec.parse import Parsed, has_errors, ordered, parse_policy_tests, parse_project, parse_run
from avatar_gitops.spec.project import PROJECT_FILE, Project
from avatar_gitops.workspace.discover import find_root, is_spec_name, read_start, spec_files
from avatar_gitops.workspace.policies import policy_files, policy_test_files


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """One valid spec file. `path` is absolute; `inputs` is filled by `load_project` only."""

    path: Path
    run: AvatarRun
    parsed: Parsed[AvatarRun]
    inputs: tuple[InputFacts, ...] = ()

    def locate(self, path: FieldPath) -> Span:
        """Span of the value at a path of the spec."""
        return self.parsed.locate(path)


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What was read and found. `runs` are the files without errors; `sources` the texts that findings may quote."""

    root: Path
    project: Project | None
    runs: tuple[LoadedRun, ...]
    diagnostics: tuple[Diagnostic, ...]
    files_checked: int
    sources: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return not has_errors(self.diagnostics)


@dataclass(frozen=True, slots=True)
class LoadedProject:
    """A project whose every file is valid, with the facts of its inputs."""

    root: Path
    project: Project
    runs: tuple[LoadedRun, ...]
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    shown: str
    content: bytes


def validate(
    project_path: Path | None = None,
    files: Sequence[Path] = (),
    *,
    cwd: Path | None = None,
    absent_ok: bool = False,
) -> ValidationResult:
    """Check a project, or some files of it, without network; names of sets are compared with the whole project.

    Of `files`, those that can be no specs by their name, such as lock files, are left out. With `absent_ok` data
    files need not be here.
    """
    here = cwd or Path.cwd()
    root = find_root(project_path or (here / files[0] if files else here))
    project_file = _read(root / PROJECT_FILE, here)
    parsed_project = parse_project(project_file.content, project_file.shown)
    wanted = {(here / path).resolve() for path in files}
    policies = [_read(path, here) for path in policy_files(root)]
    policy_tests = [_read(path, here) for path in policy_test_files(root)]
    if parsed_project.value is None:
        return _result(root, None, [], parsed_project.diagnostics, [project_file])
    paths = spec_files(root, parsed_project.value)
    chosen = [path for path in paths if not files or path.resolve() in wanted]
    taken = {path.resolve() for path in (*chosen, *(file.path for file in (*policies, *policy_tests)))}
    chosen += sorted(path for path in wanted - taken if is_spec_name(path.name))
    rest = [path for path in paths if path not in chosen]
    specs = [_read(path, here) for path in chosen]
    others = [_name_only(_read(path, here)) for path in rest]
    runs = [(file, parse_run(file.content, file.shown)) for file in specs]
    with_project = not files or root / PROJECT_FILE in wanted
    found = check_project(parsed_project) if with_project else []
    for _, parsed in runs:
        found += parsed.diagnostics
        shapes, problems = check_inputs(root, parsed, absent_ok=absent_ok)
        found += [*problems, *check_run(parsed, shapes)]
    found += _name_findings([*others, *(parsed for _, parsed in runs)], {file.shown for file in specs})
    rules = [file for file in (*policies, *policy_tests) if not files or file.path.resolve() in wanted]
    found += _policy_findings(policies, policy_tests, {file.shown for file in rules})
    checked = [*specs, *rules, *([project_file] if with_project else [])]
    return _result(root, parsed_project.value, runs, found, checked)


def load_project(
    project_path: Path | None = None,
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> LoadedProject:
    """The project, every run and the facts of every input, for plan and apply; SpecError if anything is invalid."""
    result = validate(project_path, cwd=cwd)
    if result.project is None or not result.ok:
        raise invalid(result)
    environment = os.environ if environ is None else environ
    runs: list[LoadedRun] = []
    problems: list[Diagnostic] = []
    for loaded in result.runs:
        inputs, found = facts_of(result.root, result.project, loaded.parsed, environment)
        problems += found
        runs.append(LoadedRun(loaded.path, loaded.run, loaded.parsed, inputs))
    if problems:
        raise invalid(with_findings(result, problems))
    return LoadedProject(result.root, result.project, tuple(runs), result.diagnostics)


def invalid(result: ValidationResult) -> SpecError:
    """The error of a project that is not valid; it carries every finding."""
    errors = [found for found in result.diagnostics if found.severity is Severity.ERROR]
    files = len({found.span.file for found in errors})
    return SpecError(
        f"the specs are not valid: {len(errors)} error{'s' * (len(errors) != 1)} in {files} file{'s' * (files != 1)}",
        result.diagnostics,
        hint="avatar-gitops validate",
    )


def with_findings(result: ValidationResult, found: Iterable[Diagnostic]) -> ValidationResult:
    """The result with more findings."""
    diagnostics = ordered([*result.diagnostics, *found])
    return ValidationResult(result.root, result.project, result.runs, diagnostics, result.files_checked, result.sources)


def _policy_findings(policies: Sequence[_File], tests: Sequence[_File], chosen: set[str]) -> list[Diagnostic]:
    """Findings about the chosen files of `policies/`; rules may stand in one file and be named in another."""
    if not chosen:
        return []
    _, found = read_book((file.content, file.shown) for file in policies)
    parsed = [parse_policy_tests(file.content, file.shown) for file in tests]
    everything = [*found, *(finding for file in parsed for finding in file.diagnostics)]
    return [finding for finding in everything if finding.span.file in chosen]


def _read(path: Path, here: Path) -> _File:
    try:
        content = read_start(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or 'unknown reason'})") from None
    return _File(path, _shown(path, here), content)


def _shown(path: Path, here: Path) -> str:
    """The name that people and editors can open from where they are."""
    try:
        return Path(os.path.relpath(path, here.resolve())).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _name_only(file: _File) -> Parsed[AvatarRun]:
    document, _ = read(file.content, file.shown)
    return Parsed(file.shown, None, (), document)


def _name_findings(runs: Sequence[Parsed[AvatarRun]], chosen: set[str]) -> list[Diagnostic]:
    """Names used twice, in the order of files; when only some files are checked, they are the second use."""
    ranked = sorted(runs, key=lambda parsed: (parsed.file in chosen and len(chosen) < len(runs), parsed.file))
    return [found for found in check_names(ranked) if found.span.file in chosen]


def _result(
    root: Path,
    project: Project | None,
    runs: Sequence[tuple[_File, Parsed[AvatarRun]]],
    found: Iterable[Diagnostic],
    files: Sequence[_File],
) -> ValidationResult:
    diagnostics = ordered(found)
    broken = {diagnostic.span.file for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR}
    named = broken | {related.span.file for diagnostic in diagnostics for related in diagnostic.related}
    named |= {diagnostic.span.file for diagnostic in diagnostics}
    return ValidationResult(
        root=root,
        project=project,
        runs=tuple(
            LoadedRun(file.path, parsed.value, parsed)
            for file, parsed in runs
            if parsed.value is not None and file.shown not in broken
        ),
        diagnostics=diagnostics,
        files_checked=len(files),
        sources=_sources(named, [*files, *(file for file, _ in runs)]),
    )


def _sources(named: set[str], files: Iterable[_File]) -> dict[str, str]:
    """Texts of the files that findings name; a file that is not UTF-8 is not quoted."""
    texts: dict[str, str] = {}
    for file in files:
        if file.shown in named:
            try:
                texts[file.shown] = file.content.decode("utf-8-sig")
            except UnicodeDecodeError:
                continue
    return texts
