"""Signatures hold for the statements they were given under; other statements ask for new ones."""

from __future__ import annotations

from avatar_gitops.plan.signoff import Decision, Signatures, Signing, SignOff, by_set

NOW, THEN = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def signed(role: str, statement: str = NOW, *, person: str = "", refused: bool = False) -> SignOff:
    decision = Decision.REFUSED if refused else Decision.APPROVED
    return SignOff(person or f"{role}@example.org", role, "2026-09-17", decision, statement)


def test_nobody_signs_where_nobody_has_to() -> None:
    nobody = Signatures(now=NOW)
    assert (nobody.standing, nobody.open) == (Signing.NOBODY, ())
    assert by_set([("a", nobody)]) == {}


def test_a_role_that_must_sign_is_open_until_somebody_has() -> None:
    assert Signatures(now=NOW, signers=("dpo", "owner")).open == ("dpo", "owner")
    half = Signatures((signed("dpo"),), NOW, ("dpo", "owner"))
    assert (half.standing, half.open) == (Signing.TO_SIGN, ("owner",))
    whole = Signatures((signed("dpo"), signed("owner")), NOW, ("dpo", "owner"))
    assert (whole.standing, whole.open) == (Signing.SIGNED, ())


def test_a_project_that_names_no_role_needs_those_of_the_document_once_anybody_signs() -> None:
    anybody = Signatures((signed("intern"),), NOW)
    assert (anybody.standing, anybody.open) == (Signing.TO_SIGN, ("owner", "controller", "dpo"))
    whole = Signatures(tuple(map(signed, ("owner", "controller", "dpo"))), NOW)
    assert (whole.standing, whole.open) == (Signing.SIGNED, ())


def test_other_statements_have_to_be_signed_again_by_who_signed_before() -> None:
    stale = Signatures((signed("dpo", THEN),), NOW, ("dpo", "owner"))
    assert (stale.standing, stale.open) == (Signing.SIGN_AGAIN, ("dpo (dpo@example.org)", "owner"))


def test_the_last_decision_of_a_person_counts() -> None:
    again = Signatures((signed("dpo", THEN), signed("dpo")), NOW, ("dpo",))
    assert (again.standing, again.open) == (Signing.SIGNED, ())
    refused = Signatures((signed("dpo"), signed("dpo", refused=True)), NOW)
    assert refused.standing is Signing.REFUSED
    assert Signatures((signed("dpo", refused=True), signed("dpo")), NOW, ("dpo",)).standing is Signing.SIGNED


def test_anybody_of_a_role_can_sign_for_it() -> None:
    found = Signatures((signed("dpo", THEN, person="before@example.org"), signed("dpo")), NOW, ("dpo",))
    assert (found.standing, found.open) == (Signing.SIGNED, ())


def test_nothing_holds_where_nothing_is_published() -> None:
    assert Signatures((signed("dpo", ""),), "").standing is Signing.SIGN_AGAIN
