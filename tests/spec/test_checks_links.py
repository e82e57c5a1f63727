"""Cross-checks of links that the bad specs leave out: what is sound, and circles over several tables."""

from __future__ import annotations

from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.spec.checks import check_run
from avatar_gitops.spec.facts import Shape
from avatar_gitops.spec.fields import Privacy, direction
from avatar_gitops.spec.parse import parse_run
from avatar_gitops.wire.documents import Link

HEAD = "apiVersion: avatar-gitops/v1\nkind: AvatarRun\nmetadata: {name: hospital}\nspec:\n  tables:\n"


def table(name: str, keys: str, links: str = "", more: str = "") -> str:
    return (
        f"    {name}:\n      source: {name}.csv\n      columns: {{{keys}}}\n{more}      avatarization: {{k: 5}}\n"
        + (f"      links: [{links}]\n" if links else "")
    )


def to(child: str, foreign: str, key: str = "id") -> str:
    return f"{{field: {key}, to: {{table: {child}, field: {foreign}}}}}"


KEY = "id: {primary_key: true}"
CHILD = "      individual_level: false\n"
SOUND = (
    table("ward", KEY, to("patient", "ward"))
    + table("patient", f"{KEY}, ward: {{identifier: true}}", to("visit", "patient"))
    + table("doctor", KEY, to("visit", "doctor"))
    + table("visit", "patient: {identifier: true}, doctor: {identifier: true}", more=CHILD)
)


def findings(body: str, shapes: dict[str, Shape] | None = None) -> list[Diagnostic]:
    parsed = parse_run(HEAD + body, "a.yaml")
    assert parsed.run is not None, parsed.diagnostics
    return check_run(parsed, shapes or {})


def test_a_hospital_is_sound() -> None:
    assert findings(SOUND) == []


def test_a_key_that_is_not_declared_or_dropped_is_told_with_its_repair() -> None:
    for said in ("", "id: {type: int}", "id: {primary_key: true, drop: true}"):
        found = findings(SOUND.replace(KEY, said, 1))
        assert "X034" in [finding.code for finding in found]
        (finding,) = [finding for finding in found if finding.code == "X034"]
        assert finding.fix == "add `id: {primary_key: true}` to the columns of table `ward`"


def test_a_circle_over_three_tables_names_the_links_it_is_made_of() -> None:
    body = SOUND.replace(
        table("visit", "patient: {identifier: true}, doctor: {identifier: true}", more=CHILD),
        table(
            "visit",
            f"{KEY}, patient: {{identifier: true}}, doctor: {{identifier: true}}",
            to("ward", "visit"),
            CHILD,
        ),
    ).replace("columns: {id: {primary_key: true}}", "columns: {id: {primary_key: true}, visit: {identifier: true}}", 1)
    (finding,) = findings(body)
    assert finding.code == "X033"
    assert len(finding.related) == 2


def test_two_links_that_point_at_each_other_are_a_circle_not_a_second_link() -> None:
    body = table("a", f"{KEY}, b: {{identifier: true}}", to("b", "a")) + table(
        "b", f"{KEY}, a: {{identifier: true}}", to("a", "b")
    )
    assert [finding.code for finding in findings(body)] == ["X033"]


def test_columns_of_both_ends_are_compared_with_their_headers() -> None:
    shapes = {"ward": Shape(("idd",), 100), "patient": Shape(("id", "wards"), 100)}
    found = findings(SOUND, shapes)
    places = [finding.path[3:] for finding in found if finding.code == "X003"]
    assert ("links", 0, "field") in places
    assert ("links", 0, "to", "field") in places


def test_the_wire_says_a_link_as_the_platform_does() -> None:
    parsed = parse_run(HEAD + SOUND, "a.yaml")
    assert parsed.run is not None
    links = parsed.run.spec.tables["ward"].links
    assert links is not None
    assert Link(**links[0].model_dump(mode="json")).to_plain() == {
        "field": "id",
        "to": {"table": "patient", "field": "ward"},
        "method": "linear_sum_assignment",
    }


def test_a_link_in_the_original_order_is_weaker_and_of_others_nothing_is_known() -> None:
    def links(method: str) -> list[dict[str, object]]:
        return [{"field": "id", "to": {"table": "visit", "field": "patient"}, "method": method}]

    path = ("spec", "tables", "patient", "links")
    order, best = links("sensitive_original_order_assignment"), links("linear_sum_assignment")
    assert direction(path, best, order) is Privacy.WEAKER
    assert direction(path, None, order) is Privacy.WEAKER
    assert direction(path, order, best) is Privacy.STRONGER
    assert direction(path, best, links("minimum_distance_assignment")) is Privacy.UNKNOWN
    assert direction(path, None, best) is Privacy.UNKNOWN
