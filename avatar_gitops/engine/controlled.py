"""Privacy metrics that need people who were not used: from a holdout, or from a shadow run on a part of the originals.

Without such people membership cannot be measured: how near an avatar comes to a person says nothing about whether that
person was used. A shadow run makes avatars again from a random 80 % of the originals, with the same method and
parameters, and attacks the shadow avatars with the other 20 % as control (Shokri et al., IEEE S&P 2017; Stadler et al.,
USENIX Security 2022). It measures the method on these data, not the very table that is released, and costs one more
avatarization: it must be asked for. A metric without a control is `None` with a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from avatar_gitops.engine.dcr_share import dcr_share
from avatar_gitops.engine.groups import find_grouping
from avatar_gitops.engine.holdout import FEWEST, Sides, sides, split
from avatar_gitops.engine.ledger import Ledger
from avatar_gitops.engine.linking import inference_risk, linkability_risks
from avatar_gitops.engine.membership import Membership, Success, attack_membership
from avatar_gitops.engine.pair import Pair, pair_up
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, PrivacyParams, Space
from avatar_gitops.engine.risk import Risk
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.singling_out import single_out
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError

SHADOW_SHARE: Final = 0.2
MEMBERSHIP: Final = (
    "membership_auc",
    "membership_tpr_at_1_fpr",
    "membership_tpr_at_10_fpr",
    "membership_auc_isolated",
    "membership_auc_density",
)
WORST: Final = "membership_auc_worst_group"
SHARE: Final = "distance_to_closest_share"
RISKS: Final = (
    "singling_out_univariate_risk",
    "singling_out_multivariate_risk",
    "linkability_risk",
    "linkability_risk_5",
    "inference_risk",
)
_NO_CONTROL: Final = "Not measured: no holdout, no shadow run."
_SHADOW: Final = "Shadow run: avatars made again from a random 80 % of the rows, the others are the control."


def attack_with_control(found: Sides | None, note: str | None, params: PrivacyParams, ledger: Ledger) -> None:
    """Membership inference, DCR share and the three risks of Giomi et al.; absent with the reason without a control."""
    grouped = (WORST,) if params.groups else ()
    if found is None:
        for name in (*MEMBERSHIP, *grouped, SHARE, *RISKS):
            ledger.absent(name, note or _NO_CONTROL)
        return
    attacked = attack_membership(found, ledger.seed, find_grouping(found.space.layout, params.groups))
    _membership(attacked, ledger)
    if grouped:
        _worst_group(attacked, ledger)
    share = dcr_share(found, ledger.seed)
    ledger.add(SHARE, share.percent, share.independent, share.interval)
    for name, several in (("singling_out_univariate_risk", False), ("singling_out_multivariate_risk", True)):
        _risk(
            ledger, name, single_out(found, ledger.seed, multivariate=several), "Too few predicates isolate an avatar."
        )
    names = ("linkability_risk", "linkability_risk_5")
    if len(found.space.layout.names) < 2:
        for name in names:
            ledger.absent(name, "The table has fewer than two modelled columns.")
    else:
        for name, value in zip(names, linkability_risks(found, params.known_variables, ledger.seed), strict=True):
            _risk(ledger, name, value, "")
    _inference(found, params, ledger)
    if note:
        for name in (*MEMBERSHIP, *grouped, SHARE, *RISKS):
            ledger.notes[name] = f"{note} {ledger.notes[name]}" if name in ledger.notes else note


def control(
    original: pa.Table,
    columns: Sequence[ColumnSpec],
    pair: Pair,
    holdout: pa.Table | None,
    params: PrivacyParams,
    seed: int,
) -> tuple[Sides | None, str | None]:
    """The parties of the attacks and a note on where the control comes from, or why there is none."""
    if holdout is not None:
        return sides(pair, holdout), None
    if params.shadow is None:
        return None, None
    if SHADOW_SHARE * original.num_rows < FEWEST:
        return None, f"Not measured: a shadow run needs at least {round(FEWEST / SHADOW_SHARE)} rows."
    try:
        found = shadow(original, columns, params.space, params.shadow, seed)
        _check_variables(found, params)
    except EngineError as refused:  # a part may lack what the table has: the one row with a value, the copy of a text
        return None, f"Not measured: a random 80 % of the rows is too little for a shadow run. {refused.message}"
    return found, _SHADOW


def _check_variables(found: Sides, params: PrivacyParams) -> None:
    """Raises EngineError when a variable of the attacks is empty in this part of the table."""
    layout = found.space.layout
    find_grouping(layout, params.groups)
    for name in (*params.known_variables, *([params.target] if params.target else [])):
        if name not in layout.names:
            raise EngineError(f"Column {name!r} has no value there.")


def shadow(original: pa.Table, columns: Sequence[ColumnSpec], options: Space, made: AvatarParams, seed: int) -> Sides:
    """Avatars of a random part of the originals, with the other part as control."""
    used, apart = split(original.num_rows, SHADOW_SHARE, seed, "shadow")
    members = original.take(used)
    again = int(stream(seed, "", "shadow seed").integers(2**31))
    made_again = avatarize(members, columns, made, again)
    pair = pair_up(members, made_again.unshuffled, columns, options, seed, made_again.origins)
    return sides(pair, original.take(apart))


def _membership(found: Membership, ledger: Ledger) -> None:
    few = "Too few people who were not used."
    overall = found.distance
    _success(ledger, "membership_auc", overall)
    rates = (
        ("membership_tpr_at_1_fpr", overall.at_1, overall.at_1_interval),
        ("membership_tpr_at_10_fpr", overall.at_10, overall.at_10_interval),
    )
    for name, value, interval in rates:
        if value is None:
            ledger.absent(name, few)
        else:
            ledger.add(name, value, overall.attacked, interval)
    for name, part in (("membership_auc_isolated", found.isolated), ("membership_auc_density", found.density)):
        if part is None:
            ledger.absent(name, few)
        else:
            _success(ledger, name, part)


def _worst_group(found: Membership, ledger: Ledger) -> None:
    if found.worst is None:
        ledger.absent(WORST, "No group has enough people on both sides.")
        return
    success, note = found.worst
    _success(ledger, WORST, success)
    ledger.notes[WORST] = note


def _success(ledger: Ledger, name: str, value: Success) -> None:
    ledger.add(name, value.auc, value.attacked, value.auc_interval)


def _risk(ledger: Ledger, name: str, value: Risk | None, otherwise: str) -> None:
    if value is None:
        ledger.absent(name, otherwise)
        return
    ledger.add(name, value.percent, value.attacks, value.interval)
    if value.weak:
        ledger.notes[name] = "Guessing at random does as well as this attack: the figure says little."


def _inference(found: Sides, params: PrivacyParams, ledger: Ledger) -> None:
    known = tuple(name for name in params.known_variables if name != params.target)
    if params.target is None or len(found.space.layout.names) < 2:
        why = "No target is given." if params.target is None else "There is nothing to infer from."
        ledger.absent("inference_risk", why)
        return
    value = inference_risk(found, known, params.target, ledger.seed)
    _risk(ledger, "inference_risk", value, "Too few people have the target.")
