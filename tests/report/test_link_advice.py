"""How links stand, on the screen and as plain data: every standing, keys that lead nowhere, and strange names."""

from __future__ import annotations

import json
from collections.abc import Callable

from avatar_gitops.plan.link_advice import Ends, KeyCheck, LinkAdvice, LinkFinding, Standing, Unclear
from avatar_gitops.report.advice import render, to_json
from avatar_gitops.report.link_advice import plain_links, render_links
from avatar_gitops.report.values import plain
from avatar_gitops.spec.models import LinkMethod

Golden = Callable[[str, str], None]

SUM, NEAREST, SERIES = (
    LinkMethod.LINEAR_SUM_ASSIGNMENT,
    LinkMethod.MINIMUM_DISTANCE_ASSIGNMENT,
    LinkMethod.TIME_SERIES,
)
HOLDS = KeyCheck(0, 0, 0, 0, several=True)
EVERYTHING = LinkAdvice(
    findings=(
        LinkFinding(Ends("ward", "id", "bed", "ward_id"), SUM, Standing.DECLARED, True, "declared, as advised", HOLDS),
        LinkFinding(
            Ends("ward", "id", "stay", "unit"), NEAREST, Standing.DIFFERS, True,
            "declared; by its name it leads to unit", KeyCheck(0, 0, 0, 1_500, several=True),
        ),
        LinkFinding(
            Ends("person", "p_id", "stay", "p_id"), SUM, Standing.PROPOSED, False, "high: the names leave no doubt",
            None, "high",
        ),
        LinkFinding(
            Ends("bed", "nr", "stay", "bed"), SUM, Standing.BROKEN, False, "medium: the key is called after the table",
            KeyCheck(3, 40, 150, 0, several=True), "medium", "give each row of bed a key of its own",
        ),
        LinkFinding(
            Ends("stay", "s", "person", "last_stay"), SERIES, Standing.BLOCKED, False,
            "it would close a circle, and parents come before their children", HOLDS, "low",
            "choose which link is left out",
        ),
    ),
    unclear=(
        Unclear("stay", "origin", ("person", "ward")),
        Unclear("stay", "whom", ("person",)),
        Unclear("stay", "nowhere", ()),
    ),
    notes=("several rows of stay belong to one row of person",),
)  # fmt: skip


def test_every_standing_has_a_sign_and_what_is_not_possible_a_way_out(golden: Golden) -> None:
    text = render({"ward": ()}, {"ward": EVERYTHING}, {"ward": "configs/ward.yaml"}, ascii_only=True)
    plain_text = json.dumps(plain_links(EVERYTHING), indent=2)
    golden("plan/link-advice.txt", f"{text}\n--- plain\n{plain_text}\n")
    assert text.isascii()


def test_colour_only_repeats_what_signs_say() -> None:
    coloured = render_links(EVERYTHING, lambda text, kind: f"<{kind}>{text}</>" if kind else text)
    for kind, sign in (("launch", "+"), ("warn", "~"), ("weaker", "!"), ("dim", " ")):
        assert f"<{kind}>  {sign} " in coloured
    assert render_links(EVERYTHING, plain).count("\n") == coloured.count("\n")


def test_names_cannot_steer_a_terminal() -> None:
    ends = Ends("a\x1b[31m", "k\r", "b", "c\x07")
    strange = LinkAdvice(
        findings=(LinkFinding(ends, SUM, Standing.BROKEN, False, "x\x1b", HOLDS, fix="y\x1b"),),
        unclear=(Unclear("a\x1b", "b\x1b", ("c\x1b", "d\x1b")),),
        notes=("z\x1b",),
    )
    refused = LinkAdvice(refused="no\x1b[2J")
    for text in (render_links(strange, plain), render_links(refused, plain)):
        assert all(sign.isprintable() or sign == "\n" for sign in text)


def test_sets_with_one_table_say_nothing_of_links() -> None:
    assert "links" not in to_json({"ward": ()}, {})
    assert json.loads(to_json({"ward": ()}, {"ward": LinkAdvice()}))["sets"][0]["links"] == {
        "refused": None,
        "found": [],
        "unclear": [],
        "notes": [],
    }
    assert render_links(LinkAdvice(), plain).startswith("  no links found")
