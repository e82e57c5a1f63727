"""Structural validation: the generated schema applied by `jsonschema`, and each violation in words with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pydantic

from avatar_gitops.diagnostics import Diagnostic, Span
from avatar_gitops.spec.gates import METRICS
from avatar_gitops.spec.nodes import Document, Path
from avatar_gitops.spec.scalars import looks_like_date
from avatar_gitops.spec.schema import ROOTS, Kind, schema
from avatar_gitops.spec.secrets import shown
from avatar_gitops.spec.unions import expected_types, leaves, resolve, variants
from avatar_gitops.spec.wording import TYPE_NAMES, article, listed, near, noun, only_near, reason_for, type_name

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Report = Callable[["_Violation"], Iterator[Diagnostic]]

NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
NO_BOOLEANS: Final = {"yes": "true", "no": "false", "on": "true", "off": "false", "y": "true", "n": "false"}


@cache
def validator(kind: Kind) -> Any:
    """The validator of one kind of file."""
    from avatar_gitops.spec.dialect import Validator

    return Validator(schema(kind))


def check_structure(document: Document, kind: Kind) -> list[Diagnostic]:
    """Every structural violation of a document; places that the YAML reader already reported are left out.

    The model, which is much faster, accepts the same documents as the schema (a property test holds that), so the
    schema is only applied to find the words for what is wrong.
    """
    if not document.broken and _accepted(document.data, kind):
        return []
    found: list[Diagnostic] = []
    errors = [leaf for error in validator(kind).iter_errors(document.data) for leaf in leaves(error, schema(kind))]
    wrongly_typed = {_path(error) for error in errors if error.validator in ("type", "anyOf", "oneOf")}
    for error in errors:
        path = _path(error)
        if any(path[:length] in document.broken for length in range(len(path) + 1)):
            continue
        if path in wrongly_typed and error.validator not in ("type", "anyOf", "oneOf"):
            continue
        violation = _Violation(
            document, kind, path, str(error.validator), error.validator_value, error.instance, error.schema
        )
        found.extend(_diagnose(violation, in_key="propertyNames" in error.absolute_schema_path))
    return found


def _accepted(data: Any, kind: Kind) -> bool:
    try:
        ROOTS[kind][0].model_validate_json(json.dumps(data))
    except pydantic.ValidationError:
        return False
    return True


def _path(error: ValidationError) -> Path:
    return tuple(error.absolute_path)


@dataclass(frozen=True, slots=True)
class _Violation:
    """One leaf error with what the wording needs: where, which rule, what was found."""

    document: Document
    kind: Kind
    path: Path
    keyword: str
    limit: Any
    value: Any
    rule: Any

    @property
    def name(self) -> str:
        """The name of the field that is wrong: the last key on the way to it."""
        names = [part for part in self.path if isinstance(part, str)]
        return names[-1] if names else "the document"

    @property
    def subject(self) -> str:
        """How a message calls what is wrong."""
        if self.path and isinstance(self.path[-1], int):
            return f"item {self.path[-1] + 1} of `{self.name}`"
        return f"`{self.name}`" if self.path else "the document"

    def at_value(self, code: str, message: str, **texts: str) -> Diagnostic:
        wide = (self.value is None or isinstance(self.value, dict | list)) and self.path in self.document.keys
        span = self.document.locate_key(self.path) if wide else self.document.locate(self.path)
        return _diagnostic(code, message, span, self.path, _with_reason(self.path, texts))

    def at_key(self, code: str, message: str, key: str, **texts: str) -> Diagnostic:
        path = (*self.path, key)
        return _diagnostic(code, message, self.document.locate_key(path), path, texts)


def _diagnostic(code: str, message: str, span: Span, path: Path, texts: dict[str, Any]) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=span, path=path, **texts)


def _with_reason(path: Path, texts: dict[str, str]) -> dict[str, str]:
    reason = reason_for(path)
    return {"why": reason.why, "fix": reason.fix} | {key: text for key, text in texts.items() if text}


def _diagnose(violation: _Violation, in_key: bool) -> Iterator[Diagnostic]:
    report = _bad_key if in_key else _REPORTS.get(violation.keyword, _other)
    yield from report(violation)


def _unknown(violation: _Violation) -> Iterator[Diagnostic]:
    known = list(violation.rule.get("properties", {}))
    for key in violation.value:
        if key in known:
            continue
        free = [name for name in known if name not in violation.value]
        guess = near(key, free)
        homes = _homes(violation.kind).get(key, ()) if guess is None else ()
        homes = tuple(home for home in homes if home in known) or homes
        if guess:
            label = f"did you mean `{guess}`?"
        elif homes:
            label = f"`{key}` belongs under {listed([f'`{home}`' for home in homes], 'or')}"
        else:
            label = f"known here: {', '.join(known)}" if len(known) <= 12 else "not known at this place"
        fix = f"rename it to `{guess}`" if guess else ""
        edit = guess if guess and only_near(key, free) else ""
        yield violation.at_key("S002", f"unknown key `{shown(key)}`", key, label=label, fix=fix, edit=edit)


def _missing(violation: _Violation) -> Iterator[Diagnostic]:
    instance = violation.value
    known = list(violation.rule.get("properties", {}))
    guesses = {near(key, [name for name in known if name not in instance]) for key in instance if key not in known}
    for name in violation.limit:
        if name in instance or name in guesses:
            continue
        where = f"in {violation.subject}" if violation.path else "at the top"
        reason = reason_for((*violation.path, name))
        texts = {"why": reason.why, "fix": reason.fix or _example(violation, name)}
        span = violation.document.locate_key(violation.path)
        yield _diagnostic("S001", f"key `{name}` is missing {where}", span, violation.path, texts)


def _example(violation: _Violation, name: str) -> str:
    rule = resolve(violation.rule.get("properties", {}).get(name, {}), schema(violation.kind))
    if "const" in rule:
        return f"add the line `{name}: {rule['const']}`"
    if "enum" in rule:
        return f"add `{name}:` with one of {', '.join(rule['enum'])}"
    return f"add `{name}:`"


def _wrong_type(violation: _Violation) -> Iterator[Diagnostic]:
    single = violation.keyword == "type"
    expected = [str(violation.limit)] if single else expected_types(violation.limit, schema(violation.kind))
    wanted = listed([TYPE_NAMES[name] for name in expected], "or")
    value = violation.value
    raw = violation.document.plain.get(violation.path)
    if raw is not None and looks_like_date(raw):
        yield violation.at_value(
            "S010",
            f"{violation.subject} must be {wanted}",
            label="this is a date",
            why="YAML readers disagree on unquoted dates; here they are text",
            fix=f'write {wanted}; where a date is meant as text, put it in quotes: "{raw}"',
        )
        return
    texts = {
        "label": f"got {_described(value)}",
        "fix": _type_fix(violation, expected, value),
        "edit": _type_edit(violation, expected, value),
    }
    form = reason_for(violation.path).form if expected == ["string"] else ""
    yield violation.at_value("S005", f"{violation.subject} must {form or f'be {wanted}'}", **texts)


def _described(value: Any) -> str:
    if isinstance(value, dict | list) or value is None:
        return type_name(value)
    return f"{type_name(value)} `{shown(value)}`" if not isinstance(value, bool) else f"`{shown(value)}`"


def _type_fix(violation: _Violation, expected: list[str], value: Any) -> str:
    name = violation.name
    raw = violation.document.plain.get(violation.path)
    if value is None:
        return "write a value, or remove the line"
    if violation.path[-2:-1] == ("gates",) and isinstance(value, int | float):
        metric = METRICS.get(name)
        return f'write {name}: "{metric.direction if metric else ">="} {raw}"'
    if "string" in expected and isinstance(value, int | float):
        return f'put it in quotes: {name}: "{raw if raw is not None else shown(value)}"'
    if isinstance(value, str) and not {"integer", "number"}.isdisjoint(expected) and NUMBER.fullmatch(value):
        return f"remove the quotes: {name}: {value}"
    if isinstance(value, str) and "boolean" in expected:
        word = NO_BOOLEANS.get(value.lower(), value.lower())
        if word in {"true", "false"}:
            return f"write {name}: {word}" + ("; in YAML 1.2 `yes` and `no` are text" if raw else "; without quotes")
    if isinstance(value, str) and "array" in expected:
        return f"write a list: {name}: [{shown(value)}]"
    return ""


def _type_edit(violation: _Violation, expected: list[str], value: Any) -> str:
    """The same value as the type that is wanted, where it says it already: `yes`, "5", an unquoted name of digits."""
    raw = violation.document.plain.get(violation.path)
    if isinstance(value, str) and expected == ["boolean"]:
        word = NO_BOOLEANS.get(value.lower(), value.lower())
        return word if word in {"true", "false"} else ""
    if isinstance(value, str) and expected in (["integer"], ["number"]) and NUMBER.fullmatch(value):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and raw and expected == ["string"] and violation.path[-2:-1] != ("gates",):
        return f'"{raw}"'
    return ""


def _not_one_of(violation: _Violation) -> Iterator[Diagnostic]:
    value, choices = violation.value, violation.limit
    what = noun(violation.rule.get("title") or violation.name)
    guess = near(str(value), choices)
    options = f"one of {', '.join(choices)}"
    label = f"did you mean `{guess}`? {options}" if guess else options
    yield violation.at_value("S003", f"`{shown(value)}` is not {article(what)} {what}", label=label)


def _not_constant(violation: _Violation) -> Iterator[Diagnostic]:
    wanted = violation.limit
    yield violation.at_value(
        "S003",
        f"`{violation.name}` must be `{wanted}`",
        label=f"got `{shown(violation.value)}`",
        fix=f"write {violation.name}: {wanted}",
    )


def _out_of_range(violation: _Violation) -> Iterator[Diagnostic]:
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "greater than",
        "exclusiveMaximum": "less than",
    }
    relation = words[violation.keyword]
    message = f"{violation.subject} must be {relation} {violation.limit}"
    yield violation.at_value("S004", message, label=f"got {shown(violation.value)}")


def _bad_form(violation: _Violation) -> Iterator[Diagnostic]:
    form = reason_for(violation.path).form or f"match {violation.limit}"
    label = f"got `{shown(violation.value)}`" if violation.value else "empty"
    yield violation.at_value("S006", f"{violation.subject} must {form}", label=label)


def _too_short(violation: _Violation) -> Iterator[Diagnostic]:
    what = "be empty" if violation.limit == 1 else f"have fewer than {violation.limit} items"
    fix = reason_for(violation.path).fix or "write a value, or remove the line"
    yield violation.at_value("S007", f"{violation.subject} must not {what}", fix=fix)


def _too_long(violation: _Violation) -> Iterator[Diagnostic]:
    limit = violation.limit
    yield violation.at_value("S008", f"{violation.subject} is too long", label=f"at most {limit} characters")


def _bad_key(violation: _Violation) -> Iterator[Diagnostic]:
    key = str(violation.value)
    reason = reason_for((*violation.path, "*"))
    form = reason.form or "be text of 1 to 500 characters"
    texts = {"why": reason.why, "fix": reason.fix}
    yield violation.at_key("S006", f"key `{shown(key)}` of `{violation.name}` must {form}", key, **texts)


def _other(violation: _Violation) -> Iterator[Diagnostic]:
    yield violation.at_value("S009", f"{violation.subject} does not fit the schema")


_REPORTS: Final[dict[str, Report]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _wrong_type,
    "anyOf": _wrong_type,
    "oneOf": _wrong_type,
    "enum": _not_one_of,
    "const": _not_constant,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "exclusiveMinimum": _out_of_range,
    "exclusiveMaximum": _out_of_range,
    "pattern": _bad_form,
    "minLength": _too_short,
    "minItems": _too_short,
    "minProperties": _too_short,
    "maxLength": _too_long,
}


@cache
def _homes(kind: Kind) -> dict[str, tuple[str, ...]]:
    """For each key of the schema, the keys under which it may stand."""
    homes: dict[str, set[str]] = {}
    root = schema(kind)
    seen: set[tuple[str, int]] = set()

    def visit(node: dict[str, Any], parent: str) -> None:
        for variant in variants(node, root):
            if (parent, id(variant)) in seen:
                continue
            seen.add((parent, id(variant)))
            for name, child in variant.get("properties", {}).items():
                if parent:
                    homes.setdefault(name, set()).add(parent)
                visit(child, name)
            for rule in (variant.get("items"), variant.get("additionalProperties")):
                if isinstance(rule, dict):
                    visit(rule, "")

    visit(root, "")
    return {name: tuple(sorted(parents)) for name, parents in homes.items() if len(parents) <= 2}
