"""Classes and functions of the screen stay small, so that one can be read, and tested, without the others."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import debate_tui.tui

MAX_METHODS = 30
MAX_ATTRIBUTES = 20
MAX_PARAMETERS = 9

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
TREES = [
    ast.parse(path.read_text("utf-8")) for path in sorted(Path(debate_tui.tui.__path__[0]).rglob("*.py"))
]


class ClassOutline(NamedTuple):
    """What a class of the package defines, without what it inherits."""

    bases: frozenset[str]
    methods: frozenset[str]
    attributes: frozenset[str]


def base_name(node: ast.expr) -> str:
    """The last part of a base class's name, without its type arguments."""
    if isinstance(node, ast.Subscript):
        node = node.value
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)


def outline(node: ast.ClassDef) -> ClassOutline:
    stored = (inner for inner in ast.walk(node) if isinstance(inner, ast.Attribute))
    return ClassOutline(
        frozenset(map(base_name, node.bases)) - {node.name},  # `class Key(events.Key)`
        frozenset(inner.name for inner in node.body if isinstance(inner, FunctionNode)),
        frozenset(
            inner.attr
            for inner in stored
            if isinstance(inner.ctx, ast.Store) and ast.unparse(inner.value) == "self"
        ),
    )


CLASSES = {
    node.name: outline(node) for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
}


def lineage(name: str) -> list[ClassOutline]:
    """A class and the classes of the package that it inherits from."""
    own = CLASSES[name]
    return [own, *(above for base in own.bases if base in CLASSES for above in lineage(base))]


def test_classes_have_few_methods_inherited_ones_included() -> None:
    counts = {name: len(frozenset().union(*(each.methods for each in lineage(name)))) for name in CLASSES}
    assert {name: count for name, count in counts.items() if count > MAX_METHODS} == {}


def test_classes_have_few_attributes_inherited_ones_included() -> None:
    counts = {name: len(frozenset().union(*(each.attributes for each in lineage(name)))) for name in CLASSES}
    assert {name: count for name, count in counts.items() if count > MAX_ATTRIBUTES} == {}


def test_classes_have_at_most_one_base_of_the_package() -> None:
    bases = {name: sorted(own.bases & CLASSES.keys()) for name, own in CLASSES.items()}
    assert {name: own for name, own in bases.items() if len(own) > 1} == {}


def test_functions_have_few_parameters() -> None:
    functions = [node for tree in TREES for node in ast.walk(tree) if isinstance(node, FunctionNode)]
    counts = {
        f"{node.name}, line {node.lineno}": len(
            [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        )
        for node in functions
    }
    assert {name: count for name, count in counts.items() if count > MAX_PARAMETERS} == {}
