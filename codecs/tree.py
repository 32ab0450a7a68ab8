"""Text files with a structure, as trees of texts: what XML says, and how to find something in a tree by its path.

XML 1.0 by expat. Document type declarations are refused: they could make a small file endless, and name other files.
"""

from typing import Any, Final

from torhaus.codecs.model import DecodeError, RejectReason

MAX_DEPTH: Final = 32
TEXT: Final = "#"
"""The step for an element's own text, where it has attributes or children as well."""
FOLDED: Final = "\0"
"""Marks a node whose keys, all in small letters, are found by any spelling."""

Tree = Any  # str, or dict[str, Tree], or list[Tree]


def value_of(tree: Tree, steps: list[str]) -> str:
    """What stands at the end of the path, without space around it; empty if nothing does."""
    found = at(tree, steps)
    while isinstance(found, list):
        found = found[0] if found else ""
    if isinstance(found, dict):
        found = found.get(TEXT, "")
    return found.strip() if isinstance(found, str) else ""


def at(tree: Tree, steps: list[str]) -> Tree:
    """What stands at the end of the path; an empty text if nothing does. Of a list, the first, unless a step counts."""
    for step in steps:
        if isinstance(tree, list):
            if step.isdecimal() and len(step) < 6:
                tree = tree[int(step)] if int(step) < len(tree) else ""
                continue
            tree = tree[0] if tree else ""
        if not isinstance(tree, dict):
            return ""
        tree = tree.get(step, tree.get(step.casefold(), "") if tree.get(FOLDED) else "")
    return tree


def from_xml(data: bytes) -> Tree:
    """Elements by their names without namespaces, attributes as `@name`; what repeats is a list. Raises DecodeError."""
    from xml.parsers import expat  # loaded with the first file that is XML

    built, parser = _Xml(), expat.ParserCreate()
    parser.StartElementHandler = built.start
    parser.EndElementHandler = built.end
    parser.CharacterDataHandler = built.text
    parser.StartDoctypeDeclHandler = built.doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise DecodeError(RejectReason.SYNTAX, "no well-formed XML") from None
    return built.top


class _Xml:
    """Builds the tree. Raises DecodeError from inside the parser."""

    def __init__(self) -> None:
        self.top: dict[str, Tree] = {}
        self._open: list[dict[str, Tree]] = [self.top]
        self._texts: list[list[str]] = [[]]

    def start(self, _name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise DecodeError(RejectReason.LONG, "nested too deep")
        self._open.append({f"@{_local(key)}": value for key, value in attributes.items()})
        self._texts.append([])

    def end(self, name: str) -> None:
        node: Tree = self._open.pop()
        text = "".join(self._texts.pop()).strip()
        if node:
            node[TEXT] = text
        else:
            node = text
        around, name = self._open[-1], _local(name)
        if name not in around:
            around[name] = node
        elif isinstance(around[name], list):
            around[name].append(node)
        else:
            around[name] = [around[name], node]

    def text(self, text: str) -> None:
        self._texts[-1].append(text)

    def doctype(self, *_: object) -> None:
        raise DecodeError(RejectReason.UNSUPPORTED, "a document type declaration")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
