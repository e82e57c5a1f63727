"""Files of a bundle that no other document holds a digest of, changed by a forger who lists all digests anew."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from avatar_gitops.audit import layout
from avatar_gitops.audit.bundle import how_to_check
from avatar_gitops.audit.sources import check
from avatar_gitops.audit.story import Story, Told
from avatar_gitops.workspace.locks import parse_lock
from tests.audit.test_bundle import FILES, JOURNAL, LOCK, SPEC, found_in
from tests.support.evidence import KEPT, Files, named, relisted

PROJECT = "project/avatar-gitops.yaml"
POLICY = "project/policies/policy.yaml"
LEDGER = next(name for name in FILES if name.startswith("project/ledger/"))
NOT_WRITTEN = "it does not have the form in which avatar-gitops writes it"
RAN = f"{KEPT}: configs/{KEPT}.yaml in the bundle is not what ran; resolved/{KEPT}.json is what ran"


def changed(name: str, before: bytes, after: bytes) -> Files:
    assert before in FILES[name]
    return relisted({**FILES, name: FILES[name].replace(before, after, 1)})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (PROJECT, b"x", "it is no valid project file"),
        (PROJECT, FILES[PROJECT].replace(b"evidence}", b"other}"), "it is of another project than the manifest says"),
        (POLICY, b"x", "it is no valid file of policies"),
        ("project/policies/waivers.yaml", b"kind: Waivers\n", "it is no valid file of waivers"),
        (LEDGER, b"x", "is damaged at its top (model_type)"),
        (LEDGER, FILES[LEDGER] + b"# more\n", "it is not written as avatar-gitops writes records of releases"),
        (LEDGER, FILES[LEDGER].replace(b"people.csv", b"others.csv"), "it stands under the name of another source"),
        (LOCK, FILES[LOCK] + b"# more\n", "it is not written as avatar-gitops writes lock files"),
        (JOURNAL, b"hello world\xff\n", NOT_WRITTEN),
        (JOURNAL, FILES[JOURNAL] + b"hello world\n", NOT_WRITTEN),
        (JOURNAL, FILES[JOURNAL].replace(b'"seconds": 0.', b'"seconds":  0.'), NOT_WRITTEN),
        (JOURNAL, FILES[JOURNAL].partition(b"\n")[2], "it does not begin with the plan of an apply"),
        (JOURNAL, FILES[JOURNAL].replace(b"sha256:a", b"sha256:b"), "it is about another plan than its name says"),
        (JOURNAL, FILES[JOURNAL].replace(b'"event": "JobDone"', b"", 1)[:900] + b"\n" + FILES[JOURNAL], ""),
    ],
)  # fmt: skip
def test_a_file_of_another_form_is_found_though_all_digests_fit(name: str, content: bytes, message: str) -> None:
    assert content != FILES[name]
    found = found_in(relisted({**FILES, name: content}))
    said = {one.message for one in found.findings if one.file == name}
    assert message in said or (not message and not said)


def test_a_project_file_is_missed() -> None:
    found = found_in(relisted({name: content for name, content in FILES.items() if name != PROJECT}))
    assert any(one.file == PROJECT and one.message == "it is missing" for one in found.findings)


def test_lines_of_a_journal_that_change_places_are_noted() -> None:
    lines = FILES[JOURNAL].splitlines(keepends=True)
    moved = b"".join([lines[0], lines[5], *lines[1:5], *lines[6:]])
    found = found_in(relisted({**FILES, JOURNAL: moved}))
    assert f"{JOURNAL}: line 3 is earlier than one before it" in found.notes
    torn = b"".join([lines[0], lines[1][:40], b"\n", *lines])
    found = found_in(relisted({**FILES, JOURNAL: torn}))
    assert JOURNAL not in named(found)
    assert f"{JOURNAL}: line 2 is not whole, as after a crash" in found.notes


def test_line_ends_of_another_system_in_a_lock_are_none_of_its_content() -> None:
    assert LOCK not in named(found_in(relisted({**FILES, LOCK: FILES[LOCK].replace(b"\n", b"\r\n")})))


def test_a_source_that_did_not_run_is_noted() -> None:
    """A spec may have changed after its run, so that this is a note; what a forger puts there is noted as well."""
    assert found_in(FILES).notes == ()
    assert RAN in found_in(changed(SPEC, b"{k: 3}", b"{k: 2}")).notes
    gone = {name: content for name, content in FILES.items() if name != SPEC}
    what = f"{KEPT}: its spec configs/{KEPT}.yaml is not in the bundle; resolved/{KEPT}.json is what ran"
    assert what in found_in(relisted(gone)).notes
    for other in (b"ev-kept\nspec", b"seed: 7"):
        found = found_in(changed(SPEC, other, b"other\nspec" if b"\n" in other else b"seed: x"))
        assert any(
            note.startswith(f"{KEPT}: configs/{KEPT}.yaml does not make it, or is not valid") for note in found.notes
        )
    assert any("cannot be read" in note for note in found_in(relisted({**FILES, SPEC: b"\xff"})).notes)


def test_layers_count_as_what_ran() -> None:
    below = FILES[PROJECT].replace(b"prune: owned", b"prune: owned, defaults: {spec: {seed: 7}}")
    nearer = b"apiVersion: avatar-gitops/v1\nkind: Defaults\nmetadata: {owner: data@example.org}\n"
    spec = FILES[SPEC].replace(b"  seed: 7\n", b"").replace(b"  owner: data@example.org\n", b"")
    files = {**FILES, PROJECT: below, "project/configs/_defaults.yaml": nearer, SPEC: spec}
    assert found_in(relisted(files)).notes == (HOW_NOTE,)
    assert RAN in found_in({**files, "project/configs/_defaults.yaml": nearer.replace(b"data@", b"more@")}).notes


def test_each_set_of_a_matrix_is_compared() -> None:
    spec = (
        FILES[SPEC]
        .replace(b"{k: 3}", b"{generation: barycentre}")
        .replace(b"spec:\n", b"spec:\n  matrix: {k: [3, 4]}\n")
    )
    lock = parse_lock(FILES[LOCK], LOCK)
    locks = {}
    for k in (3, 4):
        ran = json.loads(json.dumps(lock.spec).replace(f'"{KEPT}"', f'"{KEPT}-k{k}"'))
        ran["spec"]["tables"]["people"]["avatarization"] |= {"k": 3}
        locks[f"{k}"] = replace(lock, set=f"{KEPT}-k{k}", spec=ran)
    told = Told()
    assert list(check(Story({**FILES, SPEC: spec}, locks, "out"), told)) == []
    assert told.notes == [RAN.replace(f"{KEPT}:", f"{KEPT}-k4:").replace(f"{KEPT}.json", f"{KEPT}-k4.json")]


def test_a_start_that_is_not_in_the_bundle_cannot_be_compared() -> None:
    found = found_in(changed(SPEC, b"spec:\n", b"spec:\n  from: data/plat.yaml\n"))
    assert any("starts from a file that is not in the bundle" in note for note in found.notes)


HOW_NOTE = f"{layout.HOW} is not the text of this version; follow one from a source that you trust"


def test_another_text_about_checking_is_noted() -> None:
    assert HOW_NOTE not in found_in(FILES).notes, "the text of an older version, signed by somebody who is trusted"
    assert HOW_NOTE in found_in(relisted({**FILES, layout.HOW: b"all is well\n"})).notes
    assert HOW_NOTE not in found_in(relisted({**FILES, layout.HOW: how_to_check()})).notes
