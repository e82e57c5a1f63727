"""Sets of documents that nobody meant: valid ones with parts changed or removed, and text that is no set at all."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from hypothesis import strategies as st

from tests.server.api import documents

Plain = Any
Place = tuple[dict[Any, Plain] | list[Plain], Any]  # a container, and a key or an index of it

NUMBERS: Final = (-1, 0, 1, 2, 3, 7, 119, 120, 121, 10**6, 10**9, 2**31, 2**63, 10**30, -(10**30))
FLOATS: Final = (-0.5, 0.0, 0.1, 0.999, 1.5, 1e-300, 1e308, float("inf"), float("-inf"), float("nan"))
TEXTS: Final = (
    *("", " ", "0", "age", "sector", "people", "nobody", "people.csv", "../people.csv", "schema", "schema_avatarized"),
    *("standard", "int", "category", "datetime", "knn", "mean", "minority", "coordinate_similarity", "UUID4", "FAKER"),
    *("a" * 3000, "\x00", "é", "\u202e", "😀", "\ud83d", "null", "~", "1e400", "2024-01-01", "{{age}}", "#?^", "{{{{"),
)
ODD: Final[st.SearchStrategy[Plain]] = st.one_of(
    st.sampled_from([None, True, False, [], {}, [[]], {"": None}, [None], {"age": 1}, ["age"], ["age", "age"]]),
    st.sampled_from(NUMBERS),
    st.sampled_from(FLOATS),
    st.sampled_from(TEXTS),
)


def _record(**fields: Plain) -> Plain:
    return {"people": {"k": 5, **fields}}


def _with(parameters: Plain, columns: Plain = None) -> list[Plain]:
    """The documents of a default run with other parameters and columns, and those of the four jobs after it."""
    made = [json.loads(part) for part in documents().split("\n---\n")]
    made[3]["spec"] = {"schema": "schema", "seed": 1, "compute_figures": False, **parameters}
    if columns is not None:
        made[1]["spec"]["tables"][0]["columns"] = columns
    attack = {"known_variables": ["age", "sector"], "target": "smoker", "quantile_threshold": 5, "ncp": 2}
    measured = {"schema": "schema_avatarized", "avatarization_ref": "standard", "seed": 1}
    more = [
        ("AvatarPrivacyMetricsParameters", "privacy_metrics", measured | {"privacy_metrics": {"people": attack}}),
        ("AvatarSignalMetricsParameters", "signal_metrics", measured | {"signal_metrics": {"people": {"ncp": 3}}}),
        ("AvatarReportParameters", "report", {"report_type": "basic", "output_format": "docx", "language": "en"}),
        ("AvatarAdviceParameters", "advice", {"schema": "schema", "advice": {"advisor_type": ["parameters"]}}),
    ]
    return made + [{"kind": kind, "metadata": {"name": name}, "spec": spec} for kind, name, spec in more]


VALID: Final = (
    _with({"avatarization": _record(ncp=3, column_weights={"sector": 2}, use_categorical_reduction=True)}),
    _with(
        {
            "avatarization": _record(
                imputation={"method": "knn", "k": 3, "training_fraction": 0.5, "return_data_imputed": True},
                exclude_variables={"variable_names": ["height"], "replacement_strategy": "coordinate_similarity"},
                holdout_share=0.3,
            )
        }
    ),
    _with(
        {"avatarization": _record(data_augmentation={"augmentation_strategy": 2, "target_column": "smoker"})},
        [
            {"field": "age", "type": "int"},
            {"field": "sector", "type": "category", "pseudonymization": {"kind": "SPECIFIC_ID", "pattern": "E-##"}},
            {"field": "height", "drop": True},
        ],
    ),
    _with({"avatarization_fast_dp": {"people": {"epsilon": 5, "mechanism": "histogram", "histogram_n_bins": 5}}}),
    _with(
        {"avatarization": _record(generation="local_gaussian"), "results": {"format": "parquet", "volume": "results"}},
        [{"field": "weight", "pseudonymization": {"kind": "UUID4", "consistent": False}}],
    ),
)


def places(node: Plain) -> Iterator[Place]:
    """Every place in a document where something stands."""
    if isinstance(node, dict | list):
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            yield node, key
            yield from places(node[key])


def _replaced(draw: Callable[..., Plain], place: Place) -> None:
    container, key = place
    container[key] = copy.deepcopy(draw(ODD))


def _removed(_draw: Callable[..., Plain], place: Place) -> None:
    container, key = place
    del container[key]


def _renamed(draw: Callable[..., Plain], place: Place) -> None:
    container, key = place
    if isinstance(container, dict):
        container[draw(st.sampled_from(TEXTS))] = container.pop(key)


def _wrapped(_draw: Callable[..., Plain], place: Place) -> None:
    container, key = place
    container[key] = [container[key]]


def _repeated(_draw: Callable[..., Plain], place: Place) -> None:
    container, key = place
    if isinstance(container, list):
        container.append(copy.deepcopy(container[key]))


CHANGES: Final = (_replaced, _replaced, _replaced, _removed, _renamed, _wrapped, _repeated)


@st.composite
def sets(draw: Callable[..., Plain], most: int = 3) -> list[Plain]:
    """The documents of a valid set after up to so many changes anywhere in them."""
    made = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, most))):
        found = list(places(made))
        if found:
            draw(st.sampled_from(CHANGES))(draw, draw(st.sampled_from(found)))
    return [document for document in made if document is not None]


def written(made: list[Plain]) -> str:
    """A YAML stream of JSON documents, which is YAML; numbers that JSON does not know are written as YAML does."""
    text = "\n---\n".join(json.dumps(document) + "\n" for document in made)
    return text.replace("-Infinity", "-.inf").replace("Infinity", ".inf").replace("NaN", ".nan")


BOMBS: Final = (
    "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{n}: &{n} [{', '.join(['*' + p] * 9)}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
    "&a [*a]",
    "&a {<<: *a}",
    "[" * 1_000 + "]" * 1_000,
    "{a: " * 1_000 + "1" + "}" * 1_000,
    "- " * 1_000 + "x",
    "!!python/object/apply:os.system ['true']",
    "!!binary aGVsbG8=",
    "!!set {a, b}",
    "!unknown {kind: AvatarSchema}",
    "? [a, b]\n: c",
    "%YAML 1.3\n---\nkind: x",
    "%TAG ! tag:example.org,2000:\n---\n!x y",
    "kind: AvatarSchema\nkind: AvatarSchema",
    "kind: \t x\n\t- y",
    "&a kind: *b",
    "1" * 10_000,
    "0x" + "f" * 5_000,
    "{k: " + "9" * 6_000 + "}",
    "-" * 50_000,
    "---\n" * 3_000,
    "'" * 9_999,
    "\ufeffkind: AvatarSchema",
    "kind: |\n" + " x\n" * 10_000,
    "2001-99-99",
    "{d: 2001-01-01T99:99:99Z, s: 190:20:30, o: 0o777, b: 0b2, n: 1_000}",
)


@st.composite
def bodies(draw: Callable[..., Plain]) -> bytes:
    """Bodies of all sorts: mutated sets, such sets with text put in or cut out, bombs, and any bytes."""
    kind = draw(st.sampled_from(["set", "set", "set", "torn", "torn", "bomb", "spec", "text", "bytes"]))
    match kind:
        case "bytes":
            return bytes(draw(st.binary(max_size=300)))
        case "text":
            return str(draw(st.text(max_size=300))).encode("utf-8", "surrogatepass")
        case "bomb":
            return str(draw(st.sampled_from(BOMBS))).encode()
        case "spec":
            inner = draw(st.sampled_from(BOMBS)).replace("\n", "\n  ")
            return f"kind: AvatarParameters\nmetadata: {{name: standard}}\nspec:\n  {inner}\n".encode()
    text = written(draw(sets(6)))
    if kind == "torn":
        at = draw(st.integers(0, len(text)))
        put_in = draw(
            st.one_of(st.text(max_size=20), st.sampled_from(["&a ", "*a ", "!!x ", "\t", "\x00", "]", "}", "- "]))
        )
        text = text[:at] + put_in + text[at + draw(st.integers(0, 40)) :]
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16", "latin-1"]))
    return text.encode(encoding, "ignore")
