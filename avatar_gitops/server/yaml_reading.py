"""Reading of untrusted YAML: plain data only, limits on size and alias expansion, keys always text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from avatar_gitops.characters import SURROGATE
from avatar_gitops.server.faults import ApiFault

MAXIMUM_BYTES: Final = 4 << 20
MAXIMUM_NODES: Final = 200_000
MAXIMUM_DEPTH: Final = 60
TOO_DEEP: Final = "The YAML is nested too deeply or refers to itself."
TOO_MANY: Final = f"The YAML expands to more than {MAXIMUM_NODES} values."
MERGE: Final = "tag:yaml.org,2002:merge"
PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
)
# Values of these keys are names: `field: 2` means the column called "2".
NAMES: Final = frozenset(
    {
        "name",
        "field",
        "table",
        "target",
        "file",
        "variable_names",
        "known_variables",
        "groups",
        "target_column",
        "schema",
    }
)


# The library tells most faults of a text by an error of its own, and some by the others.
FAULTS: Final = (YAMLError, ValueError, AssertionError, LookupError, TypeError, AttributeError, OverflowError)


class CountingComposer(Composer):
    """Stops at the first node that is one too many or too deep, instead of building all before it counts."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One more node."""
        self._nodes += 1
        if self._nodes > MAXIMUM_NODES:
            raise ApiFault(422, TOO_MANY)
        if self._depth > MAXIMUM_DEPTH:
            raise ApiFault(422, TOO_DEEP)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def read_documents(body: bytes) -> list[Any]:
    """The documents of a YAML stream as plain data, empty ones left out.

    The official clients write YAML 1.1, so it is read as such. Numbers that are keys or names stay the text they are.

    Raises:
        ApiFault: 413 when it is too large, 422 when it is not YAML or expands to too much.
    """
    if len(body) > MAXIMUM_BYTES:
        raise ApiFault(413, f"The documents of a set may have at most {MAXIMUM_BYTES >> 20} MiB.")
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = CountingComposer
    yaml.version = (1, 1)
    try:
        text = body.decode("utf-8")
        nodes = [node for node in yaml.compose_all(text) if node is not None]
        _check_size(nodes)
        documents = [_plain(node, yaml, as_text=False) for node in nodes]
    except UnicodeDecodeError:
        raise ApiFault(422, "The body is not UTF-8 text.") from None
    except RecursionError:
        raise ApiFault(422, TOO_DEEP) from None
    except FAULTS as error:
        raise ApiFault(422, f"The body is not valid YAML{_place(error)}.") from None
    return [document for document in documents if document is not None]


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f": line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""


def _check_size(nodes: list[Node]) -> None:
    """Count nodes the way they would be after every alias is replaced by what it stands for."""
    sizes: dict[int, int] = {}

    def size(node: Node, depth: int) -> int:
        if depth > MAXIMUM_DEPTH:
            raise ApiFault(422, TOO_DEEP)
        known = sizes.get(id(node))
        if known is None:
            known = 1 + sum(size(child, depth + 1) for child in _children(node))
            sizes[id(node)] = known
        return known

    if sum(size(node, 0) for node in nodes) > MAXIMUM_NODES:
        raise ApiFault(422, TOO_MANY)


def _children(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, SequenceNode):
        yield from node.value


def _plain(node: Node, yaml: YAML, *, as_text: bool) -> Any:
    if str(node.tag) not in PLAIN_TAGS:
        raise ApiFault(422, f"The YAML uses the tag {node.tag}; only plain values are accepted.")
    if isinstance(node, SequenceNode):
        return [_plain(child, yaml, as_text=as_text) for child in node.value]
    if isinstance(node, ScalarNode):
        return _scalar(node, yaml, as_text=as_text)
    merged: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            raise ApiFault(422, "The YAML uses a mapping or a list as a key.")
        if str(key.tag) == MERGE:
            parts = value.value if isinstance(value, SequenceNode) else [value]
            for part in reversed(parts):
                merged |= _plain(part, yaml, as_text=False)
        elif (name := _text(key)) in own:
            # The key itself is not repeated: keys of augmentation maps are values of the data.
            raise ApiFault(422, f"A key appears twice in one mapping: line {key.start_mark.line + 1}.")
        else:
            own[name] = _plain(value, yaml, as_text=name in NAMES)
    return merged | own


def _scalar(node: ScalarNode, yaml: YAML, *, as_text: bool) -> Any:
    kind = str(node.tag).rpartition(":")[2]
    if kind == "null":
        return None
    if as_text or kind in {"str", "timestamp", "value", "merge"}:
        return _text(node)
    return yaml.constructor.construct_object(node)


def _text(node: ScalarNode) -> str:
    """The text of a scalar; two escapes that are one character, as JSON writes those above U+FFFF, are joined."""
    text: str = node.value
    if SURROGATE.search(text) is None:
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ApiFault(422, f"The YAML holds half of a character: line {node.start_mark.line + 1}.") from None
