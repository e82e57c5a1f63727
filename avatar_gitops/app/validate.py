"""Read a project: its file, its specs, the headers of its tables, with every finding; `validate` and `plan` use it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from avatar_gitops.app.clock import today
from avatar_gitops.app.inputs import check_inputs, facts_of, sources_of
from avatar_gitops.app.layering import Layers, TextFile, said_once, shown_from
from avatar_gitops.diagnostics import Diagnostic, Severity, Span, SpecError
from avatar_gitops.spec.checks import check_names, check_run
from avatar_gitops.spec.checks_blocks import check_blocks, check_retention
from avatar_gitops.spec.checks_project import check_project
from avatar_gitops.spec.facts import InputFacts
from avatar_gitops.spec.matrix import names
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.nodes import Path as FieldPath
from avatar_gitops.spec.nodes import read
from avatar_gitops.spec.parse import Parsed, has_errors, ordered, parse_policy_tests, parse_project
from avatar_gitops.spec.project import PROJECT_FILE, Project
from avatar_gitops.spec.resolving import MadeRun
from avatar_gitops.workspace.discover import RECORD_SUFFIXES, defaults_files, find_root, is_spec_name, spec_files
from avatar_gitops.workspace.policies import policy_files, policy_test_files


@dataclass(frozen=True, slots=True)
class LoadedRun:
    """One valid run. `path` is that of its spec, absolute; `inputs` is filled by `load_project` only.

    `matrix` are the paths whose values the matrix of the spec gave, `start` is the file that its `from` names.
    """

    path: Path
    run: AvatarRun
    parsed: Parsed[AvatarRun]
    inputs: tuple[InputFacts, ...] = ()
    matrix: frozenset[FieldPath] = frozenset()
    start: str = ""

    def locate(self, path: FieldPath) -> Span:
        """Span of the value at a path of the spec."""
        return self.parsed.locate(path)


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What was read and found. `runs` are those without errors; `sources` the texts that findings may quote.

    `sets_made` counts the sets of all specs, 0 when each spec makes one, or when there are errors; `left_out` are files
    that were asked for and are none of the project's.
    """

    root: Path
    project: Project | None
    runs: tuple[LoadedRun, ...]
    diagnostics: tuple[Diagnostic, ...]
    files_checked: int
    sources: Mapping[str, str]
    sets_made: int = 0
    left_out: tuple[str, ...] = ()

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
class _Spec:
    """A spec file that was checked, with its runs and the findings about each."""

    file: TextFile
    made: tuple[MadeRun, ...]
    found: tuple[tuple[Diagnostic, ...], ...]

    def valid(self) -> Iterator[LoadedRun]:
        for made, found in zip(self.made, self.found, strict=True):
            if made.parsed.value is not None and not has_errors(found):
                yield LoadedRun(self.file.path, made.parsed.value, made.parsed, matrix=made.matrix, start=made.start)


def validate(
    project_path: Path | None = None,
    files: Sequence[Path] = (),
    *,
    cwd: Path | None = None,
    absent_ok: bool = False,
) -> ValidationResult:
    """Check a project, or some files of it, without network; names of sets are compared with the whole project.

    Of `files`, those that can be no specs by their name are left out; lock and noise files are so without a word. With
    `absent_ok` data files need not be here.
    """
    here = cwd or Path.cwd()
    root = find_root(project_path or (here / files[0] if files else here))
    project_file = TextFile.read(root / PROJECT_FILE, here)
    parsed_project = parse_project(project_file.content, project_file.shown)
    wanted = {(here / path).resolve() for path in files}
    policies = [TextFile.read(path, here) for path in policy_files(root)]
    policy_tests = [TextFile.read(path, here) for path in policy_test_files(root)]
    if parsed_project.value is None:
        return _result(root, parsed_project, [], parsed_project.diagnostics, [project_file])
    layers = Layers(root, here, parsed_project)
    paths = spec_files(root, parsed_project.value)
    shared = [path for path in defaults_files(root, parsed_project.value) if not files or path.resolve() in wanted]
    for path in shared:
        layers.default(path)
    chosen = [path for path in paths if not files or path.resolve() in wanted or _below(path, shared)]
    if files:
        taken = {path.resolve() for path in (*chosen, *(file.path for file in (*policies, *policy_tests)))}
        chosen += sorted(path for path in wanted - taken if is_spec_name(path.name))
    rest = sorted(set(paths).difference(chosen))
    specs = [_check(root, layers, TextFile.read(path, here), absent_ok) for path in chosen]
    others = [name for path in rest for name in _names_only(TextFile.read(path, here))]
    with_project = not files or root / PROJECT_FILE in wanted
    found = check_project(parsed_project) if with_project else []
    made = [made.parsed for spec in specs for made in spec.made]
    found += check_blocks(parsed_project, [*others, *made]) if with_project else []
    by_spec = [(spec.file.shown, one) for spec in specs for part in spec.found for one in part]
    found += [*layers.found, *said_once(by_spec, layers.found, layers.is_layer)]
    found += _name_findings([*others, *made], {spec.file.shown for spec in specs})
    rules = [file for file in (*policies, *policy_tests) if not files or file.path.resolve() in wanted]
    found += _policy_findings(policies, policy_tests, {file.shown for file in rules})
    checked = [
        *(spec.file for spec in specs),
        *layers.files.values(),
        *rules,
        *([project_file] if with_project else []),
    ]
    result = _result(root, parsed_project, specs, found, checked)
    return replace(result, left_out=_left_out(files, checked, here))


