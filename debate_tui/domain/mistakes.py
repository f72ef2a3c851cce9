"""What is wrong with a TOML file, told so that it can be put right: file, line, key, and what would be right.

Apart from `toml`, since most files are right, and no start of the program should wait for this.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import inspect

from debate_tui.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]

_AT = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_INVALID = re.compile(r"Invalid enum value '(.*)'")
_SYNTAX = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column \d+\)$")
_HEADER = re.compile(r"\s*(?P<open>\[\[?)(?P<keys>[^\[\]]+)\]")
_ASSIGNMENT = re.compile(r"""\s*(?P<keys>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"))*)\s*=""")
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}


def syntax(problem: str, text: str, where: str) -> ConfigError:
    """The error for what `tomllib` says of a text; `where` names the file."""
    found = _SYNTAX.match(problem)
    if found is None:
        last = len(text.splitlines()) or 1
        what = problem.removesuffix(" (at end of document)")
        return ConfigError(f"{where}:{last}: {what}", "The file is not valid TOML up to its end.")
    return ConfigError(f"{where}:{found['line']}: {found['what']}", "This line is not valid TOML.")


def mismatch(problem: str, text: str, type_: object, where: str) -> ConfigError:
    """The error for what msgspec says of a text's values: where they stand, and what would be right."""
    path: Path = ()
    if at := _AT.search(problem):
        problem = problem[: at.start()]
        steps = _STEP.finditer(at["path"])
        path = tuple(int(step["index"]) if step["index"] else step["key"] for step in steps)
    target = _type_at(inspect.type_info(type_), path)
    hint = ""
    if unknown := _UNKNOWN.match(problem):
        path = (*path, unknown[1])
        problem = f"unknown key `{unknown[1]}`"
        hint = _nearest(unknown[1], [field.encode_name for field in getattr(target, "fields", ())])
    elif missing := _MISSING.match(problem):
        problem = f"the key `{missing[1]}` is missing"
    elif invalid := _INVALID.match(problem):
        problem = f"`{_key(path)}` cannot be `{invalid[1]}`"
        hint = _nearest(invalid[1], [str(value) for value in getattr(target, "values", ()) if value != ""])
    else:
        problem = f"`{_key(path)}`: {_plain(problem)}" if path else _plain(problem)
    return ConfigError(f"{where}:{_line(text, path)}: {problem}", hint)


def _plain(problem: str) -> str:
    for name, kind in _KINDS.items():
        problem = problem.replace(f"`{name}`", kind)
    return problem[:1].lower() + problem[1:]


def _key(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _nearest(wrong: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(wrong, known, n=1)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Known here: {', '.join(known)}." if known else ""


def _type_at(type_: object, path: Path) -> object:
    """What is known of the type expected at `path`; of a union, the choice that knows the way there."""
    if (described := getattr(type_, "type", None)) is not None:  # an `Annotated` type
        return _type_at(described, path)
    if choices := getattr(type_, "types", ()):
        found = (_type_at(choice, path) for choice in choices)
        return next((choice for choice in found if choice is not None), None)
    if not path:
        return type_ if hasattr(type_, "fields") or hasattr(type_, "values") else None
    step, *rest = path
    if isinstance(step, int):
        return _type_at(getattr(type_, "item_type", None), tuple(rest))
    for field in getattr(type_, "fields", ()):
        if field.encode_name == step:
            return _type_at(field.type, tuple(rest))
    return None


def _line(text: str, path: Path) -> int:
    """The line `path` stands on, from 1; that of the nearest table around it if it has none of its own."""
    lines: dict[Path, int] = {}
    for found, number in _places(text):
        lines.setdefault(found, number)
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Every table header and key of a TOML text with its line."""
    table: Path = ()
    counts: dict[Path, int] = {}
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            if inside in line:
                inside = ""
            continue
        if header := _HEADER.match(line):
            table = _resolve(_keys(header["keys"]), counts, array=header["open"] == "[[")
            for end in range(1, len(table) + 1):
                yield table[:end], number
        elif assignment := _ASSIGNMENT.match(line):
            keys = _keys(assignment["keys"])
            for end in range(1, len(keys) + 1):
                yield (*table, *keys[:end]), number
            value = line[assignment.end() :]
            inside = next((mark for mark in ('"""', "'''") if value.count(mark) == 1), "")


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _resolve(keys: tuple[str, ...], counts: dict[Path, int], *, array: bool) -> Path:
    """The path of a table header, with the number of the element for every array of tables on the way."""
    path: Path = ()
    for place, key in enumerate(keys, 1):
        path = (*path, key)
        if array and place == len(keys):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
