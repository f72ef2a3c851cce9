"""CONTRIBUTING.md has every package of the tree, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")


def section(heading: str) -> str:
    """The text below a heading, up to the next one."""
    return TEXT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_the_tree_is_the_one_on_disk() -> None:
    named = set(re.findall(r"`((?:debate_tui|themes|tests)/[\w./]*)`", section("The tree")))
    packages = {f"{path.parent.relative_to(ROOT)}/" for path in (ROOT / "debate_tui").rglob("__init__.py")}
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "debate_tui").glob("*.py")}
    assert packages - {"debate_tui/"} <= named
    assert modules - {"debate_tui/__init__.py", "debate_tui/__main__.py"} <= named
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert sum(line.startswith("| `") for line in section("The tree").splitlines()) <= 20


def test_files_named_elsewhere_exist() -> None:
    paths = re.findall(
        r"`((?:cli|tui|server|session|sources|resilience|record|display|domain)/[\w./]+)`", TEXT
    )
    assert paths
    assert [path for path in paths if not (ROOT / "debate_tui" / path).exists()] == []


def test_the_glossary_stays_short_and_sorted() -> None:
    words = re.findall(r"^\| ([a-z, ]+) \|", section("Words"), re.MULTILINE)[1:]
    assert 20 <= len(words) <= 30
    assert words == sorted(words)