def _left_out(files: Sequence[Path], checked: Iterable[TextFile], here: Path) -> tuple[str, ...]:
    """Those of the files that nobody looked at and that somebody may have taken for specs."""
    seen = {file.path.resolve() for file in checked}
    unseen = [path for path in files if (here / path).resolve() not in seen]
    return tuple(shown_from(here / path, here) for path in unseen if not path.name.endswith(RECORD_SUFFIXES))


def _check(root: Path, layers: Layers, file: TextFile, absent_ok: bool) -> _Spec:
    """The runs of one spec with everything that is found about each."""
    made = layers.runs(file)
    found = []
    for one in made:
        shapes, problems = check_inputs(root, one.parsed, absent_ok=absent_ok)
        found.append(
            (*one.parsed.diagnostics, *problems, *check_run(one.parsed, shapes), *check_retention(one.parsed, today()))
        )
    return _Spec(file, made, tuple(found))


def _below(path: Path, shared: Iterable[Path]) -> bool:
    """Whether one of these defaults files holds for a spec."""
    return any(path.is_relative_to(default.parent) for default in shared)


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
    known: dict[tuple[Any, ...], tuple[InputFacts, ...]] = {}
    for loaded in result.runs:
        sources = (
            loaded.path,
            *((name, role, source.model_dump_json()) for name, role, source, _ in sources_of(loaded.parsed)),
        )
        if sources not in known:  # the sets of a matrix mostly share their data
            known[sources], found = facts_of(result.root, result.project, loaded.parsed, environment)
            problems += found
        runs.append(replace(loaded, inputs=known[sources]))
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
    return replace(result, diagnostics=ordered([*result.diagnostics, *found]))


def _policy_findings(policies: Sequence[TextFile], tests: Sequence[TextFile], chosen: set[str]) -> list[Diagnostic]:
    """Findings about the chosen files of `policies/`; rules may stand in one file and be named in another."""
    if not chosen:
        return []
    from avatar_gitops.app.policy_files import read_book  # most calls have no policy to check

    _, found = read_book((file.content, file.shown) for file in policies)
    parsed = [parse_policy_tests(file.content, file.shown) for file in tests]
    everything = [*found, *(finding for file in parsed for finding in file.diagnostics)]
    return [finding for finding in everything if finding.span.file in chosen]


def _names_only(file: TextFile) -> Iterator[Parsed[AvatarRun]]:
    """A spec that is not checked, as far as its set names go."""
    document, _ = read(file.content, file.shown)
    for name in names(document) if document else ():
        assert document is not None
        yield Parsed(file.shown, None, (), replace(document, data={"metadata": {"name": name}}))


def _name_findings(runs: Sequence[Parsed[AvatarRun]], chosen: set[str]) -> list[Diagnostic]:
    """Names used twice, in the order of files; when only some files are checked, they are the second use."""
    ranked = sorted(runs, key=lambda parsed: (parsed.file in chosen and len(chosen) < len(runs), parsed.file))
    return [found for found in check_names(ranked) if found.span.file in chosen]


def _result(
    root: Path,
    project: Parsed[Project],
    specs: Sequence[_Spec],
    found: Iterable[Diagnostic],
    files: Sequence[TextFile],
) -> ValidationResult:
    diagnostics = ordered(found)
    named = {related.span.file for diagnostic in diagnostics for related in diagnostic.related}
    named |= {diagnostic.span.file for diagnostic in diagnostics}
    errors = {one.span.file for one in diagnostics if one.severity is Severity.ERROR}
    sets = sum(len(spec.made) for spec in specs)
    return ValidationResult(
        root=root,
        project=project.value,
        runs=tuple(run for spec in specs if spec.file.shown not in errors for run in spec.valid()),
        diagnostics=diagnostics,
        files_checked=len(files),
        sources=_sources(named, files),
        sets_made=sets if sets > len(specs) and not errors else 0,
    )


def _sources(named: set[str], files: Iterable[TextFile]) -> dict[str, str]:
    """Texts of the files that findings name; a file that is not UTF-8 is not quoted."""
    texts: dict[str, str] = {}
    for file in files:
        if file.shown in named:
            try:
                texts[file.shown] = file.content.decode("utf-8-sig")
            except UnicodeDecodeError:
                continue
    return texts
