"""Bicep files as syntax trees, and their faults."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import tree_sitter_bicep
from pycep import BicepParser
from tree_sitter import Language, Node, Parser

BICEP = Language(tree_sitter_bicep.language())


class BicepError(Exception):
    """A file that cannot be read, or that says what Bicep would refuse; the message names file and line."""


@lru_cache(maxsize=256)
def tree(source: bytes) -> Node:
    """The syntax tree of a file's text, comments left out by the grammar's own rules."""
    return Parser(BICEP).parse(source).root_node


def parsed(path: Path) -> Node:
    """The syntax tree of a file.

    Raises:
        BicepError: The text is not Bicep.
    """
    return _checked(path.read_bytes(), path.name)


@lru_cache(maxsize=256)
def _checked(source: bytes, name: str) -> Node:
    root = tree(source)
    for node in faults(root):
        raise BicepError(f"{name}:{node.start_point.row + 1}: not Bicep: {text(node)[:60]!r}")
    return root


def faults(node: Node) -> Iterator[Node]:
    """The places that the grammar could not read."""
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from faults(child)


def second_opinion(path: Path) -> None:
    """Parses a file with an independent grammar, which raises on what it cannot read."""
    BicepParser().parse(text=path.read_text())


def text(node: Node) -> str:
    """The source text of a node."""
    return (node.text or b"").decode()


def parts(node: Node) -> list[Node]:
    """The children that mean something."""
    return [child for child in node.children if child.is_named and child.type not in {"comment", "diagnostic_comment"}]


def field(node: Node, name: str) -> Node:
    """A child by its role.

    Raises:
        BicepError: There is none.
    """
    child = node.child_by_field_name(name)
    if child is None:
        raise BicepError(f"line {node.start_point.row + 1}: {node.type} without {name}: {text(node)[:60]!r}")
    return child
