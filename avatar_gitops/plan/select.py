"""Which sets a command concerns: `--select` and `--exclude`, read and matched against the changes of a plan.

A selector is a name glob, or one of `path:GLOB`, `label:KEY[=VALUE]`, `owner:TEXT`, `git:REF`, `state:STATE` and
`weaker:`. Chosen is what any selector matches (everything when there is none) and no exclusion does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Final

from avatar_gitops.errors import UsageError
from avatar_gitops.plan.model import Action, Change, Privacy, Selection
from avatar_gitops.plan.standing import Standing, standing

__all__ = ["STATES", "Selection", "chosen", "refs", "settled"]

Test = Callable[[Change, str], bool]


def chosen(changes: Sequence[Change], selection: Selection) -> frozenset[str]:
    """Names of the sets that a selection means.

    Raises UsageError for a selector that cannot be read, and for one by name, path, label or owner that matches no set.
    `git:`, `state:` and `weaker:` may match nothing: they ask how things are now. What `git:REF` means stands in
    `selection.touched`.
    """
    wanted = _union(changes, selection.select, selection) if selection.select else {change.set for change in changes}
    if selection.only is not None:
        wanted &= selection.only
    return frozenset(wanted - _union(changes, selection.exclude, selection))


def refs(selection: Selection) -> tuple[str, ...]:
    """Every REF of a `git:REF` selector, which somebody who can ask git has to look up."""
    prefix = f"{GIT}:"
    found = (text.removeprefix(prefix) for text in (*selection.select, *selection.exclude) if text.startswith(prefix))
    return tuple(dict.fromkeys(found))


def settled(selectors: Iterable[str], selection: Selection) -> tuple[str, ...]:
    """Selectors whose `git:REF` are replaced by the sets that they mean, so that later commits change nothing."""
    said: dict[str, None] = {}
    for selector in selectors:
        names = selection.touched.get(selector.removeprefix(f"{GIT}:")) if selector.startswith(f"{GIT}:") else None
        said |= dict.fromkeys(sorted(names) if names else [selector])
    return tuple(said)


def _union(changes: Sequence[Change], selectors: Iterable[str], selection: Selection) -> set[str]:
    return {name for selector in selectors for name in _matching(changes, selector, selection)}


def _matching(changes: Sequence[Change], selector: str, selection: Selection) -> set[str]:
    prefix, argument = _parts(selector)
    if prefix == GIT:
        if argument not in selection.touched:
            raise UsageError(f"`{selector}` cannot be used here: nobody asked git about it")
        return {change.set for change in changes if change.set in selection.touched[argument]}
    found = {change.set for change in changes if KINDS[prefix](change, argument)}
    if not found and prefix not in MOMENTARY:
        raise UsageError(f"`{selector}` matches no set", hint=_near(changes, prefix, argument))
    return found


def _parts(selector: str) -> tuple[str, str]:
    """Prefix and argument, both checked; a selector without a colon is a name."""
    prefix, colon, argument = selector.partition(":")
    if not colon:
        prefix, argument = NAME, selector
    elif prefix not in USABLE:
        raise UsageError(f"`{selector}` is no selector", hint=_suggest(prefix, USABLE, "{}:…", SYNTAX))
    if prefix == "weaker":
        if argument:
            raise UsageError(f"`{selector}` is no selector: nothing follows `weaker:`", hint="write `weaker:`")
    elif not argument.strip():
        raise UsageError(f"`{selector}` is no selector: it says nothing to look for", hint=SYNTAX)
    if prefix == "state" and argument not in STATES:
        raise UsageError(
            f"`{argument}` is no state", hint=_suggest(argument, STATES, "state:{}", f"one of {', '.join(STATES)}")
        )
    return prefix, argument


def _suggest(text: str, known: Collection[str], form: str, otherwise: str) -> str:
    near = get_close_matches(text, known, n=1)
    return f"did you mean `{form.format(near[0])}`?" if near else otherwise


def _near(changes: Sequence[Change], prefix: str, argument: str) -> str:
    """A nearby name, path, label or owner; else all there are, if they are few."""
    known = sorted({text for change in changes for text in SAID[prefix](change) if text})
    form = "{}" if prefix == NAME else f"{prefix}:{{}}"
    return _suggest(argument, known, form, _listed(prefix, known))


def _listed(prefix: str, known: Sequence[str]) -> str:
    nouns = {NAME: "sets", "path": "paths", "label": "labels", "owner": "owners"}
    shown = ", ".join(known[:MOST_SHOWN]) + (f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else "")
    return f"{nouns[prefix]}: {shown or 'none'}"


def _metadata(change: Change) -> Mapping[str, Any]:
    """What the spec says about itself, or said when it was published last."""
    spec = change.desired.resolved if change.desired else change.lock.spec if change.lock else {}
    found = spec.get("metadata")
    return found if isinstance(found, Mapping) else {}


def _labels(change: Change) -> Mapping[str, str]:
    found = _metadata(change).get("labels")
    return found if isinstance(found, Mapping) else {}


def _owner(change: Change) -> str:
    return str(_metadata(change).get("owner") or "")


def _by_name(change: Change, glob: str) -> bool:
    return fnmatchcase(change.set, glob)


def _by_path(change: Change, glob: str) -> bool:
    """The spec file, or a folder above it; `*` also crosses folders."""
    glob = glob.removeprefix("./").rstrip("/")
    return bool(change.path) and (fnmatchcase(change.path, glob) or fnmatchcase(change.path, f"{glob}/*"))


def _by_label(change: Change, text: str) -> bool:
    key, equals, wanted = text.partition("=")
    labels = _labels(change)
    return key in labels and (not equals or fnmatchcase(str(labels[key]), wanted))


def _by_owner(change: Change, text: str) -> bool:
    return text.casefold() in _owner(change).casefold()


def _by_state(change: Change, state: str) -> bool:
    return STATES[state](change)


def _gets_weaker(change: Change, nothing: str) -> bool:
    return change.effective and change.privacy is Privacy.WEAKER


def _stands(where: Standing) -> Callable[[Change], bool]:
    return lambda change: standing(change) is where


def _label_texts(change: Change) -> Iterator[str]:
    for key, text in _labels(change).items():
        yield from (key, f"{key}={text}")


NAME: Final = "name"
GIT: Final = "git"
MOST_SHOWN: Final = 12
STATES: Final[Mapping[str, Callable[[Change], bool]]] = {
    **{where.value.replace(" ", "-"): _stands(where) for where in Standing},
    "changed": lambda change: standing(change) is Standing.CHANGED or change.action is Action.UPDATE,
    "unchanged": lambda change: not change.effective,
}
KINDS: Final[Mapping[str, Test]] = {
    NAME: _by_name,
    "path": _by_path,
    "label": _by_label,
    "owner": _by_owner,
    "state": _by_state,
    "weaker": _gets_weaker,
}
SAID: Final[Mapping[str, Callable[[Change], Iterable[str]]]] = {
    NAME: lambda change: (change.set,),
    "path": lambda change: (change.path,),
    "label": _label_texts,
    "owner": lambda change: (_owner(change),),
}
MOMENTARY: Final = KINDS.keys() - SAID.keys()
USABLE: Final = (*(prefix for prefix in KINDS if prefix != NAME), GIT)
SYNTAX: Final = "NAME, path:GLOB, label:KEY[=VALUE], owner:TEXT, git:REF, state:STATE or weaker:"
